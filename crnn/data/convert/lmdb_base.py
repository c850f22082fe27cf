"""LMDB as deep-text-recognition-benchmark and PARSeq read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crnn.core.image import printable
from crnn.data.convert.base import Line, Writer
from crnn.data.sources.extra import need

_SMALLEST_MAP = 2**24


class LmdbWriter(Writer):
    """``image-%09d``, ``label-%09d`` from 1, and at the end ``num-samples``. The file grows as it fills."""

    def __init__(self, folder: Path, single: bool = False) -> None:
        super().__init__(folder, single)
        self._lmdb = need("lmdb")
        size = folder / "data.mdb"
        map_size = max(_SMALLEST_MAP, 2 * size.stat().st_size if size.exists() else 0)
        try:
            self._base = self._lmdb.open(str(folder), map_size=map_size, lock=False)
        except self._lmdb.Error as error:
            raise self._failure(error) from None

    def write(self, lines: Sequence[Line]) -> None:
        entries = [
            entry
            for line in lines
            for entry in (
                (b"image-%09d" % line.number, line.picture),
                (b"label-%09d" % line.number, line.text.encode()),
            )
        ]
        self._put(entries)

    def _put(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """All of them or none, with more room if needed."""
        while True:
            try:
                with self._base.begin(write=True) as transaction:
                    for key, value in entries:
                        transaction.put(key, value)
                return
            except self._lmdb.MapFullError:
                self._base.set_mapsize(2 * self._base.info()["map_size"])
            except self._lmdb.Error as error:
                raise self._failure(error) from None

    def _failure(self, error: Exception) -> OSError:
        return OSError(0, printable(error), str(self.folder))

    def checkpoint(self) -> dict[str, Any]:
        return {}  # every transaction is on disk

    def restore(self, state: dict[str, Any]) -> None:
        """Entries that were written later are written again."""

    def finish(self, lines: int) -> None:
        self._put([(b"num-samples", b"%d" % lines)])
        self.close()

    def close(self) -> None:
        self._base.close()
