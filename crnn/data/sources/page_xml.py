"""PAGE XML (PRImA), as Transkribus, eScriptorium, OCR-D, kraken and Aletheia write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crnn.data.sources.outlines import Points, read_points
from crnn.data.sources.page_marks import MarkedLine, MarkedPage, marked
from crnn.data.sources.page_reader import PageReader


class PageXmlReader(PageReader):
    """Lines of PAGE XML of any year; elements are told by their names, whatever their namespace.

    Text is the line's TextEquiv with the lowest index, as it stands (but line breaks around it, which pretty-printers
    add); a line without one is its words, joined by spaces. Regions come as the page's ReadingOrder says, those that it
    does not name last; otherwise the order is that of the file.
    """

    description = "PAGE XML (root PcGts) with page pictures beside, above or in a folder nearby"
    root = "PcGts"

    def pages(self, root: Any) -> list[MarkedPage]:
        return [
            MarkedPage(
                page.get("imageFilename", ""),
                number(page.get("imageWidth")),
                number(page.get("imageHeight")),
                None,
                [_line(line, i) for i, line in enumerate(self.line_elements(page), start=1)],
            )
            for page in self.page_elements(root)
        ]

    def page_elements(self, root: Any) -> list[Any]:
        return list(root.iterchildren("{*}Page"))

    def line_elements(self, page: Any) -> list[Any]:
        lines = super().line_elements(page)
        places: dict[str, int] = {}
        for region in _regions_in_order(page.findall("{*}ReadingOrder")):
            places.setdefault(region, len(places))

        def place(line: Any) -> int:
            return next((places[one.get("id")] for one in line.iterancestors() if one.get("id") in places), len(places))

        return sorted(lines, key=place) if places else lines


def _regions_in_order(groups: list[Any]) -> Iterator[str]:
    """Ids of the regions to which groups, and the groups within them, refer; those without an index as they stand."""
    for group in sorted(groups, key=lambda one: number(one.get("index"))):
        if region := group.get("regionRef"):
            yield region
        yield from _regions_in_order(list(group.iterchildren("{*}*")))


def _line(element: Any, position: int) -> MarkedLine:
    line = MarkedLine(element.get("id") or f"line {position}", element.sourceline or 0, text_of(element))
    marked(line, lambda: _points(element, "Coords"), lambda: _points(element, "Baseline"))
    return line


def _points(line: Any, name: str) -> Points | None:
    """Points of Coords or Baseline; None if there are none."""
    element = line.find(f"{{*}}{name}")
    if element is None:
        return None
    written = element.get("points")
    if written is None:  # as of 2010: a Point for each
        written = " ".join(f"{point.get('x')},{point.get('y')}" for point in element.iterchildren("{*}Point"))
    points = read_points(written)
    return points if len(points) else None


def text_of(line: Any) -> str:
    """What a TextLine says."""
    return _own_text(line) or " ".join(
        _own_text(word) or "".join(_own_text(glyph) for glyph in word.iterchildren("{*}Glyph"))
        for word in line.iterchildren("{*}Word")
    )


def _without_breaks(text: str) -> str:
    """Without white space at an end where it holds a line break, as indented XML has it; other spaces stay."""
    left, right = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return text[len(left) if "\n" in left else 0 : len(text) - len(right) if "\n" in right else None]


def _own_text(element: Any) -> str:
    """Of the first TextEquiv among those with the lowest index."""
    found = sorted(element.iterchildren("{*}TextEquiv"), key=lambda equiv: number(equiv.get("index")))
    text = found[0].find("{*}Unicode") if found else None
    if text is None:
        return ""
    return _without_breaks(text.xpath("string()") if len(text) else text.text or "")  # of several parts: comments


def number(text: str | None) -> float:
    """A number not below 0; 0 for anything else."""
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e9 else 0.0
