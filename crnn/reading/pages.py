"""`crnn recognize --format xml`: PAGE and ALTO files in, the same files with the readings of their lines out."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from crnn.core.recognition import Recognition
from crnn.core.recognizer import Recognizer
from crnn.data.sources.base import Row
from crnn.data.sources.outlines import cut_size, is_area, stretch_of
from crnn.data.sources.page_marks import MeasuredPicture
from crnn.data.sources.page_reader import Document, PageReader
from crnn.errors import ConfigError, DataError, printable, unwritten
from crnn.files import write_atomic
from crnn.reading.inputs import Item, matches_of
from crnn.reading.outputs import Outcome
from crnn.reading.page_writer import Placed, PlacedLine, with_readings
from crnn.reading.recognize import Tally, read_items
from crnn.reading.sets import line_of, pages_in, without_lines
from crnn.reading.words import words_of


@dataclass
class _Waiting:
    """A document of which not all lines are read, or (without one) something that could not be read."""

    document: Document | None
    wanted: int
    target: Path = Path()
    outcomes: list[Outcome] = field(default_factory=list)


def read_pages(recognizer: Recognizer, paths: Iterable[str], folder: Path) -> int:
    """Read the lines of all pages, and write each page's XML with them, page by page.

    A page of which no line could be read is not written; of others such lines stay as they are.

    Args:
        recognizer: the model.
        paths: PAGE or ALTO files, folders and archives of them, or patterns.
        folder: to write into, new or empty. A file keeps its name, and its folders below what all `paths` share.

    Returns:
        The exit code: 0, or 1 if there was nothing to read or a line or file could not be read.

    Raises:
        ConfigError: for a path that is none of these, or a folder that holds something or lies in one of them.
        DataError: if a file cannot be written.
    """
    readers = _readers(paths)
    _refuse(folder, readers)
    waiting: deque[_Waiting] = deque()
    pages = 0

    def write_finished() -> None:
        nonlocal pages
        while waiting and len(waiting[0].outcomes) == waiting[0].wanted:
            pages += _write(waiting.popleft())

    with Tally(sys.stderr.isatty()) as tally:
        for _, outcome in read_items(recognizer, _items(readers, folder, waiting)):
            write_finished()  # those without lines
            waiting[0].outcomes.append(outcome)
            tally.add(outcome)
            write_finished()
        write_finished()
    read = tally.done - tally.failed
    said = f"{pages:,} {'file' if pages == 1 else 'files'} with {read:,} {'line' if read == 1 else 'lines'} read"
    print(f"crnn: {printable(folder)}: {said}", file=sys.stderr)
    return tally.code


def _readers(paths: Iterable[str]) -> list[PageReader]:
    found = []
    for path in chain.from_iterable(matches_of(path) or [path] for path in paths):
        reader = pages_in(Path(path)) if os.path.exists(path) else None
        if reader is None:
            wrong = (
                "is no PAGE or ALTO file, nor a folder or archive of them" if os.path.exists(path) else "is not there"
            )
            raise ConfigError(f"{printable(path)}: {wrong}; --format xml writes readings into such files")
        found.append(reader)
    return found


def _refuse(folder: Path, readers: list[PageReader]) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or next(folder.iterdir(), None)):
            what = "holds files" if folder.is_dir() else "is a file"
            raise ConfigError(f"{printable(folder)}: {what}; name a new or empty folder for the pages")
    except OSError as error:
        raise ConfigError(f"{printable(folder)}: cannot be read ({error.strerror})") from None
    for reader in readers:
        if reader.path.is_dir() and folder.resolve().is_relative_to(reader.path.resolve()):
            raise ConfigError(
                f"{printable(folder)}: lies in {printable(reader.path)}, which is read here; name one outside"
            )


def _place_of(reader: PageReader) -> str:
    """The folder that a path is, or lies in; an archive is one, too."""
    path = Path(os.path.abspath(reader.path))
    return str(path if path.is_dir() else path.parent if path.suffix.lower() == ".xml" else path.with_suffix(""))


def _items(readers: list[PageReader], folder: Path, waiting: deque[_Waiting]) -> Iterator[Item]:
    """Every line; what it belongs to stands in `waiting` before it comes."""
    shared = os.path.commonpath([_place_of(reader) for reader in readers])
    for reader in readers:
        below = folder / os.path.relpath(_place_of(reader), shared)
        pictures: set[str] = set()
        try:
            for document in reader.documents():
                if document.error is not None:
                    waiting.append(_Waiting(None, 1))
                    yield Item(document.name, document.error)
                elif document.pages:
                    rows = [row for page in document.pages for row in page.rows]
                    waiting.append(_Waiting(document, len(rows), below / reader.files.below(document.name)))
                    pictures.update(row.group for row in rows)
                    for row in rows:
                        yield Item(*line_of(reader, row))
            for name, wrong in without_lines(reader, pictures):
                waiting.append(_Waiting(None, 1))
                yield Item(name, wrong)
        except (DataError, OSError) as error:
            waiting.append(_Waiting(None, 1))
            said = (
                error
                if isinstance(error, DataError)
                else f"{printable(reader.path)}: cannot be read ({error.strerror})"
            )
            yield Item(str(reader.path), DataError(str(said)))


def _write(finished: _Waiting) -> bool:
    """Whether a page was written."""
    document, target = finished.document, finished.target
    if document is None or (finished.wanted and all(isinstance(one, DataError) for one in finished.outcomes)):
        return False
    if target.exists():
        raise DataError(f"{printable(target)}: is the name of two pages; read them into folders of their own")
    outcomes = iter(finished.outcomes)
    lines = [
        [_placed(document.reader, page.picture, row, next(outcomes)) for row in page.rows] for page in document.pages
    ]
    written = with_readings(document.raw, document.reader.files.shown(document.name), document.reader, lines)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with write_atomic(target) as temporary:
            temporary.write_bytes(written)
    except OSError as error:
        raise DataError(unwritten(target, error)) from None
    return True


def _placed(reader: PageReader, picture: MeasuredPicture | None, row: Row, outcome: Outcome) -> PlacedLine | None:
    if not isinstance(outcome, Recognition) or picture is None:
        return None
    _, outline, angle, _ = reader.cut_of(row.key)
    units = 1 / np.array(picture.scale)
    words = []
    for word in words_of(outcome, cut_size(outline, angle)[0]):
        part = stretch_of(outline, angle, word.start, word.end)
        words.append(Placed(word.text, word.confidence, (part if is_area(part) else outline) * units))
    return PlacedLine(Placed(outcome.text, outcome.confidence, outline * units), words)
