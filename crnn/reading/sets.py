"""Pictures kept in one file or database: archives, Parquet and Arrow tables, LMDB; lines that PAGE or ALTO name.

Labels are not looked at.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.sources.alto import AltoReader
from crnn.data.sources.arrow import ArrowReader
from crnn.data.sources.arrow_files import SUFFIXES as TABLES
from crnn.data.sources.base import Content, Reader, ReadOptions, Row
from crnn.data.sources.lmdb_base import LmdbReader
from crnn.data.sources.page_reader import PageReader
from crnn.data.sources.page_xml import PageXmlReader
from crnn.data.sources.place import Place
from crnn.data.sources.tar_headers import tar_members
from crnn.data.sources.tar_shards import TarShardsReader
from crnn.data.sources.trees import Zip, is_hidden
from crnn.errors import DataError, printable

SUFFIXES = (".tar", ".zip", *TABLES, ".mdb", ".lmdb")
"""What such files are called."""
_NO_LINE = "no PAGE or ALTO file there is about it; to read it as one line, name the picture itself"
_NOR_ALONE = "no PAGE or ALTO file in the archive is about it; to read it as one line, take it out"


class Keeper(Protocol):
    """What pictures are kept in."""

    @property
    def path(self) -> Path:
        """Of the set."""

    def content(self, key: str) -> Content:
        """Of one picture."""


@dataclass(frozen=True)
class Kept:
    """A picture that is taken out of its set when its turn comes."""

    reader: Keeper
    key: str

    def fetch(self) -> Content:
        """The picture as it is kept.

        Raises:
            DataError: if it is not there.
        """
        try:
            return self.reader.content(self.key)
        except OSError as error:
            raise DataError(f"{printable(self.reader.path)}: cannot be read ({error.strerror})") from None


Entry = tuple[str, Kept | DataError]


def pictures_in(path: Path) -> Iterator[Entry] | None:
    """(name, picture) of all that a set holds, in its own order; None for a path that is no set.

    A name is ``PATH:NAME INSIDE``: a member of an archive, a key of LMDB, ``group:row`` of a table,
    ``picture#line`` of a page. A set that cannot be read to its end gives an error in place of the rest. The memory
    does not grow with the number.
    """
    if path.is_dir() and (path / "data.mdb").is_file():
        return _read(LmdbReader(path, ReadOptions()))
    with suppress(DataError):  # a damaged archive: said below
        if (pages := pages_in(path)) is not None:
            return _lines(pages)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not path.is_file():
        return None
    if suffix == ".tar":
        return _members(path)
    if suffix == ".zip":
        return _zipped(path)
    options = ReadOptions()
    place = Place(path)
    if ArrowReader.matches(place):
        return _read(ArrowReader(path, options, labelled=False))
    return _read(LmdbReader(path, options)) if LmdbReader.matches(place) else None


def picture_named(name: str) -> Content | None:
    """The picture that `pictures_in` gives under this name; None where no part of it is a set.

    Raises:
        DataError: if the set does not have it.
    """
    for end in (i for i, c in enumerate(name) if c == ":"):
        path = Path(name[:end])
        if (found := pictures_in(path)) is None:
            continue
        for one, kept in found:
            if one == name:
                if isinstance(kept, DataError):
                    raise kept
                return kept.fetch()
        listed = f"crnn recognize --format tsv {shlex.quote(str(path))}"
        raise DataError(f"{printable(name)}: is not in there; {listed} prints the names of what is")
    return None


def pages_in(path: Path) -> PageReader | None:
    """The reader of PAGE or ALTO in a file, folder or archive; None if there is none.

    Raises:
        DataError: for an archive that cannot be read.
    """
    if path.is_dir() or (path.suffix.lower() in (".xml", ".tar", ".zip") and path.is_file()):
        place = Place(path)
        for reader in (PageXmlReader, AltoReader):
            if reader.matches(place):
                return reader(path, ReadOptions())
    return None


def _members(path: Path) -> Iterator[Entry]:
    """Every picture of an archive, labelled or not; hidden ones are left out, as in a folder."""
    reader = TarShardsReader(path, ReadOptions())
    try:
        for name, offset, size in tar_members(path):
            if Path(name).suffix.lower() in PICTURE_SUFFIXES and not is_hidden(name):
                yield f"{path}:{name}", Kept(reader, f"0:{offset}:{size}:{name}")
    except (DataError, OSError) as error:
        yield _broken(path, error)


class _Zipped:
    """A zip archive as what pictures are kept in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = Zip(path)

    def content(self, key: str) -> Content:
        return self.tree.content(key)


def _zipped(path: Path) -> Iterator[Entry]:
    """Every picture of a zip archive, in the order of a folder's."""
    kept = _Zipped(path)
    try:
        for name in kept.tree.names():
            if Path(name).suffix.lower() in PICTURE_SUFFIXES and not is_hidden(name):
                yield f"{path}:{name}", Kept(kept, name)
    except (DataError, OSError) as error:
        yield _broken(path, error)


def _read(reader: Reader) -> Iterator[Entry]:
    try:
        for row in reader.rows():
            name = f"{reader.path}:{row.picture or row.key}"
            if row.key:
                yield name, Kept(reader, row.key)
            else:
                yield name, DataError(f"{printable(row.where)}: {row.problem or 'has no picture'}")
    except (DataError, OSError) as error:
        yield _broken(reader.path, error)
    reader.release()


def _lines(reader: PageReader) -> Iterator[Entry]:
    """The lines of pages; then, as errors, the pictures beside them of which no page speaks, as they are no lines
    either."""
    path, empty = reader.path, True
    try:
        for row in reader.rows():
            empty = False
            yield line_of(reader, row)
        for name in loose_pictures(reader):
            empty = False
            whole = str(path / name) if path.is_dir() else f"{path}:{name}"
            yield whole, DataError(f"{printable(whole)}: {_NO_LINE if path.is_dir() else _NOR_ALONE}")
        if empty:
            yield str(path), DataError(f"{printable(path)}: holds no lines")
    except (DataError, OSError) as error:
        yield _broken(path, error)


def line_of(reader: PageReader, row: Row) -> Entry:
    """A line of a page."""
    found = Kept(reader, row.locator) if row.locator else DataError(f"{row.where}: {row.problem}")
    return f"{reader.path}:{row.picture}", found


def loose_pictures(reader: PageReader) -> Iterator[str]:
    """The pictures of a folder or archive of which no page that was read so far speaks."""
    if reader.files.is_whole:
        yield from (name for name in reader.files.pictures().names() if name not in reader.about)


def _broken(path: Path, error: DataError | OSError) -> Entry:
    if isinstance(error, DataError):
        return str(path), error
    return str(path), DataError(f"{printable(path)}: cannot be read ({error.strerror})")
