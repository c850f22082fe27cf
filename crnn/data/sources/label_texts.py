"""Texts for a decoder: a text file, or the labels of a set of lines."""

from __future__ import annotations

import os
from pathlib import Path

from crnn.data.sources.base import LineSource
from crnn.data.sources.columns import entries
from crnn.data.sources.place import Place
from crnn.data.sources.registry import FORMATS, open_source, refuse_several_sets
from crnn.data.sources.sides import side_of_tables


def usable_labels(source: LineSource) -> list[str]:
    """Labels in order and as often as they come; without those that are empty or of which something is wrong."""
    return [entry.text for entry in entries(source) if entry.text and not entry.problem]


def texts_of(path: str | os.PathLike[str]) -> str | list[str]:
    """The usable labels of labelled lines; any other file by its name, as it was given.

    Args:
        path: a folder or file in one of the formats of lines, or a text file with one text per line.

    Raises:
        DataError: for a folder without labelled lines, or with several sets of them, or lines that cannot be read.
    """
    where = Path(path)
    if where.is_dir():
        refuse_several_sets(where)
    if where.is_dir() or side_of_tables(where):
        return usable_labels(open_source(where))
    if where.is_file() and _is_labelled(where):  # words in a file that is called a table are no labels
        return usable_labels(open_source(where)) or os.fspath(path)
    return os.fspath(path)


def _is_labelled(file: Path) -> bool:
    place = Place(file)
    return any(reader.matches(place) for reader in FORMATS.values())
