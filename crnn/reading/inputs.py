"""Pictures that a user names: files, folders, patterns, lists, and bytes on standard input."""

from __future__ import annotations

import glob
import os
import sys
import warnings
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image

from crnn.core.picture import MAX_BYTES, PICTURE_SUFFIXES, picture_size
from crnn.data.sources.trees import is_hidden
from crnn.errors import ConfigError, CrnnWarning, DataError, printable
from crnn.files import natural
from crnn.loader import is_pipe, model_first
from crnn.reading.sets import SUFFIXES, Entry, Kept, pictures_in

UNREAD = frozenset((".avif", ".heic", ".heif", ".jxl", ".pdf", ".psd", ".eps", ".svg", ".djvu"))
"""Of files that may well show lines, but which nothing here decodes."""


class Item(NamedTuple):
    """One picture to read, or what is wrong with its name."""

    name: str
    source: str | bytes | os.PathLike[str] | Image.Image | Kept | DataError
    set_size: int = 0
    """Bytes of the set that it is in; 0 for a file of its own, and in a folder of pages."""

    def opened(self) -> Item:
        """Taken out of its set, or with what is wrong in place of it."""
        if not isinstance(self.source, Kept):
            return self
        try:
            return Item(self.name, self.source.fetch())
        except DataError as error:
            return Item(self.name, error.alone())


def model_and_pictures(words: list[str], listed: bool = False) -> tuple[str | None, list[str]]:
    """(model, paths) of a command line, see `model_first`.

    A word that is called like a picture, a set or a pattern is one, there or not, and stops nothing.

    Args:
        words: the words.
        listed: whether a list names more paths.

    Raises:
        ConfigError: if the first of several may be a mistyped model, so that the others are not read with another.
    """
    model, paths = model_first(words)
    if model is None and paths and (len(paths) > 1 or listed) and (wrong := _is_nothing(paths[0])):
        raise ConfigError(f"{printable(paths[0])}: {wrong}; name a model first, or 'bundled' for the one in the box")
    return model, paths


def _is_nothing(path: str) -> str:
    """What is wrong with a word that is neither a model nor anything to read; empty if it may be a picture."""
    if (
        path == "-"
        or is_pipe(path)
        or Path(path).suffix.lower() in {*PICTURE_SUFFIXES, *SUFFIXES, ".xml"}
        or os.path.isdir(path)
    ):
        return ""
    if not os.path.lexists(path):
        return "" if glob.has_magic(path) else "there is no such model, picture or folder"
    try:
        picture_size(path)
    except DataError:
        return "is neither a model nor a picture"
    return ""


def find_pictures(paths: Iterable[str]) -> Iterator[Item]:
    """Every picture that `paths` name, in order, found as they are asked for.

    A file is taken whatever it is called; a folder gives the pictures in it and below, by name, in natural order;
    a set (see `pictures_in`) those that it holds, hidden ones left out in both; ``*``, ``?`` and ``[`` make a pattern
    if there is no such file; ``-`` is one picture's bytes on standard input, a pipe (``<(...)``) one picture's bytes.
    """
    for path in paths:
        if not path:
            yield Item("''", DataError("'': is no name of a picture; is a variable of the command line not set?"))
        elif path == "-":
            yield Item("-", _read_whole(sys.stdin.buffer, "standard input"))
        elif is_pipe(path):
            yield Item(path, _read_pipe(path))
        elif (kept := _set(path)) is not None:
            yield from kept
        elif os.path.isdir(path):
            yield from _folder(path)
        elif (matches := matches_of(path)) is not None:
            if not matches:
                yield Item(path, DataError(f"{printable(path)}: no file matches this pattern"))
            yield from find_pictures(matches)
        else:
            yield Item(path, path)


def matches_of(path: str) -> list[str] | None:
    """What a pattern matches, in natural order; None for a path that is no pattern."""
    if os.path.lexists(path) or not glob.has_magic(path):
        return None
    return sorted(glob.glob(path, recursive=True), key=natural)


def _set(path: str) -> Iterator[Item] | None:
    """The pictures of a set; None for any other path."""
    if "\0" in path:
        return None
    try:
        found = pictures_in(Path(path))
        if found is None:
            return None
        inner = Path(path, "data.mdb")
        file = inner if inner.is_file() else Path(path)
        size = 0 if file.is_dir() else file.stat().st_size
    except OSError:  # no such path: said when it is opened
        return None
    return _items(path, found, size)


def _items(path: str, found: Iterator[Entry], size: int) -> Iterator[Item]:
    empty = True
    for name, source in found:
        empty = False
        yield Item(name, source, size)
    if empty:
        yield Item(path, DataError(f"{printable(path)}: holds no pictures"), size)


def _folder(path: str) -> Iterator[Item]:
    """Pictures in a folder and below; links to folders are not followed, so a circle cannot trap it."""
    problems: list[OSError] = []
    found = False
    passed: list[str] = []
    for here, folders, names in os.walk(path, onerror=problems.append):
        folders.sort(key=natural)
        for name in sorted(names, key=natural):
            suffix = Path(name).suffix.lower()
            if is_hidden(name):
                continue
            if suffix in PICTURE_SUFFIXES:
                found = True
                yield Item(os.path.join(here, name), os.path.join(here, name))
            elif (suffix in SUFFIXES or suffix in UNREAD) and name != "lock.mdb":
                passed.append(os.path.join(here, name))
    for problem in problems:
        found = True
        name = str(problem.filename)
        yield Item(name, DataError(f"{printable(name)}: folder cannot be read ({problem.strerror})"))
    left_out = _left_out(passed) if passed else ""
    if not found:
        known = " ".join(sorted(PICTURE_SUFFIXES))
        said = f"{printable(path)}: folder without pictures ({known})" + (f"; {left_out}" if passed else "")
        yield Item(path, DataError(said))
    elif passed:
        warnings.warn(f"{printable(path)}: {left_out}", CrnnWarning, stacklevel=2)


def _left_out(passed: list[str]) -> str:
    """What is said of files in a folder that may hold lines, and are not read."""
    others = f" and {len(passed) - 1:,} more are" if len(passed) > 1 else " is"
    sets = [Path(name).suffix.lower() in SUFFIXES for name in passed]
    remedies = ["to read what is in an archive or a table, name it"] * any(sets)
    remedies += ["save lines of other formats as PNG"] * (not all(sets))
    return f"{printable(passed[0])}{others} left out; {', and '.join(remedies)}"


def _read_pipe(path: str) -> bytes | DataError:
    try:
        with open(path, "rb") as pipe:
            return _read_whole(pipe, printable(path))
    except OSError as error:
        return DataError(f"{printable(path)}: cannot be read ({error.strerror})")


def _read_whole(stream: BinaryIO, name: str) -> bytes | DataError:
    """All bytes of what can be read once and has no size."""
    data = stream.read(MAX_BYTES + 1)
    return DataError(f"{name}: more than {MAX_BYTES / 2**20:.0f} MiB") if len(data) > MAX_BYTES else data


def read_list(path: str, null: bool = False) -> list[str]:
    """Names from a list file (``-``: standard input), one per line, or separated by NUL as ``find -print0`` writes.

    Raises:
        DataError: if the file cannot be read.
    """
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{printable(path)}: list cannot be read ({error.strerror})") from None
    raw = raw.removeprefix(BOM_UTF8)  # as editors on Windows write
    names = raw.split(b"\0") if null else raw.splitlines()
    return [os.fsdecode(name) for name in names if name]
