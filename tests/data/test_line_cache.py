"""A cache of scaled lines changes no pixel, keeps to its bound, and is shared by all processes."""

from __future__ import annotations

import os
import pickle
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests_support import ListSource

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.augment import Augment
from crnn.data.augment_config import AugmentConfig
from crnn.data.batching import LineKey
from crnn.data.dataset import LineDataset
from crnn.data.line_cache import UNUSED_DAYS, CachedLines, LineCache
from crnn.data.sources.base import LineEntry, LineSource
from crnn.errors import DataError

LINES = 40
TRANSFORM = LineTransform(32)


def source() -> ListSource:
    return ListSource([LineEntry("ab", f"{i}", f"{i}.png") for i in range(LINES)])


def cached(lines: LineSource, limit: int = 10**9, folder: Path | None = None, name: str = "x") -> CachedLines:
    sizes = np.array([lines.size(i) for i in range(len(lines))], dtype=np.int32)
    return CachedLines(lines, sizes, TRANSFORM, limit, folder, name)


@pytest.mark.parametrize("on_disk", [False, True])
def test_nothing_changes_but_the_work(on_disk: bool, tmp_path: Path) -> None:
    folder = tmp_path / "cache" if on_disk else None
    plain, counted = source(), source()
    view = cached(counted, folder=folder)
    assert isinstance(view, LineSource)
    charset, augment = Charset.from_texts(["ab"]), Augment(AugmentConfig())
    for epoch in range(3):
        for i in range(LINES):
            key = LineKey(epoch, i, TRANSFORM.scaled_width(*plain.size(i)) + 4 * (i % 3))
            wanted = LineDataset(plain, charset, TRANSFORM, augment, 1)[key]
            line = LineDataset(view, charset, TRANSFORM, augment, 1)[key]
            assert torch.equal(line.image, wanted.image)
            assert line[1:] == wanted[1:]
            assert view.size(i) == plain.size(i)
    assert counted.opened == list(range(LINES))  # once each
    if on_disk:  # the next run finds them
        later = source()
        again = cached(later, folder=folder)
        assert [np.array_equal(again.picture(i), view.picture(i)) for i in range(LINES)] == [True] * LINES
        assert later.opened == []
        other = source()
        cached(other, folder=folder, name="y").picture(0)
        assert other.opened == [0]


def test_bound(tmp_path: Path) -> None:
    one = 32 * TRANSFORM.scaled_width(20, 16)
    for folder in (None, tmp_path):
        lines = source()
        view = cached(lines, limit=2 * one, folder=folder)
        assert view.cache.kept == 1  # the second is wider than the first
        assert view.cache.bytes <= 2 * one
        for _ in range(2):
            for i in range(LINES):
                view.picture(i)
        assert lines.opened == [*range(LINES), *range(1, LINES)]
        just = cached(source(), limit=one, folder=folder).cache
        assert (just.kept, just.bytes) == (1, one)
        empty = cached(source(), limit=one - 1, folder=folder)
        assert empty.cache.kept == 0
        assert empty.picture(3).height == 32
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * one + 2


def test_a_full_disk_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first line: a write through the map would end the process."""
    asked = []

    def full(descriptor: int, start: int, size: int) -> None:
        asked.append((start, size))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    file = tmp_path / "x.bin"
    with pytest.raises(
        DataError, match=r"x\.bin: no place for 20 MB of data\.cache=disk \(No space left on device\); f"
    ):
        LineCache(np.array([1000] * 10), 2000, 10**9, file)
    assert asked == [(0, 20_000_010)]
    assert not file.exists()
    monkeypatch.delattr(os, "posix_fallocate")  # of other systems
    LineCache(np.array([1000] * 10), 2, 10**9, file)
    assert file.stat().st_size == 20_010


def fill(view: CachedLines) -> int:
    for i in range(LINES):
        view.picture(i)
    return len(view.source.opened)  # type: ignore[attr-defined]


@pytest.mark.parametrize("on_disk", [False, True])
def test_processes_share_it(on_disk: bool, tmp_path: Path) -> None:
    """Pickled on its way there, as to a process that begins anew."""
    view = cached(source(), folder=tmp_path if on_disk else None)
    with get_context("fork").Pool(1) as pool:  # which gets it by pickle, as a new Python would
        assert pool.apply(fill, (view,)) == LINES
    assert fill(view) == 0
    if on_disk:
        assert len(pickle.dumps(view)) < 20_000


def test_places_in_a_cache(tmp_path: Path) -> None:
    """A line is there once it was put, where it has a place; a file of another length is not taken."""
    for file in (None, tmp_path / "new" / "x.bin"):
        cache = LineCache(np.array([3, 2, 5]), 2, 10, file)
        assert (cache.kept, cache.bytes) == (2, 10)
        pictures = [Image.fromarray(np.arange(2 * w, dtype=np.uint8).reshape(2, w) + 10 * w) for w in (3, 2, 5)]
        assert cache.get(1) is None
        for i in (1, 2):
            cache.put(i, pictures[i])
        found = cache.get(1)
        assert found is not None
        assert np.array_equal(found, pictures[1])
        assert cache.get(0) is None
        assert cache.get(2) is None
        cache.put(0, pictures[0])
        assert [np.array_equal(cache.get(i), pictures[i]) for i in (0, 1)] == [True, True]  # type: ignore[arg-type]
    assert file is not None
    assert file.stat().st_size == 12
    assert LineCache(np.array([3, 2, 5]), 2, 10, file).get(1) is not None
    file.write_bytes(b"\1" * 30)
    assert LineCache(np.array([3, 2, 5]), 2, 10, file).kept == 2
    assert file.stat().st_size == 12


def test_other_heights_and_bounds_have_files_of_their_own(tmp_path: Path) -> None:
    lines = source()
    sizes = np.array([lines.size(i) for i in range(LINES)], dtype=np.int32)
    for transform, limit, count in (
        (TRANSFORM, 9999, 1),
        (TRANSFORM, 9999, 1),
        (LineTransform(48), 9999, 2),
        (TRANSFORM, 9998, 3),
    ):
        view = CachedLines(lines, sizes, transform, limit, tmp_path, "x")
        assert (len(view), view.name) == (LINES, "a list")
        assert len(list(tmp_path.iterdir())) == count


def test_a_cache_on_disk_travels_as_its_name(tmp_path: Path) -> None:
    """What one puts, the other finds; there is no line of which only a part is there."""
    cache = LineCache(np.array([3, 200]), 20, 10**6, tmp_path / "x.bin")
    copy = pickle.loads(pickle.dumps(cache))
    assert len(pickle.dumps(cache)) < 2000
    assert (copy.kept, copy.bytes, copy.height) == (2, 4060, 20)
    assert (tmp_path / "x.bin").stat().st_size == 4062
    cache.put(1, Image.fromarray(np.full((20, 200), 7, dtype=np.uint8)))
    assert copy.get(0) is None
    found = copy.get(1)
    assert found.size == (200, 20)
    assert found.getextrema() == (7, 7)


def test_files_that_no_run_opens_are_removed(tmp_path: Path) -> None:
    """Lines that change every day would fill the disk with caches of what they were."""
    for name in ("a", "b", "c"):
        cached(source(), folder=tmp_path, name=name)
    first, second, third = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_ino)
    (tmp_path / "my.bin").touch()
    long_ago = time.time() - UNUSED_DAYS * 86_400 - 60
    for file in (first, second, tmp_path / "my.bin"):
        os.utime(file, (long_ago, long_ago))
    os.utime(third, (long_ago + 120, long_ago + 120))
    files = set(tmp_path.iterdir())
    reading = cached(source(), folder=tmp_path, name="a")  # is in use from here on
    assert set(tmp_path.iterdir()) == files
    travelling = pickle.dumps(cached(source(), folder=tmp_path, name="b"))
    for file in tmp_path.iterdir():
        if reading.cache._file != file:
            os.utime(file, (long_ago, long_ago))
    cached(source(), folder=tmp_path, name="d")
    assert len(files - set(tmp_path.iterdir())) == 2
    assert (tmp_path / "my.bin").exists()
    assert fill(reading) == LINES
    assert fill(pickle.loads(travelling)) == LINES  # without its file, it decodes


def test_a_picture_that_has_changed_is_not_kept(tmp_path: Path) -> None:
    for file in (None, tmp_path / "x.bin"):
        cache = LineCache(np.array([3, 4]), 2, 14, file)
        cache.put(0, Image.new("L", (4, 2), 9))
        cache.put(1, Image.new("L", (4, 3), 9))
        assert [cache.get(i) for i in (0, 1)] == [None, None]
        cache.put(1, Image.new("L", (4, 2), 9))
        assert cache.get(0) is None
        assert cache.get(1) is not None


def test_a_cache_without_room_on_disk(tmp_path: Path) -> None:
    cache = LineCache(np.array([3]), 20, 59, tmp_path / "x.bin")
    assert (cache.kept, cache.bytes) == (0, 0)
    cache.put(0, Image.new("L", (3, 20)))
    assert pickle.loads(pickle.dumps(cache)).get(0) is None
    assert (tmp_path / "x.bin").read_bytes() == b""
