"""What every request passes: its number, its key, its line in the log, its place in the metrics."""

from __future__ import annotations

import time
import uuid

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crnn.errors import printable
from crnn.serve.errors import CLOSED_BY_CLIENT, Refused
from crnn.serve.keys import Keys
from crnn.serve.logs import Log
from crnn.serve.metrics import Metrics
from crnn.serve.service import Note

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
"""These need no key: they say nothing of what is read."""
HEADERS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]


class Gate:
    """An ASGI application around another one.

    Args:
        app: the inner one.
        keys, log, metrics: see there.
        paths: those that exist; all others are one to the metrics.
    """

    def __init__(self, app: ASGIApp, keys: Keys, log: Log, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app = app
        self._keys = keys
        self._log = log
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        number = uuid.uuid4().hex[:16]
        note = Note()
        scope.setdefault("state", {})["note"] = note
        status = CLOSED_BY_CLIENT

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *HEADERS, (b"x-request-id", number.encode())]
            await send(message)

        try:
            # HEAD is answered as GET, whose body uvicorn leaves out: monitors ask so
            asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
            if scope["path"] in OPEN_PATHS or self._keys.allow(Headers(scope=scope).get("authorization")):
                await self._app(asked, receive, noted)
            else:
                refused = Refused("unauthorized", "no or wrong API key; send the header Authorization: Bearer KEY")
                await JSONResponse(refused.body(), refused.status, {"WWW-Authenticate": "Bearer"})(
                    scope, receive, noted
                )
        except Exception:  # answered with a 500 and logged where it arose
            if status == CLOSED_BY_CLIENT:
                raise
        finally:
            self._end(scope, number, status, time.perf_counter() - started, note)

    def _end(self, scope: Scope, number: str, status: int, seconds: float, note: Note) -> None:
        path = scope["path"]
        self._metrics.requests.labels(path if path in self._paths else "other", str(status)).inc()
        if path == "/recognize" and scope["method"] == "POST":
            self._metrics.seconds.observe(seconds)
        self._log.request(
            method=printable(scope["method"], 16),
            path=printable(path, 100),
            status=status,
            ms=round(seconds * 1000, 1),
            id=number,
            model=note.model,
            lines=note.lines,
            bytes=note.bytes,
        )
