"""Parquet as Hugging Face's ``datasets`` stores pictures with text."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from crnn.data.convert.base import Sample, Writer
from crnn.data.convert.names import safe_stem
from crnn.data.sources.extra import need

GROUP_ROWS = 1000
"""Most rows in a row group; a reader of one row reads its group."""
_GROUP_BYTES = 32 * 2**20
_FEATURES = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}


class ParquetWriter(Writer):
    """``train-00000-of-00003.parquet`` ... in a folder, or one file: ``image`` (bytes, path) and ``text``.

    A file that is not closed cannot be gone on with, so a conversion that is stopped goes on from the last whole shard.
    One file is made of shards, too, at the end.
    """

    description = "Parquet as Hugging Face data sets: .parquet, or a folder of shards; image (bytes, path), text"
    suffix = ".parquet"
    needs = "pyarrow"

    def __init__(self, path: Path, shard_bytes: int) -> None:
        super().__init__(path, shard_bytes)
        self._shard = 0
        self._file: Any = None
        self._size = 0
        self._rows: list[tuple[bytes, str, str]] = []
        self._waiting = 0

    def _shard_path(self, number: int) -> Path:
        """A shard before its name is known: how many there will be is in it."""
        return self.path.parent / f"{self.path.name}.{number:05d}"

    def start(self, state: dict[str, int] | None) -> None:
        self._shard = state["shard"] if state else 0
        self._size = self._waiting = 0

    def put(self, sample: Sample) -> bool:
        name = safe_stem(sample.name).rpartition("/")[2] + sample.suffix
        self._rows.append((sample.data, name, sample.text))
        self._waiting += len(sample.data) + len(name) + len(sample.text)
        if len(self._rows) == GROUP_ROWS or self._waiting >= _GROUP_BYTES:
            self._write_group()
        if self._size + self._waiting < self.shard_bytes:
            return False
        self._end_shard()
        return True

    def _write_group(self) -> None:
        if self._file is None:
            self._file = _open(self._shard_path(self._shard))
        pyarrow = need("pyarrow")
        data, names, texts = zip(*self._rows, strict=True)
        pictures = pyarrow.StructArray.from_arrays(
            [pyarrow.array(data, pyarrow.binary()), pyarrow.array(names, pyarrow.string())], names=["bytes", "path"]
        )
        columns = [pictures, pyarrow.array(texts, pyarrow.string())]
        self._file.write_table(pyarrow.Table.from_arrays(columns, schema=_schema()), row_group_size=GROUP_ROWS)
        self._rows.clear()
        self._size += self._waiting
        self._waiting = 0

    def _end_shard(self) -> None:
        if self._rows:
            self._write_group()
        self._file.close()
        self._file = None
        self._size = 0
        self._shard += 1

    def state(self) -> dict[str, int]:
        return {"shard": self._shard}

    def finish(self) -> None:
        if self._rows or self._file is not None:
            self._end_shard()
        shards = [self._shard_path(number) for number in range(self._shard)]
        if not self.single:
            self.path.mkdir(exist_ok=True)
            for number, shard in enumerate(shards):
                if shard.exists():  # else it was moved before
                    os.replace(shard, self.path / f"{self.side}-{number:05d}-of-{len(shards):05d}.parquet")
        elif len(shards) > 1:
            self._file = _open(self.path)
            for shard in shards:
                self._append(shard)
            self._file.close()
            self._file = None
        elif shards and shards[0].exists():
            os.replace(shards[0], self.path)

    def _append(self, shard: Path) -> None:
        """The row groups of a shard, one at a time, to the open file."""
        with need("pyarrow.parquet").ParquetFile(shard) as file:
            for group in range(file.num_row_groups):
                self._file.write_table(file.read_row_group(group), row_group_size=GROUP_ROWS)

    def close(self) -> None:
        self._rows.clear()
        if self._file is not None:
            with contextlib.suppress(OSError):  # said already, or about to be
                self._file.close()
            self._file = None


def _schema() -> Any:
    pyarrow = need("pyarrow")
    picture = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    notes = {"huggingface": json.dumps({"info": {"features": _FEATURES}})}
    return pyarrow.schema([("image", picture), ("text", pyarrow.string())], metadata=notes)


def _open(path: Path) -> Any:
    """A new file; pictures are compressed already."""
    compression = {"image.bytes": "NONE", "image.path": "SNAPPY", "text": "SNAPPY"}
    return need("pyarrow.parquet").ParquetWriter(
        path, _schema(), compression=compression, use_dictionary=False, write_statistics=False
    )
