"""SIGTERM ends a command as Ctrl+C does: half-written files go away, and whoever has more to do can catch it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """The system, a scheduler or another program asked this one to end."""


@contextmanager
def sigterm_like_ctrl_c() -> Iterator[None]:
    """In the block SIGTERM raises `Terminated`, unless somebody else handles or ignores it; in processes forked from
    this one it does what it does by itself."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            raise Terminated
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def exit_code(stop: KeyboardInterrupt) -> int:
    """130 after Ctrl+C and 143 after SIGTERM, as shells have it."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)
