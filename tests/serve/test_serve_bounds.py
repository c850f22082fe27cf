"""What keeps one request from holding up, or weighing on, all the others."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import json
import threading
import weakref
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from serve_support import PNG, SAMPLES, Served, ask, copy_of_bundled, form, other_version, served, until

from crnn.serve import bodies, service
from crnn.serve.bodies import Body
from crnn.serve.worker import Job

PICTURES = [path.read_bytes() for path in SAMPLES[:2]]


@contextlib.contextmanager
def decoding_held_back(one: Served) -> Iterator[tuple[threading.Event, list[bytes]]]:
    """No picture is decoded until the event is set; the pictures in the order in which they come."""
    go, order = threading.Event(), []
    recognizer = one.shelf.slots[0].loaded.recognizer
    original = recognizer.prepare

    def prepare(picture: bytes, *args: Any) -> Any:
        order.append(picture)
        assert go.wait(60)
        return original(picture, *args)

    recognizer.prepare = prepare  # type: ignore[method-assign, assignment]
    try:
        yield go, order
    finally:
        go.set()


def test_a_small_request_goes_before_the_rest_of_a_large_one() -> None:
    async def act(client: httpx.AsyncClient) -> list[bytes]:
        with decoding_held_back(one) as (go, order):
            large = asyncio.ensure_future(client.post("/recognize", files=form(PICTURES[:1] * 20)))
            await until(lambda: one.shelf.slots[0].held == 20)
            small = asyncio.ensure_future(client.post("/recognize", content=PICTURES[1], headers=PNG))
            await until(lambda: one.shelf.slots[0].held == 21)
            go.set()
            assert (await small).status_code == 200
            assert len((await large).json()["results"]) == 20
            return order

    with served(decoders=1) as one:
        assert ask(one, act).index(PICTURES[1]) == service.CHUNK


def test_bytes_are_held_once_and_let_go_of_when_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []
    received: list[Body] = []
    monkeypatch.setattr(service, "Job", lambda *args: jobs.append(Job(*args)) or jobs[-1])
    monkeypatch.setattr(service, "Body", lambda *args: received.append(Body(*args)) or received[-1])

    async def act(client: httpx.AsyncClient) -> None:
        with decoding_held_back(one):
            asked = [asyncio.ensure_future(client.post("/recognize", files=form(PICTURES[:1] * 20))) for _ in range(2)]
            await until(lambda: len(jobs) == 2)
            assert [len(job.pictures) for job in jobs] == [20, 20]
            assert [(len(body.data), body.count > 0) for body in received] == [(0, True)] * 2
            assert one.service.budget.held == sum(body.count for body in received)
            assert [answer.status_code for answer in await asyncio.gather(*asked)] == [504, 504]
            assert [len(job.pictures) for job in jobs] == [0, 0]
            assert one.service.budget.held == 0

    with served(decoders=1, timeout=2.0) as one:
        ask(one, act)


def test_json_is_counted_before_it_becomes_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(client: httpx.AsyncClient, body: str) -> Awaitable[httpx.Response]:
        return client.post("/recognize", content=body.encode(), headers={"content-type": "application/json"})

    loaded: list[int] = []
    counted = SimpleNamespace(loads=lambda text, **more: loaded.append(len(text)) or json.loads(text, **more))
    monkeypatch.setattr(bodies, "json", counted)
    many = json.dumps({"images": ["aGk="] * 100})
    whole = json.dumps(
        {"images": [base64.b64encode(PICTURES[0]).decode()] * 2, "nbest": 2, "spans": False, "model": "latin"}
    )
    with served(pictures=2) as one:
        for body, status in (
            ('{"images":[' + "[]," * 1000 + "[]]}", 400),
            ('{"images":[' + "{}," * 1000 + "{}]}", 400),
            (many, 413),
        ):
            assert ask(one, lambda client, body=body: send(client, body)).status_code == status
        assert not loaded
        twice = ask(one, lambda client: send(client, '{"images":["aGk="],"spans":false,"images":["aGk="]}'))
        assert (twice.status_code, twice.json()["error"]["message"]) == (
            400,
            "'images' comes twice in the body; send it once",
        )
        loaded.clear()
        assert ask(one, lambda client: send(client, whole)).status_code == 200


def test_long_lines_with_many_texts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_TEXT_PIXELS", 100)

    async def act(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.post(f"/recognize?nbest={nbest}", content=PICTURES[0], headers=PNG) for nbest in (1, 2, 11)
        ]

    with served() as one:
        single, wide, many = ask(one, act)
    assert single.status_code == 200
    assert wide.status_code == 422
    assert "with nbest=2 at most 50 are read" in wide.json()["results"][0]["error"]
    assert many.status_code == 400
    assert "1 to 10" in many.json()["error"]["message"]


def test_very_long_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of 32,000 pixels took twelve gigabytes once."""
    monkeypatch.setattr(service, "MAX_LINE_PIXELS", 50)

    async def act(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/recognize", content=PICTURES[0], headers=PNG)

    with served() as one:
        answer = ask(one, act)
    assert answer.status_code == 422
    assert "at most 50 are read; cut it into parts" in answer.json()["results"][0]["error"]


def test_many_results_are_written_down_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    original = service._results
    where: list[bool] = []

    def results(outcomes: Sequence[Any], options: Any) -> Any:
        where.append(threading.current_thread() is threading.main_thread())
        return original(outcomes, options)

    monkeypatch.setattr(service, "_results", results)
    with served() as one:
        for count in (1, service.MANY):
            answer = ask(one, lambda client, n=count: client.post("/recognize", files=form(PICTURES[:1] * n)))
            assert len(answer.json()["results"]) == count
    assert where == [True, False]


def test_a_model_that_was_replaced_leaves_the_memory(tmp_path: Path) -> None:
    path = copy_of_bundled(tmp_path)
    with served(str(path)) as one:
        assert ask(one, lambda client: client.post("/recognize", content=PICTURES[0], headers=PNG)).status_code == 200
        old = weakref.ref(one.shelf.slots[0].loaded.recognizer)
        path.write_bytes(other_version(path, "second"))
        assert "reloaded" in next(iter(one.shelf.reload(force=True)))[1]

        async def gone() -> None:
            await until(lambda: gc.collect() >= 0 and old() is None)

        asyncio.run(asyncio.wait_for(gone(), 60))


def test_what_is_not_answered_at_the_end_is_told_so() -> None:
    async def act(client: httpx.AsyncClient) -> httpx.Response:
        with one.held_back():
            asked = asyncio.ensure_future(client.post("/recognize", content=PICTURES[0], headers=PNG))
            await until(lambda: one.shelf.slots[0].held == 1)
            one.service.end()
            return await asked

    with served() as one:
        answer = ask(one, act)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "shutting_down")
        assert one.log[0]["status"] == 503
        assert one.service.in_flight == one.service.budget.held == 0


def test_what_is_wrong_with_a_picture_does_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a request of many that are damaged, all would stay decoded until the last is answered."""
    put, kept = Job.put, []

    def keep(job: Job, outcomes: Sequence[tuple[int, Any]]) -> None:
        kept.extend(outcome for _, outcome in outcomes)
        put(job, outcomes)

    monkeypatch.setattr(Job, "put", keep)
    with served() as one:
        answer = ask(one, lambda client: client.post("/recognize", files=form([PICTURES[0][:200]] * 3)))
    assert answer.status_code == 422
    assert len(kept) == 3
    for error in kept:
        assert "is damaged" in str(error)
        assert (error.__traceback__, error.__context__) == (None, None)
