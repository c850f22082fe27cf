"""Folders of pictures with ``labels.tsv``, or with a ``.gt.txt`` beside each picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crnn.data.convert.base import RETURN_AT_END, Line, Writer, safe_stem, text_file
from crnn.data.sources.trees import MAX_LABEL_BYTES
from crnn.errors import DataError

IN_A_FOLDER = 1000
"""Pictures in one folder."""


class TsvWriter(Writer):
    """``labels.tsv``, and pictures with the names of their source and a number."""

    def __init__(self, folder: Path, single: bool = False) -> None:
        super().__init__(folder, single)
        self._table = (folder / "labels.tsv").open("ab")

    def refusal(self, text: str) -> str:
        if "\n" in text or text.endswith("\r"):
            return "a line of labels.tsv cannot hold a line end; choose another format"
        return ""

    def write(self, lines: Sequence[Line]) -> None:
        for line in lines:
            folder = f"images/{(line.number - 1) // IN_A_FOLDER:06d}"
            name = f"{folder}/{safe_stem(line.name)}.{line.number:09d}{line.suffix}"
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(line.picture)
            self._table.write(f"{name}\t{line.text}\n".encode())
        if self._table.tell() > MAX_LABEL_BYTES:
            raise DataError(
                f"labels.tsv has more than {MAX_LABEL_BYTES >> 20} MiB after {lines[-1].number:,} lines, which is not "
                "read; choose --to lmdb, parquet or tar for so many"
            )

    def checkpoint(self) -> dict[str, Any]:
        self._table.flush()
        return {"bytes": self._table.tell()}

    def restore(self, state: dict[str, Any]) -> None:
        self._table.truncate(state["bytes"])
        self._table.seek(state["bytes"])

    def finish(self, lines: int) -> None:
        self.close()

    def close(self) -> None:
        self._table.close()


class GtTextWriter(Writer):
    """Each picture with its text beside it, named by number and the name at the source."""

    def refusal(self, text: str) -> str:
        return RETURN_AT_END if text.endswith("\r") else ""

    def write(self, lines: Sequence[Line]) -> None:
        for line in lines:
            folder = self.folder / f"{(line.number - 1) // IN_A_FOLDER:06d}"
            folder.mkdir(exist_ok=True)
            stem = f"{line.number:09d}_{safe_stem(line.name)}"
            (folder / f"{stem}{line.suffix}").write_bytes(line.picture)
            (folder / f"{stem}.gt.txt").write_bytes(text_file(line.text, always=True))

    def checkpoint(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Files that were written later are written again under the same names."""
