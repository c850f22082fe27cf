"""Pictures with their text beside them: ``line.png`` and ``line.gt.txt`` (tesstrain, OCRopus, kraken, Calamari), or
``line.txt``. Nested folders are read too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import groupby

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.sources.base import Row
from crnn.data.sources.folder_reader import FolderReader
from crnn.data.sources.place import Place
from crnn.data.sources.trees import is_hidden
from crnn.errors import DataError, printable

LABEL_SUFFIXES = (".gt.txt", ".txt")
"""The first wins where a picture has both."""
_PICTURE_ENDINGS = (".bin.png", ".nrm.png")  # OCRopus: line.bin.png belongs to line.gt.txt too


class GtTextReader(FolderReader):
    """Pictures with ``.gt.txt`` or ``.txt`` files beside them.

    A ``.gt.txt`` without a picture is an unusable line; a picture without a text is not labelled, and not a line; a
    ``.txt`` without a picture is some other file.
    """

    description = "pictures with their text beside them: line.png and line.gt.txt, or line.txt"

    @staticmethod
    def matches(place: Place) -> bool:
        if place.tree is None:
            return False
        if any(name.endswith(".gt.txt") for name in place.names):
            return True
        pictures = {stem_of(name) for name in place.pictures}
        return any(name.endswith(".txt") and name.removesuffix(".txt") in pictures for name in place.names)

    def rows(self) -> Iterator[Row]:
        self.notes = []
        unlabelled: list[str] = []
        twins: list[tuple[str, str]] = []
        for folder, group in groupby(self.tree.names(), key=lambda name: name.rpartition("/")[0]):
            names = [name for name in group if not is_hidden(name)]
            prefix = f"{folder}/" if folder else ""
            yield from self._rows_of(prefix, [name[len(folder) :].lstrip("/") for name in names], unlabelled, twins)
        if unlabelled:
            self.notes.append(
                f"{self.path}: {len(unlabelled):,} pictures have no text beside them and are no lines, such as "
                f"{printable(unlabelled[0])}"
            )
        if twins:
            left, read = twins[0]
            self.notes.append(
                f"{self.path}: {len(twins):,} pictures share their text with another picture and are no lines, such as "
                f"{printable(left)}, for {printable(read)} is read; to read both, give each a text of its own"
            )

    def _rows_of(
        self, folder: str, names: list[str], unlabelled: list[str], twins: list[tuple[str, str]]
    ) -> Iterator[Row]:
        """Lines of one folder; adds names of pictures without a text, and of (picture left out, picture read)."""
        pictures: dict[str, str] = {}
        known = set(names)
        for name in names:
            if os.path.splitext(name)[1].lower() not in PICTURE_SUFFIXES:
                continue
            stem = stem_of(name)
            read = pictures.setdefault(stem, name)
            same = read != name and os.path.splitext(read)[0] == os.path.splitext(name)[0]  # not OCRopus' of one line
            if same and (f"{stem}.gt.txt" in known or f"{stem}.txt" in known):
                twins.append((folder + name, folder + read))
        unlabelled += (
            folder + picture
            for stem, picture in pictures.items()
            if f"{stem}.gt.txt" not in known and f"{stem}.txt" not in known
        )
        for name in names:
            label = next((suffix for suffix in LABEL_SUFFIXES if name.endswith(suffix)), None)
            stem = name.removesuffix(label or "")
            if label is None or (label == ".txt" and (stem not in pictures or f"{stem}.gt.txt" in known)):
                continue
            where = printable(self.tree.root / (folder + name))
            picture = folder + pictures[stem] if stem in pictures else ""
            problem = "" if picture else f"has no picture beside it ({'|'.join(sorted(PICTURE_SUFFIXES))})"
            try:
                text = self.tree.text(folder + name).removesuffix("\n").removesuffix("\r")
            except DataError as error:
                text, problem = "", str(error).removeprefix(where).lstrip(": ")
            yield Row(text, where, picture, problem)


def stem_of(picture: str) -> str:
    """A picture's name without its ending."""
    ending = next((e for e in _PICTURE_ENDINGS if picture.lower().endswith(e)), os.path.splitext(picture)[1])
    return picture[: len(picture) - len(ending)]
