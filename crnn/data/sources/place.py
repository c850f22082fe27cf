"""A first look at a path, shared by all formats while they decide whether it is theirs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.sources.base import ReadOptions
from crnn.data.sources.trees import Tree, is_tar, open_tree, tar_members
from crnn.errors import DataError

LOOK_AT = 20_000
"""That many names below a folder or in an archive are looked at."""
HEAD = 64 * 1024
"""That many bytes of a file are looked at."""


class Place:
    """What stands at a path; everything is looked up when first asked for.

    Args:
        path: file or folder that exists.
        options: columns that the user names, for tables whose header says nothing.
    """

    def __init__(self, path: Path, options: ReadOptions | None = None) -> None:
        self.path = path
        self.options = options or ReadOptions()
        self.is_folder = path.is_dir()
        self.suffix = "" if self.is_folder else path.suffix.lower()

    @cached_property
    def head(self) -> bytes:
        """The first bytes of a file; empty for a folder or an unreadable file."""
        try:
            if self.is_folder:
                return b""
            with self.path.open("rb") as file:
                return file.read(HEAD)
        except OSError:
            return b""

    @cached_property
    def is_archive(self) -> bool:
        """Whether it is a zip or a plain tar archive."""
        return not self.is_folder and (self.head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or is_tar(self.path))

    @cached_property
    def tree(self) -> Tree | None:
        """The folder or archive; None for another file."""
        return open_tree(self.path) if self.is_folder or self.is_archive else None

    @cached_property
    def names(self) -> list[str]:
        """Names of files in the folder or archive, those near the root first; at most `LOOK_AT`, sorted.

        Of a folder with more files, some of each ending, so that a table of labels is not missed among pictures.
        """
        if self.is_folder:
            return sorted(islice(self._breadth_first(), LOOK_AT), key=_depth)
        if self.is_archive and is_tar(self.path):
            try:
                return sorted((member.name for member in islice(tar_members(self.path), LOOK_AT)), key=_depth)
            except DataError:  # said when it is opened
                return []
        return sorted(_mixed(self.tree.names() if self.tree else [])[:LOOK_AT], key=_depth)

    def _breadth_first(self) -> Iterator[str]:
        level = [self.path]
        while level:
            below: list[Path] = []
            for folder in sorted(level):
                files: list[str] = []
                try:
                    with os.scandir(folder) as entries:
                        for entry in entries:
                            if entry.is_dir(follow_symlinks=False):
                                below.append(Path(entry.path))
                            else:
                                files.append(Path(entry.path).relative_to(self.path).as_posix())
                except OSError:
                    pass
                yield from _mixed(files)
            level = below

    @cached_property
    def top(self) -> list[str]:
        """Names directly below the root."""
        return [name for name in self.names if "/" not in name]

    @cached_property
    def labels(self) -> list[str]:
        """Names that are no pictures, hidden files and notes left out."""
        return [
            name
            for name in self.names
            if PurePosixPath(name).suffix.lower() not in PICTURE_SUFFIXES
            and not PurePosixPath(name).name.startswith(".")
            and PurePosixPath(name).stem.upper() not in ("README", "LICENSE", "LICENCE", "COPYING", "NOTICE")
        ]

    @cached_property
    def pictures(self) -> list[str]:
        """Names of pictures."""
        return [name for name in self.names if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES]

    def has(self, *names: str) -> str | None:
        """The first of `names` that is a file directly below the root."""
        if self.is_folder:
            return next((name for name in names if (self.path / name).is_file()), None)
        return next((name for name in names if name in self.names), None)


def _mixed(names: Iterable[str]) -> list[str]:
    """The first of each ending, then the second of each ..., those near the root before others."""
    counts: Counter[tuple[int, str]] = Counter()
    places: list[tuple[int, int, str]] = []
    for name in sorted(names, key=_depth):
        kind = (name.count("/"), PurePosixPath(name).suffix.lower())
        places.append((kind[0], counts[kind], name))
        counts[kind] += 1
    return [name for _, _, name in sorted(places)]


def _depth(name: str) -> tuple[int, str]:
    return name.count("/"), name
