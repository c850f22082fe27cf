"""Folders of picture files: with a ``labels.tsv``, or with a ``.gt.txt`` beside each."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

from crnn.data.convert.base import SAVE_EVERY, Sample, Writer
from crnn.data.convert.names import Names
from crnn.data.sources.base import LineSource
from crnn.data.sources.columns import entries
from crnn.data.sources.utf8 import MAX_LABEL_BYTES
from crnn.errors import DataError


class _FolderWriter(Writer):
    """Pictures under the names that they had, as far as these are safe and all different."""

    def __init__(self, path: Path, shard_bytes: int) -> None:
        super().__init__(path, shard_bytes)
        self.names: Names | None = None
        self._folder: Path | None = None

    def start(self, state: dict[str, int] | None) -> None:
        self.path.mkdir(exist_ok=True)

    def _stem(self, sample: Sample) -> str:
        """The picture's name without its ending; its folder is there."""
        assert self.names is not None  # noqa: S101  # for mypy
        stem = self.names.stem(sample.position, sample.name)
        folder = (self.path / stem).parent
        if folder != self._folder:
            folder.mkdir(parents=True, exist_ok=True)
            self._folder = folder
        return stem


class TsvWriter(_FolderWriter):
    """``labels.tsv`` and pictures below ``images/``."""

    description = "folder with labels.tsv (path<TAB>text) and images/"

    def __init__(self, path: Path, shard_bytes: int) -> None:
        super().__init__(path, shard_bytes)
        self._file: BinaryIO | None = None
        self._size = 0

    def plan(self, source: LineSource) -> None:
        self.names = Names(source, folder="images")
        size = 0
        for position, entry in enumerate(entries(source)):
            label = entry.text.encode("utf-8", "surrogatepass")
            size += len(self.names.stem(position, entry.picture).encode()) + len(label) + len(".png\t\n")
        if size > MAX_LABEL_BYTES:
            raise DataError(
                f"{source.name}: makes a labels.tsv of {size / 2**20:.0f} MiB; at most 64 MiB are read: use --to lmdb, "
                "parquet, tar or gt"
            )

    def start(self, state: dict[str, int] | None) -> None:
        super().start(state)
        self._size = state["size"] if state else 0
        self._file = (self.path / "labels.tsv").open("r+b" if state else "wb")
        self._file.truncate(self._size)
        self._file.seek(self._size)

    def refusal(self, text: str) -> str:
        found = next((c for c in "\t\n\r\0" if c in text), None)
        if found is None:
            return ""
        return f"holds {found!a} at {text.index(found) + 1}, which a row of labels.tsv cannot; use another format"

    def put(self, sample: Sample) -> bool:
        assert self._file is not None  # noqa: S101  # for mypy
        name = self._stem(sample) + sample.suffix
        (self.path / name).write_bytes(sample.data)
        row = f"{name}\t{sample.text}\n".encode()
        self._file.write(row)
        self._size += len(row)
        return (sample.number + 1) % SAVE_EVERY == 0

    def state(self) -> dict[str, int]:
        assert self._file is not None  # noqa: S101  # for mypy
        self._file.flush()
        return {"size": self._size}

    def finish(self) -> None:
        assert self._file is not None  # noqa: S101  # for mypy
        self._file.close()

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # said already, or about to be
                self._file.close()


class GtWriter(_FolderWriter):
    """``name.png`` and ``name.gt.txt``; numbered where the names do not sort as the lines come."""

    description = "folder with name.png and name.gt.txt (tesstrain, OCRopus, kraken, Calamari)"

    def plan(self, source: LineSource) -> None:
        self.names = Names(source, in_order=True)

    def refusal(self, text: str) -> str:
        if text.startswith("\ufeff"):
            return "begins with U+FEFF, which is taken for a byte order mark; remove it"
        if text.endswith("\r"):
            return "ends in a carriage return, which is not taken for a part of a text file's label; remove it"
        if len(text) > MAX_LABEL_BYTES // 4 and len(text.encode()) >= MAX_LABEL_BYTES:
            return "has more than 64 MiB"
        return ""

    def put(self, sample: Sample) -> bool:
        stem = self._stem(sample)
        (self.path / f"{stem}{sample.suffix}").write_bytes(sample.data)
        (self.path / f"{stem}.gt.txt").write_bytes(f"{sample.text}\n".encode())
        return (sample.number + 1) % SAVE_EVERY == 0

    def state(self) -> dict[str, int]:
        return {}

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass
