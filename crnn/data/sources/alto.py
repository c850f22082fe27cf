"""ALTO, versions 1 to 4, as eScriptorium, kraken, Transkribus, ABBYY, Tesseract and docWorks write it."""

from __future__ import annotations

from typing import Any

from crnn.data.sources.outlines import Points, UnusableOutlineError, box, read_points
from crnn.data.sources.page_marks import MarkedLine, MarkedPage, marked
from crnn.data.sources.page_reader import PageReader
from crnn.data.sources.page_xml import number

_PER_INCH = {"": None, "pixel": None, "mm10": 254.0, "inch1200": 1200.0}
_SOFT_HYPHEN = "\u00ad"


class AltoReader(PageReader):
    """Lines of ALTO files; elements are told by their names, with or without a namespace.

    Where the page's WIDTH and HEIGHT are given, they and the picture's size tell how coordinates become pixels,
    whatever the unit (Transkribus writes mm10 and means pixels); else the unit and the picture's resolution do.
    """

    description = "ALTO XML (root alto) with page pictures beside, above or in a folder nearby"
    root = "alto"

    def pages(self, root: Any) -> list[MarkedPage]:
        unit = (root.findtext("{*}Description/{*}MeasurementUnit") or "").strip().lower()
        picture = root.findtext("{*}Description/{*}sourceImageInformation/{*}fileName") or ""
        return [
            MarkedPage(
                picture.strip(),
                number(page.get("WIDTH")),
                number(page.get("HEIGHT")),
                _PER_INCH.get(unit, 0.0),
                [_line(line, i) for i, line in enumerate(self.line_elements(page), start=1)],
            )
            for page in self.page_elements(root)
        ]

    def page_elements(self, root: Any) -> list[Any]:
        return list(root.iterfind("{*}Layout/{*}Page"))


def _line(element: Any, position: int) -> MarkedLine:
    line = MarkedLine(element.get("ID") or f"line {position}", element.sourceline or 0, _text(element))
    marked(line, lambda: _outline(element), lambda: _baseline(element))
    return line


def _baseline(line: Any) -> Points | None:
    """Before version 4 it was the height of a level one, which says too little."""
    written = line.get("BASELINE", "").split()
    return read_points(" ".join(written)) if len(written) > 1 or "," in "".join(written) else None


def _outline(line: Any) -> Points | None:
    """The polygon, else the box; None if there is neither."""
    polygon = line.find("{*}Shape/{*}Polygon")
    if polygon is not None and polygon.get("POINTS", "").strip():
        return read_points(polygon.get("POINTS"))
    sides = [line.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if None in sides:
        return None
    numbers = read_points(" ".join(sides))
    if numbers.shape != (2, 2):
        raise UnusableOutlineError(f"has HPOS, VPOS, WIDTH and HEIGHT {sides} that are not one number each")
    return box(*numbers.ravel().tolist())


def _text(line: Any) -> str:
    """Strings as they stand, SP as a space, HYP as the hyphen. Strings of a line without any SP are words, apart by
    definition."""
    spaced = line.find("{*}SP") is not None
    text = ""
    for part in line.iterchildren("{*}String", "{*}SP", "{*}HYP"):
        kind = part.tag.rpartition("}")[2]
        if kind == "SP":
            text += " "
        elif kind == "HYP":
            hyphen = (part.get("CONTENT") or "-").replace(_SOFT_HYPHEN, "-")
            text += "" if text.endswith(hyphen) else hyphen
        else:
            text += (" " if text.strip() and not spaced else "") + part.get("CONTENT", "")
    return text
