"""The registry of formats: a folder or file is recognised by looking at it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from crnn.data.sources.base import LineSource
from crnn.data.sources.gt_text import GtTextSource
from crnn.data.sources.label_table import LabelTableSource
from crnn.errors import DataError


class Format(Protocol):
    """A reader class in the registry."""

    description: str

    @staticmethod
    def matches(path: Path) -> bool:
        """Whether `path` looks like this format; cheap, never raises."""
        ...

    def __call__(self, path: Path) -> LineSource: ...


FORMATS: dict[str, Format] = {
    "labels.tsv": LabelTableSource,
    "gt.txt": GtTextSource,
}
"""Name -> reader, in the order in which they are tried."""


def open_source(path: str | os.PathLike[str]) -> LineSource:
    """Open labelled lines, whatever their format.

    Raises:
        DataError: if there is nothing there, or no format matches (all are named).
    """
    where = Path(path)
    if not where.exists():
        raise DataError(f"{where}: there is no such file or folder")
    for reader in FORMATS.values():
        if reader.matches(where):
            return reader(where)
    allowed = "; ".join(f"{name} ({reader.description})" for name, reader in FORMATS.items())
    raise DataError(f"{where}: holds no labelled lines in a known format; allowed are: {allowed}")
