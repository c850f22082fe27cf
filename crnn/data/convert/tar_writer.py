"""WebDataset shards: plain tar archives with ``000000123.png`` and ``000000123.txt``."""

from __future__ import annotations

import contextlib
import tarfile
from pathlib import Path
from typing import BinaryIO

from crnn.data.convert.base import SAVE_EVERY, Sample, Writer

_BLOCK = 512
_END = 2 * _BLOCK


class TarWriter(Writer):
    """``lines-000000.tar`` ... in a folder, or one archive. Times and owners are zero, so that the same lines always
    make the same archive."""

    description = "WebDataset: .tar, or a folder of shards; 000000123.png and 000000123.txt"
    suffix = ".tar"

    def __init__(self, path: Path, shard_bytes: int) -> None:
        super().__init__(path, shard_bytes)
        self._file: BinaryIO | None = None
        self._shard = 0
        self._size = 0

    def _shard_path(self) -> Path:
        return self.path if self.single else self.path / f"lines-{self._shard:06d}.tar"

    def start(self, state: dict[str, int] | None) -> None:
        if not self.single:
            self.path.mkdir(exist_ok=True)
        self._shard, self._size = (state["shard"], state["size"]) if state else (0, 0)
        if not self.single:
            for later in self.path.glob("lines-*.tar"):
                if later.name > self._shard_path().name:
                    later.unlink()
        self._file = self._shard_path().open("r+b" if state else "wb")
        self._file.truncate(self._size)
        self._file.seek(self._size)

    def refusal(self, text: str) -> str:
        if text.startswith("\ufeff"):
            return "begins with U+FEFF, which is taken for a byte order mark; remove it"
        if text.endswith(("\n", "\r")):
            return "ends in a line end, which is not taken for a part of a text file's label; remove it"
        return super().refusal(text)

    def put(self, sample: Sample) -> bool:
        key = f"{sample.number:09d}"
        members = _member(key + sample.suffix, sample.data) + _member(f"{key}.txt", sample.text.encode("utf-8"))
        if not self.single and self._size and self._size + len(members) + _END > self.shard_bytes:
            self._end_shard()
            self._shard += 1
            self._size = 0
            self._file = self._shard_path().open("wb")
        assert self._file is not None  # noqa: S101  # for mypy
        self._file.write(members)
        self._size += len(members)
        return (sample.number + 1) % SAVE_EVERY == 0

    def _end_shard(self) -> None:
        assert self._file is not None  # noqa: S101  # for mypy
        self._file.write(bytes(_END + -(self._size + _END) % tarfile.RECORDSIZE))
        self._file.close()

    def state(self) -> dict[str, int]:
        assert self._file is not None  # noqa: S101  # for mypy
        self._file.flush()
        return {"shard": self._shard, "size": self._size}

    def finish(self) -> None:
        self._end_shard()

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # said already, or about to be
                self._file.close()


def _member(name: str, data: bytes) -> bytes:
    header = tarfile.TarInfo(name)
    header.size = len(data)
    header.mode = 0o644
    return header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % _BLOCK)
