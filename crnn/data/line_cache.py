"""Decoded and scaled lines, kept from the first epoch for the next ones, within a bound.

One row of bytes holds all lines, each at its place, shared by all worker processes: in memory, or in a file beside the
source's index, where the next run finds it. What does not fit is decoded each time. A file that no run has opened for
some days, of lines that have changed since or are trained on no more, goes when the next one is made.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from crnn.core.transform import LineTransform
from crnn.data.sources.base import LineSource
from crnn.data.sources.views import Whole
from crnn.errors import DataError, printable

UNUSED_DAYS = 4
"""A file that was not opened for so long is removed."""


class LineCache:
    """Grey lines of one height by position.

    Two processes may fill the same place at once: they write the same bytes, and the mark that it is filled comes last.

    Args:
        widths: (N,) of the scaled lines, in pixels.
        height: H in pixels.
        limit: most bytes; the first lines that fit are kept.
        file: None for memory; else a file that is made, or taken if it was made for the same lines.

    Raises:
        DataError: if there is no place for the file.
    """

    def __init__(self, widths: NDArray[np.int64], height: int, limit: int, file: Path | None = None) -> None:
        self.height = height
        self.widths = widths
        ends = np.cumsum(widths * height)
        self.kept = int(np.searchsorted(ends, limit, side="right"))
        """That many lines have a place."""
        self.bytes = int(ends[self.kept - 1]) if self.kept else 0
        self._starts = ends - widths * height
        self._file = file
        if file is None:
            self._shared = torch.zeros(self.bytes + self.kept, dtype=torch.uint8)
            self._shared.share_memory_()  # type: ignore[no-untyped-call]
        else:
            _make_room(file, self.bytes + self.kept)
        self._attach()

    def _attach(self) -> None:
        if self._file is None:
            row = self._shared.numpy()
        elif self.kept and self._file.exists():
            row = np.memmap(self._file, dtype=np.uint8, mode="r+", shape=(self.bytes + self.kept,))
        else:
            self.kept = self.bytes = 0
            row = np.zeros(0, np.uint8)
        self._pixels, self._filled = np.split(row, [self.bytes])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_pixels", "_filled")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._attach()

    def get(self, position: int) -> Image.Image | None:
        """The line, or None if it is not there (yet)."""
        if position >= self.kept or not self._filled[position]:
            return None
        start, width = int(self._starts[position]), int(self.widths[position])
        pixels = self._pixels[start : start + width * self.height]
        return Image.fromarray(np.array(pixels).reshape(self.height, width))

    def put(self, position: int, picture: Image.Image) -> None:
        """Keep a line, if it has a place and fits there: a picture can have changed since it was measured."""
        if position >= self.kept or picture.size != (int(self.widths[position]), self.height):
            return
        start = int(self._starts[position])
        self._pixels[start : start + picture.width * picture.height] = np.asarray(picture).ravel()
        self._filled[position] = 1


def _make_room(file: Path, size: int) -> None:
    """A file of `size` bytes, all of which the disk has; another process may do the same at the same time."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as stream:
            stream.truncate(size)
            os.utime(file)  # it is in use
            if size and hasattr(os, "posix_fallocate"):  # a full disk would end the process at a write through the map
                os.posix_fallocate(stream.fileno(), 0, size)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise DataError(
            f"{printable(file)}: no place for {size / 1e6:,.0f} MB of data.cache=disk ({error.strerror}); free some, "
            "lower data.cache_mb, or take data.cache=memory"
        ) from None


def remove_unused(folder: Path) -> None:
    """Remove the files of caches in `folder` that no run has opened for `UNUSED_DAYS`; one that reads such a file, too,
    decodes its lines each time from then on, or (where files can be open without a name) does not notice."""
    for file in folder.glob("lines-*.bin"):
        try:
            if file.stat().st_mtime < time.time() - UNUSED_DAYS * 86_400:
                file.unlink()
        except OSError:  # another process was first, or has it open where that keeps a file
            continue


class CachedLines(Whole):
    """A source whose pictures come scaled to the network's height, from a cache once they were made.

    Args:
        source: not endless.
        sizes: (N, 2) of its pictures, in pixels.
        transform: gives height and widths.
        limit: bytes of the cache.
        folder: for a cache on disk; None keeps it in memory.
        fingerprint: of the lines; names the file.
    """

    def __init__(
        self,
        source: LineSource,
        sizes: NDArray[np.int32],
        transform: LineTransform,
        limit: int,
        folder: Path | None = None,
        fingerprint: str = "",
    ) -> None:
        super().__init__(source)
        self._transform = transform
        told = hashlib.sha256(f"{fingerprint}\0{transform}\0{limit}\0".encode() + sizes.tobytes()).hexdigest()[:24]
        file = folder / f"lines-{told}.bin" if folder else None
        if folder and file and not file.exists():
            remove_unused(folder)
        self.cache = LineCache(transform.scaled_widths(sizes), transform.height, limit, file)

    def picture(self, position: int) -> Image.Image:
        picture = self.cache.get(position)
        if picture is None:
            picture = self.source.picture(position)
            picture = self._transform.resize(picture, self._transform.check_width(picture.size))
            self.cache.put(position, picture)
        return picture
