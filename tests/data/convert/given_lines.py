"""Lines to convert, made in memory, and what a result looks like on disk."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from crnn.core.picture import open_picture, picture_size
from crnn.data.convert import Converted, convert
from crnn.data.sources.base import Content, LineEntry
from crnn.errors import DataError

SAVE_EVERY = 5
"""What tests set it to, so that some forty lines have many points to go on from."""
SHARD_BYTES = 20_000
"""Some ten lines."""


class Given:
    """Lines of a list; a content that is an error is raised."""

    endless = False

    def __init__(self, lines: Sequence[tuple[LineEntry, Content | Exception]], stop_at: int = -1) -> None:
        self.name = "given"
        self.lines = list(lines)
        self.stop_at = stop_at
        """Where Ctrl-C comes."""

    def __len__(self) -> int:
        return len(self.lines)

    def entry(self, position: int) -> LineEntry:
        return self.lines[position][0]

    def content(self, position: int) -> Content:
        if position == self.stop_at:
            raise KeyboardInterrupt
        content = self.lines[position][1]
        if isinstance(content, Exception):
            raise content
        return content

    def size(self, position: int) -> tuple[int, int]:
        return picture_size(self.content(position))

    def picture(self, position: int) -> Image.Image:
        return open_picture(self.content(position))


@functools.cache
def noise(i: int, kind: str = "PNG") -> bytes:
    """A picture's file that cannot be packed: 20 pixels high, some 1,000 bytes."""
    pixels = np.random.default_rng(i).integers(0, 255, (20, 50 + i % 40), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def given(count: int, stop_at: int = -1) -> Given:
    """So many lines of good pictures and labels, but for line 7 (a row that cannot be used) and 20 (no picture)."""
    lines: list[tuple[LineEntry, Content | Exception]] = []
    for i in range(count):
        entry = LineEntry(f"text {i} ", f"table:{i + 1}", f"book/{i:03d}.png")
        lines.append((entry, noise(i)))
    if count > 7:
        lines[7] = lines[7][0]._replace(problem="has no tab"), b""
    if count > 20:
        lines[20] = lines[20][0], DataError("book/020.png: there is no such picture")
    return Given(lines, stop_at)


def of_texts(texts: Sequence[str]) -> Given:
    """A line for each label."""
    return Given([(LineEntry(text, f"row {i}", f"{i:04d}.png"), noise(i)) for i, text in enumerate(texts)])


def into(source: Given, target: Path, to: str | None = None, shard_bytes: int = SHARD_BYTES) -> Converted:
    return convert(lambda _: source, target, to, {"lines": "the given ones"}, shard_bytes)


def tree(path: Path) -> dict[str, bytes]:
    """All files at a path; of an LMDB its keys, because pages may lie otherwise."""
    if (path / "data.mdb").exists():
        assert [file.name for file in path.iterdir()] == ["data.mdb"]
        with lmdb.open(str(path), readonly=True, lock=False) as base, base.begin() as transaction:
            return {key.decode(): value for key, value in transaction.cursor()}
    if path.is_file():
        return {"": path.read_bytes()}
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def save_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every writer one that can go on after each few lines."""
    for module in ("folder_writers", "lmdb_writer", "tar_writer"):
        monkeypatch.setattr(f"crnn.data.convert.{module}.SAVE_EVERY", SAVE_EVERY)
