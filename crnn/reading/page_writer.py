"""Readings in the place of what a PAGE or ALTO file says; all else in it stays as it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import numpy as np

from crnn.data.sources.extra import need
from crnn.data.sources.outlines import Points
from crnn.data.sources.page_reader import PageReader
from crnn.data.sources.page_xml import PageXmlReader, text_of
from crnn.data.sources.xml_safe import parse_xml

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""
_OF_OFFSETS = re.compile(r"\s*[\w-]+\s*\{[^{}]*\boffset\s*:[^{}]*\}")
"""Of a PAGE line's ``custom``: marks of stretches of its text (Transkribus)."""
_POINTS_BEFORE = re.compile(r"/(2009|2010)-")
"""Of a PAGE namespace in which outlines are lists of elements, texts have no confidence and need a PlainText."""


class Placed(NamedTuple):
    """A text, how sure it is (0..1), and where it stands, in the units of the file."""

    text: str
    confidence: float
    outline: Points


class PlacedLine(NamedTuple):
    """A line's reading."""

    whole: Placed
    words: list[Placed]
    """In reading order."""


def with_readings(
    raw: bytes, where: str, reader: PageReader, pages: Sequence[Sequence[PlacedLine | None] | None]
) -> bytes:
    """An XML file with readings in it.

    Args:
        raw: the file.
        where: its name, for messages.
        reader: of its kind.
        pages: for every line of every page its reading; None leaves the line, or the page, as it is.

    Returns:
        UTF-8. The texts of lines that were read, their words and glyphs are replaced; so is the text of what such lines
        are in, by that of all lines in it, unless one of them has neither reading nor text. All else stays, and so does
        the layout of the file where it is indented.

    Raises:
        DataError: as `parse_xml`.
    """
    etree = need("lxml.etree", "to write this")
    root = parse_xml(raw, where, whole=True)
    page_xml = isinstance(reader, PageXmlReader)
    names = _Names(root)
    for page, readings in zip(reader.page_elements(root), pages, strict=True):
        if readings is None:
            continue
        read: set[Any] = set()
        unknown: set[Any] = set()
        for line, reading in zip(reader.line_elements(page), readings, strict=True):
            if reading is None:
                unknown.update([] if text_of(line) else line.iterancestors())
                continue
            read.update(line.iterancestors())
            if page_xml:
                _write_page_line(line, reading, names)
            else:
                _write_alto_line(line, reading)
            _lay_out(line)
        if page_xml:
            for region in read - unknown:
                _write_region(region)
    if page_xml and (changed := root.find("{*}Metadata/{*}LastChange")) is not None:
        changed.text = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    tree = root.getroottree()
    declared = True if tree.docinfo.standalone else None
    written: bytes = etree.tostring(tree, encoding="UTF-8", xml_declaration=True, standalone=declared)
    return written + b"\n"


class _Names:
    """Gives words ids that nothing else in a document has.

    Args:
        root: of the document.
    """

    def __init__(self, root: Any) -> None:
        self._taken = set(root.xpath("//@id"))
        self._last: Counter[str] = Counter()

    def free(self, element: Any) -> None:
        """The ids of an element that goes, and of what it holds."""
        self._taken.difference_update(element.xpath(".//@id | @id"))

    def next(self, line: str) -> str:
        """For the next word of a line."""
        while True:
            self._last[line] += 1
            name = f"{line}_w{self._last[line]}"
            if name not in self._taken:
                self._taken.add(name)
                return name


def _write_page_line(line: Any, reading: PlacedLine, names: _Names) -> None:
    """As the schema orders it: outline and baseline, words, text, style."""
    for old in (*line.findall("{*}Word"), *line.findall("{*}TextEquiv")):
        names.free(old)
        line.remove(old)
    first = 1 + max(
        [-1, *(line.index(one) for one in line if _kind(one) in ("AlternativeImage", "Coords", "Baseline"))]
    )
    for word in reading.words:
        element = _made("Word", line)
        element.set("id", names.next(line.get("id") or "line"))
        _add_points(element, word.outline)
        _add_text(element, word)
        line.insert(first, element)
        first += 1
    _add_text(line, reading.whole, first)
    if (marks := _OF_OFFSETS.sub("", line.get("custom", "")).strip()) != line.get("custom", ""):
        line.set("custom", marks)


def _add_points(element: Any, outline: Points) -> None:
    """PAGE takes whole numbers."""
    points = np.rint(outline).astype(int).tolist()
    points = [point for i, point in enumerate(points) if point != points[i - 1]]
    if len(points) < 3:  # too small for whole numbers
        (left, top), (right, bottom) = np.floor(outline.min(0)).astype(int), np.floor(outline.max(0)).astype(int) + 1
        points = [[left, top], [right, top], [right, bottom], [left, bottom]]
    coords = _added("Coords", element)
    if _is_old(element):
        for x, y in points:
            point = _added("Point", coords)
            point.set("x", str(x))
            point.set("y", str(y))
    else:
        coords.set("points", " ".join(f"{x},{y}" for x, y in points))


def _add_text(element: Any, text: Placed, position: int | None = None) -> None:
    equiv = _made("TextEquiv", element)
    if _is_old(element):
        _added("PlainText", equiv).text = _clean(text.text)
    else:
        equiv.set("conf", f"{text.confidence:.4f}")
    _added("Unicode", equiv).text = _clean(text.text)
    element.insert(len(element) if position is None else position, equiv)


def _write_region(region: Any) -> None:
    """The text of a region, table or cell, if it has one, is that of its lines."""
    texts = region.findall("{*}TextEquiv")
    if not texts:
        return
    for other in texts[1:]:
        region.remove(other)
    texts[0].attrib.clear()  # index, confidence
    whole = "\n".join(map(text_of, region.iter("{*}TextLine")))
    for element in texts[0].iterchildren("{*}Unicode", "{*}PlainText"):
        for part in list(element):  # comments
            element.remove(part)
        element.text = whole


def _write_alto_line(line: Any, reading: PlacedLine) -> None:
    """A String for each word, and one SP between two. Of further spaces, which the schema does not know, each is part
    of the word before it, or of the first one. Ids of Strings go on in their order, as an order of reading may name
    them; what all Strings said of style and language the new ones say."""
    strings = line.findall("{*}String")
    ids = [one.get("ID") for one in strings if one.get("ID")]
    shared = {
        name: next(iter(values))
        for name in ("STYLEREFS", "LANG")
        if len(values := {one.get(name) for one in strings}) == 1 and None not in values
    }
    for old in (*strings, *line.findall("{*}SP"), *line.findall("{*}HYP")):
        line.remove(old)
    for one in (line, *line.iterancestors()):
        one.attrib.pop("CS", None)  # that it was corrected by hand
    position = sum(_kind(one) == "Shape" for one in line)
    spaced = re.findall(r"(?:^ +)?[^ ]+(?: +\Z| +(?= ))?", reading.whole.text)
    for i, (text, word) in enumerate(
        zip(spaced, reading.words, strict=True) if spaced else [(reading.whole.text, reading.whole)]
    ):
        if i:
            line.insert(position, _made("SP", line))
            position += 1
        element = _made("String", line)
        element.attrib.update(shared)
        if i < len(ids):
            element.set("ID", ids[i])
        element.set("CONTENT", _clean(text))
        left, top = np.floor(word.outline.min(0)).astype(int).tolist()
        right, bottom = np.ceil(word.outline.max(0)).astype(int).tolist()
        for name, value in (("HPOS", left), ("VPOS", top), ("WIDTH", right - left), ("HEIGHT", bottom - top)):
            element.set(name, str(value))
        element.set("WC", f"{word.confidence:.4f}")
        line.insert(position, element)
        position += 1


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def _kind(element: Any) -> str:
    """Name of an element without its namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _is_old(element: Any) -> bool:
    return bool(_POINTS_BEFORE.search(element.tag.partition("}")[0]))


def _made(name: str, like: Any) -> Any:
    """A new element in the namespace of another."""
    namespace = like.tag.rpartition("}")[0]
    return like.makeelement(f"{namespace}}}{name}" if namespace else name, nsmap=like.nsmap)


def _added(name: str, to: Any) -> Any:
    element = _made(name, to)
    to.append(element)
    return element


def _lay_out(line: Any) -> None:
    """Indents a line's elements, if the file does."""
    inner, outer = (((one.text or "") if one is not None else "") for one in (line, line.getparent()))
    if "\n" not in inner or "\n" not in outer or inner.strip() or outer.strip():
        return
    inner, outer = inner.rpartition("\n")[2], outer.rpartition("\n")[2]
    step = inner.removeprefix(outer) or "  "
    need("lxml.etree").indent(line, space=step, level=len(outer) // len(step))
