"""What scripts/bench_serve.py counts."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import pytest
from tests_support import script


@pytest.fixture(scope="module")
def bench() -> Any:
    return script("bench_serve")


def test_refusals_are_counted_but_have_no_latency_and_a_lost_service_ends_it(bench: Any) -> None:
    answers = [b"429 Too Many Requests", b"200 OK", b"200 OK"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answers:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(1)
            writer.write(b"HTTP/1.1 " + answers.pop(0) + b"\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async def act() -> Any:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        until = time.perf_counter() + 20
        done = await bench.one_client(port, "/recognize", [b"x"], 0, until, 3)
        server.close()
        return done, await bench.one_client(port, "/recognize", [b"x"], 0, until, 3)

    (seconds, seen), (none, lost) = asyncio.run(act())
    assert seen == {"429": 1, "200": 2}
    assert len(seconds) == 2
    assert (none, lost) == ([], {"connection closed": 1})


def test_too_few_single_calls_are_refused(
    bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench_serve.py", "lines", "--singles", "9"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "at least 10 are needed" in capsys.readouterr().err
