"""Parquet, as Hugging Face's data sets are stored."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from given_lines import given, into, noise

from crnn.data.convert import convert
from crnn.data.convert.base import Sample
from crnn.data.convert.parquet_writer import ParquetWriter
from crnn.data.sources import open_source


def test_one_file(tmp_path: Path) -> None:
    lines = given(12)
    lines.lines[2] = (lines.lines[2][0]._replace(picture="../a\n/b.png"), noise(2, "JPEG"))
    into(lines, tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.schema.field("image").type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    assert table.schema.field("text").type == pa.string()
    assert json.loads(table.schema.metadata[b"huggingface"]) == {
        "info": {"features": {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}}
    }
    wanted = [i for i in range(12) if i != 7]
    assert table.column("text").to_pylist() == [f"text {i} " for i in wanted]
    pictures = table.column("image").to_pylist()
    assert [p["bytes"] for p in pictures] == [noise(i, "JPEG" if i == 2 else "PNG") for i in wanted]
    assert [p["path"] for p in pictures[:3]] == ["000.png", "001.png", "b.jpg"]


def test_shards_and_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.parquet_writer.GROUP_ROWS", 4)
    into(given(30), tmp_path / "out", "parquet", shard_bytes=12_000)
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 3
    assert [file.name for file in files] == [f"train-0000{i}-of-00003.parquet" for i in range(3)]
    groups = [pq.ParquetFile(file).metadata for file in files]
    assert sum(meta.num_rows for meta in groups) == 28
    assert all(meta.row_group(i).num_rows <= 4 for meta in groups for i in range(meta.num_row_groups))
    into(given(30), tmp_path / "one.parquet", shard_bytes=12_000)
    assert pq.read_table(tmp_path / "one.parquet").equals(pq.read_table(tmp_path / "out"))
    meta = pq.ParquetFile(tmp_path / "one.parquet").metadata
    assert max(meta.row_group(i).num_rows for i in range(meta.num_row_groups)) == 4


def test_a_thousand_rows_in_a_group(tmp_path: Path) -> None:
    assert shards_of(tmp_path / "1", 2**30, [1] * 1001) == [[1000, 1]]


def test_large_pictures_make_smaller_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.parquet_writer._GROUP_BYTES", 5_000)
    into(given(7), tmp_path / "x.parquet", shard_bytes=2**30)
    assert pq.ParquetFile(tmp_path / "x.parquet").metadata.num_row_groups > 1


def test_shards_are_named_by_their_side(tmp_path: Path) -> None:
    done = convert(lambda _: given(3), tmp_path / "out", "parquet", side="validation")
    assert [file.name for file in done.target.iterdir()] == ["validation-00000-of-00001.parquet"]
    assert len(open_source(done.target)) == 3


def sample(number: int, size: int, text: str = "t") -> Sample:
    return Sample(number, number, "book/x.png", text, bytes(size), ".png")


def shards_of(folder: Path, shard_bytes: int, sizes: list[int]) -> list[list[int]]:
    """Rows of each row group of each shard."""
    folder.mkdir()
    writer = ParquetWriter(folder / "out", shard_bytes)
    writer.start(None)
    ended = [writer.put(sample(i, size)) for i, size in enumerate(sizes)]
    assert writer.state() == {"shard": sum(ended)}
    writer.finish()
    writer.close()
    found = []
    for file in sorted((folder / "out").iterdir()):
        meta = pq.ParquetFile(file).metadata
        found.append([meta.row_group(i).num_rows for i in range(meta.num_row_groups)])
    return found


def test_a_shard_ends_with_the_line_that_fills_it(tmp_path: Path) -> None:
    """A line takes its picture, its name without folders (5 bytes here), and its text (1)."""
    assert shards_of(tmp_path / "1", 206, [94, 100, 94, 100, 1]) == [[2], [2], [1]]
    assert shards_of(tmp_path / "2", 207, [94, 100, 94, 100, 1]) == [[3], [2]]
    assert shards_of(tmp_path / "3", 100, [500, 500]) == [[1], [1]]
    assert shards_of(tmp_path / "4", 207, [94, 100, 94, 94, 100, 1, 1]) == [[3], [3], [1]]  # each counts from nothing


def test_groups_by_bytes_count_towards_the_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.parquet_writer._GROUP_BYTES", 200)
    assert shards_of(tmp_path / "1", 1000, [94] * 5) == [[2, 2, 1]]
    assert shards_of(tmp_path / "2", 300, [94] * 5) == [[2, 1], [2]]
    assert shards_of(tmp_path / "4", 200, [94] * 4) == [[2], [2]]  # no empty group where both are full
    assert shards_of(tmp_path / "5", 1000, [94] * 4) == [[2, 2]]
    monkeypatch.setattr("crnn.data.convert.parquet_writer._GROUP_BYTES", 201)
    assert shards_of(tmp_path / "3", 1000, [94] * 5) == [[3, 2]]


def test_pictures_are_not_packed_again(tmp_path: Path) -> None:
    into(given(5), tmp_path / "x.parquet")
    group = pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert {name: column.compression for name, column in columns.items()} == {
        "image.bytes": "UNCOMPRESSED",
        "image.path": "SNAPPY",
        "text": "SNAPPY",
    }
    assert not any(column.has_dictionary_page or column.is_stats_set for column in columns.values())


def test_a_stopped_shard_is_written_anew(tmp_path: Path) -> None:
    """What waits in memory when a conversion is stopped is gone; the shards before it are kept."""
    writer = ParquetWriter(tmp_path / "out", 250)
    writer.start(None)
    assert [writer.put(sample(i, 94)) for i in range(4)] == [False, False, True, False]
    writer.close()
    assert writer._rows == []
    again = ParquetWriter(tmp_path / "out", 250)
    again.start({"shard": 1})
    again.put(sample(3, 94, "last"))
    again.finish()
    again.close()
    tables = [pq.read_table(file) for file in sorted((tmp_path / "out").iterdir())]
    assert [table.num_rows for table in tables] == [3, 1]
    assert tables[1].column("text").to_pylist() == ["last"]
    assert tables[0].column("image").to_pylist()[0] == {"bytes": bytes(94), "path": "x.png"}


def test_finishing_twice(tmp_path: Path) -> None:
    """Stopped between the result and its note, the same shards are named again."""
    for target, files in (("out", ["out"]), ("x.parquet", ["x.parquet"])):
        folder = tmp_path / target[0]
        folder.mkdir()
        writer = ParquetWriter(folder / target, 50)
        writer.start(None)
        assert writer.put(sample(0, 94))
        for _ in range(2):
            writer.finish()
            writer.close()
            assert [path.name for path in folder.iterdir()] == files  # a shard alone becomes the file
            assert pq.read_table(folder / target).num_rows == 1
            writer = ParquetWriter(folder / target, 50)
            writer.start({"shard": 1})
    assert [path.name for path in (tmp_path / "o" / "out").iterdir()] == ["train-00000-of-00001.parquet"]


def test_no_lines_make_no_file(tmp_path: Path) -> None:
    for target in ("out", "x.parquet"):
        writer = ParquetWriter(tmp_path / target, 50)
        writer.close()
        writer.start(None)
        writer.finish()
        writer.close()
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


def test_closing_ends_an_open_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.parquet_writer._GROUP_BYTES", 1)
    writer = ParquetWriter(tmp_path / "out", 1000)
    writer.start(None)
    assert not writer.put(sample(0, 94))
    opened = writer._file
    writer.close()
    assert not opened.is_open
    assert writer._file is None
    writer.close()
