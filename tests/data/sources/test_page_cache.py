"""Decoded pages: in memory within bounds, then in a folder that all processes share."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from crnn.data.sources import page_cache
from crnn.data.sources.page_cache import PageCache
from crnn.errors import DataError

MEMORY_BYTES = page_cache.MEMORY_BYTES


def test_seven_large_pages_have_room_in_memory() -> None:
    """A4 at 300 dots per inch."""
    assert 7 <= MEMORY_BYTES / (2480 * 3508) < 8


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of its own, and memory for one page of 100 x 100."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(page_cache, "MEMORY_BYTES", 10_000)
    return tmp_path


class Decoder:
    """Makes pages of one grey each, and counts."""

    def __init__(self, cache: PageCache) -> None:
        self.cache = cache
        self.count: Counter[int] = Counter()

    def __call__(self, i: int, size: tuple[int, int] = (100, 100)) -> int:
        def decode() -> Image.Image:
            self.count[i] += 1
            return Image.new("L", size, i)

        page = self.cache.get(f"{i}.png", decode)
        assert page.shape == size[::-1]
        assert page.dtype == np.uint8
        return int(page[-1, -1])


def test_in_page_order_nothing_is_written(temporary: Path) -> None:
    read = Decoder(PageCache())
    assert [read(i // 5) for i in range(50)] == [i // 5 for i in range(50)]
    assert set(read.count.values()) == {1}
    assert not list(temporary.iterdir())


def test_in_random_order_each_page_is_decoded_twice_at_most(temporary: Path) -> None:
    cache = PageCache()
    read = Decoder(cache)
    order = np.random.default_rng(0).integers(0, 8, 200).tolist()
    assert [read(i) for i in order] == order
    assert set(read.count.values()) == {2}
    assert sum(p.nbytes for p in cache._held.pages.values()) <= 10_000
    other = Decoder(pickle.loads(pickle.dumps(cache)))
    assert [other(i) for i in order] == order
    assert not other.count  # another process maps the same files
    folder = cache.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    del read, cache, other
    assert not folder.exists()


def test_a_page_larger_than_the_memory_is_kept_alone() -> None:
    read = Decoder(PageCache())
    assert [read(7, (300, 200)) for _ in range(5)] == [7] * 5
    assert read.count == {7: 1}


@pytest.mark.parametrize("bound", ["DISK_BYTES", "FREE_BYTES"])
def test_the_folder_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(page_cache, bound, 35_000 if bound == "DISK_BYTES" else 2**62)
    cache = PageCache()
    read = Decoder(cache)
    assert [read(i % 6) for i in range(60)] == [i % 6 for i in range(60)]
    files = list(cache.folder.iterdir())
    assert len(files) == (3 if bound == "DISK_BYTES" else 0)
    assert sum(read.count.values()) == (3 * 2 + 3 * 10 if bound == "DISK_BYTES" else 60)


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    read = Decoder(PageCache())
    assert [read(i % 3) for i in range(30)] == [i % 3 for i in range(30)]


def test_a_damaged_file_is_decoded_again() -> None:
    cache = PageCache()
    read = Decoder(cache)
    assert [read(i % 2) for i in range(8)] == [0, 1] * 4
    for file in cache.folder.iterdir():
        file.write_bytes(file.read_bytes()[:300])
    assert [read(i % 2) for i in range(8)] == [0, 1] * 4


def test_threads_decode_a_page_once() -> None:
    cache = PageCache()
    started: list[int] = []

    def decode() -> Image.Image:
        started.append(1)
        time.sleep(0.2)
        return Image.new("L", (10, 10), 3)

    with ThreadPoolExecutor(8) as threads:
        assert [page[0, 0] for page in threads.map(lambda _: cache.get("p", decode), range(8))] == [3] * 8
    assert len(started) == 1


def test_errors_pass_and_are_not_kept() -> None:
    cache = PageCache()

    def fail() -> Image.Image:
        raise DataError("damaged")

    for _ in range(2):
        with pytest.raises(DataError, match="damaged"):
            cache.get("p", fail)
    assert cache.get("p", lambda: Image.new("L", (5, 5), 9))[0, 0] == 9
    assert not cache._held.decoding


def read_some(cache: PageCache) -> list[int]:
    read = Decoder(cache)
    return [read(i % 4) for i in range(20)]


def test_forked_and_spawned_workers(temporary: Path) -> None:
    """They share the folder, and leave it to the process that made the cache; a lock held at the fork is no trap."""
    cache = PageCache()
    wanted = read_some(cache)
    with get_context("fork").Pool(2) as pool:
        assert pool.map(read_some, [cache] * 4) == [wanted] * 4
    cache._held.lock.acquire()
    child = os.fork()
    if not child:
        signal.alarm(10)
        page_cache._remove(cache.folder, os.getppid())
        os._exit(0 if cache.folder.exists() and read_some(cache) == wanted else 1)
    cache._held.lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with get_context("spawn").Pool(1) as pool:
        assert pool.map(read_some, [cache]) == [wanted]
    assert cache.folder.exists()


def test_the_folder_goes_with_the_cache(temporary: Path) -> None:
    cache = PageCache()
    copy = pickle.loads(pickle.dumps(cache))
    cache.folder.mkdir()
    (cache.folder / "x.npy").write_bytes(b"x")
    folder = cache.folder
    assert copy.folder == folder
    del copy
    gc.collect()
    assert folder.exists()
    del cache
    gc.collect()
    assert not folder.exists()


def test_forgotten_folders_are_removed(temporary: Path) -> None:
    old, new = temporary / "crnn-pages-1-a", temporary / "crnn-pages-2-b"
    for folder in (old, new):
        folder.mkdir()
        (folder / "x.npy").write_bytes(b"x")
    os.utime(old, (time.time() - 4 * 86_400,) * 2)
    read_some(PageCache())
    assert (old.exists(), new.exists()) == (False, True)


def test_the_page_that_was_asked_for_longest_ago_leaves_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "MEMORY_BYTES", 20_000)
    monkeypatch.setattr(page_cache, "DISK_BYTES", 0)
    cache = PageCache()
    read = Decoder(cache)
    assert [read(i) for i in (0, 1, 0, 2)] == [0, 1, 0, 2]
    assert list(cache._held.pages) == ["0.png", "2.png"]
    assert [read(i) for i in (0, 2, 1)] == [0, 2, 1]
    assert read.count == {0: 1, 1: 2, 2: 1}


@pytest.mark.parametrize(("bound", "kept"), [(10_000, 1), (9_999, 0), (20_128, 2), (20_127, 1)])
def test_files_up_to_the_bound(bound: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 100 x 100 makes a file of 10,128 bytes; only the pixels of the next one are counted."""
    monkeypatch.setattr(page_cache, "DISK_BYTES", bound)
    cache = PageCache()
    read = Decoder(cache)
    assert [read(i) for i in (0, 1, 2) * 2] == [0, 1, 2] * 2
    assert [file.stat().st_size for file in cache.folder.iterdir()] == [10_128] * kept


@pytest.mark.parametrize(("free", "kept"), [(10_000, 1), (9_999, 0)])
def test_some_of_the_disk_is_left_free(free: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=page_cache.FREE_BYTES + free)
    monkeypatch.setattr(page_cache.shutil, "disk_usage", lambda folder: usage)
    cache = PageCache()
    read = Decoder(cache)
    assert [read(i) for i in (0, 1, 0)] == [0, 1, 0]
    assert len(list(cache.folder.iterdir())) == kept


def test_pages_are_kept_by_name(temporary: Path) -> None:
    """Any name; the one that was kept is mapped, for reading alone."""
    cache = PageCache()
    for _ in range(2):
        for i, name in enumerate(("a", "b", "\udcff", "../x", "é" * 300)):
            page = cache.get(name, lambda i=i: Image.new("L", (100, 100), i))  # type: ignore[misc]
            assert page[0, 0] == i
    assert len({file.name for file in cache.folder.iterdir()}) == 5
    assert [path.name for path in temporary.iterdir()] == [cache.folder.name]
    mapped = cache.get("a", lambda: Image.new("L", (9, 9), 9))
    assert mapped[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        mapped[0, 0] = 1


@pytest.mark.parametrize(("days", "gone"), [(3.01, True), (2.99, False)])
def test_folders_are_forgotten_after_three_days(days: float, gone: bool, temporary: Path) -> None:
    old = temporary / "crnn-pages-1-a"
    old.mkdir()
    os.utime(old, (time.time() - days * 86_400,) * 2)
    (temporary / "crnn-other").mkdir()
    os.utime(temporary / "crnn-other", (0, 0))
    page_cache._remove_old(temporary)
    assert old.exists() is not gone
    assert (temporary / "crnn-other").exists()
