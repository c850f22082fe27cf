"""A cache of scaled lines changes no pixel, keeps to its bound, and is shared by all processes."""

from __future__ import annotations

import pickle
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from tests_support import ListSource

from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.augment import Augment, AugmentConfig
from crnn.data.batching import LineKey
from crnn.data.dataset import LineDataset
from crnn.data.line_cache import CachedLines
from crnn.data.sources.base import LineEntry, LineSource

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


def fill(view: CachedLines) -> int:
    for i in range(LINES):
        view.picture(i)
    return len(view._source.opened)  # type: ignore[attr-defined]


@pytest.mark.parametrize("on_disk", [False, True])
def test_processes_share_it(on_disk: bool, tmp_path: Path) -> None:
    view = cached(source(), folder=tmp_path if on_disk else None)
    context = get_context("fork") if not on_disk else get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.apply(fill, (view,)) == LINES
    assert fill(view) == 0
    if on_disk:
        assert len(pickle.dumps(view)) < 20_000
