"""What a request may ask for beside its pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crnn.errors import printable
from crnn.serve.errors import Refused

OPTIONS = ("model", "nbest", "spans")
MAX_NBEST = 10
"""Texts per line; the library gives more, but they take as long as many other requests."""


@dataclass(frozen=True)
class Options:
    """What a request may ask for."""

    model: str | None = None
    nbest: int = 1
    spans: bool = True


def with_option(name: str, value: object, options: Options) -> Options:
    """`options` with one of them set.

    Raises:
        Refused: for an unknown one, or a value that it cannot have.
    """
    if name == "model":
        if not isinstance(value, str) or not 1 <= len(value) <= 200:
            raise Refused("bad_request", "model is not a name; GET /models lists those that are served")
        return replace(options, model=value)
    if name == "nbest":
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 9:
            value = int(value)
        if type(value) is not int or not 1 <= value <= MAX_NBEST:
            raise Refused("bad_request", f"nbest is {shown(value)}; whole numbers from 1 to {MAX_NBEST} are allowed")
        return replace(options, nbest=value)
    if name == "spans":
        known: dict[object, bool] = {"true": True, "false": False}
        if isinstance(value, str):
            value = known.get(value.lower(), value)
        if not isinstance(value, bool):
            raise Refused("bad_request", f"spans is {shown(value)}; true or false is allowed")
        return replace(options, spans=value)
    raise Refused("bad_request", f"option {shown(name)} is unknown; allowed are {', '.join(OPTIONS)}")


def shown(value: object) -> str:
    """A value in a message: its beginning, on one line."""
    return printable(repr(value)[:80], 60)


def query_options(query: list[tuple[str, str]]) -> Options:
    """Options of the query string.

    Raises:
        Refused: for an unknown one, one that comes twice, or a value that it cannot have.
    """
    options = Options()
    seen: set[str] = set()
    for name, value in query:
        if name in seen:
            raise Refused("bad_request", f"option {shown(name)} comes twice; send it once")
        seen.add(name)
        options = with_option(name, value, options)
    return options
