"""Folders, zip and tar archives as one thing: names, and what is behind them.

A name is relative, with ``/`` between its parts, and never leads out of its tree. Archives are read in place; nothing
is unpacked. Compressed tar archives are refused: their members cannot be reached one by one.
"""

from __future__ import annotations

import os
import threading
import unicodedata
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from crnn.core.picture import MAX_BYTES
from crnn.data.sources.tar_headers import Member as Member
from crnn.data.sources.tar_headers import inside as inside
from crnn.data.sources.tar_headers import tar_members as tar_members
from crnn.data.sources.utf8 import check_size, decode_text, read_text
from crnn.data.sources.walks import files_and_links, walk
from crnn.errors import DataError, printable

MOST_LISTED = 100
"""Folders in which names are looked for that are spelt almost so."""


class Tree(ABC):
    """Files below one root, read-only. Pickled, it is its path; open files belong to one thread of one process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._local = threading.local()

    def __getstate__(self) -> dict[str, object]:
        return {"root": self.root}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.__init__(state["root"])  # type: ignore[misc]

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Every file, sorted within each folder."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    @abstractmethod
    def content(self, name: str) -> Path | bytes:
        """A file's path, or its bytes.

        Raises:
            DataError: if it is not there, leads out of the tree, or is larger than a picture may be.
        """

    @abstractmethod
    def parts(self) -> Iterator[Path]:
        """The real files and folders that this tree is made of."""

    def text(self, name: str) -> str:
        """A UTF-8 file, with or without a byte order mark.

        Raises:
            DataError: if it cannot be read, is too large, or is not UTF-8 (naming the line).
        """
        found = self.content(name)
        where = printable(self.root / name)
        if isinstance(found, Path):
            return read_text(found)
        check_size(len(found), where)
        return decode_text(found, where)


def _as_walked(name: str) -> list[tuple[bool, str]]:
    """Sorts names as `walk` finds them: the files of a folder before the folders in it."""
    *folders, file = name.split("/")
    return [*((True, folder) for folder in folders), (False, file)]


class Folder(Tree):
    """A folder; pictures may lie in an ``images.zip`` in it instead."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        archive = root / "images.zip"
        self._archive = Zip(archive) if archive.is_file() else None
        self._listed: dict[Path, dict[str, str]] = {}

    def names(self) -> Iterator[str]:
        for here, names in walk(self.root):
            for name in names:
                yield (here / name).relative_to(self.root).as_posix()

    def _path(self, name: str) -> Path | None:
        """The file `name` if it lies within the folder and exists."""
        relative = inside(name, self.root)
        try:
            path = self.root / relative
            return path if path.is_file() else None
        except (OSError, ValueError):
            return None

    def has(self, name: str) -> bool:
        try:
            return self._path(name) is not None or (self._archive is not None and self._archive.has(name))
        except DataError:
            return False

    def content(self, name: str) -> Path | bytes:
        path = self._path(name)
        if path is not None:
            return path
        if self._archive is None:
            raise DataError(f"{printable(self.root / name)}: there is no such picture{self._alike(name)}")
        if not self._archive.has(name):
            raise DataError(f"{printable(name)}: there is no such picture in {self.root} or its images.zip")
        return self._archive.content(name)

    def _alike(self, name: str) -> str:
        """What is said of a file whose name differs in case, or in how its characters are composed (as Macs do)."""
        path = self.root / inside(name, self.root)
        if path.parent not in self._listed:
            if len(self._listed) >= MOST_LISTED:
                return ""
            try:
                self._listed[path.parent] = {_folded(other): other for other in os.listdir(path.parent)}
            except (OSError, ValueError):
                self._listed[path.parent] = {}
        other = self._listed[path.parent].get(_folded(path.name))
        if other is None:
            return ""
        kind = (
            "other upper and lower case"
            if other.casefold() == path.name.casefold()
            else "characters composed otherwise"
        )
        return f"; there is {printable(other)!r}, with {kind}: write names as the files have them, or rename these"

    def parts(self) -> Iterator[Path]:
        yield from files_and_links(self.root)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _zip_name(info: zipfile.ZipInfo) -> str:
    """A member's name as its writer meant it: some write UTF-8 without saying so, some Windows' separators."""
    name = info.filename
    if not info.flag_bits & 0x800 and not name.isascii():
        with suppress(UnicodeError):  # then it is in code page 437, as the format has it
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/") if info.create_system == 0 else name


def is_hidden(name: str) -> bool:
    """Whether a file is hidden, or one of the notes that a Mac puts beside files and into archives."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


class Zip(Tree):
    """A zip archive, opened once in each thread of each process."""

    def _zip(self) -> zipfile.ZipFile:
        if getattr(self._local, "pid", None) != os.getpid():  # a forked worker must not share a file position
            try:
                self._local.zip = zipfile.ZipFile(self.root)
            except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
                reason = printable(error)
                raise DataError(f"{self.root}: is not a readable zip archive ({reason})") from None
            self._local.members = {_zip_name(info): info for info in self._local.zip.infolist()}
            self._local.pid = os.getpid()
        return self._local.zip

    def _members(self) -> dict[str, zipfile.ZipInfo]:
        self._zip()
        return self._local.members

    def names(self) -> Iterator[str]:
        for name in sorted(self._members(), key=_as_walked):
            if not name.endswith("/"):
                inside(name, self.root)
                yield name

    def has(self, name: str) -> bool:
        return name in self._members()

    def content(self, name: str) -> bytes:
        inside(name, self.root)
        try:
            info = self._members()[name]
            if info.file_size > MAX_BYTES:
                raise DataError(
                    f"{self.root}:{printable(name)}: has {info.file_size:,} bytes; allowed are {MAX_BYTES:,}"
                )
            return self._zip().read(info)
        except KeyError:
            raise DataError(f"{self.root}:{printable(name)}: there is no such picture") from None
        except DataError:
            raise
        except Exception as error:  # each compression method has its own errors for damaged data
            reason = printable(error) or type(error).__name__
            raise DataError(f"{self.root}:{printable(name)}: cannot be read ({reason})") from None

    def parts(self) -> Iterator[Path]:
        yield self.root


class Tar(Tree):
    """A plain tar archive. Its list of members is read when first needed, once per process."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._members: dict[str, Member] | None = None

    def _table(self) -> dict[str, Member]:
        if self._members is None:
            self._members = {member.name: member for member in tar_members(self.root)}
        return self._members

    def names(self) -> Iterator[str]:
        yield from sorted(self._table(), key=_as_walked)

    def has(self, name: str) -> bool:
        return name in self._table()

    def content(self, name: str) -> bytes:
        member = self._table().get(name)
        if member is None:
            raise DataError(f"{self.root}:{printable(name)}: there is no such picture")
        return self.read(member)

    def read(self, member: Member) -> bytes:
        """The bytes of a member."""
        if member.size > MAX_BYTES:
            raise DataError(
                f"{self.root}:{printable(member.name)}: has {member.size:,} bytes; allowed are {MAX_BYTES:,}"
            )
        file = self._file()
        file.seek(member.offset)
        data = file.read(member.size)
        if len(data) < member.size:
            raise DataError(f"{self.root}:{printable(member.name)}: the archive ends before it does")
        return data

    def _file(self) -> BinaryIO:
        if getattr(self._local, "pid", None) != os.getpid():
            try:
                self._local.file = self.root.open("rb")
            except OSError as error:
                raise DataError(f"{self.root}: cannot be read ({error.strerror})") from None
            self._local.pid = os.getpid()
        return self._local.file

    def parts(self) -> Iterator[Path]:
        yield self.root


def open_tree(path: Path) -> Tree:
    """A folder or archive.

    Raises:
        DataError: if it is neither.
    """
    if path.is_dir():
        return Folder(path)
    if is_tar(path):  # first: one whose last member is a zip archive ends as that does
        return Tar(path)
    if zipfile.is_zipfile(path):
        return Zip(path)
    if path.suffix.lower() == ".tar":
        return Tar(path)
    if path.suffix.lower() == ".zip":
        raise DataError(f"{path}: is not a whole zip archive; copy or download it again")
    raise DataError(f"{path}: is neither a folder nor a zip or tar archive")


def is_tar(path: Path) -> bool:
    """Whether a file has the mark of a tar archive."""
    try:
        with path.open("rb") as file:
            return file.read(262)[257:] == b"ustar"
    except OSError:
        return False
