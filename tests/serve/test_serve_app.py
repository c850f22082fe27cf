"""The service as its clients see it: readings, refusals, keys, log and metrics."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from serve_support import PNG, SAMPLES, Served, ask, form, served, until

import crnn
from crnn.serve.worker import Worker

PICTURES = [path.read_bytes() for path in SAMPLES]
KEY = "a-key-of-many-letters"


def in_json(pictures: list[bytes], **options: Any) -> dict[str, Any]:
    return {"images": [base64.b64encode(data).decode() for data in pictures], **options}


def error(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error"}
    assert "\n" not in answer.json()["error"]["message"]
    return answer.status_code, answer.json()["error"]["code"]


def plain(readings: list[crnn.Recognition]) -> Any:
    return json.loads(json.dumps([reading.to_dict() for reading in readings]))


def test_http_cli_and_python_read_the_same() -> None:
    """Text and confidence, to the last digit; alone, together, in all three bodies, among neighbours."""
    python = plain(crnn.load(threads=1).recognize([str(path) for path in SAMPLES]))
    words = [sys.executable, "-m", "crnn.cli", "recognize", "--threads", "1", "--format", "jsonl", *map(str, SAMPLES)]
    rows = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    cli = [{key: value for key, value in json.loads(row).items() if key != "path"} for row in rows]

    async def act(client: httpx.AsyncClient) -> list[httpx.Response]:
        alone = [client.post("/recognize", content=data, headers=PNG) for data in PICTURES]
        together = client.post("/recognize", files=form(PICTURES))
        return list(await asyncio.gather(together, client.post("/recognize", json=in_json(PICTURES)), *alone))

    with served() as one:
        together, coded, *alone = ask(one, act)
    assert len(python) >= 12
    assert cli == python
    assert together.json()["results"] == python
    assert coded.json()["results"] == python
    assert [answer.json()["results"][0] for answer in alone] == python
    assert any(reading["confidence"] < 1 for reading in python)


def test_alternatives_are_those_of_python() -> None:
    python = plain(crnn.load(threads=1, nbest=3).recognize(PICTURES[:4]))

    async def act(client: httpx.AsyncClient) -> list[httpx.Response]:
        return list(
            await asyncio.gather(
                client.post("/recognize?nbest=3", files=form(PICTURES[:4])),
                client.post("/recognize", json=in_json(PICTURES[:4], nbest=3)),
                client.post("/recognize?nbest=3&spans=false", files=form(PICTURES[:4])),
                client.post("/recognize", files=form(PICTURES[:4])),
            )
        )

    with served() as one:
        three, coded, bare, single = ask(one, act)
    assert three.json()["results"] == coded.json()["results"] == python
    assert [set(result) for result in bare.json()["results"]] == [{"text", "confidence", "alternatives"}] * 4
    assert all("alternatives" not in result for result in single.json()["results"])
    assert max(len(reading["alternatives"]) for reading in python) == 3


def test_lines_of_many_requests_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(client: httpx.AsyncClient) -> list[httpx.Response]:
        with one.held_back() as go:
            first = asyncio.ensure_future(client.post("/recognize", content=PICTURES[0], headers=PNG))
            await until(lambda: one.shelf.slots[0].held == 1)
            await asyncio.sleep(0.2)
            rest = [
                asyncio.ensure_future(client.post("/recognize", content=PICTURES[1], headers=PNG)) for _ in range(8)
            ]
            await until(lambda: len(one.shelf.slots[0].worker._waiting) == 8)
            go.set()
            answers = list(await asyncio.gather(first, *rest))
        # answers go out before their batch is counted
        await until(lambda: one.metrics.registry.get_sample_value("crnn_batch_lines_count", {"model": "latin"}) == 2)
        return answers

    with served() as one:
        answers = ask(one, act)
        assert [answer.status_code for answer in answers] == [200] * 9
        value = one.metrics.registry.get_sample_value
        assert value("crnn_batch_lines_sum", {"model": "latin"}) == 9
        assert value("crnn_batch_lines_count", {"model": "latin"}) == 2


def test_a_full_queue_is_a_429_and_empties_again() -> None:
    async def act(client: httpx.AsyncClient) -> None:
        with one.held_back() as go:
            accepted = [
                asyncio.ensure_future(client.post("/recognize", content=PICTURES[0], headers=PNG)) for _ in range(3)
            ]
            await until(lambda: one.shelf.slots[0].held == 3)
            refused = await client.post("/recognize", content=PICTURES[0], headers=PNG)
            assert error(refused) == (429, "queue_full")
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert one.shelf.slots[0].held == 3
            go.set()
            assert {answer.status_code for answer in await asyncio.gather(*accepted)} == {200}
        assert (await client.post("/recognize", content=PICTURES[0], headers=PNG)).status_code == 200
        assert one.shelf.slots[0].held == 0
        assert one.service.budget.held == 0

    with served(queue_lines=3, pictures=3) as one:
        ask(one, act)


def test_bytes_of_all_requests_are_bounded() -> None:
    async def act(client: httpx.AsyncClient) -> None:
        with one.held_back() as go:
            first = asyncio.ensure_future(client.post("/recognize", content=PICTURES[0], headers=PNG))
            await until(lambda: one.shelf.slots[0].held == 1)
            refused = await client.post("/recognize", content=PICTURES[0], headers=PNG)
            assert error(refused) == (429, "queue_full")
            assert "retry-after" in refused.headers
            go.set()
            assert (await first).status_code == 200
        assert one.service.budget.held == 0

    size = len(PICTURES[0])
    with served(held_bytes=size + size // 2, body_bytes=size) as one:
        ask(one, act)


def test_too_late_is_a_504_and_leaves_the_queue() -> None:
    async def act(client: httpx.AsyncClient) -> None:
        with one.held_back():
            first = asyncio.ensure_future(client.post("/recognize", content=PICTURES[0], headers=PNG))
            await asyncio.sleep(0.1)
            late = await client.post("/recognize", content=PICTURES[1], headers=PNG)
            assert error(late) == (504, "timeout")
            assert error(await first) == (504, "timeout")
            assert one.shelf.slots[0].held == 0
        assert (await client.get("/healthz")).status_code == 200
        await until(lambda: not one.shelf.slots[0].worker._waiting)

    with served(timeout=1.0) as one:
        read: list[int] = []
        recognizer = one.shelf.slots[0].loaded.recognizer
        original = recognizer.read
        recognizer.read = lambda lines, nbest=None: read.append(len(lines)) or original(lines, nbest)  # type: ignore[method-assign]
        ask(one, act)
        time.sleep(0.1)
        assert sum(read) <= 1  # the one that ran; the other was taken out


def test_too_large_is_a_413_before_it_is_taken() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            sent.append(1)
            yield bytes(10_000)

    async def act(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.post("/recognize", content=bytes(50_001), headers=PNG),
            await client.post("/recognize", content=chunks(), headers=PNG),
            await client.post("/recognize", files=form([b"x"] * 3)),
            await client.post("/recognize", json={"images": ["aGk="] * 3}),
        ]

    sent: list[int] = []
    with served(body_bytes=50_000, pictures=2) as one:
        for answer in ask(one, act):
            assert error(answer) == (413, "too_large")
        assert one.service.budget.held == 0


def test_a_declared_length_is_refused_unread() -> None:
    taken: list[int] = []

    async def act() -> dict[str, Any]:
        messages: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            taken.append(1)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/recognize",
            "raw_path": b"/recognize", "query_string": b"", "root_path": "", "scheme": "http", "server": ("x", 80),
            "client": ("x", 1), "headers": [(b"content-type", b"image/png"), (b"content-length", b"999999999999999999999")],
        }  # fmt: skip
        await one.app(scope, receive, send)  # type: ignore[arg-type]
        return messages[0]

    with served() as one:
        assert asyncio.run(act())["status"] == 413
    assert not taken


def test_pixels_are_bounded_and_a_bad_picture_does_not_hide_the_good() -> None:
    pages = io.BytesIO()
    Image.new("L", (90, 32)).save(pages, "TIFF", save_all=True, append_images=[Image.new("L", (90, 32))])

    async def act(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        bad = b"no picture"
        return (
            await client.post("/recognize", files=form([bad, PICTURES[0], PICTURES[0][:200], pages.getvalue()])),
            await client.post("/recognize", files=form([bad, bad])),
        )

    with served() as one:
        mixed, none = ask(one, act)
        value = one.metrics.registry.get_sample_value
        assert value("crnn_pictures_failed_total", {"model": "latin"}) == 5
        assert value("crnn_lines_total", {"model": "latin"}) == 1
    with served(pixels=100) as one:
        small = ask(one, lambda client: client.post("/recognize", files=form(PICTURES[:1])))
    assert mixed.status_code == 200
    assert [set(result) == {"error"} for result in mixed.json()["results"]] == [True, False, True, True]
    assert "picture 3: is damaged" in mixed.json()["results"][2]["error"]
    assert "picture 4: has several pages or frames" in mixed.json()["results"][3]["error"]
    assert none.status_code == 422
    assert len(none.json()["results"]) == 2
    assert small.status_code == 422
    assert "at most 100 are decoded" in small.json()["results"][0]["error"]


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, {"url": "/recognize?nbest=0", "content": b"x", "headers": PNG}),
        (400, {"url": "/recognize?nbest=1e1", "content": b"x", "headers": PNG}),
        (400, {"url": "/recognize?nbest=2&nbest=3", "content": b"x", "headers": PNG}),
        (400, {"url": "/recognize?spans=perhaps", "content": b"x", "headers": PNG}),
        (400, {"url": "/recognize?nbset=2", "content": b"x", "headers": PNG}),
        (400, {"url": "/recognize", "content": b"", "headers": PNG}),
        (400, {"url": "/recognize", "json": {"images": []}}),
        (400, {"url": "/recognize", "json": {"images": ["?"]}}),
        (400, {"url": "/recognize", "json": {"images": [7]}}),
        (400, {"url": "/recognize", "json": {"images": ["aGk="], "nbest": True}}),
        (400, {"url": "/recognize", "json": {"images": ["aGk="], "more": 1}}),
        (400, {"url": "/recognize", "json": ["aGk="]}),
        (400, {"url": "/recognize", "content": b'{"images": ["aGk="], "nbest": NaN}', "headers": {"content-type": "application/json"}}),
        (400, {"url": "/recognize", "content": b"[" * 200_000, "headers": {"content-type": "application/json"}}),
        (400, {"url": "/recognize", "content": b"\xff", "headers": {"content-type": "application/json"}}),
        (400, {"url": "/recognize", "files": [("picture", ("a", b"x"))]}),
        (400, {"url": "/recognize", "files": [("images", ("a" * 20_000, b"x"))]}),
        (400, {"url": "/recognize", "content": b"--b\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}}),
        (400, {"url": "/recognize", "content": b"x", "headers": {"content-type": "multipart/form-data"}}),
        (404, {"url": "/recognize?model=nothing", "content": b"x", "headers": PNG}),
        (404, {"url": "/recognize?model=latin@000000000000", "content": b"x", "headers": PNG}),
        (404, {"url": "/nothing", "content": b"x", "headers": PNG}),
        (405, {"url": "/models", "content": b"x", "headers": PNG}),
        (415, {"url": "/recognize", "content": b"x", "headers": {"content-type": "text/plain"}}),
        (415, {"url": "/recognize", "content": b"x"}),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_refused_by_name(
    status: int, request_: dict[str, Any], small_service: Served
) -> None:
    assert error(ask(small_service, lambda client: client.post(**request_)))[0] == status


@pytest.fixture(scope="module")
def small_service() -> Any:
    with served() as one:
        yield one


@pytest.mark.parametrize("text", [base64.encodebytes(PICTURES[0]).decode(), "data:image/png;base64,aGk="])
def test_base64_with_more_than_base64_in_it_is_refused_with_what_to_do(text: str, small_service: Served) -> None:
    answer = ask(small_service, lambda client: client.post("/recognize", json={"images": [text]}))
    assert error(answer) == (400, "bad_request")
    assert "without line breaks and without 'data:'" in answer.json()["error"]["message"]


def test_models_by_name_and_version(tmp_path: Path) -> None:
    from serve_support import copy_of_bundled

    path = copy_of_bundled(tmp_path)
    with served("bundled", str(path)) as one:
        models = ask(one, lambda client: client.get("/models")).json()["models"]
        assert [(model["name"], model["default"]) for model in models] == [("latin", True), ("plates", False)]
        assert models[0]["characters"] > 100
        assert models[0]["format"] == "onnx"
        for wanted in ("plates", f"plates@{models[1]['version']}"):
            answer = ask(
                one, lambda client, w=wanted: client.post(f"/recognize?model={w}", content=PICTURES[0], headers=PNG)
            )
            assert (answer.json()["model"], answer.json()["version"]) == ("plates", models[1]["version"])


def test_keys_open_everything_but_health() -> None:
    async def act(client: httpx.AsyncClient) -> None:
        for path in ("/models", "/metrics", "/nothing"):
            for headers in (
                {},
                {"authorization": "Bearer wrong"},
                {"authorization": KEY},
                {"authorization": f"Basic {KEY}"},
            ):
                refused = await client.get(path, headers=headers)
                assert error(refused) == (401, "unauthorized")
                assert refused.headers["www-authenticate"] == "Bearer"
        assert error(await client.post("/recognize", content=PICTURES[0], headers=PNG)) == (401, "unauthorized")
        allowed = {"authorization": f"Bearer {KEY}"}
        assert (await client.post("/recognize", content=PICTURES[0], headers={**PNG, **allowed})).status_code == 200
        assert (await client.get("/models", headers=allowed)).status_code == 200
        for path in ("/healthz", "/readyz", "/openapi.json"):
            assert (await client.get(path)).status_code == 200

    with served(keys=["another-key-of-letters", KEY]) as one:
        ask(one, act)
        assert KEY not in one.written.getvalue()


def test_the_log_has_a_line_per_request_and_nothing_of_the_users() -> None:
    async def act(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        return (
            await client.post("/recognize", files=[("images", ("secret-name.png", PICTURES[0], "image/png"))]),
            await client.get("/no%0Asuch"),
        )

    with served() as one:
        answer, missing = ask(one, act)
        row, other = one.log
    assert answer.headers["x-request-id"] == row["id"]
    assert set(row) == {"time", "method", "path", "status", "ms", "id", "model", "lines", "bytes"}
    assert (row["method"], row["path"], row["status"], row["lines"]) == ("POST", "/recognize", 200, 1)
    assert row["model"].startswith("latin@")
    assert row["bytes"] > len(PICTURES[0])
    assert missing.status_code == other["status"] == 404
    written = one.written.getvalue()
    assert answer.json()["results"][0]["text"] not in written
    assert "secret-name" not in written
    assert written.count("\n") == 2


def test_metrics_count() -> None:
    async def act(client: httpx.AsyncClient) -> str:
        await client.post("/recognize", files=form(PICTURES[:3]))
        await client.get("/nothing")
        await client.get("/nothing/else")
        with one.held_back():
            waiting = asyncio.ensure_future(client.post("/recognize", content=PICTURES[0], headers=PNG))
            await until(lambda: one.shelf.slots[0].held == 1)
            text = (await client.get("/metrics")).text
        await waiting
        return text

    with served() as one:
        rows = ask(one, act).splitlines()
    for row in (
        'crnn_lines_total{model="latin"} 3.0',
        'crnn_queue_lines{model="latin"} 1.0',
        'crnn_requests_total{path="/recognize",status="200"} 1.0',
        'crnn_requests_total{path="other",status="404"} 2.0',
        "crnn_request_seconds_count 1.0",
        'crnn_confidence_count{model="latin"} 3.0',
        'crnn_batch_lines_sum{model="latin"} 3.0',
        f"crnn_held_bytes {len(PICTURES[0])}.0",
    ):
        assert row in rows


def test_openapi_describes_what_is_there() -> None:
    with served(pictures=7) as one:
        said = ask(one, lambda client: client.get("/openapi.json")).json()
        docs = [ask(one, lambda client, p=p: client.get(p)).status_code for p in ("/docs", "/redoc")]
    post = said["paths"]["/recognize"]["post"]
    assert set(said["paths"]) == {"/recognize", "/models", "/healthz", "/readyz", "/metrics"}
    assert {"multipart/form-data", "application/json", "application/octet-stream", "image/png"} <= set(
        post["requestBody"]["content"]
    )
    assert {p["name"] for p in post["parameters"]} == {"model", "nbest", "spans"}
    assert set(post["responses"]) == {"200", "400", "401", "404", "408", "413", "415", "422", "429", "503", "504"}
    assert (
        post["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["images"]["description"]
        == "1 to 7 pictures"
    )
    example = post["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]
    assert docs == [404, 404]
    with served() as one:
        answer = ask(one, lambda client: client.post("/recognize", json=example))
    assert answer.status_code == 200
    assert "cors" not in str(answer.headers).lower()
    assert "access-control-allow-origin" not in answer.headers


def test_a_fault_of_the_network_ends_its_request_alone() -> None:
    async def act(client: httpx.AsyncClient) -> list[int]:
        backend = one.shelf.slots[0].loaded.recognizer.backend
        run = backend.run

        def broken(*args: Any) -> Any:
            raise RuntimeError("secret value")

        backend.run = broken  # type: ignore[method-assign]
        first = await client.post("/recognize", content=PICTURES[0], headers=PNG)
        assert error(first) == (500, "internal")
        backend.run = run  # type: ignore[method-assign]
        return [first.status_code, (await client.post("/recognize", content=PICTURES[0], headers=PNG)).status_code]

    with served() as one:
        assert ask(one, act) == [500, 200]
        assert "secret value" not in one.written.getvalue()
        assert one.log[0]["event"] == "a fault of the service"
        assert one.log[0]["kind"] == "RuntimeError"


def test_nothing_is_accepted_any_more_while_it_stops() -> None:
    async def act(client: httpx.AsyncClient) -> None:
        with one.held_back() as go:
            accepted = asyncio.ensure_future(client.post("/recognize", content=PICTURES[0], headers=PNG))
            await until(lambda: one.service.in_flight == 1)
            one.service.draining = True
            assert error(await client.get("/readyz")) == (503, "shutting_down")
            assert error(await client.post("/recognize", content=PICTURES[0], headers=PNG)) == (503, "shutting_down")
            assert (await client.get("/healthz")).status_code == 200
            go.set()
            assert (await accepted).status_code == 200
        assert one.service.in_flight == 0

    with served() as one:
        ask(one, act)


def test_a_worker_that_is_stopped_ends() -> None:
    worker = Worker("x", lambda lines, seconds: None)
    worker.stop()
    assert not worker._thread.is_alive()
