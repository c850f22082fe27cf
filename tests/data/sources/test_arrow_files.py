"""Groups of rows in slices, and which blocks and files stay open, told with files that are none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from crnn.data.sources import arrow_files
from crnn.data.sources.arrow_files import Blocks, ParquetFile, is_table, reading
from crnn.errors import DataError


class Batch:
    """Some rows, as Arrow's record batches are cut."""

    def __init__(self, rows: list[int]) -> None:
        self.held = rows

    @property
    def num_rows(self) -> int:
        return len(self.held)

    def slice(self, start: int, length: int | None = None) -> Batch:
        return Batch(self.held[start:] if length is None else self.held[start : start + length])


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7, 10, 11, 50])
@pytest.mark.parametrize("lengths", [[10], [1] * 10, [3, 0, 4, 3], [7, 3], [2, 8], []])
def test_batches_become_slices_of_equal_length(rows: int, lengths: list[int]) -> None:
    batches, first = [], 0
    for length in lengths:
        batches.append(Batch(list(range(first, first + length))))
        first += length
    found = [[row for batch in part for row in batch.held] for part in arrow_files._even(iter(batches), rows)]
    assert found == [list(range(first))[start : start + rows] for start in range(0, first, rows)]


def parquet(rows: int, sizes: dict[str, int]) -> ParquetFile:
    """A Parquet file of one group whose columns have these bytes."""
    columns = [SimpleNamespace(total_uncompressed_size=size, path_in_schema=name) for name, size in sizes.items()]
    about = SimpleNamespace(num_rows=rows, num_columns=len(columns), column=lambda i: columns[i])
    file = ParquetFile.__new__(ParquetFile)
    file._file = SimpleNamespace(metadata=SimpleNamespace(row_group=lambda group: [about][group]))
    return file


def test_large_groups_are_cut_by_the_bytes_of_the_wanted_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "BLOCK_BYTES", 100)
    wanted = [("image", "bytes"), ("text",)]
    small = parquet(50, {"image.bytes": 90, "text": 10, "image.path": 9000, "other": 9000})
    assert small.slice_of(0, 0, wanted) == (0, 50)
    assert small.slice_of(0, 49, wanted) == (0, 50)
    assert parquet(50, {"image.bytes": 91, "text": 10}).slice_of(0, 49, wanted) == (1, 49)
    assert parquet(50, {"image.bytes": 1000}).slice_of(0, 14, wanted) == (2, 5)
    assert parquet(50, {"image.bytes": 10**6}).slice_of(0, 14, wanted) == (14, 1)
    assert parquet(0, {"image.bytes": 5}).slice_of(0, 0, wanted) == (0, 1)


class File:
    """Two groups of 10 rows, in slices of 4 rows, each of `size` bytes."""

    read: ClassVar[list[tuple[str, int, int]]] = []
    size = 10

    def __init__(self, path: Path) -> None:
        self.name = path.name

    def groups(self) -> int:
        return 2

    def slice_of(self, group: int, row: int, columns: Any) -> tuple[int, int]:
        return row // 4, 4

    def block(self, group: int, number: int, rows: int, columns: Any) -> tuple[Any, int]:
        if number > 2:
            raise DataError("ends before this row")
        self.read.append((self.name, group, number))
        return SimpleNamespace(num_rows=2 if number == 2 else 4, name=self.name), self.size


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def open_table(path: Path) -> File:
        names.append(path.name)
        return File(path)

    monkeypatch.setattr(arrow_files, "open_table", open_table)
    monkeypatch.setattr(File, "read", [])
    return names


@pytest.mark.usefixtures("opened")
def test_a_row_and_its_place_in_a_block() -> None:
    blocks, path = Blocks(), Path("x.parquet")
    for row, place, number in ((0, 0, 0), (3, 3, 0), (4, 0, 1), (7, 3, 1), (8, 0, 2), (9, 1, 2)):
        for group in (0, 1):
            assert blocks.row(path, group, row, [])[1] == place
            assert ("x.parquet", group, number) in File.read
    for group, row in ((2, 0), (-1, 0), (0, 10), (0, 12)):
        with pytest.raises(DataError, match=r"^x\.parquet: ends before this row$"):
            blocks.row(path, group, row, [])


@pytest.mark.usefixtures("opened")
def test_blocks_used_last_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "_KEEP_BYTES", 30)
    blocks, path = Blocks(), Path("x")
    for row in (0, 4, 8, 0, 1):  # three blocks of ten bytes have room
        blocks.row(path, 0, row, [])
    assert File.read == [("x", 0, 0), ("x", 0, 1), ("x", 0, 2)]
    blocks.row(path, 1, 0, [])  # the second, which was asked for longest ago, has to go
    File.read.clear()
    for row in (8, 0):
        blocks.row(path, 0, row, [])
    blocks.row(path, 1, 0, [])
    assert File.read == []
    blocks.row(path, 0, 4, [])
    assert File.read == [("x", 0, 1)]
    assert blocks._bytes == 30
    monkeypatch.setattr(File, "size", 1000)
    blocks.row(path, 1, 8, [])  # larger than all that is kept, and kept alone
    blocks.row(path, 1, 9, [])
    assert File.read == [("x", 0, 1), ("x", 1, 2)]
    assert (blocks._bytes, len(blocks._blocks)) == (1000, 1)


def test_files_used_last_stay_open(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "_KEEP_FILES", 2)
    blocks = Blocks()
    for name in "abab":
        blocks._file(Path(name))
    assert opened == ["a", "b"]
    blocks._file(Path("a"))
    blocks._file(Path("c"))  # closes b
    assert [path.name for path in blocks._files] == ["a", "c"]
    blocks._file(Path("b"))
    assert opened == ["a", "b", "c", "b"]


def test_tables_by_their_first_bytes() -> None:
    for head in (b"PAR1", b"PAR1xxxx", b"ARROW1\0\0"):
        assert is_table(head, "any")
    for name in ("a.parquet", "A.ARROW", "a.feather", "a.ipc"):
        assert is_table(b"\xff\xff\xff\xff\x10", name)
        assert not is_table(b"none", name)
    assert not is_table(b"\xff\xff\xff\xff\x10", "a.bin")


def test_errors_name_the_file_once() -> None:
    path = Path("a/x.parquet")
    for error, words in (
        (DataError("ends before this row"), "a/x.parquet: ends before this row"),
        (DataError("a/x.parquet: is gone"), "a/x.parquet: is gone"),
        (DataError("pyarrow is needed"), "pyarrow is needed"),
        (OSError("torn\n here "), "a/x.parquet: cannot be read (torn here); copy or download it again"),
        (KeyError(), "a/x.parquet: cannot be read (KeyError); copy or download it again"),
    ):
        with pytest.raises(DataError) as caught, reading(path):
            raise error
        assert str(caught.value) == words
