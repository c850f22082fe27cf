"""One line per request and event on standard error, as JSON or for people; never a picture, a text or a key."""

from __future__ import annotations

import json
import sys
import threading
from datetime import datetime, timezone
from typing import Any, TextIO

from crnn.errors import printable

FORMATS = ("text", "json")


class Log:
    """Writes lines, whole ones, from any thread.

    Args:
        format: ``text`` or ``json``; None: text on a terminal, JSON elsewhere.
        stream: standard error if not given.
    """

    def __init__(self, format: str | None = None, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self.format = format or ("text" if self._stream.isatty() else "json")
        self._lock = threading.Lock()

    def event(self, message: str, **values: Any) -> None:
        """Something has happened."""
        self._write({"event": printable(message, 1000), **values})

    def request(self, **values: Any) -> None:
        """A request has been answered."""
        self._write(values)

    def _write(self, values: dict[str, Any]) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        if self.format == "json":
            row = json.dumps({"time": now, **values}, ensure_ascii=True)
        else:
            shown = (
                str(value) if key in ("event", "method", "path", "status") else f"{key}={value}"
                for key, value in values.items()
                if value is not None
            )
            row = f"{now[11:23]} {' '.join(shown)}"
        with self._lock:
            try:
                self._stream.write(row + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # nobody reads the log any more; that is no reason to stop
                pass
