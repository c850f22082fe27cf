"""What is said to a client instead of a result."""

from __future__ import annotations

from typing import Any

STATUS = {
    "bad_request": 400,
    "unauthorized": 401,
    "not_found": 404,
    "method_not_allowed": 405,
    "slow_client": 408,
    "too_large": 413,
    "unsupported_media_type": 415,
    "queue_full": 429,
    "internal": 500,
    "shutting_down": 503,
    "too_many_connections": 503,
    "timeout": 504,
}
"""Code of an error -> HTTP status."""
CLOSED_BY_CLIENT = 499
"""Stands in logs and metrics for a request whose client went away; nobody is sent it."""


class Refused(Exception):
    """A request that gets no result; the message says in one line what to do next."""

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS[code]
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """As it is sent."""
        return error_body(self.code, str(self))


def error_body(code: str, message: str) -> dict[str, Any]:
    """The JSON of every error."""
    return {"error": {"code": code, "message": message}}


class Disconnected(Exception):
    """The client went away before it was answered."""
