"""Labels and whereabouts of many lines in a few arrays, in memory or mapped from files.

A million lines as Python objects take half a gigabyte in every process; as arrays on disk they take what is looked at.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import secrets
import shutil
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crnn.data.sources.base import Row

FORMAT = 5
"""Number of the layout on disk, and of what formats make of the same files; other numbers are made anew."""


BLOCK = 8192
"""That many strings are read at a time in a pass over all."""


class Strings:
    """Many strings as one array of bytes and one of ends.

    Args:
        data: (bytes,) uint8, UTF-8.
        ends: (N,) int64, where each string ends in `data`.
    """

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._data, self._ends = data, ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, position: int) -> str:
        start = int(self._ends[position - 1]) if position else 0
        return self._data[start : int(self._ends[position])].tobytes().decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        start = 0
        for first in range(0, len(self), BLOCK):
            ends = self._ends[first : first + BLOCK].tolist()
            begin = start
            data = self._data[begin : ends[-1]].tobytes()
            for end in ends:
                yield data[start - begin : end - begin].decode("utf-8", "surrogatepass")
                start = end


class _Builder:
    def __init__(self) -> None:
        self._data = bytearray()
        self._ends = array("q")

    def add(self, text: str) -> None:
        self._data += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._data))

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return np.frombuffer(self._data, dtype=np.uint8), np.frombuffer(self._ends, dtype=np.int64)


class LineIndex:
    """The rows of a source, by position.

    Pickled, an index on disk is its folder's name, so that worker processes map the same pages.
    """

    def __init__(
        self,
        columns: dict[str, tuple[NDArray[np.uint8], NDArray[np.int64]]],
        folder: Path | None,
        notes: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._use: object = None
        self.notes = list(notes)
        """What the reader had to say about the place."""
        self._arrays = columns
        self._columns = {name: Strings(*arrays) for name, arrays in columns.items()}

    @classmethod
    def build(cls, rows: Iterable[Row]) -> LineIndex:
        """In memory."""
        builders = [_Builder() for _ in Row._fields]
        for row in rows:
            for builder, value in zip(builders, row, strict=True):
                builder.add(value)
        return cls({name: b.arrays() for name, b in zip(Row._fields, builders, strict=True)}, None)

    @classmethod
    def open(cls, folder: Path) -> LineIndex:
        """Mapped from a folder that `save` wrote, which `remove_unused` leaves alone as long as this index lives.

        Raises:
            OSError, ValueError: if it is not whole, or being removed.
        """
        use = _use(folder)
        meta = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if meta.get("format") != FORMAT:
            raise ValueError(f"index format {meta.get('format')}")

        def load(name: str) -> NDArray[Any]:
            # an empty file cannot be mapped; np.asarray: slices of np.memmap are slow
            path = folder / f"{name}.npy"
            return np.asarray(np.load(path, mmap_mode="r" if path.stat().st_size > 256 else None, allow_pickle=False))

        columns = {name: (load(name), load(f"{name}_ends")) for name in Row._fields}
        if any(len(ends) != meta["lines"] for _, ends in columns.values()):
            raise ValueError("index is not whole")
        index = cls(columns, folder, meta["notes"])
        index._use = use
        return index

    def save(self, folder: Path) -> LineIndex:
        """Write to `folder`, whole or not at all, and open it there. A folder that exists is taken as it is."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
        temporary.mkdir()  # with the rights that others have here: they may share the cache
        try:
            for name, (data, ends) in self._arrays.items():
                np.save(temporary / f"{name}.npy", data)
                np.save(temporary / f"{name}_ends.npy", ends)
            meta = {"format": FORMAT, "lines": len(self), "notes": self.notes}
            (temporary / "index.json").write_text(json.dumps(meta), encoding="utf-8")
            temporary.rename(folder)
        except OSError:
            if not (folder / "index.json").exists():  # else another process was first
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return self.open(folder)

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self._folder, "columns": None if self._folder else self._arrays, "notes": self.notes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        folder: Path | None = state["folder"]
        if folder is None:
            self.__init__(state["columns"], None, state["notes"])  # type: ignore[misc]
        else:
            self.__dict__.update(self.open(folder).__dict__)

    def __len__(self) -> int:
        return len(self._columns["text"])

    def row(self, position: int) -> Row:
        """Everything about the line."""
        if not 0 <= position < len(self):
            raise IndexError(position)
        return Row(*(self._columns[name][position] for name in Row._fields))

    def key(self, position: int) -> str:
        """The line's `Row.key`."""
        return self._columns["locator"][position] or self._columns["picture"][position]

    def column(self, name: str) -> Strings:
        """All values of a field of `Row`."""
        return self._columns[name]

    def release(self) -> None:
        """Let go of pages that a pass over all lines has mapped; they are mapped again when needed."""
        if self._folder:
            self.__dict__.update(self.open(self._folder).__dict__)

    @property
    def folder(self) -> Path | None:
        """Where it lies; None in memory."""
        return self._folder


def _use(folder: Path) -> object:
    """Marks an index as used, until what is returned is gone from this process and from all that it forked."""
    with (folder / "index.json").open("rb") as file:
        if sys.platform != "win32":  # there, a folder with mapped files cannot be moved anyway
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise
            except OSError:  # a file system without locks
                pass
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # which keeps the file open, and so the lock


def remove_unused(folder: Path) -> None:
    """Delete an index, unless a process has it open: a training that runs would miss it later."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as kept:  # in use, or not ours to delete
        if sys.platform != "win32" and (folder / "index.json").exists():
            import fcntl

            file = kept.enter_context((folder / "index.json").open("r+b"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until it is gone, so that nobody opens it in between
        moved = folder.rename(folder.with_name(f".{folder.name}.{secrets.token_hex(8)}"))
        shutil.rmtree(moved, ignore_errors=True)
