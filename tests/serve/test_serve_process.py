"""`crnn serve` as a process: signals, sockets, reloads, and what is missing."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from serve_support import PNG, SAMPLES, copy_of_bundled, other_version, process

from crnn.cli import main

PICTURE = SAMPLES[0].read_bytes()
NBEST = "/recognize?nbest=10"
"""Slow enough to be under way when something happens."""


def test_sigterm_answers_what_was_accepted_and_exits_with_0() -> None:
    with process("--timeout", "100") as one, httpx.Client(base_url=one.url, timeout=120) as client:
        assert client.get("/readyz").status_code == 200
        answers: list[Any] = []
        pictures = [("images", ("a.png", path.read_bytes(), "image/png")) for path in SAMPLES] * 2
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(one.url + NBEST, files=pictures, timeout=120))
        )
        asking.start()
        while f'crnn_queue_lines{{model="latin"}} {len(pictures)}.0' not in client.get("/metrics").text:
            time.sleep(0.01)
        one.process.send_signal(signal.SIGTERM)
        assert one.wait_for("stopping")["in_flight"] == 1
        assert client.get("/readyz").status_code == 503
        assert client.post("/recognize", content=PICTURE, headers=PNG).status_code == 503
        asking.join()
        assert answers[0].status_code == 200
        assert len(answers[0].json()["results"]) == len(pictures)
        assert one.process.wait(60) == 0
        assert one.rest()[-1]["event"] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_stops_when_told(number: signal.Signals) -> None:
    with process() as one:
        one.process.send_signal(number)
        assert one.process.wait(60) == 0


def test_head_is_get_without_the_body() -> None:
    key = {"authorization": f"Bearer {'k' * 16}"}
    with process(CRNN_API_KEYS="k" * 16) as one, httpx.Client(base_url=one.url) as client:
        for path in ("/", "/healthz", "/readyz", "/models", "/openapi.json", "/nothing", "/recognize"):
            head, get = client.head(path, headers=key), client.get(path, headers=key)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            assert head.headers["content-length"] == str(len(get.content))
        assert client.head("/healthz").status_code == 200
        assert client.head("/models").status_code == 401
        assert client.get("/metrics", headers=key).status_code == 200
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(60) == 0
        assert {"HEAD", "GET"} == {row["method"] for row in one.rest() if "method" in row}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(number: signal.Signals) -> None:
    with process("--client-timeout", "60") as one:
        half = socket.create_connection(("127.0.0.1", int(one.url.rpartition(":")[2])), 60)
        half.sendall(b"POST /recognize HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\nhalf")
        while "crnn_held_bytes 4.0" not in httpx.get(one.url + "/metrics").text:
            time.sleep(0.01)
        one.process.send_signal(number)
        assert one.wait_for("stopping")["in_flight"] == 1
        one.process.send_signal(number)
        assert one.process.wait(10) == 0
        assert half.recv(4096).startswith(b"HTTP/1.1 503 ")
        half.close()


def test_grace_has_an_end() -> None:
    with process("--grace", "0.2") as one:
        half = socket.create_connection(("127.0.0.1", int(one.url.rpartition(":")[2])))
        half.sendall(
            b"POST /recognize HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nhalf"
        )
        with httpx.Client(base_url=one.url) as client:
            while "crnn_held_bytes 4.0" not in client.get("/metrics").text:
                time.sleep(0.01)
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(60) == 0
        half.close()


def test_killed_under_load_clients_see_an_end_or_a_result_and_it_comes_back() -> None:
    with process() as one:
        port = one.url.rpartition(":")[2]
        seen: list[object] = []
        go_on = threading.Event()

        def load() -> None:
            with httpx.Client(base_url=one.url, timeout=60) as client:
                while not go_on.is_set():
                    try:
                        answer = client.post("/recognize", content=PICTURE, headers=PNG)
                        seen.append((answer.status_code, answer.json()["results"][0]["text"]))
                    except httpx.TransportError as error:
                        seen.append(type(error))
                        return

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(seen) < 8:
            time.sleep(0.01)
        one.process.kill()
        one.process.wait()
        for thread in threads:
            thread.join(60)
        go_on.set()
        whole = [one for one in seen if isinstance(one, tuple)]
        assert len(whole) >= 8
        assert len(set(whole)) == 1
        assert len(seen) - len(whole) == 4  # each client saw the connection end
    with process("--port", port) as again:
        assert httpx.get(again.url + "/readyz").status_code == 200
        assert again.url.endswith(f":{port}")


def test_a_model_is_replaced_under_load_without_a_lost_request(tmp_path: Path) -> None:
    path = copy_of_bundled(tmp_path)
    with process(str(path)) as one:
        first = httpx.get(one.url + "/models").json()["models"][0]["version"]
        seen: list[tuple[int, str]] = []
        stop = threading.Event()

        def load() -> None:
            with httpx.Client(base_url=one.url, timeout=60) as client:
                while not stop.is_set():
                    answer = client.post("/recognize?model=plates", content=PICTURE, headers=PNG)
                    seen.append((answer.status_code, answer.json().get("version")))

        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        beside = tmp_path / "new.onnx"
        beside.write_bytes(b"\x08 damaged")
        beside.replace(path)
        assert first in one.wait_for("not reloaded")["event"]
        before = len(seen)
        beside.write_bytes(other_version(path, "second"))
        beside.replace(path)
        second = one.wait_for(f"reloaded: {first}")["event"].rpartition(" ")[2]
        while (200, second) not in seen[before:]:
            time.sleep(0.01)
        beside.write_bytes(other_version(path, "third"))
        beside.replace(path)
        one.process.send_signal(signal.SIGHUP)
        third = one.wait_for(f"reloaded: {second}")["event"].rpartition(" ")[2]
        while (200, third) not in seen:
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert {status for status, _ in seen} == {200}
        assert {version for _, version in seen} == {first, second, third}
        old = httpx.post(f"{one.url}/recognize?model=plates@{first}", content=PICTURE, headers=PNG)
        assert old.status_code == 404


def test_headers_are_bounded() -> None:
    with process() as one:
        with socket.create_connection(("127.0.0.1", int(one.url.rpartition(":")[2])), timeout=60) as raw:
            raw.sendall(b"GET /healthz HTTP/1.1\r\n")
            answer = b""
            try:
                for _ in range(2000):
                    raw.sendall(b"x: " + b"y" * 997 + b"\r\n")
                answer = raw.recv(100)
            except OSError:  # it has hung up
                answer = b"HTTP/1.1 400"
            assert answer.startswith(b"HTTP/1.1 400")
        assert httpx.get(one.url + "/healthz").status_code == 200


def test_keys_come_from_a_file_and_the_environment(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# ours\nfirst-key-of-letters\n")
    with process("--keys-file", str(tmp_path / "keys"), CRNN_API_KEYS="second-key-of-letters") as one:
        assert one.rows[-1]["keys"] == 2
        for key, status in (("first", 200), ("second", 200), ("third", 401)):
            headers = {"authorization": f"Bearer {key}-key-of-letters"}
            assert httpx.get(one.url + "/models", headers=headers).status_code == status


def test_an_open_address_without_keys_is_warned_of() -> None:
    with process("--host", "0.0.0.0") as one:
        assert any("anyone who reaches this address" in row["event"] for row in one.rows)
    with process() as one:
        assert not any("anyone" in row["event"] for row in one.rows)


def test_it_runs_without_torch() -> None:
    code = """
import sys, threading, time
for name in ("torch", "torchvision", "lightning", "hydra", "onnx", "matplotlib"):
    sys.modules[name] = None
import crnn.cli, httpx, signal, os
from crnn.serve import server
original = server.bind
def bind(host, port):
    listening = original(host, port)
    port = listening.getsockname()[1]
    def ask():
        data = open(sys.argv[1], "rb").read()
        answer = httpx.post(f"http://127.0.0.1:{port}/recognize", content=data, headers={"content-type": "image/png"}, timeout=60)
        print(answer.status_code, len(answer.json()["results"]), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=ask).start()
    return listening
server.bind = bind
sys.exit(crnn.cli.main(["serve", "--port", "0"]))
"""
    words = [sys.executable, "-c", code, str(SAMPLES[0])]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "200 1\n"), done.stderr


def test_a_missing_extra_is_named() -> None:
    code = """
import sys
sys.modules["fastapi"] = None
from crnn.cli import main
sys.exit(main(["serve"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr == 'crnn: fastapi is needed to serve and not installed: pip install "crnn[serve]"\n'


def test_mistakes_are_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "damaged.onnx").write_bytes(b"\x08 damaged")
    (tmp_path / "keys").write_text("short\n")
    (tmp_path / "none").write_text("# nothing\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for words, said in (
            (["--port", str(taken.getsockname()[1])], "cannot listen there (Address already in use)"),
            (["--port", "70000"], "0 (any free one) to 65535 are allowed"),
            (["--host", "no.such.host.invalid"], "cannot listen there"),
            ([str(tmp_path / "damaged.onnx"), "--port", "0"], "is not a readable ONNX model"),
            ([str(tmp_path / "missing.onnx"), "--port", "0"], "cannot be read (No such file or directory)"),
            (["a b=bundled"], "model name 'a b' is not allowed"),
            (["--keys-file", str(tmp_path / "keys")], "API key 1 is not allowed"),
            (["--keys-file", str(tmp_path / "none")], "holds no key"),
            (["--keys-file", str(tmp_path / "gone")], "keys cannot be read"),
            (["--host", "a" * 64 + ".example"], "cannot listen there"),
            (["--max-megapixels", "1000"], "more than are ever decoded"),
            (["--max-pictures", "1000"], "--max-pictures 1000 never fit into --queue 512"),
        ):
            assert main(["serve", *words]) == 2, words
            error = capfd.readouterr().err
            assert error.startswith("crnn: ")
            assert error.count("\n") == 1, error
            assert said in error


def test_options_reach_the_service() -> None:
    limits = ("--queue", "5", "--max-pictures", "2", "--max-mb", "0.01", "--max-megapixels", "0.0001", "--timeout", "5")
    with process("mine=bundled", *limits) as one:
        assert httpx.get(one.url + "/models").json()["models"][0]["name"] == "mine"
        assert httpx.post(one.url + "/recognize", content=bytes(20_000), headers=PNG).status_code == 413
        assert httpx.post(one.url + "/recognize", json={"images": ["aGk="] * 3}).status_code == 413
        small = httpx.post(one.url + "/recognize", content=PICTURE, headers=PNG)
        assert "at most 100 are decoded" in small.json()["results"][0]["error"]
