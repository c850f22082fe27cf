"""What comes out: plain text, tab-separated values, or JSON Lines; one row per picture, in order."""

from __future__ import annotations

import json
from collections.abc import Callable

from crnn.core.recognition import Recognition
from crnn.errors import DataError, printable

Outcome = Recognition | DataError


def escaped(text: str) -> str:
    r"""Backslash, tab and line ends as ``\\ \t \n \r``, so that a field stays a field."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def as_text(name: str, outcome: Outcome) -> str:
    """The text alone; an empty line for a picture that could not be read, so that line n belongs to picture n."""
    return "" if isinstance(outcome, DataError) else escaped_lines(outcome.text)


def escaped_lines(text: str) -> str:
    """Line ends within a text (a charset can hold them) as escapes."""
    return text.replace("\n", "\\n").replace("\r", "\\r")


def as_tsv(name: str, outcome: Outcome) -> str:
    """``path<TAB>text<TAB>confidence``; text and confidence empty for a picture that could not be read."""
    if isinstance(outcome, DataError):
        return f"{escaped(name)}\t\t"
    return f"{escaped(name)}\t{escaped(outcome.text)}\t{outcome.confidence:.6f}"


def as_jsonl(name: str, outcome: Outcome) -> str:
    """One object: path, text, confidence, characters (text, confidence, start, end in pixels); or path and error."""
    path = name.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(outcome, DataError):
        return json.dumps({"path": path, "error": printable(outcome, 1000)}, ensure_ascii=False)
    return json.dumps({"path": path, **outcome.to_dict()}, ensure_ascii=False)


OUTPUTS: dict[str, Callable[[str, Outcome], str]] = {"text": as_text, "tsv": as_tsv, "jsonl": as_jsonl}
"""Name -> how one row is written."""
