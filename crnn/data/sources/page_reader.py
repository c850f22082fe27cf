"""What readers of page XML share: lines that are cut from the picture of their page."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from PIL import Image

from crnn.core.picture import open_picture
from crnn.data.sources.bands import bands
from crnn.data.sources.base import Reader, ReadOptions, Row
from crnn.data.sources.outlines import Points, UnusableOutlineError, angle_of, clipped, cut, cut_size, is_area
from crnn.data.sources.page_cache import PageCache
from crnn.data.sources.page_files import PageFiles
from crnn.data.sources.page_marks import MarkedLine, MarkedPage, MeasuredPicture, measure
from crnn.data.sources.page_pictures import MissingPictureError, PagePictures
from crnn.data.sources.place import Place
from crnn.data.sources.xml_safe import head_of, is_xml, parse_xml, root_name, whole_of
from crnn.errors import DataError, printable

LOOK_INTO = 64
"""That many XML files of a folder are opened to see whether they hold pages."""


_KINDS: dict[str, type[PageReader]] = {}
"""Name of the root element -> reader."""


class PageRows(NamedTuple):
    """A page of an XML file: its picture, if there is one, and its lines, as `PageReader.line_elements` orders them."""

    picture: MeasuredPicture | None
    rows: list[Row]


@dataclass
class Document:
    """An XML file, and what it says of its pages."""

    name: str
    """In the tree."""
    reader: PageReader
    """Of its kind."""
    raw: bytes = b""
    pages: list[PageRows | None] = field(default_factory=list)
    """None for one that a file of the first kind is about, too."""
    error: DataError | None = None
    """Why it cannot be read."""


class PageReader(Reader):
    """Lines of XML files about pages, cut from the pages' pictures; in a folder, an archive, or one XML file.

    Only pictures in the folder or archive are ever opened (see `PageFiles` for what lies further up), found by the last
    part of their name (see `PagePictures`). If a picture has another size than the XML says, coordinates are scaled to
    it, as long as its shape is the same within 1 %. A line is its outline, or its box, or a band along its baseline
    (see `bands`); where the baseline is more than 5 degrees from level it is turned level.
    """

    root: ClassVar[str]
    """Name of the root element."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _KINDS[cls.root] = cls

    def __init__(self, path: Path, options: ReadOptions) -> None:
        super().__init__(path, options)
        self.files = PageFiles(path)
        self.about: set[str] = set()
        """Pictures of the pages that `documents` has come by, whether lines lie on them or not."""
        self._pages = PageCache()

    @classmethod
    def matches(cls, place: Place) -> bool:
        if place.tree is None:
            return place.suffix == ".xml" and root_name(place.head) == cls.root
        if any(name.endswith(".gt.txt") for name in place.names):  # lines that were cut already
            return False
        some = [name for name in place.labels if is_xml(name)][:LOOK_INTO]
        return any(root_name(head_of(place.tree, name)) == cls.root for name in some)

    def parts(self) -> Iterator[Path]:
        return self.files.parts()

    def rows(self) -> Iterator[Row]:
        """Of many files one that cannot be read is a row with a problem; if none can be read, that is an error."""
        refused: list[tuple[str, DataError]] = []
        good = False
        for document in self.documents():
            if document.error is not None:
                refused.append((document.name, document.error))
            for page in document.pages:
                good = True
                yield from page.rows if page is not None else ()
        if refused and not good:
            raise refused[0][1]
        for name, why in refused:
            where = self.files.shown(name)
            place, _, said = str(why).removeprefix(where).partition(": ")  # :LINE:COLUMN, and what is wrong there
            yield Row("", where + place, printable(name), f"{said}; all of its lines are missing")

    def documents(self) -> Iterator[Document]:
        """Every XML file, with its pages and their lines; METS and metadata have none.

        Files of another kind are read after those of this one, but for pages that these are about: ALTO beside PAGE, of
        an export with both or of a collection.
        """
        pictures = self.files.pictures()
        readers: dict[str, PageReader] = {self.root: self}  # by kind
        others: list[tuple[str, PageReader]] = []
        first: set[str] = set()  # pictures that files of this kind are about
        for name, reader in chain(((name, self) for name in self.files.xml()), others):
            where = self.files.shown(name)
            document = Document(name, reader)
            try:
                document.raw = whole_of(self.files.tree, name)
                kind = root_name(document.raw)
                if reader is self and kind != self.root and kind in _KINDS:
                    if kind not in readers:
                        readers[kind] = _KINDS[kind](self.path, self.options)
                    others.append((name, readers[kind]))
                    continue
                pages = reader.pages(parse_xml(document.raw, where)) if kind in (reader.root, None) else []
            except DataError as error:
                document.error = error
                pages = []
            for number, page in enumerate(pages):
                picture, problem = self._picture_of(name, page, pictures, number)
                if picture is not None:
                    self.about.add(picture.name)
                    if reader is self:
                        first.add(picture.name)
                    elif picture.name in first:
                        document.pages.append(None)
                        continue
                document.pages.append(PageRows(picture, list(self._page_rows(where, page, picture, problem))))
            yield document

    @abstractmethod
    def page_elements(self, root: Any) -> list[Any]:
        """The pages of an XML document (lxml), as it holds them."""

    def line_elements(self, page: Any) -> list[Any]:
        """The lines of one of these, in the order of `pages`."""
        return list(page.iter("{*}TextLine"))

    @abstractmethod
    def pages(self, root: Any) -> list[MarkedPage]:
        """What an XML document (lxml) says of its pages."""

    def _picture_of(
        self, xml: str, page: MarkedPage, pictures: PagePictures, number: int
    ) -> tuple[MeasuredPicture | None, str]:
        """(its picture, empty), or (None, what is wrong with it)."""
        if number:
            return None, f"stands on page {number + 1} of its file; write one XML file for each page picture"
        try:
            found = pictures.find(xml, page.picture)
            return measure(page, found, self.files.tree.content(found)), ""
        except (MissingPictureError, DataError) as error:
            return None, str(error)

    def _page_rows(self, where: str, page: MarkedPage, picture: MeasuredPicture | None, problem: str) -> Iterator[Row]:
        lines = page.lines
        if picture is not None:
            for line in lines:
                line.outline = None if line.outline is None else line.outline * picture.scale
                line.baseline = None if line.baseline is None else line.baseline * picture.scale
            if any(_is_bare(line) for line in lines):
                lengths = [len(line.text) for line in lines]
                along = bands([line.baseline for line in lines], lengths, picture.height)
                for line, band in zip(lines, along, strict=True):
                    if _is_bare(line):
                        line.outline = band
        shown = picture.name if picture else page.picture
        names: Counter[str] = Counter()
        for line in lines:
            names[line.name] += 1
            if names[line.name] > 1:  # an id that another line has, too
                line.name = f"{line.name} ({names[line.name]})"
            wrong = line.problem or problem
            locator = ""
            if picture is not None and not wrong:
                try:
                    locator = _locator(picture, line)
                except UnusableOutlineError as error:
                    wrong = str(error)
            named = printable(f"{shown}#{line.name}")
            yield Row(line.text, f"{where}:{line.source_line}", named, wrong, locator, shown)

    def content(self, key: str) -> Image.Image:
        """The line, cut from its page."""
        page, outline, angle, _ = self.cut_of(key)
        where = printable(self.files.tree.root / page)
        pixels = self._pages.get(page, lambda: open_picture(self.files.tree.content(page), where))
        height, width = pixels.shape
        if outline.max(0)[0] > width or outline.max(0)[1] > height:
            raise DataError(f"{where}: has {width} x {height} pixels now, fewer than when its lines were listed")
        return cut(pixels, outline, angle)

    def size(self, key: str) -> tuple[int, int]:
        """(width, height) of the line; opens nothing."""
        _, outline, angle, _ = self.cut_of(key)
        return cut_size(outline, angle)

    def release(self) -> None:
        self._pages.release()

    def cut_of(self, key: str) -> tuple[str, Points, float, str]:
        """(picture of the page, outline and angle on it, name of the line) of a row's `Row.locator`.

        Raises:
            DataError: if it is none.
        """
        try:
            page, points, angle, name = json.loads(key)
            return page, np.array(points, dtype=np.float64).reshape(-1, 2), angle, name
        except (ValueError, TypeError):
            raise DataError(f"{printable(key)}: has no place on a page that is here") from None

    def _name(self, key: str) -> str:
        page, _, _, name = self.cut_of(key)
        return printable(f"{self.files.tree.root / page}#{name}")


def _is_bare(line: MarkedLine) -> bool:
    """Whether only its baseline is known; a box that is no higher than the baseline says nothing more, nor does an
    outline without area."""
    if line.baseline is None or len(line.baseline) < 2:
        return False
    if line.outline is None or not is_area(line.outline):
        return True
    extent, of_baseline = np.ptp(line.outline, axis=0), np.ptp(line.baseline, axis=0)
    return bool(len(line.outline) == 4 and (extent <= of_baseline + 1).all())


def _locator(picture: MeasuredPicture, line: MarkedLine) -> str:
    if line.outline is None:
        raise UnusableOutlineError("has neither outline nor baseline; mark where the line is")
    outline = clipped(line.outline, picture.width, picture.height)
    points = [int(value) if value == int(value) else value for value in outline.ravel().tolist()]
    angle = round(angle_of(line.baseline), 2)
    return json.dumps([picture.name, points, angle, line.name], separators=(",", ":"))
