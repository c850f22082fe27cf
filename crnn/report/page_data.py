"""What the page's script works with: the lines, some of their pictures, and the confusions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from PIL import Image, features

from crnn.core.alignment import align
from crnn.core.text import clusters
from crnn.data.sources.base import LineSource
from crnn.errors import DataError, printable
from crnn.report.characters import Confusion
from crnn.report.evaluation import Evaluation
from crnn.report.inline import data_url
from crnn.report.lines import DOUBTFUL, JudgedLine

MOST_LINES = 20_000
"""Lines on a page."""
MOST_PICTURES = 600
DOUBTED_PICTURES = 200
"""Probable label errors among those with pictures, at least, if there are so many."""
PICTURE_BYTES = 8 * 2**20
"""All pictures of a page together."""
MOST_CONFUSIONS = 300
HEIGHT = 48
"""Of a picture, in pixels; larger ones are made smaller."""
WIDTH = 1600
SHOWN_HEIGHT = 40


@dataclass
class PageData:
    """See `page_data`."""

    lines: list[list[Any]]
    """Of each line: place, picture's name, source, label, reading, errors, confidence, doubt, columns, picture, marks,
    and the log-probabilities of reading and label. Columns (of lines with errors): texts that are alike, and
    [true, read] where they are not. Picture: [data URI, width]. Marks: [character, confidence, left, width], the last
    two in per cent of the picture."""
    sources: list[str]
    confusions: list[Confusion]
    pictures: int
    doubted: int
    has_confidence: bool

    def to_dict(self) -> dict[str, Any]:
        """What the page's script finds as its data."""
        return {
            "lines": self.lines,
            "sources": self.sources,
            "doubtful": DOUBTFUL,
            "confusions": [list(confusion.pair) for confusion in self.confusions],
        }


def page_data(evaluations: Sequence[Evaluation], whole: Evaluation) -> PageData:
    """Choose and pack the lines of a page: the worst and those with doubtful labels first, then as they come.

    Args:
        evaluations: as given to the page.
        whole: the same, joined.
    """
    source_of = {id(line): number for number, one in enumerate(evaluations) for line in one.lines}
    worst, doubted = whole.worst(), whole.doubted()
    ranked = _unique([*doubted[:DOUBTED_PICTURES], *worst, *whole.lines])
    pictures: dict[int, tuple[str, int, int]] = {}
    used = 0
    for line in _unique([*doubted[:DOUBTED_PICTURES], *worst[: MOST_PICTURES - DOUBTED_PICTURES], *ranked]):
        if len(pictures) >= MOST_PICTURES or used > PICTURE_BYTES:
            break
        found = small_picture(evaluations[source_of[id(line)]].pictures, line.position)
        if found:
            pictures[id(line)] = found
            used += len(found[0])
    listed = ranked[:MOST_LINES]
    number = {id(line): place for place, line in enumerate(whole.lines)}
    listed.sort(key=lambda line: number[id(line)])
    return PageData(
        [_packed(line, source_of[id(line)], pictures.get(id(line))) for line in listed],
        [printable(one.source) for one in evaluations],
        whole.characters.ranked()[:MOST_CONFUSIONS],
        len(pictures),
        len(doubted),
        any(line.confidence is not None for line in listed),
    )


def _unique(lines: list[JudgedLine]) -> list[JudgedLine]:
    return list({id(line): line for line in lines}.values())


def _packed(line: JudgedLine, source: int, picture: tuple[str, int, int] | None) -> list[Any]:
    def rounded(value: float | None, digits: int) -> float | None:
        return None if value is None else round(value, digits)

    return [
        printable(line.where, 1000),
        printable(line.picture, 1000),
        source,
        line.reference,
        line.reading,
        line.errors,
        rounded(line.confidence, 4),
        rounded(line.doubt, 2),
        None if line.right else columns(line.reading, line.reference),
        picture and picture[:2],
        _marks(line, picture[2]) if picture else None,
        rounded(line.log_reading, 2),
        rounded(line.log_label, 2),
    ]


def columns(reading: str, reference: str) -> list[str | list[str]]:
    """Both texts aligned: a text where they are alike, [true, read] where they are not."""
    pairs = align(clusters(reading), clusters(reference))
    packed: list[str | list[str]] = []
    for is_error, run in groupby(pairs, lambda pair: pair.is_error):
        if is_error:
            packed.extend([pair.true, pair.read] for pair in run)
        else:
            packed.append("".join(pair.true for pair in run))
    return packed


def _marks(line: JudgedLine, width: int) -> list[list[Any]]:
    """[character, confidence, left, width] of each character; per cent of a picture of `width` pixels."""
    places = zip(line.symbols, line.marks[::3], line.marks[1::3], line.marks[2::3], strict=True)
    return [
        [symbol, round(sure, 3), round(start / width * 100, 2), round((end - start) / width * 100, 2)]
        for symbol, sure, start, end in places
    ]


def small_picture(source: LineSource | None, position: int) -> tuple[str, int, int] | None:
    """(data URI, width to show it at, original width) of a line, or None if it cannot be read."""
    if source is None:
        return None
    try:
        picture = source.picture(position)
    except DataError:
        return None
    original = picture.size
    picture.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    kind = "WEBP" if features.check("webp") else "JPEG"
    picture.save(stream, kind, quality=60)
    shown = max(8, round(original[0] * SHOWN_HEIGHT / original[1]))
    return data_url(kind.lower(), stream.getvalue()), shown, original[0]
