"""Parquet and Arrow files, a group of rows at a time, with bounded memory."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crnn.data.sources.extra import need
from crnn.errors import DataError, printable

Steps = tuple[str, ...]
"""The way to values: a column, or a column and a field of it."""
SUFFIXES = (".parquet", ".arrow", ".feather", ".ipc")
BLOCK_BYTES = 48 * 2**20
"""Larger groups of rows are read in slices of about this size."""
_KEEP_BYTES = 128 * 2**20
_KEEP_FILES = 16
_BLOCK_COST = 4096  # of one that is only mapped
_ROWS_AT_A_TIME = 4096
_PARQUET, _FILE, _STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"


def is_table(head: bytes, name: str) -> bool:
    """Whether a file's first bytes and name are those of a Parquet or Arrow file."""
    named = name.lower().endswith(SUFFIXES)
    return head.startswith((_PARQUET, _FILE)) or (named and head.startswith(_STREAM))


class TableFile(ABC):
    """One file: a schema, and groups of rows. For one thread at a time.

    Raises:
        DataError: from every method, for a file that is cut, damaged, or not there.
    """

    schema: Any

    @abstractmethod
    def groups(self) -> int:
        """How many groups of rows there are."""

    @abstractmethod
    def rows(self, group: int) -> int:
        """How many rows a group has."""

    @abstractmethod
    def tables(self, group: int, columns: Sequence[Steps]) -> Iterator[Any]:
        """The rows of a group, as `pyarrow.Table`s of a few thousand rows."""

    @abstractmethod
    def slice_of(self, group: int, row: int, columns: Sequence[Steps]) -> tuple[int, int]:
        """(number of the slice that holds a row, rows in a slice); a small group is one slice."""

    @abstractmethod
    def block(self, group: int, number: int, rows: int, columns: Sequence[Steps]) -> tuple[Any, int]:
        """(`pyarrow.Table` of a slice, bytes of memory that it takes)."""


class ParquetFile(TableFile):
    """Row groups are read with the wanted columns only; slices of a huge one in passing, never all of it at once."""

    def __init__(self, path: Path) -> None:
        # buffered: otherwise a column of a group is in memory as a whole before its first row is seen
        self._file = need("pyarrow.parquet").ParquetFile(path, buffer_size=2**20, pre_buffer=False)
        self.schema = self._file.schema_arrow
        self._passing: tuple[tuple[int, int], int, Iterator[Any]] | None = None

    def groups(self) -> int:
        return self._file.num_row_groups

    def rows(self, group: int) -> int:
        return self._file.metadata.row_group(group).num_rows

    def _batches(self, group: int, rows: int, columns: Sequence[Steps]) -> Iterator[Any]:
        names = [".".join(steps) for steps in columns]
        return self._file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False)

    def tables(self, group: int, columns: Sequence[Steps]) -> Iterator[Any]:
        for batch in self._batches(group, _ROWS_AT_A_TIME, columns):
            yield need("pyarrow").Table.from_batches([batch])

    def slice_of(self, group: int, row: int, columns: Sequence[Steps]) -> tuple[int, int]:
        about = self._file.metadata.row_group(group)
        size = sum(
            about.column(i).total_uncompressed_size
            for i in range(about.num_columns)
            if tuple(about.column(i).path_in_schema.split(".")) in columns
        )
        rows = max(1, about.num_rows if size <= BLOCK_BYTES else about.num_rows * BLOCK_BYTES // size)
        return row // rows, rows

    def block(self, group: int, number: int, rows: int, columns: Sequence[Steps]) -> tuple[Any, int]:
        if self._passing is None or self._passing[0] != (group, rows) or self._passing[1] > number:
            self._passing = ((group, rows), 0, _even(self._batches(group, rows, columns), rows))
        key, at, slices = self._passing
        self._passing = None
        for passing, batches in enumerate(slices, start=at):
            if passing == number:
                self._passing = (key, passing + 1, slices)
                table = need("pyarrow").Table.from_batches(batches)
                return table, table.nbytes
        raise DataError("ends before this row")


def _even(batches: Iterator[Any], rows: int) -> Iterator[list[Any]]:
    """Record batches, cut and put together so that each list has `rows` rows, the last at most."""
    waiting: list[Any] = []
    missing = rows
    for batch in batches:
        while batch.num_rows:
            waiting.append(batch.slice(0, missing))
            batch = batch.slice(missing)
            missing -= waiting[-1].num_rows
            if not missing:
                yield waiting
                waiting, missing = [], rows
    if waiting:
        yield waiting


class ArrowFile(TableFile):
    """Record batches of a memory-mapped file: what is not compressed is never copied."""

    def __init__(self, path: Path, stream: bool) -> None:
        pyarrow, self._ipc = need("pyarrow"), need("pyarrow.ipc")
        self._pyarrow = pyarrow
        self._map = pyarrow.memory_map(os.fspath(path))
        self._reader = None if stream else self._ipc.open_file(self._map)
        self._starts: list[int] = []
        if self._reader is not None:
            self.schema = self._reader.schema
        else:
            self.schema = self._ipc.read_schema(self._ipc.read_message(self._map))
            self._find_batches()

    def _find_batches(self) -> None:
        while True:
            start = self._map.tell()
            try:
                kind = self._ipc.read_message(self._map).type
            except EOFError:
                return
            if kind != "record batch":
                raise DataError(f"has a {kind} in its stream; write it as Parquet, without dictionary columns")
            self._starts.append(start)

    def groups(self) -> int:
        return len(self._starts) if self._reader is None else self._reader.num_record_batches

    def rows(self, group: int) -> int:
        return self._batch(group).num_rows

    def _batch(self, group: int) -> Any:
        if self._reader is None:
            self._map.seek(self._starts[group])
            return self._ipc.read_record_batch(self._ipc.read_message(self._map), self.schema)
        return self._reader.get_batch(group)

    def _table(self, group: int, columns: Sequence[Steps]) -> Any:
        names = list(dict.fromkeys(steps[0] for steps in columns))
        return self._pyarrow.Table.from_batches([self._batch(group).select(names)])

    def tables(self, group: int, columns: Sequence[Steps]) -> Iterator[Any]:
        table = self._table(group, columns)
        for start in range(0, table.num_rows, _ROWS_AT_A_TIME):
            yield table.slice(start, _ROWS_AT_A_TIME)

    def slice_of(self, group: int, row: int, columns: Sequence[Steps]) -> tuple[int, int]:
        return 0, 2**62

    def block(self, group: int, number: int, rows: int, columns: Sequence[Steps]) -> tuple[Any, int]:
        before = self._pyarrow.total_allocated_bytes()
        table = self._table(group, columns)
        unpacked = self._pyarrow.total_allocated_bytes() - before
        table.validate(full=True)  # a damaged offset would be read far outside
        return table, max(unpacked, 0) + _BLOCK_COST


def open_table(path: Path) -> TableFile:
    """Any of the three kinds.

    Raises:
        DataError: if it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(_PARQUET):
        return ParquetFile(path)
    return ArrowFile(path, stream=not head.startswith(_FILE))


class Blocks:
    """What one process has open: a few files, and the blocks of rows used last. For many threads."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._lock = threading.Lock()
        self._files: OrderedDict[Path, TableFile] = OrderedDict()
        self._blocks: OrderedDict[tuple[Path, int, int], tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def row(self, path: Path, group: int, row: int, columns: Sequence[Steps]) -> tuple[Any, int]:
        """(`pyarrow.Table`, number in it) of a row of a group.

        Raises:
            DataError: if it cannot be read.
        """
        with self._lock:
            with reading(path):
                file = self._file(path)
                if not 0 <= group < file.groups():
                    raise DataError("ends before this row")
                number, rows = file.slice_of(group, row, columns)
                key = (path, group, number)
                found = self._blocks.pop(key, None)
                if found is None:
                    found = file.block(group, number, rows, columns)
                    self._bytes += found[1]
            self._blocks[key] = found
            while self._bytes > _KEEP_BYTES and len(self._blocks) > 1:
                self._bytes -= self._blocks.popitem(last=False)[1][1]
            table, place = found[0], row - number * rows
            if not 0 <= place < table.num_rows:
                raise DataError(f"{path}: ends before this row")
            return table, place

    def _file(self, path: Path) -> TableFile:
        if path not in self._files:
            self._files[path] = open_table(path)
            if len(self._files) > _KEEP_FILES:
                self._files.popitem(last=False)
        self._files.move_to_end(path)
        return self._files[path]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns every error of a damaged file into one that names it."""
    try:
        yield
    except DataError as error:
        named = str(error).startswith((str(path), "pyarrow"))
        raise error if named else DataError(f"{path}: {error}") from None
    except Exception as error:  # Arrow has many kinds
        reason = printable(" ".join(str(error).split()) or type(error).__name__)
        raise DataError(f"{path}: cannot be read ({reason}); copy or download it again") from None
