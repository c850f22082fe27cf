"""How a table of labels is written, found by looking at how it begins: delimiter, header, quoting."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from typing import Literal, NamedTuple, TypeAlias

from crnn.data.sources.base import ReadOptions
from crnn.data.sources.table_columns import is_picture_name, known_columns
from crnn.errors import printable

Style: TypeAlias = Literal["header", "csv", "tab", "icdar", "space"]

DELIMITERS = ("\t", ",", ";")
ICDAR = re.compile(r'(?P<picture>[^,"]+), "(?P<text>.*)"[ \t]*')
"""ICDAR's word lists: ``word_1.png, "text"``, where a backslash stands before a quote and before a backslash."""
_LOOK_AT = 200
"""Lines that are looked at."""


class Layout(NamedTuple):
    """How a table is written."""

    style: Style
    """header: first row names the columns, CSV quoting; csv: no header, CSV quoting; tab: no header, no quoting;
    icdar: see `ICDAR`; space: the first space divides, no quoting."""
    delimiter: str
    header: tuple[str, ...] = ()
    """Names of the columns, as they stand there."""
    problem: str = ""
    """What is missing, for a table that cannot be read."""

    @property
    def grade(self) -> int:
        """2: can be read; 1: names pictures, but something is missing."""
        return 1 if self.problem else 2


def find_layout(head: str, options: ReadOptions) -> Layout | None:
    """The layout of a table, or None if it does not look like one of pictures and texts.

    Args:
        head: how the file begins, whole lines.
        options: columns that the user names are looked for in the header.
    """
    lines = [line.removesuffix("\r") for line in head.split("\n")]
    lines = [line for line in lines if line][:_LOOK_AT]
    if not lines:
        return None
    named = _with_header(lines[0], options)
    return named or _icdar(lines) or _unknown_header(lines) or _without_header(lines) or _space(lines)


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line by CSV's rules; empty if it breaks them."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _with_header(first: str, options: ReadOptions) -> Layout | None:
    partly: Layout | None = None
    for delimiter in DELIMITERS:
        cells = split(first, delimiter)
        if len(cells) < 2 or any(is_picture_name(cell) for cell in cells):
            continue
        picture, text = known_columns(cells)
        picture, text = picture or options.image_column in cells, text or options.text_column in cells
        layout = Layout("header", delimiter, tuple(cells))
        if picture and text:
            return layout
        if picture:
            partly = partly or layout._replace(problem="has no column for the text")
    return partly


def _unknown_header(lines: list[str]) -> Layout | None:
    """A first row without pictures above rows of as many cells, most with a picture in the same column."""
    for delimiter in DELIMITERS:
        names = split(lines[0], delimiter)
        rows = [cells for line in lines[1:] if len(cells := split(line, delimiter)) == len(names)]
        if len(names) < 2 or len(rows) * 2 < len(lines) or any(map(is_picture_name, names)):
            continue
        pictures = [sum(is_picture_name(row[column]) for row in rows) for column in range(len(names))]
        column = int(pictures[1] > pictures[0]) if len(names) == 2 else pictures.index(max(pictures))
        if pictures[column] * 2 <= len(rows) or (len(names), column) == (2, 0):  # such are read as pairs
            continue
        text = names[0] if len(names) == 2 else "NAME"
        problem = (
            f"has no known columns among: {printable(', '.join(names))}; set "
            f"data.image_column={printable(names[column])} and data.text_column={printable(text)} "
            "(crnn check: --image-column, --text-column)"
        )
        return Layout("header", delimiter, tuple(names), problem)
    return None


def _icdar(lines: list[str]) -> Layout | None:
    found = [match for line in lines if (match := ICDAR.fullmatch(line))]
    fits = sum(is_picture_name(match["picture"]) for match in found)
    return Layout("icdar", ",") if fits * 2 > len(lines) else None


def _without_header(lines: list[str]) -> Layout | None:
    """Most lines begin with a picture and one of the delimiters."""

    def fits(line: str, delimiter: str) -> bool:
        picture, found, _ = line.partition(delimiter)
        return bool(found) and all(is_picture_name(name) for name in several_pictures(picture) or [_unquoted(picture)])

    counts = {delimiter: sum(fits(line, delimiter) for line in lines) for delimiter in DELIMITERS}
    delimiter = max(counts, key=lambda one: counts[one])
    if counts[delimiter] * 2 < len(lines):
        return None
    rows = [line for line in lines if fits(line, delimiter)]
    layout = Layout("tab" if delimiter == "\t" else "csv", delimiter)
    texts = [row.partition(delimiter)[2] for row in rows]
    if sum(text.startswith("[{") and '"points"' in text for text in texts) * 2 > len(rows):
        return layout._replace(
            problem="holds boxes on pages, not lines; PPOCRLabel writes the cut lines to crop_img and rec_gt.txt"
        )
    widths = Counter(row.count("\t") + 1 if delimiter == "\t" else len(split(row, delimiter)) for row in rows)
    width, often = widths.most_common(1)[0]
    if width > 2 and often == len(rows):
        return layout._replace(
            problem=f"has {width} columns and no header; add a first line that names them, such as filename,text,..."
        )
    return layout


def several_pictures(cell: str) -> list[str]:
    """The names in PaddleOCR's ``["a.jpg", "b.jpg"]``, pictures of one label; empty for anything else."""
    if not cell.startswith("["):
        return []
    try:
        names = json.loads(cell)
    except (ValueError, RecursionError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _unquoted(cell: str) -> str:
    return cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _space(lines: list[str]) -> Layout | None:
    """``path text``: only if no line allows another reading."""
    pairs = [line.partition(" ") for line in lines]
    if not all(space and is_picture_name(picture) for picture, space, _ in pairs):
        return None
    if any("\t" in line for line in lines) or any(is_picture_name(word) for *_, text in pairs for word in text.split()):
        return None
    if all(text.isdecimal() and picture.rpartition(".")[0].endswith(f"_{text}") for picture, _, text in pairs):
        return None  # MJSynth: the number is a place in its lexicon, the text is in the picture's name
    return Layout("space", " ")
