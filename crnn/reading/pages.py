"""`crnn recognize --format xml`: PAGE and ALTO files in, the same files with the readings of their lines out."""

from __future__ import annotations

import os
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from crnn.core.recognition import Recognition
from crnn.core.recognizer import Recognizer
from crnn.data.sources.base import Row
from crnn.data.sources.extra import need
from crnn.data.sources.outlines import cut_size, is_area, stretch_of
from crnn.data.sources.page_marks import MeasuredPicture
from crnn.data.sources.page_reader import Document, PageReader
from crnn.data.sources.place import Place
from crnn.data.sources.trees import open_tree
from crnn.data.sources.xml_safe import is_xml, root_name
from crnn.errors import ConfigError, CrnnWarning, DataError, printable
from crnn.reading.inputs import Item, matches_of
from crnn.reading.outputs import Outcome
from crnn.reading.page_folder import PageFolder
from crnn.reading.page_writer import Placed, PlacedLine, with_readings
from crnn.reading.recognize import Tally, read_items
from crnn.reading.sets import line_of, loose_pictures, pages_in
from crnn.reading.words import words_of


def read_pages(recognizer: Recognizer, paths: Iterable[str], folder: Path, about: dict[str, Any]) -> int:
    """Read the lines of all pages, and write each page's XML with them, page by page, in memory that does not grow.

    A page of which no line could be read is not written; of others such lines stay as they are; one without lines is
    copied. A run that was stopped goes on with the next page when it is started again.

    Args:
        recognizer: the model.
        paths: PAGE or ALTO files, folders and archives of them, or patterns; other XML among them is passed over.
        folder: to write into, new or empty. A file keeps its name, and its folders below what all `paths` share.
        about: ``model`` and ``options``, which tell a run that was stopped from others.

    Returns:
        The exit code: 0, or 1 if there was nothing to read or a line or file could not be read.

    Raises:
        ConfigError: for a path that is none of these, and as `PageFolder`.
        DataError: if a file cannot be written, or lxml is not installed.
    """
    need("lxml.etree", "to read and write pages")  # once, and not for each of them
    sources = _sources(paths)
    target = PageFolder(folder, sources, about)
    pages = _Pages(sources, target)
    with Tally(sys.stderr.isatty()) as tally:
        for _, outcome in read_items(recognizer, pages.items()):
            tally.add(outcome)
            pages.take(outcome)
    target.finish()
    pages.say_what_was_left_out()
    read = tally.done - tally.failed
    said = f"{_count(target.written, 'file')} with {_count(read, 'line')} read"
    before = f", {_count(target.before, 'file')} from before" if target.before else ""
    print(f"crnn: {printable(folder)}: {said}{before}", file=sys.stderr)
    return 0 if target.before and not tally.failed else tally.code


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _sources(paths: Iterable[str]) -> list[Path]:
    """Every path once; other XML, such as METS, is passed over beside pages."""
    found: dict[str, Path] = {}
    wrong = ""
    for name in chain.from_iterable(matches_of(path) or [path] for path in paths):
        path = Path(name)
        try:
            if pages_in(path) is not None:
                found.setdefault(os.path.realpath(path), path)
                continue
            if path.suffix.lower() in (".tar", ".zip") and path.is_file():
                next(open_tree(path).names(), None)  # says what is wrong with a damaged one
        except DataError as error:
            raise ConfigError(str(error)) from None
        what = "is no PAGE or ALTO file, nor a folder or archive of them" if path.exists() else "is not there"
        wrong = f"{printable(name)}: {what}; --format xml writes readings into such files"
        if not (is_xml(name) and path.is_file() and root_name(Place(path).head)):
            raise ConfigError(wrong)
    if not found:
        raise ConfigError(wrong)
    return list(found.values())


def _home_of(source: Path) -> str:
    """The folder that a source is, or lies in; an archive is one, too."""
    path = Path(os.path.abspath(source))
    return str(path if path.is_dir() else path.parent if is_xml(path.name) else path.with_suffix(""))


@dataclass
class _Waiting:
    """A document of which not all lines are read, or (without one) a file that could not be read."""

    document: Document | None
    target: Path
    wanted: int
    outcomes: list[Outcome] = field(default_factory=list)


class _Pages:
    """Lines on their way: each document waits for those of its lines.

    Args:
        sources: files, folders and archives.
        folder: to write into.
    """

    def __init__(self, sources: list[Path], folder: PageFolder) -> None:
        self._sources = sources
        self._folder = folder
        self._waiting: deque[_Waiting] = deque()
        self._doubles = 0
        self._loose: list[str] = []

    def items(self) -> Iterator[Item]:
        """Every line to read, or what is wrong with it, or with a file."""
        shared = os.path.commonpath([_home_of(source) for source in self._sources])
        for source in self._sources:
            reader = pages_in(source)
            if reader is None:
                yield self._wrong(str(source), DataError(f"{printable(source)}: is no longer there"))
                continue
            below = self._folder.path / os.path.relpath(_home_of(source), shared)
            try:
                for document in reader.documents():
                    yield from self._items_of(document, reader, below / reader.files.below(document.name))
                reader.release()  # all of its lines are cut out; one that waits to be written needs no page
                self._loose += [f"{source}:{name}" for name in loose_pictures(reader)]
            except OSError as error:
                yield self._wrong(str(source), DataError(f"{printable(source)}: cannot be read ({error.strerror})"))

    def _items_of(self, document: Document, reader: PageReader, target: Path) -> Iterator[Item]:
        if document.error is not None:
            yield self._wrong(document.name, document.error)
            return
        pages = [page for page in document.pages if page is not None]
        if not pages:
            self._doubles += bool(document.pages)  # else METS or metadata
            return
        try:
            if not self._folder.wants(target):
                return
        except DataError as error:
            yield self._wrong(document.name, error)
            return
        rows = [row for page in pages for row in page.rows]
        if not rows:
            self._folder.write(target, document.raw)
            return
        if not any(row.locator for row in rows):
            document.raw = b""  # it is not written, and thousands may come before the next line that is read
        self._waiting.append(_Waiting(document, target, len(rows)))
        for row in rows:
            yield Item(*line_of(reader, row))

    def _wrong(self, name: str, error: DataError) -> Item:
        self._waiting.append(_Waiting(None, Path(), 1))
        return Item(name, error)

    def take(self, outcome: Outcome) -> None:
        """The next of the items was read, or could not be.

        Raises:
            DataError: if its document is complete and cannot be written.
        """
        first = self._waiting[0]
        first.outcomes.append(outcome)
        if len(first.outcomes) < first.wanted:
            return
        self._waiting.popleft()
        document = first.document
        if document is None or all(isinstance(one, DataError) for one in first.outcomes):
            return
        outcomes = iter(first.outcomes)
        lines = [
            None if page is None else [_placed(document.reader, page.picture, row, next(outcomes)) for row in page.rows]
            for page in document.pages
        ]
        where = document.reader.files.shown(document.name)
        self._folder.write(first.target, with_readings(document.raw, where, document.reader, lines))

    def say_what_was_left_out(self) -> None:
        """As notes."""
        if self._doubles:
            what = f"{_count(self._doubles, 'ALTO file')} about pages of PAGE files left out"
            warnings.warn(f"{what}; to write them, name their folder", CrnnWarning, stacklevel=2)
        if self._loose:
            several = len(self._loose) > 1
            more = f" and {_count(len(self._loose) - 1, 'other')}" if several else ""
            whom = "them" if several else "it"
            what = f"{printable(self._loose[0])}{more} left out, as no PAGE or ALTO file is about {whom}"
            warnings.warn(what, CrnnWarning, stacklevel=2)


def _placed(reader: PageReader, picture: MeasuredPicture | None, row: Row, outcome: Outcome) -> PlacedLine | None:
    if not isinstance(outcome, Recognition) or picture is None:
        return None
    _, outline, angle, _ = reader.cut_of(row.key)
    units = 1 / np.array(picture.scale)
    words = []
    for word in words_of(outcome, cut_size(outline, angle)[0]):
        part = stretch_of(outline, angle, word.start, word.end).clip(0, (picture.width, picture.height))
        words.append(Placed(word.text, word.confidence, (part if is_area(part) else outline) * units))
    return PlacedLine(Placed(outcome.text, outcome.confidence, outline * units), words)
