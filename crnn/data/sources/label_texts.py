"""Texts for a decoder: a text file, or the labels of a set of lines."""

from __future__ import annotations

import os
from pathlib import Path

from crnn.data.sources.columns import labels
from crnn.data.sources.place import Place
from crnn.data.sources.registry import FORMATS, open_source


def texts_of(path: str | os.PathLike[str]) -> str | list[str]:
    """The labels of labelled lines, in order and as often as they come; any other file by its name, as it was given.

    Args:
        path: a folder or file in one of the formats of lines, or a text file with one text per line.

    Raises:
        DataError: for a folder without labelled lines, or lines that cannot be read.
    """
    where = Path(path)
    if where.is_dir() or (where.is_file() and _is_labelled(where)):
        return [text for text in labels(open_source(where)) if text]
    return os.fspath(path)


def _is_labelled(file: Path) -> bool:
    place = Place(file)
    return any(reader.matches(place) for reader in FORMATS.values())
