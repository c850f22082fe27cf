"""The process around the application: socket, signals, reloads, the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from crnn.errors import ConfigError, printable
from crnn.serve.connection import Door
from crnn.serve.logs import Log
from crnn.serve.service import Service

BACKLOG = 1024
POLL = 1.0
"""Seconds between looks at the model files."""
KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than clients keep theirs, so that none closes under a request."""
MAX_HEADERS = 16 * 1024
"""Bytes of a request's headers."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; requests wait in it while the models load.

    Raises:
        ConfigError: if the address is in use, unknown or not allowed.
    """
    if not 0 <= port <= 65535:  # some systems take it modulo 65536
        raise ConfigError(f"--port {port}: cannot listen there; 0 (any free one) to 65535 are allowed")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:  # the last: a part of a name with more than 63 characters
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{host}:{port}: cannot listen there ({reason}); choose another --port or --host") from None
    return listening


class _Handler(logging.Handler):
    """What uvicorn says, as rows of our log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.event(record.getMessage(), level=record.levelname.lower())


class _Uvicorn(uvicorn.Server):
    """Signals are handled by `serve` alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # pragma: no cover  # never installed
        return


async def serve(app: ASGIApp, service: Service, listening: socket.socket, log: Log, **said: object) -> None:
    """Answer requests until SIGTERM or SIGINT; a second one ends it at once.

    Args:
        app, service, log: see there.
        listening: of `bind`.
        said: goes into the log with the address, once the signals are heeded.
    """
    door = Door(service.limits, lambda reason: service.metrics.ended.labels(reason).inc())
    config = uvicorn.Config(
        app,
        http=door.connection,  # type: ignore[arg-type]  # of h11, which bounds the headers of a request
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=MAX_HEADERS,
        timeout_keep_alive=KEEP_ALIVE,
    )
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_Handler(log)], False
    server = _Uvicorn(config)
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def start(task: asyncio.Task[None]) -> None:
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def stop() -> None:
        if service.draining:
            service.end()
            server.should_exit = server.force_exit = True
            return
        service.draining = True
        log.event("stopping: requests in flight are answered, no more are accepted", in_flight=service.in_flight)
        start(loop.create_task(_drain(server, service)))

    _on_signals(stop, lambda: start(loop.create_task(_look(service, log, force=True))))
    host, port = listening.getsockname()[:2]
    log.event(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", **said)
    watching = loop.create_task(_watch(service, log))
    try:
        await server.serve(sockets=[listening])
    finally:
        watching.cancel()
        service.close()
        log.event("stopped")


def _on_signals(stop: Callable[[], None], look: Callable[[], None]) -> None:
    """SIGTERM and SIGINT stop, SIGHUP looks at the model files, on the running loop."""
    loop = asyncio.get_running_loop()
    heeded = {signal.SIGTERM: stop, signal.SIGINT: stop}
    if hasattr(signal, "SIGHUP"):  # not on Windows
        heeded[signal.SIGHUP] = look
    for number, act in heeded.items():
        try:
            loop.add_signal_handler(number, act)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_, act=act: loop.call_soon_threadsafe(act))


async def _drain(server: uvicorn.Server, service: Service) -> None:
    """Wait until what was accepted is answered, and leave uvicorn the rest of the time to send it."""
    loop = asyncio.get_running_loop()
    until = loop.time() + service.limits.grace
    while service.in_flight and loop.time() < until:
        await asyncio.sleep(0.02)
    service.end()
    server.config.timeout_graceful_shutdown = max(1, math.ceil(until - loop.time()))
    server.should_exit = True


async def _watch(service: Service, log: Log) -> None:
    while True:
        await asyncio.sleep(POLL)
        await _look(service, log)


async def _look(service: Service, log: Log, force: bool = False) -> None:
    """`_reload`, which must not end the watching."""
    try:
        await _reload(service, log, force)
    except Exception as error:
        log.event(f"model files cannot be looked at: {printable(error, 300)}", level="error")


async def _reload(service: Service, log: Log, force: bool = False) -> None:
    def look() -> list[tuple[str, str]]:
        return list(service.shelf.reload(force))

    for name, happened in await asyncio.to_thread(look):
        outcome = "done" if happened.startswith("reloaded") else "refused"
        service.metrics.reloads.labels(name, outcome).inc()
        log.event(happened, model=name)
