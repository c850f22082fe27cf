"""Parquet shards as Hugging Face data sets are published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crnn.data.convert.base import Line, Writer
from crnn.data.sources.extra import need

LINES_IN_A_SHARD = 10_000
LINES_IN_A_GROUP = 1_000
"""Lines in a row group: to read one line, its group is read."""
_FEATURES = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}


class ParquetWriter(Writer):
    """Columns ``image`` (bytes and path) and ``text``; shards of `LINES_IN_A_SHARD` lines."""

    def __init__(self, folder: Path, single: bool = False) -> None:
        super().__init__(folder, single)
        arrow = need("pyarrow")
        self._arrow = arrow
        self._parquet = need("pyarrow.parquet")
        image = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
        about = {"huggingface": json.dumps({"info": {"features": _FEATURES}})}
        self._schema = arrow.schema([("image", image), ("text", arrow.string())], metadata=about)
        self._shards = 0
        self._in_shard = 0
        self._rows: list[Line] = []
        self._writer: Any = None

    def write(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._rows.append(line)
            self._in_shard += 1
            if len(self._rows) == LINES_IN_A_GROUP:
                self._write_group()
            if self._in_shard == LINES_IN_A_SHARD and not self.single:
                self._end_shard()

    def _write_group(self) -> None:
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(str(self._path(self._shards)), self._schema)
        rows = [{"image": {"bytes": line.picture, "path": _shown(line.name)}, "text": line.text} for line in self._rows]
        self._writer.write_table(self._arrow.Table.from_pylist(rows, self._schema), row_group_size=LINES_IN_A_GROUP)
        self._rows = []

    def _end_shard(self) -> None:
        if self._rows:
            self._write_group()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self._shards += 1
            self._in_shard = 0

    def _path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:05d}.parquet"

    def checkpoint(self) -> dict[str, Any] | None:
        return None if self._in_shard else {"shards": self._shards}

    def restore(self, state: dict[str, Any]) -> None:
        self._shards = state["shards"]

    def finish(self, lines: int) -> None:
        self._end_shard()
        for shard in range(self._shards):
            if self._path(shard).exists():  # else it was renamed before an interruption
                self._path(shard).rename(self.folder / f"lines-{shard:05d}-of-{self._shards:05d}.parquet")
        for left in self.folder.glob("shard-*"):  # of an interrupted attempt
            left.unlink()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _shown(name: str) -> str:
    """A name that UTF-8 can hold."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
