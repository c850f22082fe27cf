"""The registry of formats: a folder or file is recognised by looking at it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from crnn.data.sources.base import LineSource, Reader, ReadOptions
from crnn.data.sources.gt_text import GtTextReader
from crnn.data.sources.indexed import Watch, make_source
from crnn.data.sources.label_table import LabelTableReader
from crnn.data.sources.lmdb_base import LmdbReader
from crnn.data.sources.place import Place
from crnn.errors import DataError


class Format(Protocol):
    """A reader class in the registry."""

    description: str

    @staticmethod
    def matches(place: Place) -> bool:
        """Whether it looks like this format; cheap, never raises."""
        ...

    def __call__(self, path: Path, options: ReadOptions) -> Reader: ...


FORMATS: dict[str, Format] = {
    "labels.tsv": LabelTableReader,
    "lmdb": LmdbReader,
    "gt.txt": GtTextReader,
}
"""Name -> reader, in the order in which they are tried."""


def find_reader(path: str | os.PathLike[str], options: ReadOptions | None = None) -> tuple[str, Reader]:
    """(format, reader) of labelled lines, whatever their format.

    Raises:
        DataError: if there is nothing there, or no format matches (all are named).
    """
    where = Path(path)
    if not where.exists():
        raise DataError(f"{where}: there is no such file or folder")
    place = Place(where)
    for name, reader in FORMATS.items():
        if reader.matches(place):
            return name, reader(where, options or ReadOptions())
    allowed = "; ".join(f"{name} ({reader.description})" for name, reader in FORMATS.items())
    raise DataError(f"{where}: holds no labelled lines in a known format; allowed are: {allowed}")


def open_source(
    path: str | os.PathLike[str],
    options: ReadOptions | None = None,
    cache: Path | None = None,
    watch: Watch = iter,
) -> LineSource:
    """Open labelled lines, whatever their format.

    Args:
        path: file or folder.
        options: for files whose looks do not tell.
        cache: folder in which the index waits for the next time; None keeps it in memory.
        watch: wraps the rows while they are listed, for a progress display.

    Raises:
        DataError: if there is nothing there, no format matches, or the data cannot be read.
    """
    return make_source(find_reader(path, options)[1], cache, watch)
