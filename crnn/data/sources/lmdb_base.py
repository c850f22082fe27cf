"""LMDB databases as deep-text-recognition-benchmark and PARSeq write them: ``num-samples``, ``image-000000001``,
``label-000000001`` ...

A folder may hold many of them (``real/*/data.mdb``); they are read as one, in sorted order.
"""

from __future__ import annotations

import os
import struct
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crnn.core.picture import MAX_BYTES
from crnn.data.sources.base import Content, Reader, ReadOptions, Row
from crnn.data.sources.extra import label_text, need
from crnn.data.sources.place import Place
from crnn.data.sources.trees import inside
from crnn.data.sources.walks import walk
from crnn.errors import DataError, printable

_MAGIC = struct.pack("=II", 0xBEEFC0DE, 1)
_MAGIC_AT = 16  # of a page: its header is before
_COUNT, _LABEL, _IMAGE = b"num-samples", b"label-", b"image-"
_SUFFIXES = (".mdb", ".lmdb")
TAIL_PAGES = 16
_SPARE_TRANSACTIONS = 8

_locks: dict[int, threading.Lock] = {}
_environments: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


class LmdbReader(Reader):
    """Lines of one or many databases. A picture's key is its key there, after the folder that its database is in.

    Args:
        path: the database's folder or file, or a folder with databases below it.
    """

    description = "LMDB: data.mdb with num-samples, image-000000001, label-000000001 ..., also many in nested folders"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        super().__init__(path, options)
        self._used: dict[Path, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_used": {}}

    @staticmethod
    def matches(place: Place) -> bool:
        if not place.is_folder:
            return _is_database(place.head)
        return any(_is_database_file(place.path / name) for name in place.names)

    def parts(self) -> Iterator[Path]:
        if not self.path.is_dir():
            yield self.path
            return
        for folder, names in walk(self.path):
            for name in names:
                if _is_database_file(folder / name):
                    yield folder / name

    def rows(self) -> Iterator[Row]:
        for file in self.parts():
            place = file if file.name != "data.mdb" else file.parent
            prefix = place.relative_to(self.path).as_posix() if self.path.is_dir() else "."
            try:
                yield from _rows_of(self._environment(file), file, "" if prefix == "." else f"{prefix}/")
            except need("lmdb").Error as error:
                raise DataError(f"{file}: is damaged ({printable(error)}); copy or write it again") from None

    def content(self, key: str) -> Content:
        folder, _, name = key.rpartition("/")
        file = self.path / inside(folder, self.path) if folder else self.path
        if file.is_dir():
            file = file / "data.mdb"
        try:
            with self._environment(file).begin(buffers=True) as transaction:
                found = transaction.get(name.encode("utf-8", "surrogatepass"))
                if found is None:
                    raise DataError(f"{self._name(key)}: there is no such key in {file}")
                if len(found) > MAX_BYTES:
                    raise DataError(f"{self._name(key)}: has {len(found):,} bytes; allowed are {MAX_BYTES:,}")
                return bytes(found)
        except need("lmdb").Error as error:
            raise DataError(f"{self._name(key)}: cannot be read ({printable(error)})") from None

    def release(self) -> None:
        self._used.clear()

    def _environment(self, file: Path) -> Any:
        """An open database, kept as long as this reader."""
        if file not in self._used:
            self._used[file] = environment(file)
        return self._used[file]


def _is_database(head: bytes) -> bool:
    return head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC


def _is_database_file(path: Path) -> bool:
    """Whether it is a database, or would have to be."""
    if not path.name.lower().endswith(_SUFFIXES):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
            return _is_database(head) or (path.name == "data.mdb" and not head.strip(b"\0"))
    except OSError:
        return False


def _rows_of(opened: Any, file: Path, prefix: str) -> Iterator[Row]:
    """The lines of one database, in order of their numbers; pictures are not touched."""
    with opened.begin(buffers=True) as transaction:
        samples = _samples(transaction, file)
        entries = transaction.stat()["entries"]
        # with two entries per line and the count, none is missing unless there are others; then `content` says so
        images = None if entries == 2 * samples + 1 else _image_numbers(transaction, samples)

        def row(number: int, text: str, problem: str) -> Row:
            if not problem and images is not None and not images[number]:
                problem = f"has no picture: the key image-{number:09d} is missing"
            return Row(text, f"{file}:label-{number:09d}", f"{prefix}image-{number:09d}", problem)

        expected = 1
        cursor = transaction.cursor()
        found = cursor.set_range(_LABEL)
        for key, value in cursor.iternext() if found else ():
            name = bytes(key)
            if not name.startswith(_LABEL):
                break
            digits = name[len(_LABEL) :]
            number = int(digits) if digits.isdigit() else 0
            if not 1 <= number <= samples:
                problem = f"is outside label-{1:09d} .. label-{samples:09d}, which num-samples={samples} counts"
                yield Row(label_text(value)[0], f"{file}:{printable(name.decode('utf-8', 'replace'))}", "", problem)
                continue
            for missing in range(expected, number):
                yield row(missing, "", "is missing")
            expected = number + 1
            yield row(number, *label_text(value))
        for missing in range(expected, samples + 1):
            yield row(missing, "", "is missing")


def _samples(transaction: Any, file: Path) -> int:
    """The number of lines that a database says it has."""
    value = transaction.get(_COUNT)
    if value is None:
        raise DataError(
            f"{file}: has no key num-samples; it is another kind of database, or was not written to its end: write it "
            "with num-samples, image-%09d and label-%09d from 1"
        )
    raw, entries = bytes(value[:40]), transaction.stat()["entries"]
    if not raw.isdigit() or int(raw) > entries:
        said = printable(raw.decode("utf-8", "replace"))
        raise DataError(
            f"{file}: num-samples={said!r}, but there are {entries:,} keys, two for each line; write it to its end"
        )
    return int(raw)


def _image_numbers(transaction: Any, samples: int) -> bytearray:
    """(samples + 1,) 1 where there is a picture of that number."""
    present = bytearray(samples + 1)
    cursor = transaction.cursor()
    found = cursor.set_range(_IMAGE)
    for key in cursor.iternext(values=False) if found else ():
        name = bytes(key)
        if not name.startswith(_IMAGE):
            break
        digits = name[len(_IMAGE) :]
        if digits.isdigit() and int(digits) <= samples:
            present[int(digits)] = 1
    return present


def environment(file: Path) -> Any:
    """An open database, one in each process whoever reads it (LMDB allows no second); closed with its last user.

    A forked process goes on with its parent's: the pages are the same, and nothing is locked or written.

    Raises:
        DataError: if it is not there, not LMDB, or cut: LMDB would end the process at the first missing page.
    """
    name = os.path.realpath(file)
    found = _environments.get(name)
    if found is None:
        with _locks.setdefault(os.getpid(), threading.Lock()):  # a forked process must not wait for its parent's
            found = _environments.get(name)
            if found is None:
                found = _environments[name] = _open(file, name)
    return found


def _open(file: Path, name: str) -> Any:
    lmdb = need("lmdb")
    size = require_whole(file)
    try:
        return lmdb.open(
            name,
            subdir=False,
            map_size=size,  # not what the writer reserved, often a terabyte
            readonly=True,
            create=False,
            lock=False,
            readahead=False,
            max_spare_txns=_SPARE_TRANSACTIONS,
        )
    except lmdb.Error as error:
        raise DataError(f"{file}: cannot be opened ({printable(error)})") from None


def require_whole(file: Path) -> int:
    """The file's size, once all pages that it speaks of are known to be there.

    Raises:
        DataError: if they are not, or its last `TAIL_PAGES` are all zeros, as of a download that was cut.
    """
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(4096)
            pages = [_meta(head)]
            page = pages[0][2]
            stream.seek(page)
            pages.append(_meta(stream.read(4096)))
            needed = (max(pages)[1] + 1) * page
            stream.seek(max(0, needed - TAIL_PAGES * page))
            empty = not stream.read(TAIL_PAGES * page).strip(b"\0")
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from None
    except (struct.error, ValueError):
        raise DataError(f"{file}: is not a whole LMDB database; copy or download it again") from None
    if size < needed or empty:
        what = f"has {size:,} of {needed:,} bytes" if size < needed else "ends with nothing but zeros"
        raise DataError(f"{file}: {what}; copy or download it again (if LMDB's tools can read it: mdb_copy -c)")
    return size


def _meta(page: bytes) -> tuple[int, int, int]:
    """(transaction, last page, bytes in a page) of one of the two meta pages; the higher transaction counts.

    Raises:
        struct.error, ValueError: if it is none.
    """
    if not _is_database(page):
        raise ValueError("not a meta page")
    (size,) = struct.unpack_from("=I", page, 40)
    last, transaction = struct.unpack_from("=QQ", page, 136)
    if not 512 <= size <= 65536:
        raise ValueError("no page size")
    return transaction, last, size
