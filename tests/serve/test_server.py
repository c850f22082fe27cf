"""The process around the service, its parts taken one by one."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason='pip install -e ".[serve]"')

from crnn.serve import server
from crnn.serve.logs import Log


def service(**values: Any) -> Any:
    ended: list[bool] = []
    return SimpleNamespace(**{"in_flight": 0, "ended": ended, "end": lambda: ended.append(True), **values})


@pytest.mark.parametrize(("in_flight", "grace", "left"), [(0, 20, 20), (1, 0.05, 1)])
def test_what_is_left_of_the_time_is_for_sending(in_flight: int, grace: float, left: int) -> None:
    running: Any = SimpleNamespace(config=SimpleNamespace(timeout_graceful_shutdown=None), should_exit=False)
    serving = service(in_flight=in_flight, limits=SimpleNamespace(grace=grace))
    asyncio.run(server._drain(running, serving))
    assert serving.ended == [True]
    assert running.should_exit
    assert running.config.timeout_graceful_shutdown == left


def test_a_fault_while_looking_at_the_files_is_logged_and_the_watching_goes_on() -> None:
    def reload(force: bool) -> Any:
        raise ValueError("odd")

    written = io.StringIO()
    asyncio.run(server._look(service(shelf=SimpleNamespace(reload=reload)), Log("json", written)))
    assert json.loads(written.getvalue())["event"] == "model files cannot be looked at: odd"


def test_signals_where_the_loop_cannot_take_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: no SIGHUP, and only `signal.signal`."""
    monkeypatch.delattr(signal, "SIGHUP")
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    async def act() -> None:
        def not_here(*args: object) -> None:
            raise NotImplementedError

        for number in before:
            heard = asyncio.Event()
            monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", not_here)
            server._on_signals(heard.set, lambda: None)
            signal.raise_signal(number)
            await asyncio.wait_for(heard.wait(), 60)

    try:
        asyncio.run(act())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
