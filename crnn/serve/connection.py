"""Connections: how many there are at once, and how long a client may take for its part."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from crnn.errors import ConfigError
from crnn.serve.errors import STATUS, error_body
from crnn.serve.settings import Limits

LINGER = 2.0
"""Seconds in which a client that was refused may read why; its bytes are thrown away."""
LINGERING = 64
"""Connections that linger at the same time; more are closed without a word."""
OTHER_FILES = 128
"""Open files beside connections: models, fonts, logs, the listening socket."""


class Door:
    """What all connections of a service share.

    Args:
        limits: ``connections`` and ``client_timeout`` are heeded here.
        on_ended: is told why a connection was ended: full, slow_head, slow_body or slow_reader.
    """

    def __init__(self, limits: Limits, on_ended: Callable[[str], None]) -> None:
        self.limit = limits.connections
        self.patience = limits.client_timeout
        self.on_ended = on_ended
        self.lingering: set[Connection] = set()

    def connection(self, *args: Any, **kwargs: Any) -> Connection:
        """As uvicorn makes one."""
        return Connection(self, *args, **kwargs)


class Connection(H11Protocol):
    """uvicorn's, with a bound on its time in every phase in which the client has the word.

    The head of a request, what is left of a body whose request is answered already, and reading what was answered: each
    may take ``client_timeout`` seconds, however many bytes come. Bodies that are waited for have theirs in
    `crnn.serve.bodies`, idle connections in uvicorn; the oldest idle one makes room where all places are taken.
    """

    def __init__(self, door: Door, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door = door
        self._phase = ""
        """head, body, idle or none of them."""
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._over = False
        """Nothing that it sends is heeded any more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio's: a client is there; it gets a place, or the reason why not."""
        super().connection_made(transport)
        if len(self.connections) > self._door.limit and not self._make_room():
            message = f"all {self._door.limit} connections are taken; send this again later"
            self._refuse("full", "too_many_connections", message, "Retry-After: 1\r\n")
        else:
            self._watch()

    def _make_room(self) -> bool:
        idle = [one for one in self.connections if isinstance(one, Connection) and one._is_idle()]
        if idle:
            oldest = min(idle, key=lambda one: one._since)
            oldest.timeout_keep_alive_handler()
            self.connections.discard(oldest)
        return bool(idle)

    def _is_idle(self) -> bool:
        waits = self._phase == "idle" and not self.transport.is_closing()
        return waits and not self.transport.get_write_buffer_size()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: it is gone."""
        self._over = True
        self._door.lingering.discard(self)
        self._unset(self._timer, self._write_timer)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # left alone by uvicorn where the connection broke

    def data_received(self, data: bytes) -> None:
        """asyncio's: bytes came; of a refused client they are thrown away."""
        if not self._over:
            super().data_received(data)

    def handle_events(self) -> None:
        """uvicorn's, after bytes came: look whose turn it is."""
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        """uvicorn's, after an answer: look whose turn it is."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """Look whose turn it is; a phase that goes on keeps its timer."""
        phase, conn = "", self.conn
        if self._over:
            return
        if self.transport.is_closing():
            phase = "closing"
        elif conn.their_state is h11.IDLE:
            phase = "head" if self.timeout_keep_alive_task is None else "idle"
        elif conn.their_state is h11.SEND_BODY and conn.our_state in (h11.DONE, h11.MUST_CLOSE):
            phase = "body"
        if phase == self._phase:
            return
        self._phase, self._since = phase, self.loop.time()
        self._unset(self._timer)
        late = {"head": self._late_head, "body": self._late_body, "closing": self._late_reader}.get(phase)
        self._timer = None if late is None else self.loop.call_later(self._door.patience, late)

    def _late_head(self) -> None:
        if self.conn.trailing_data[0]:
            message = f"the head of the request did not come within {self._door.patience:g} s; send it at once"
            self._refuse("slow_head", "slow_client", message)
        else:
            self._end("slow_head")

    def _late_body(self) -> None:
        self._end("slow_body")

    def _late_reader(self) -> None:
        self._end("slow_reader")

    def pause_writing(self) -> None:
        """asyncio's: the client does not read; its time begins."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._door.patience, self._late_reader)

    def resume_writing(self) -> None:
        """asyncio's: it reads again."""
        super().resume_writing()
        self._unset(self._write_timer)

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn's: it was idle for too long."""
        super().timeout_keep_alive_handler()
        self._watch()

    def shutdown(self) -> None:
        """uvicorn's, when the service ends."""
        if not self._over:
            super().shutdown()
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """The error of a request that is not HTTP, in our words."""
        self._refuse("", "bad_request", "this is not an HTTP/1.1 request, or its head is too large")

    def _refuse(self, reason: str, code: str, message: str, header: str = "") -> None:
        """Say why, and end it once the client has read that or after `LINGER` seconds; it takes no place any more."""
        unasked = self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE)  # an answer has begun, or all is said
        if unasked or self.transport.is_closing() or len(self._door.lingering) >= LINGERING:
            self._end(reason)
            return
        self._over = True
        self._unset(self._timer)
        self._unset_keepalive_if_required()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = json.dumps(error_body(code, message)).encode()
        status = HTTPStatus(STATUS[code])
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n{header}"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        self.transport.write_eof()  # not closed: the bytes that still come would take the answer away from the client
        self.flow.resume_reading()
        self.connections.discard(self)
        self._door.lingering.add(self)
        self._timer = self.loop.call_later(LINGER, self.transport.abort)
        if reason:
            self._door.on_ended(reason)

    def _end(self, reason: str) -> None:
        """At once, whatever is still to be sent."""
        self.transport.abort()
        if reason:
            self._door.on_ended(reason)

    @staticmethod
    def _unset(*timers: asyncio.TimerHandle | None) -> None:
        for timer in timers:
            if timer is not None:
                timer.cancel()


def allow_files(connections: int) -> None:
    """Let this process open as many files as its connections need.

    Raises:
        ConfigError: if it may not.
    """
    try:
        import resource
    except ImportError:  # Windows counts them otherwise
        return
    needed = connections + LINGERING + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ConfigError(
            f"--max-connections {connections} needs {needed} open files and this process may have {hard}; at most "
            f"{max(0, hard - LINGERING - OTHER_FILES)} connections are possible, or raise ulimit -n"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
