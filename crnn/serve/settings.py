"""What a service allows, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

from crnn.core.picture import MAX_PIXELS
from crnn.errors import ConfigError


def _decoders() -> int:
    return min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Limits:
    """Bounds that keep a service answering whatever it is sent; beyond any of them a request is refused in one line.

    Args:
        queue_lines: pictures of one model that are accepted and not answered yet; more get a 429.
        held_bytes: of all bodies that are being received or read, together; more get a 429.
        body_bytes: of one request; more get a 413.
        pictures: of one request; more get a 413.
        pixels: of one picture, known before it is decoded.
        timeout: seconds from the first byte of a request to its answer, else a 504.
        grace: seconds that requests in flight get when the service is told to stop.
        decoders: threads that decode pictures.
        connections: open ones; a further one takes the place of the oldest idle one, else it gets a 503.
        client_timeout: seconds that a client may take for the head of a request, for the next bytes of its body, and
            to read what was answered; then its connection ends, with a 408 where one can be sent.
    """

    queue_lines: int = 512
    held_bytes: int = 256 * 2**20
    body_bytes: int = 32 * 2**20
    pictures: int = 256
    pixels: int = 10_000_000
    timeout: float = 30.0
    grace: float = 30.0
    decoders: int = 0
    connections: int = 512
    client_timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.decoders == 0:
            object.__setattr__(self, "decoders", _decoders())
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0 < value < float("inf"):  # the command line refuses it by the name of its option
                raise ConfigError(f"{item.name} is {value}; a number above 0 is allowed")
        if self.pixels > MAX_PIXELS:
            raise ConfigError(f"{self.pixels:,} pixels are more than are ever decoded; at most {MAX_PIXELS:,} are")
        if self.pictures > self.queue_lines:
            raise ConfigError(
                f"a request of {self.pictures} pictures never fits into a queue of {self.queue_lines}; raise the queue"
            )
        if self.body_bytes > self.held_bytes:
            raise ConfigError(
                f"a request of {self.body_bytes:,} bytes never fits into {self.held_bytes:,} bytes held together"
            )
