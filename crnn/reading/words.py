"""Where the words of a reading stand in its line."""

from __future__ import annotations

import unicodedata
from itertools import groupby, pairwise
from typing import NamedTuple

from crnn.core.bidi import base_of
from crnn.core.recognition import Character, Recognition


class Word(NamedTuple):
    """What stands between two spaces."""

    text: str
    confidence: float
    """That of its least sure character."""
    start: float
    end: float
    """In pixels of the line's picture; the whole line where it cannot be told which part of it is meant."""


def words_of(reading: Recognition, width: float) -> list[Word]:
    """The words of a reading, in reading order.

    A word reaches half a character beyond what the network took for its first and its last one, as that may be no more
    than their middles, but not beyond the middle of the space beside it.

    Args:
        reading: of a line.
        width: of its picture in pixels.
    """
    texts = [text for text in reading.text.split(" ") if text]
    spans = _spans(reading, width)
    order = _order(texts, [text for text, *_ in spans], base_of(reading.text) == "R")
    if order is None:  # cannot be told
        return [Word(text, reading.confidence, 0.0, width) for text in texts]
    return [Word(text, *spans[i][1:]) for text, i in zip(texts, order, strict=True)]


def _spans(reading: Recognition, width: float) -> list[tuple[str, float, float, float]]:
    """(characters, confidence, start, end) of what stands between spaces, from left to right."""
    parts: list[list[Character]] = [
        list(some) for space, some in groupby(reading.characters, lambda one: one.text == " ") if not space
    ]
    if not parts:
        return []
    shown = reading.characters
    half = (shown[-1].end - shown[0].start) / len(shown) / 2
    middles = [0.0, *((one[-1].end + other[0].start) / 2 for one, other in pairwise(parts)), width]
    return [
        (
            "".join(one.text for one in part),
            min(one.confidence for one in part),
            max(part[0].start - half, left),
            min(part[-1].end + half, right),
        )
        for part, (left, right) in zip(parts, pairwise(middles), strict=True)
    ]


def _order(texts: list[str], shown: list[str], from_right: bool) -> list[int] | None:
    """Which of the words in the order of the picture each word in reading order is; None where that cannot be told.

    A right-to-left word is another string there: its letters are in the order of the picture, and its brackets are
    mirrored.
    """
    if texts == shown:
        return list(range(len(texts)))
    free: dict[str, list[int]] = {}
    for i in range(len(shown)) if from_right else range(len(shown) - 1, -1, -1):
        free.setdefault(_letters(shown[i]), []).append(i)
    order = [free[key].pop() if free.get(key := _letters(text)) else -1 for text in texts]
    return None if -1 in order or any(free.values()) else order


def _letters(text: str) -> str:
    """Equal for the two orders of a word."""
    return "".join(sorted(c for c in text if not unicodedata.mirrored(c)))
