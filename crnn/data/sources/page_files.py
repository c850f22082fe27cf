"""The XML files that a path stands for, and the files among which the pictures of their pages are looked for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.sources.page_pictures import PagePictures
from crnn.data.sources.trees import Tree, is_hidden, open_tree
from crnn.data.sources.xml_safe import is_xml
from crnn.errors import DataError, printable

_SETTLED = 3 * 10**9
"""Nanoseconds after a change in a folder within which another one may have the same time."""


class PageFiles:
    """Names are those of `tree`, which is that of the path, or reaches one folder further up.

    Further up where the path is a single XML file, or a folder without any picture: Transkribus keeps XML in a folder
    ``page`` and pictures above it. Then of the folder above only the files directly in it are looked at.

    Args:
        path: folder, archive or XML file.

    Raises:
        DataError: if it is none of these.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        here = Path(os.path.abspath(path))  # without "..", which no name in a tree may have
        self._single = path.is_file() and is_xml(path.name)
        self._above = self._single or (path.is_dir() and here.name != "" and not _has_picture(path))
        self.tree: Tree = open_tree(here.parent.parent if self._single else here.parent if self._above else path)
        self._here = here
        self._prefix = here.relative_to(self.tree.root).as_posix() + "/" * (not self._single) if self._above else ""

    @property
    def is_whole(self) -> bool:
        """Whether every picture below the path belongs to it, and none above."""
        return not self._above

    def xml(self) -> Iterator[str]:
        """The XML files, in order."""
        if self._single:
            yield self._prefix
            return
        for name in self._below():
            if is_xml(name) and not is_hidden(name):
                yield name

    def shown(self, name: str) -> str:
        """A file's path for messages, as the user began it."""
        if self._above and name.startswith(self._prefix):
            return printable(self.path / name.removeprefix(self._prefix) if not self._single else self.path)
        return printable(self.tree.root / name)

    def below(self, name: str) -> str:
        """A file's name within the folder or archive that the path is, or that the single XML file lies in."""
        return PurePosixPath(name).name if self._single else name.removeprefix(self._prefix)

    def pictures(self) -> PagePictures:
        """Those of pages."""
        if not self._above:
            return PagePictures(self.tree.names())
        try:
            folders = tuple((folder, folder.stat().st_mtime_ns) for folder in self._folders_around())
        except OSError as error:
            raise DataError(f"{printable(error.filename)}: folder cannot be read ({error.strerror})") from None
        settled = all(time.time_ns() - changed > _SETTLED for _, changed in folders)
        return (_pictures_in if settled else _pictures_in.__wrapped__)(self.tree.root, folders)

    def parts(self) -> Iterator[Path]:
        """What all of this is made of."""
        if not self._above:
            yield from self.tree.parts()
            return
        if not self._single:
            yield from open_tree(self.path).parts()
        yield from (self.path, *self._folders_around())
        yield from (self.tree.root / name for name in self.pictures().names())

    def _below(self) -> Iterator[str]:
        if not self._above:
            yield from self.tree.names()
            return
        for name in open_tree(self.path).names():
            yield self._prefix + name

    def _folders_around(self) -> list[Path]:
        """The folders in which pictures may lie, those below the path left out."""
        above = self._here.parent
        return list(dict.fromkeys((above, above.parent))) if self._single else [above]


@lru_cache(maxsize=8)  # thousands of XML files of a folder may be named one by one
def _pictures_in(root: Path, folders: tuple[tuple[Path, int], ...]) -> PagePictures:
    """Those directly in folders, by their names below `root`.

    Args:
        root: of the tree.
        folders: with the time at which each was changed.
    """
    names = []
    for folder, _ in folders:
        try:
            found = sorted(entry.name for entry in folder.iterdir())
        except OSError as error:
            raise DataError(f"{printable(folder)}: folder cannot be read ({error.strerror})") from None
        names += [(folder / name).relative_to(root).as_posix() for name in found]
    return PagePictures(names)


def _has_picture(folder: Path) -> bool:
    return any(PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES for name in open_tree(folder).names())
