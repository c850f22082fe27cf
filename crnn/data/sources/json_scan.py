"""The entries of a JSON file, one after the other, each with its line: a list, a map, or a list within a map.

The whole is never built: of a map with a million entries, one is in memory at a time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from crnn.data.sources.table_columns import is_picture_name, known_columns
from crnn.errors import DataError, printable

LIST_KEY = "data_list"
"""Key of the list of lines in MMOCR 1.x; beside it stands ``metainfo``."""
META_KEY = "metainfo"
_SPACE = re.compile(r"[ \t\r\n]*")


class Entry(NamedTuple):
    """A value of a list, or a key and its value of a map."""

    line: int
    key: str | None
    value: Any


class Repeated(dict[str, Any]):
    """An object that has a key twice: which of the values was meant, nobody knows."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(found)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, strict=False)  # not strict: control characters are named later


def parse(text: str) -> Any:
    """One JSON value.

    Raises:
        ValueError: with a reason, if it is not one.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def entries(text: str, where: str) -> Iterator[Entry]:
    """What a JSON file lists.

    Args:
        text: the file.
        where: its name, for messages.

    Raises:
        DataError: naming the line at which it is not JSON, or nested too deeply.
    """
    scanner = _Scanner(text)
    try:
        yield from scanner.top()
    except RecursionError:
        raise DataError(f"{where}:{scanner.line()}: is nested too deeply; write a flat list or map") from None
    except json.JSONDecodeError as error:
        reason = f"{error.msg}, column {error.colno}"
        raise DataError(f"{where}:{error.lineno}: is not JSON ({reason}); correct it") from None
    except ValueError as error:  # a number of too many digits
        raise DataError(f"{where}:{scanner.line()}: is not JSON ({printable(error)}); correct it") from None


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = (0, 1)

    def line(self) -> int:
        """Number of the line that is being read."""
        before, line = self._counted
        self._counted = (self._at, line + self._text.count("\n", before, self._at))
        return self._counted[1]

    def _peek(self) -> str:
        """The next character that is not space; empty at the end."""
        match = _SPACE.match(self._text, self._at)
        assert match is not None  # noqa: S101  # for mypy
        self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _take(self, wanted: str) -> str:
        found = self._peek()
        if not found or found not in wanted:
            allowed = " or ".join(wanted)
            raise json.JSONDecodeError(f"expected {allowed}", self._text, self._at)
        self._at += 1
        return found

    def _value(self) -> Any:
        self._peek()
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def top(self) -> Iterator[Entry]:
        if self._take("[{") == "[":
            yield from self._list()
        else:
            yield from self._map()
        if self._peek():
            raise json.JSONDecodeError("text after the end", self._text, self._at)

    def _list(self) -> Iterator[Entry]:
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            self._peek()
            line = self.line()
            yield Entry(line, None, self._value())
            if self._take(",]") == "]":
                return

    def _map(self) -> Iterator[Entry]:
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            if self._peek() != '"':
                raise json.JSONDecodeError("expected a key in quotes", self._text, self._at)
            line = self.line()
            key = self._value()
            self._take(":")
            if key == LIST_KEY and self._peek() == "[":
                self._at += 1
                yield from self._list()
            else:
                value = self._value()
                if key != META_KEY or not isinstance(value, dict):
                    yield Entry(line, key, value)
            if self._take(",}") == "}":
                return


def is_json_lines(head: str, suffix: str) -> bool:
    """Whether each line of a file is an object of its own.

    Args:
        head: how the file begins.
        suffix: of its name, in lower case.
    """
    if suffix in (".jsonl", ".ndjson"):
        return True
    start = head.lstrip()
    if not start.startswith("{"):
        return False
    try:
        value, end = _DECODER.raw_decode(start)
    except (ValueError, RecursionError):
        return False
    rest = start[end:].lstrip()
    if rest:
        return rest.startswith("{") and "\n" not in start[:end]
    return all(known_columns(list(value)))  # one line alone


def names_pictures(head: str, suffix: str) -> bool:
    """Whether a file that begins like this lists pictures and texts; see `is_json_lines`."""
    try:
        if is_json_lines(head, suffix):
            return _is_line(parse(head.lstrip().partition("\n")[0]))
        start = head.lstrip()
        first = next(entries(start, ""), None)
        if first is None:
            return False
        if first.key is None:
            return _is_line(first.value)
        return is_picture_name(first.key) and isinstance(first.value, str)
    except (DataError, ValueError):
        return False


def _is_line(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    picture, text = known_columns(list(value))
    return picture and (text or "instances" in value)
