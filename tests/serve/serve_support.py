"""A service in this process, its network held back at will, and one in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from crnn.models import bundled
from crnn.serve.app import make_app
from crnn.serve.keys import Keys
from crnn.serve.logs import Log
from crnn.serve.metrics import Metrics
from crnn.serve.service import Service
from crnn.serve.settings import Limits
from crnn.serve.shelf import Shelf, Spec

SAMPLES = sorted((Path(__file__).parents[2] / "data" / "sample" / "val" / "images").iterdir())
PNG = {"content-type": "image/png"}


async def until(true: Callable[[], bool]) -> None:
    """Wait for it, a minute at most."""
    for _ in range(6000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never")


class Served:
    """A service with everything around it but the socket."""

    def __init__(self, paths: Sequence[str] = ("bundled",), keys: Sequence[str] = (), **limits: Any) -> None:
        self.metrics = Metrics()
        specs = [Spec("latin" if path == "bundled" else Path(path).stem, path) for path in paths]
        self.shelf = Shelf(specs, self.metrics.on_batch, threads=1)
        self.service = Service(self.shelf, Limits(**limits), self.metrics)
        self.written = io.StringIO()
        self.app = make_app(self.service, Keys(list(keys)), Log("json", self.written))

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://service")  # type: ignore[arg-type]

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(row) for row in self.written.getvalue().splitlines()]

    @contextlib.contextmanager
    def held_back(self) -> Iterator[threading.Event]:
        """The network does not run until the event is set, or the block ends."""
        go = threading.Event()
        backend = self.shelf.slots[0].loaded.recognizer.backend
        run = backend.run

        def waiting(*args: Any) -> Any:
            assert go.wait(60)
            return run(*args)

        backend.run = waiting  # type: ignore[method-assign]
        try:
            yield go
        finally:
            go.set()
            backend.run = run  # type: ignore[method-assign]


@contextlib.contextmanager
def served(*paths: str, keys: Sequence[str] = (), **limits: Any) -> Iterator[Served]:
    one = Served(paths or ("bundled",), keys, **limits)
    try:
        yield one
    finally:
        one.service.close()


class Process:
    """`crnn serve` in a process of its own; `url` once it listens, `rows` of its log."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "crnn.cli", "serve", "--threads", "1", "--log-format", "json", *words],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **environment},
        )
        self.rows: list[dict[str, Any]] = []
        self._new: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.url = self.wait_for("listening on")["event"].rpartition(" ")[2]

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for row in self.process.stderr:
            self._new.put(json.loads(row) if row.startswith("{") else {"event": row.strip()})
        self._new.put(None)

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next row of the log that starts so."""
        while True:
            row = self._new.get(timeout=120)
            assert row is not None, f"ended before {event!r}: {self.rows}"
            self.rows.append(row)
            if str(row.get("event", "")).startswith(event):
                return row

    def rest(self) -> list[dict[str, Any]]:
        """All rows, once it has ended."""
        while (row := self._new.get(timeout=120)) is not None:
            self.rows.append(row)
        return self.rows


@contextlib.contextmanager
def process(*words: str, **environment: str) -> Iterator[Process]:
    one = Process("--port", "0", *words, **environment) if "--port" not in words else Process(*words, **environment)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def ask(one: Served, act: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """What `act` gives, on an event loop of its own."""

    async def run() -> Any:
        async with one.client() as client:
            return await act(client)

    return asyncio.run(run())


def form(pictures: list[bytes]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Files of a form, as httpx wants them."""
    return [("images", ("a.png", data, "image/png")) for data in pictures]


def copy_of_bundled(folder: Path, name: str = "plates.onnx") -> Path:
    path = folder / name
    path.write_bytes(bundled().read_bytes())
    return path


def other_version(path: Path, training: str) -> bytes:
    """The content of the bundled model with another training note: another version, the same readings."""
    import onnx

    from crnn.core.card import CARD_KEY

    model = onnx.load(str(bundled()))
    for entry in model.metadata_props:
        if entry.key == CARD_KEY:
            entry.value = json.dumps({**json.loads(entry.value), "training": {"note": training}})
    return model.SerializeToString()
