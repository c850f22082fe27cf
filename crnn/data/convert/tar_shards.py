"""WebDataset shards: plain tar files with ``000000001.png`` and ``000000001.txt``."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from crnn.data.convert.base import RETURN_AT_END, Line, Writer, text_file

LINES_IN_A_SHARD = 10_000


class TarWriter(Writer):
    """Shards ``lines-000000.tar`` ... of `LINES_IN_A_SHARD` lines, the same bytes for the same lines."""

    def __init__(self, folder: Path, single: bool = False) -> None:
        super().__init__(folder, single)
        self._shard = -1
        self._file: BinaryIO | None = None
        self._tar: tarfile.TarFile | None = None

    def refusal(self, text: str) -> str:
        return RETURN_AT_END if text.endswith("\r") else ""

    def write(self, lines: Sequence[Line]) -> None:
        for line in lines:
            shard = 0 if self.single else (line.number - 1) // LINES_IN_A_SHARD
            if shard != self._shard:
                self._end_shard()
                self._open(shard, 0)
            for suffix, data in ((line.suffix, line.picture), (".txt", text_file(line.text, always=False))):
                member = tarfile.TarInfo(f"{line.number:09d}{suffix}")
                member.size = len(data)
                assert self._tar
                self._tar.addfile(member, io.BytesIO(data))

    def _open(self, shard: int, at: int) -> None:
        self._shard = shard
        path = self.folder / f"lines-{shard:06d}.tar"
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(at)
        self._file.seek(at)
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def _end_shard(self) -> None:
        if self._tar:
            self._tar.close()
        self.close()

    def checkpoint(self) -> dict[str, Any] | None:
        if self._file is None:
            return None
        self._file.flush()
        return {"shard": self._shard, "bytes": self._file.tell()}

    def restore(self, state: dict[str, Any]) -> None:
        self._open(state["shard"], state["bytes"])

    def finish(self, lines: int) -> None:
        self._end_shard()

    def close(self) -> None:
        self._tar = None
        if self._file:
            self._file.close()
            self._file = None
