"""A folder of pictures, each with its text beside it: ``line.png`` and ``line.gt.txt`` (tesstrain, OCRopus, kraken,
Calamari). Nested folders are read too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from crnn.core.image import PICTURE_SUFFIXES
from crnn.data.sources.base import LineEntry
from crnn.data.sources.files import PictureStore, read_text
from crnn.errors import DataError

LABEL_SUFFIX = ".gt.txt"
_PICTURE_ENDINGS = (".bin.png", ".nrm.png")  # OCRopus: line.bin.png belongs to line.gt.txt too


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """(folder, file names), sorted; links to folders are not followed, so a circle cannot trap it."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield Path(here), sorted(names)


class GtTextSource:
    """Pictures with ``.gt.txt`` files beside them.

    A text without a picture is an unusable line; a picture without a text is not labelled, and not a line.

    Raises:
        DataError: if there are no texts, or one is not UTF-8.
    """

    description = "pictures with their text beside them: line.png and line.gt.txt"
    endless = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._store = PictureStore(path)
        self._rows: list[tuple[str, str, str]] = []  # picture, text, label file
        for here, names in _walk(path):
            pictures: dict[str, str] = {}
            for name in names:
                ending = next((e for e in _PICTURE_ENDINGS if name.lower().endswith(e)), os.path.splitext(name)[1])
                if os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES:
                    pictures.setdefault(name[: len(name) - len(ending)], name)
            for name in names:
                if name.endswith(LABEL_SUFFIX):
                    stem = name.removesuffix(LABEL_SUFFIX)
                    picture = (here / pictures[stem]).relative_to(path).as_posix() if stem in pictures else ""
                    text = read_text(here / name).removesuffix("\n").removesuffix("\r")
                    self._rows.append((picture, text, str(here / name)))
        if not self._rows:
            raise DataError(f"{path}: has no *{LABEL_SUFFIX} files")

    @staticmethod
    def matches(path: Path) -> bool:
        return path.is_dir() and any(name.endswith(LABEL_SUFFIX) for _, names in _walk(path) for name in names)

    def __len__(self) -> int:
        return len(self._rows)

    def entry(self, position: int) -> LineEntry:
        picture, text, label = self._rows[position]
        problem = "" if picture else f"has no picture beside it ({'|'.join(sorted(PICTURE_SUFFIXES))})"
        return LineEntry(text, label, picture, problem)

    def size(self, position: int) -> tuple[int, int]:
        return self._store.size(self._rows[position][0])

    def picture(self, position: int) -> Image.Image:
        return self._store.picture(self._rows[position][0])
