"""LMDB as deep-text-recognition-benchmark and PARSeq write it: a folder with ``data.mdb``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crnn.data.convert.base import SAVE_EVERY, Sample, Writer
from crnn.data.sources.extra import need
from crnn.data.sources.lmdb_base import TAIL_PAGES, require_whole
from crnn.errors import DataError, printable

_BATCH_BYTES = 32 * 2**20
_FIRST_MAP = 64 * 2**20


class LmdbWriter(Writer):
    """Keys ``num-samples``, ``image-000000001``, ``label-000000001`` ...; the map grows with what is in it."""

    description = "LMDB folder: num-samples, image-000000001, label-000000001 ... (PARSeq, deep-text-recognition)"
    needs = "lmdb"

    def __init__(self, path: Path, shard_bytes: int) -> None:
        super().__init__(path, shard_bytes)
        self._base: Any = None
        self._waiting: list[tuple[bytes, bytes]] = []
        self._bytes = 0
        self._lines = 0

    def start(self, state: dict[str, int] | None) -> None:
        self.path.mkdir(exist_ok=True)
        self._lines = state["lines"] if state else 0
        lmdb = need("lmdb")
        try:
            self._base = lmdb.open(str(self.path), map_size=_FIRST_MAP, lock=False, sync=False, metasync=False)
        except lmdb.Error as error:
            raise OSError(0, printable(error)) from None

    def put(self, sample: Sample) -> bool:
        self._lines = sample.number + 1
        self._waiting.append((b"image-%09d" % self._lines, sample.data))
        self._waiting.append((b"label-%09d" % self._lines, sample.text.encode("utf-8")))
        self._bytes += len(sample.data) + len(sample.text)
        if self._bytes < _BATCH_BYTES and len(self._waiting) < 2 * SAVE_EVERY:
            return False
        self._commit()
        return True

    def _commit(self) -> None:
        lmdb = need("lmdb")
        try:
            while True:
                try:
                    with self._base.begin(write=True) as transaction:
                        for key, value in self._waiting:
                            transaction.put(key, value)
                    break
                except lmdb.MapFullError:  # nothing of this transaction is in; a larger map, and again
                    self._base.set_mapsize(2 * self._base.info()["map_size"] + self._bytes)
            self._base.sync(True)
        except lmdb.Error as error:
            raise OSError(0, printable(error)) from None
        self._waiting.clear()
        self._bytes = 0

    def state(self) -> dict[str, int]:
        return {"lines": self._lines}

    def finish(self) -> None:
        self._commit()
        self._count(b"%d" % self._lines)
        try:
            require_whole(self.path / "data.mdb")
        except DataError:  # the last picture ends in zeros, so that the file looks cut: others behind them
            self._count(b"x" * (TAIL_PAGES * self._base.stat()["psize"]))
            self._count(b"%d" % self._lines)

    def _count(self, value: bytes) -> None:
        self._waiting.append((b"num-samples", value))
        self._commit()

    def close(self) -> None:
        if self._base is not None:
            self._base.close()
            self._base = None
