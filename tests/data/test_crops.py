"""Loosely cropped lines: how many there are, and lines without the paper around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import loose_lines

from crnn.core.charset import Charset
from crnn.core.prepared import prepare
from crnn.core.transform import LineTransform
from crnn.data import facts
from crnn.data.check import check_lines
from crnn.data.crops import FEW, SOME, choose_crops, loose_share
from crnn.data.facts import picture_facts
from crnn.data.module import cached
from crnn.data.module import prepare as prepare_lines
from crnn.data.sources import open_source
from crnn.data.sources.columns import labels

HEIGHT, CUT = 60, 26
"""Of a loosely cropped line, and of it trimmed."""


def test_the_share_of_loosely_cropped_lines(tmp_path: Path) -> None:
    assert loose_share(open_source(loose_lines(tmp_path / "some", 10, 3))) == pytest.approx(0.3)
    assert loose_share(open_source(loose_lines(tmp_path / "one", 1, 1))) == 1
    source = open_source(loose_lines(tmp_path / "many", 2 * SOME, SOME))
    asked: list[int] = []
    picture = source.picture
    source.picture = lambda i: (asked.append(i), picture(i))[1]  # type: ignore[method-assign]
    assert loose_share(source) == pytest.approx(0.5, abs=0.01)
    assert len(asked) == SOME
    assert (asked[0], asked[-1]) == (0, 2 * SOME - 1)
    for i in range(3):
        (tmp_path / "some" / f"{i:03}.png").write_bytes(b"no picture")
    assert loose_share(open_source(tmp_path / "some")) == 0


def test_a_source_is_loose_where_more_than_few_lines_are(tmp_path: Path) -> None:
    most = int(FEW * 40)
    close, loose = (open_source(loose_lines(tmp_path / str(n), 40, n)) for n in (most, most + 1))
    assert choose_crops([close, loose], LineTransform(32)).training == [False, True]
    assert choose_crops([loose], LineTransform(32, 96)).training == [False]


def test_sizes_pixels_and_what_fits_are_those_of_the_trimmed_line(tmp_path: Path) -> None:
    """Sixteen characters have no room in 100 x 60 pixels, scaled to height 32, but in 100 x 26."""
    source = open_source(loose_lines(tmp_path / "lines", 4, 2, "0123456789abcdef"))
    charset, transform = Charset.from_texts(["0123456789abcdef"]), LineTransform()
    assert check_lines(source, transform, charset).kept.tolist() == [2, 3]
    untrimmed = check_lines(source, transform)
    report = check_lines(source, transform, charset, decode=False, trim=True)
    assert report.kept.tolist() == [0, 1, 2, 3]
    assert report.sizes.tolist() == [[100, CUT], [100, CUT], [100, 22], [100, 22]]
    assert report.fingerprint == untrimmed.fingerprint  # of what lies in the files
    assert report.hashes.tolist() == untrimmed.hashes.tolist()


def test_what_was_found_of_lines_is_kept(tmp_path: Path) -> None:
    folder, index = loose_lines(tmp_path / "lines", 4, 2), tmp_path / "kept"
    unknown, lines = [[0, 0]] * 4, [[100, height] for height in (CUT, CUT, 22, 22)]
    for look, found in (("decoded", unknown), ("lines", lines), ("decoded", unknown)):
        assert picture_facts(open_source(folder, cache=index), look).lines.tolist() == found
    for path in index.rglob("pictures_decoded.npz"):
        path.unlink()
    source = open_source(folder, cache=index)
    source.picture = lambda i: pytest.fail("looked again")  # type: ignore[method-assign]
    assert picture_facts(source, "decoded").lines.tolist() == lines  # looked at more closely before


@pytest.mark.parametrize("cache", [False, True])
def test_lines_are_what_readers_make_of_their_files(tmp_path: Path, cache: bool) -> None:
    folder = loose_lines(tmp_path / "lines", 4, 2)
    transform = LineTransform()
    lines = prepare_lines(open_source(folder), transform, None, True, iter, trim=True)
    if cache:
        lines = cached(lines, transform, 10**6, None)
    for _ in range(2):  # the second time from the cache, if there is one
        for i in range(4):
            theirs = prepare(folder / f"{i:03}.png", transform, trim=True).grey
            picture = lines.source.picture(i)
            assert np.array_equal(np.asarray(transform.resize(picture, theirs.shape[1])), theirs)
    assert [lines.source.size(i) for i in range(4)] == [(100, CUT), (100, CUT), (100, 22), (100, 22)]
    assert [lines.as_given.size(i)[1] for i in range(4)] == [HEIGHT, HEIGHT, 22, 22]


def test_trimmed_and_untrimmed_lines_have_caches_of_their_own(tmp_path: Path) -> None:
    folder, kept = loose_lines(tmp_path / "lines", 4, 2), tmp_path / "kept"
    kept.mkdir()
    for trim in (False, True):
        lines = prepare_lines(open_source(folder), LineTransform(), None, True, iter, trim=trim)
        cached(lines, LineTransform(), 10**6, kept)
    assert len(list(kept.glob("lines-*.bin"))) == 2


@pytest.mark.parametrize(("widest", "max_width"), [(900, None), (32768, 900)])
def test_a_line_that_would_be_too_wide_stays_as_it_is(tmp_path: Path, widest: int, max_width: int | None) -> None:
    """For the network, or for the training."""
    folder = loose_lines(tmp_path / "lines", 2, 1)
    page = np.asarray(Image.open(folder / "000.png"))
    for name in ("000.png", "001.png"):
        Image.fromarray(np.tile(page, (1, 8))).save(folder / name)  # 800 x 60 pixels
    transform = LineTransform(max_width=widest)
    lines = prepare_lines(open_source(folder), transform, None, True, iter, max_width, trim=True)
    assert lines.sizes(0).tolist() == [[800, HEIGHT]] * 2
    assert lines.source.picture(0).size == (800, HEIGHT)


def test_columns_of_trimmed_and_cached_lines_are_those_of_the_index(tmp_path: Path) -> None:
    lines = prepare_lines(
        open_source(loose_lines(tmp_path / "lines", 4, 2)), LineTransform(), None, True, iter, trim=True
    )
    source = cached(lines, LineTransform(), 10**6, None).source
    source.entry = lambda i: pytest.fail("one by one")  # type: ignore[method-assign, assignment]
    assert list(labels(source)) == ["ab"] * 4


def test_what_an_earlier_way_of_trimming_found_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, kept = loose_lines(tmp_path / "lines", 4, 2), tmp_path / "kept"
    picture_facts(open_source(folder, cache=kept), "lines")
    monkeypatch.setattr(facts, "VERSION", facts.VERSION + 1)
    source, asked = open_source(folder, cache=kept), []
    picture = source.picture
    source.picture = lambda i: (asked.append(i), picture(i))[1]  # type: ignore[method-assign]
    picture_facts(source, "lines")
    assert sorted(asked) == [0, 1, 2, 3]
