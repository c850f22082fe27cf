"""What every format has to keep: the same lines, whatever they lie in."""

from __future__ import annotations

import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from makers import MAKERS, OPTIONS, TEXTS, picture
from PIL import Image

from crnn.data.sources import LineSource, open_source

Seen = tuple[str, tuple[int, int], bytes]


def read(source: LineSource, position: int) -> Seen:
    return source.entry(position).text, source.size(position), source.picture(position).tobytes()


def read_all(source: LineSource) -> list[Seen]:
    return [read(source, i) for i in range(len(source))]


WANTED = [(text, picture(i).size, picture(i).tobytes()) for i, text in enumerate(TEXTS)]


@pytest.fixture(params=MAKERS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> LineSource:
    path = MAKERS[request.param](tmp_path / "lines")
    return open_source(path, OPTIONS.get(request.param))


def test_lines(source: LineSource) -> None:
    """Texts to the letter, sizes, pixels, in the order in which they are listed."""
    assert isinstance(source, LineSource)
    assert not source.endless
    assert [source.entry(i).problem for i in range(len(source))] == [""] * len(TEXTS)
    assert read_all(source) == WANTED
    assert len({source.entry(i).picture for i in range(len(source))}) == len(TEXTS)
    for i in range(len(source)):
        assert source.picture(i).mode == "L"
        assert source.entry(i).where


def test_content_is_the_picture(source: LineSource) -> None:
    for i, (_, size, pixels) in enumerate(WANTED):
        content = source.content(i)
        kept = (
            content
            if isinstance(content, Image.Image)
            else Image.open(io.BytesIO(content) if isinstance(content, bytes) else content)
        )
        assert (kept.size, kept.convert("L").tobytes()) == (size, pixels)


def test_travels(source: LineSource) -> None:
    """To another process by pickle, after it has been used; and many threads read it at once."""
    assert read(source, 0) == WANTED[0]
    assert read_all(pickle.loads(pickle.dumps(source))) == WANTED
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda i: read(source, i % len(TEXTS)), range(30))) == WANTED * 5


def test_travels_to_spawned_workers(tmp_path: Path) -> None:
    """All formats in one worker: starting one takes a second."""
    sources = [open_source(make(tmp_path / str(n)), OPTIONS.get(name)) for n, (name, make) in enumerate(MAKERS.items())]
    with get_context("spawn").Pool(1) as pool:
        assert dict(zip(MAKERS, pool.map(read_all, sources), strict=True)) == dict.fromkeys(MAKERS, WANTED)


def test_order_and_index_stay(tmp_path: Path) -> None:
    """A second opening lists the same lines and takes the index of the first."""
    for number, (name, make) in enumerate(MAKERS.items()):
        path = make(tmp_path / str(number))
        first = open_source(path, OPTIONS.get(name), cache=tmp_path / "cache")
        made = sorted((tmp_path / "cache").iterdir())
        second = open_source(path, OPTIONS.get(name), cache=tmp_path / "cache")
        assert sorted((tmp_path / "cache").iterdir()) == made, name
        entries = [[one.entry(i) for i in range(len(one))] for one in (first, second)]
        assert entries[0] == entries[1]
        assert np.array_equal([second.size(i) for i in range(len(second))], [size for _, size, _ in WANTED])
