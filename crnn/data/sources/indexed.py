"""A reader and its index, together a `LineSource`; and the cache in which indexes wait for the next run."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PIL import Image

from crnn.data.sources.base import Content, LineEntry, Reader, Row
from crnn.data.sources.index import FORMAT, LineIndex, remove_unused
from crnn.errors import DataError

Watch = Callable[[Iterable[Row]], Iterable[Row]]
"""Wraps the rows while an index is made, for a progress display."""


class IndexedSource:
    """Lines of one place, through its format's reader."""

    endless = False

    def __init__(self, reader: Reader, index: LineIndex, signature: str) -> None:
        self.name = str(reader.path)
        self.format = ""
        """What it was recognised as, for messages; see `crnn.data.sources.registry.open_source`."""
        self.signature = signature
        """SHA-256 of what the files looked like: names, sizes, times."""
        self.reader = reader
        self.index = index

    def __len__(self) -> int:
        return len(self.index)

    @property
    def notes(self) -> list[str]:
        """What there is to say about the place."""
        return self.index.notes

    def entry(self, position: int) -> LineEntry:
        row = self.index.row(position)
        return LineEntry(row.text, row.where, row.picture, row.problem, row.group)

    def size(self, position: int) -> tuple[int, int]:
        return self.reader.size(self.index.key(position))

    def content(self, position: int) -> Content:
        return self.reader.content(self.index.key(position))

    def picture(self, position: int) -> Image.Image:
        return self.reader.picture(self.index.key(position))


def signature(reader: Reader) -> str:
    """SHA-256 over kind, options and files of a reader: each file's name, size and times of change."""
    digest = hashlib.sha256(f"{FORMAT}\0{type(reader).__name__}\0{reader.options}\n".encode())
    for part in reader.parts():
        try:
            status = os.stat(part)
            stamp = f"{part}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\n"
        except OSError as error:  # a link to nowhere does no harm unless a line needs it
            stamp = f"{part}\0{error.errno}\n"
        digest.update(stamp.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def make_source(reader: Reader, cache: Path | None = None, watch: Watch = iter) -> IndexedSource:
    """Index a reader's lines, or take the index that an earlier run left in `cache`.

    Args:
        reader: of one place.
        cache: folder for indexes; None keeps this one in memory.
        watch: wraps the rows while they are listed.

    Raises:
        DataError: if the data cannot be read, or has no lines.
    """
    stamp = signature(reader)
    if cache is None:
        index = _built(reader, watch)
    else:
        place = hashlib.sha256(os.fsencode(reader.path.absolute())).hexdigest()[:16]
        folder = cache / f"{place}-{stamp[:32]}"
        found = _open_if_whole(folder)
        if found is None:
            for old in cache.glob(f"{place}-*"):  # of this place as it was
                if old != folder:  # which another process may just have made
                    remove_unused(old)
            found = _built(reader, watch).save(folder)
        index = found
    return IndexedSource(reader, index, stamp)


def _open_if_whole(folder: Path) -> LineIndex | None:
    if not folder.is_dir():
        return None
    try:
        return LineIndex.open(folder)
    except (OSError, ValueError, KeyError):  # damaged
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _built(reader: Reader, watch: Watch) -> LineIndex:
    index = LineIndex.build(_some(reader, watch))
    index.notes = list(reader.notes)
    return index


def _some(reader: Reader, watch: Watch) -> Iterator[Row]:
    rows = 0
    for row in watch(reader.rows()):
        rows += 1
        yield row
    reader.release()
    if not rows:
        raise DataError(f"{reader.path}: has no lines ({reader.description})")
