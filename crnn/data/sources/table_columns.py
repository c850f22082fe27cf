"""Which column of a table, or key of an object, is the picture and which is the text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.sources.base import ReadOptions
from crnn.errors import DataError, printable


class _Role(NamedTuple):
    what: str
    option: str
    names: frozenset[str]

    @property
    def choice(self) -> str:
        """How to name the column."""
        flag = self.option.removeprefix("data.").replace("_", "-")
        return f"{self.option}=NAME (crnn check: --{flag} NAME)"


# EasyOCR: filename, words; Hugging Face's image folder: file_name, text; MMOCR: filename or img_path, text
_PICTURE_NAMES = frozenset(
    [
        *("filename", "file_name", "file", "path", "filepath", "file_path", "picture", "picture_path", "image"),
        *("image_path", "image_file", "image_filename", "image_name", "img", "img_path", "img_file", "img_name"),
    ]
)
_TEXT_NAMES = frozenset(
    [
        *("text", "words", "word", "label", "labels", "transcription", "transcript", "sentence"),
        *("ground_truth", "groundtruth", "gt", "gt_text"),
    ]
)
_PICTURE = _Role("picture", "data.image_column", _PICTURE_NAMES)
_TEXT = _Role("text", "data.text_column", _TEXT_NAMES)


class Columns(NamedTuple):
    """Places of the two columns."""

    picture: int
    text: int


def is_picture_name(name: str) -> bool:
    """Whether a name ends like a picture's."""
    return os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES


def known_columns(names: Sequence[str]) -> tuple[bool, bool]:
    """Whether a picture, and whether a text, is among names of columns."""
    plain = {_plain(name) for name in names}
    return bool(plain & _PICTURE.names), bool(plain & _TEXT.names)


def find_columns(names: Sequence[str], options: ReadOptions, where: str) -> Columns:
    """The two columns by their names: those that the options name, else well-known ones in any case.

    Raises:
        DataError: if there is none, or more than one.
    """
    return Columns(find_picture(names, options, where), _find(names, _TEXT, options.text_column, where))


def find_picture(names: Sequence[str], options: ReadOptions, where: str) -> int:
    """The column of the pictures alone; see `find_columns`."""
    return _find(names, _PICTURE, options.image_column, where)


def find_text(names: Sequence[str], options: ReadOptions, where: str) -> int:
    """The column of the texts alone; see `find_columns`."""
    return _find(names, _TEXT, options.text_column, where)


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _find(names: Sequence[str], role: _Role, wanted: str | None, where: str) -> int:
    there = printable(", ".join(names)) or "none"
    if wanted is not None:
        places = [place for place, name in enumerate(names) if name == wanted]
        if len(places) == 1:
            return places[0]
        count = "no column" if not places else f"{len(places)} columns"
        raise DataError(f"{where}: has {count} {printable(wanted)!r} ({role.option}); there are: {there}")
    places = [place for place, name in enumerate(names) if _plain(name) in role.names]
    if len(places) == 1:
        return places[0]
    if places:
        several = printable(", ".join(names[place] for place in places))
        raise DataError(f"{where}: {several} may each be the {role.what}; say which with {role.choice}")
    raise DataError(
        f"{where}: has no column for the {role.what} among: {there}; known names are {', '.join(sorted(role.names))}; "
        f"rename it or set {role.choice}"
    )
