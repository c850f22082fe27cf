"""Makers of databases, columns and shards, with the libraries that people make them with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import lmdb
import pyarrow as pa
import pyarrow.parquet as pq
import webdataset
from PIL import Image

Lines = list[tuple[str, Image.Image]]


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def lmdb_base(path: Path, lines: Lines, subdir: bool = True) -> Path:
    """deep-text-recognition-benchmark: create_lmdb_dataset.py."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(path), map_size=2**40, subdir=subdir, sync=False) as base, base.begin(write=True) as transaction:
        for number, (text, picture) in enumerate(lines, start=1):
            transaction.put(b"image-%09d" % number, png(picture))
            transaction.put(b"label-%09d" % number, text.encode())
        transaction.put(b"num-samples", str(len(lines)).encode())
    return path


def nested_lmdb(folder: Path, lines: Lines) -> Path:
    """PARSeq: train/real/ArT, train/real/COCO ..."""
    lmdb_base(folder / "real" / "ArT", lines[:2])
    lmdb_base(folder / "real" / "COCO", lines[2:])
    return folder


def table_of(lines: Lines) -> pa.Table:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pictures = pa.array([{"bytes": png(picture), "path": None} for _, picture in lines], kind)
    return pa.table({"image": pictures, "text": pa.array([text for text, _ in lines])})


def parquet_shards(folder: Path, lines: Lines) -> Path:
    """Hugging Face, as published."""
    (folder / "data").mkdir(parents=True)
    for i, part in enumerate((lines[:4], lines[4:])):
        pq.write_table(table_of(part), folder / "data" / f"train-{i:05d}-of-00002.parquet", row_group_size=3)
    return folder


def save_to_disk(folder: Path, lines: Lines) -> Path:
    """Hugging Face, saved by a user."""
    folder.mkdir(parents=True)
    table = table_of(lines)
    with pa.ipc.new_stream(str(folder / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table, max_chunksize=4)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def ketos_compile(folder: Path, lines: Lines) -> Path:
    """kraken's compiled data set."""
    folder.mkdir(parents=True)
    kind = pa.struct([("text", pa.string()), ("im", pa.binary())])
    rows = pa.array([{"text": text, "im": png(picture)} for text, picture in lines], kind)
    notes = {"lines": json.dumps({"type": "kraken_recognition_baseline", "counts": {"all": len(lines)}})}
    table = pa.table({"lines": rows, "train": pa.array([False] * len(lines))}).replace_schema_metadata(notes)
    with pa.ipc.new_file(str(folder / "dataset.arrow"), table.schema) as writer:
        writer.write_table(table)
    return folder / "dataset.arrow"


def webdataset_shards(folder: Path, lines: Lines) -> Path:
    folder.mkdir(parents=True)
    with webdataset.ShardWriter(str(folder / "lines-%06d.tar"), maxcount=4, verbose=0) as writer:
        for number, (text, picture) in enumerate(lines):
            writer.write({"__key__": f"{number:06d}", "png": png(picture), "txt": text})
    return folder


def webdataset_json(folder: Path, lines: Lines) -> Path:
    folder.mkdir(parents=True)
    with webdataset.TarWriter(str(folder / "lines.tar")) as writer:
        for number, (text, picture) in enumerate(lines):
            writer.write({"__key__": f"{number:06d}", "png": png(picture), "json": {"text": text, "n": number}})
    return folder / "lines.tar"


BASE_MAKERS: dict[str, Callable[[Path, Lines], Path]] = {
    "lmdb": lmdb_base,
    "lmdb file": lambda folder, lines: lmdb_base(folder / "x.lmdb", lines, subdir=False),
    "lmdb nested": nested_lmdb,
    "parquet shards": parquet_shards,
    "save_to_disk": save_to_disk,
    "ketos compile": ketos_compile,
    "webdataset": webdataset_shards,
    "webdataset json": webdataset_json,
}
"""Name -> function of a folder that does not exist yet, and (text, picture) of each line; returns the path to open."""
