"""Parquet, as Hugging Face's data sets are stored."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from given_lines import given, into, noise, of_texts

from crnn.data.convert import convert
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
    into(of_texts(["t"] * 1001), tmp_path / "x.parquet", shard_bytes=2**30)
    meta = pq.ParquetFile(tmp_path / "x.parquet").metadata
    assert [meta.row_group(i).num_rows for i in range(meta.num_row_groups)] == [1000, 1]


def test_large_pictures_make_smaller_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.parquet_writer._GROUP_BYTES", 5_000)
    into(given(7), tmp_path / "x.parquet", shard_bytes=2**30)
    assert pq.ParquetFile(tmp_path / "x.parquet").metadata.num_row_groups > 1


def test_shards_are_named_by_their_side(tmp_path: Path) -> None:
    done = convert(lambda _: given(3), tmp_path / "out", "parquet", side="validation")
    assert [file.name for file in done.target.iterdir()] == ["validation-00000-of-00001.parquet"]
    assert len(open_source(done.target)) == 3
