"""Clients that open many connections, or take their time, against a service in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("uvicorn", reason='pip install -e ".[serve]"')

from serve_support import PNG, SAMPLES, Process, process

from crnn.errors import ConfigError
from crnn.serve import connection

PICTURE = SAMPLES[0].read_bytes()
HEALTHY = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\n"


@contextlib.contextmanager
def connected(one: Process, said: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(one.url.rpartition(":")[2])), timeout=60) as raw:
        raw.sendall(said)
        yield raw


def rest(raw: socket.socket) -> bytes:
    """Everything until the service ends the connection."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while more := raw.recv(65536):
            received += more
    return received


def answer(raw: socket.socket) -> bytes:
    """One answer, whole; the connection stays."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += raw.recv(1)
    length = int(received.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while length:
        more = raw.recv(length)
        received += more
        length -= len(more)
    return received


def ended(one: Process, reason: str, count: int = 1) -> None:
    """Wait until so many connections have ended for this reason."""
    while f'crnn_connections_ended_total{{reason="{reason}"}} {count}.0' not in httpx.get(one.url + "/metrics").text:
        time.sleep(0.05)


def test_connections_are_bounded_and_the_oldest_idle_one_makes_room() -> None:
    with process("--max-connections", "3", "--client-timeout", "60") as one, contextlib.ExitStack() as stack:
        first = stack.enter_context(connected(one, HEALTHY))
        assert answer(first).startswith(b"HTTP/1.1 200")
        second = stack.enter_context(connected(one, HEALTHY))
        assert answer(second).startswith(b"HTTP/1.1 200")
        busy = stack.enter_context(connected(one, HEAD % b"/recognize" + b"half"))
        new = stack.enter_context(connected(one, HEALTHY))  # a fourth: the first one is idle for the longest time
        assert answer(new).startswith(b"HTTP/1.1 200")
        assert rest(first) == b""
        second.sendall(HEAD % b"/recognize" + b"half")
        new.sendall(HEAD % b"/recognize" + b"half")
        said = rest(stack.enter_context(connected(one, HEALTHY * 3)))
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in said
        assert b'"code": "too_many_connections", "message": "all 3 connections are taken' in said
        busy.sendall(bytes(96))
        assert answer(busy).startswith(b"HTTP/1.1 422")
        assert httpx.post(one.url + "/recognize", content=PICTURE, headers=PNG).status_code == 200
        ended(one, "full")


def test_who_was_refused_cannot_stay() -> None:
    with process("--max-connections", "1", "--client-timeout", "60") as one, contextlib.ExitStack() as stack:
        busy = stack.enter_context(connected(one, HEAD % b"/recognize" + b"half"))
        refused = [stack.enter_context(connected(one)) for _ in range(connection.LINGERING + 20)]
        answers = [rest(raw) for raw in refused]  # ended by the service, although nobody hangs up here
        explained = sum(said.startswith(b"HTTP/1.1 503") for said in answers)
        assert 0 < explained < len(answers)
        assert answers.count(b"") == len(answers) - explained
        busy.sendall(bytes(96))
        assert answer(busy).startswith(b"HTTP/1.1 422")
        ended(one, "full", len(refused))


def test_a_head_must_come_in_time() -> None:
    with process("--client-timeout", "0.4") as one, connected(one) as idle:
        idle.sendall(HEALTHY)
        assert answer(idle).startswith(b"HTTP/1.1 200")
        with connected(one) as silent, connected(one, b"GET /healthz HTTP/1.1\r\n") as slow:
            said = b""
            try:
                while not said:  # a byte now and then does not help
                    slow.sendall(b"x")
                    slow.settimeout(0.05)
                    with contextlib.suppress(TimeoutError):
                        said = slow.recv(65536)
            except ConnectionError:
                pass
            assert said.startswith(b"HTTP/1.1 408 ")
            assert b'"code": "slow_client"' in said
            assert rest(silent) == b""
        idle.sendall(HEALTHY)  # who is idle is not slow
        assert answer(idle).startswith(b"HTTP/1.1 200")
        idle.sendall(HEALTHY[:20])
        assert rest(idle).startswith(b"HTTP/1.1 408 ")
        ended(one, "slow_head", 3)


def test_a_body_must_go_on_and_have_an_end() -> None:
    with process("--client-timeout", "2", "--timeout", "3") as one:
        with connected(one, HEAD % b"/recognize" + b"half") as stalled:
            said = rest(stalled)
            assert said.startswith(b"HTTP/1.1 408 ")
            assert b"no byte of the body came for 2 s" in said
        with connected(one, HEAD % b"/recognize") as dripping:
            dripping.settimeout(0.1)
            said = b""
            for _ in range(99):
                dripping.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    said = dripping.recv(65536)
                    break
            assert said.startswith(b"HTTP/1.1 504 ")
        assert "crnn_held_bytes 0.0" in httpx.get(one.url + "/metrics").text


def test_the_rest_of_a_body_that_nobody_wants_has_an_end() -> None:
    with process("--client-timeout", "0.4") as one, connected(one, HEAD.replace(b"100", b"1000000") % b"/no") as raw:
        assert answer(raw).startswith(b"HTTP/1.1 404 ")
        with pytest.raises(ConnectionError):
            while True:
                raw.sendall(b"x")
                time.sleep(0.02)
        ended(one, "slow_body")


def test_the_rest_of_a_body_that_comes_leaves_the_connection_in_use() -> None:
    with process() as one, connected(one, HEAD % b"/no") as raw:
        assert answer(raw).startswith(b"HTTP/1.1 404 ")
        raw.sendall(bytes(100) + HEALTHY)
        assert answer(raw).startswith(b"HTTP/1.1 200 ")


def test_after_the_rest_of_a_body_the_next_request_must_come_in_time() -> None:
    with process("--client-timeout", "0.4") as one, connected(one, HEAD % b"/no") as raw:
        assert answer(raw).startswith(b"HTTP/1.1 404 ")
        raw.sendall(bytes(100))
        assert rest(raw) == b""
        ended(one, "slow_head")


def test_answers_must_be_read() -> None:
    with process("--client-timeout", "0.4") as one, connected(one) as raw:
        raw.settimeout(0.2)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while True:  # until neither side takes more
                raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        ended(one, "slow_reader")
        assert httpx.get(one.url + "/healthz").status_code == 200


def test_what_is_not_http_is_told_so_in_json() -> None:
    with process() as one:
        with connected(one, b"hello\r\n\r\n") as raw:
            said = rest(raw)
            assert said.startswith(b"HTTP/1.1 400 ")
            assert b'"code": "bad_request"' in said
        chunked = b"POST /no HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        with connected(one, chunked) as raw:  # damaged once it is answered
            assert answer(raw).startswith(b"HTTP/1.1 404 ")
            raw.sendall(b"no number\r\n")
            assert rest(raw) == b""
        assert httpx.get(one.url + "/healthz").status_code == 200
        one.process.terminate()
        assert not [row for row in one.rest() if row.get("level") == "error"]


def test_files_for_the_connections_are_allowed_or_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="not on Windows")
    allowed: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (256, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, values: allowed.append(values))
    connection.allow_files(64)
    assert allowed == []
    connection.allow_files(1000)
    assert allowed == [(1000 + connection.LINGERING + connection.OTHER_FILES, 4096)]
    with pytest.raises(ConfigError, match=r"--max-connections 4096 needs 4288 open files .* at most 3904 connections"):
        connection.allow_files(4096)
