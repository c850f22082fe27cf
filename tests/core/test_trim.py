"""Paper around a line: found and cut off, or left where it may be more than paper."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from crnn.core import trim
from crnn.core.trim import ROWS, _apart, _quantiles, line_box, trimmed

Grey = NDArray[np.uint8]


def writing(height: int = 20, width: int = 200, ink: int = 20, paper: int = 230) -> Grey:
    """Strokes of the full height, 3 wide and 4 apart."""
    line = np.full((height, width), paper, np.uint8)
    for x in range(5, width - 5, 7):
        line[:, x : x + 3] = ink
    return line


def on_paper(*parts: tuple[int, Grey], height: int = 60, paper: int = 230, margin: int = 30) -> Grey:
    """Parts from the rows at which they begin, with paper around."""
    page = np.full((height, max(part.shape[1] for _, part in parts) + 2 * margin), paper, np.uint8)
    for top, part in parts:
        page[top : top + len(part), margin : margin + part.shape[1]] = part
    return page


def line_rows(grey: Grey) -> tuple[int, int] | None:
    """(first row, row behind the last one) that are kept of a picture without wide paper at its sides; None for all."""
    box = line_box(grey)
    if box is None:
        return None
    assert (box.left, box.right) == (0, grey.shape[1])
    return box.top, box.bottom


def test_a_line_keeps_a_margin() -> None:
    """Of 0.15 of its height, to whole rows."""
    assert line_rows(on_paper((20, writing()))) == (17, 43)
    assert line_rows(on_paper((22, writing()), height=70)) == (19, 45)
    assert line_rows(on_paper((30, writing(21)), height=90)) == (26, 55)  # 3.15 rows


@pytest.mark.parametrize("scale", [2, 5])
def test_high_pictures_are_looked_at_in_fewer_rows(scale: int) -> None:
    page = np.kron(on_paper((20, writing())), np.ones((scale, scale), np.uint8))
    assert len(page) > ROWS
    rows = line_rows(page)
    assert rows is not None
    assert np.abs(np.array(rows) - np.array((17, 43)) * scale).max() <= scale


@pytest.mark.parametrize("name", ["dark", "shaded", "noisy", "faint"])
def test_paper_and_ink_of_any_kind(name: str) -> None:
    page = on_paper((20, writing())).astype(np.float32)
    if name == "dark":
        page = 255 - page
    if name == "shaded":
        page *= np.linspace(0.5, 1, len(page))[:, None] * np.linspace(1, 0.7, page.shape[1])
    if name == "noisy":
        page += np.random.default_rng(0).normal(0, 6, page.shape)
    if name == "faint":
        page = 230 - (230 - page) / 12
    assert line_rows(page.clip(0, 255).astype(np.uint8)) == (17, 43)


@pytest.mark.parametrize("seed", range(8))
def test_noisy_paper_is_paper(seed: int) -> None:
    """Of a standard deviation of 20, beside strokes of 130: no noisy row is taken for a piece of the line."""
    page = on_paper((40, writing(20, 300, ink=100)), height=90).astype(np.float32)
    page += np.random.default_rng(seed).normal(0, 20, page.shape)
    rows = line_rows(page.clip(0, 255).astype(np.uint8))
    assert rows is not None
    assert abs(rows[0] - 37) <= 3
    assert abs(rows[1] - 63) <= 3


def test_closely_cropped_lines_are_left() -> None:
    """More than four fifths of the picture would stay."""
    assert line_rows(on_paper((6, writing()), height=32)) is None  # 26 of 32
    assert line_rows(on_paper((7, writing()), height=33)) == (4, 30)


def test_accents_and_dots_belong_to_the_line() -> None:
    dots = writing(3, 60)
    assert line_rows(on_paper((24, writing()), (20, dots), (45, dots), height=80)) == (15, 53)  # 28 rows, 4.2 around
    assert line_rows(on_paper((30, writing()), (22, dots), height=80)) == (27, 53)  # five rows of paper: none of it


def test_what_one_letter_alone_reaches_belongs_to_the_line() -> None:
    """One b among letters without ascender: its rows hardly differ from paper."""
    b, faint = writing(6, 13), writing(6, 13, ink=150)
    assert line_rows(on_paper((30, writing()), (24, b), height=90)) == (20, 54)  # 26 rows, 3.9 around
    assert line_rows(on_paper((30, writing()), (50, b), height=90)) == (26, 60)
    assert line_rows(on_paper((30, writing()), (24, faint), height=90)) == (27, 53)  # less than half as dark: dirt
    dot = writing(3, 13)
    assert line_rows(on_paper((30, writing()), (23, dot), height=90)) == (18, 55)  # four rows of paper between
    assert line_rows(on_paper((30, writing()), (22, dot), height=90)) == (27, 53)  # five
    assert line_rows(on_paper((40, writing()), (20, writing(20, 13)), height=90)) == (23, 65)  # 12 rows of it


def test_slivers_of_neighbours_go() -> None:
    sliver = writing(5)
    assert line_rows(on_paper((0, sliver), (25, writing()), (65, sliver), height=70)) == (22, 48)


def test_two_lines_are_left() -> None:
    assert line_rows(on_paper((10, writing()), (40, writing()), height=70)) is None
    assert line_rows(on_paper((10, writing()), (40, writing(17)), height=70)) is None
    assert line_rows(on_paper((10, writing()), (40, writing(15)), height=70)) == (7, 33)


def test_a_line_at_the_edge() -> None:
    """Of paper alone on one side; if there is more, it may be the upper half of letters."""
    assert line_rows(on_paper((0, writing()))) == (0, 23)
    assert line_rows(on_paper((40, writing()))) == (37, 60)
    assert line_rows(on_paper((0, writing()), height=39)) == (0, 23)  # at most 0.6 of the picture may stay
    assert line_rows(on_paper((0, writing()), height=38)) is None
    assert line_rows(on_paper((1, writing()), (30, writing(4, 40)))) is None
    assert line_rows(on_paper((20, writing()), (50, writing(4, 40)))) == (17, 43)


def test_marks_that_say_nothing_of_a_size_are_left() -> None:
    colon = np.full((20, 6), 230, np.uint8)
    colon[:6] = colon[-6:] = 20
    assert line_rows(on_paper((20, colon))) is None
    assert line_rows(on_paper((20, writing(20, 24)))) is None  # strokes over 17 columns
    assert line_rows(on_paper((20, writing(20, 33)))) == (17, 43)  # over 24


@pytest.mark.parametrize(("wide", "apart", "left"), [(6, 8, True), (12, 5, True), (3, 3, False), (3, 40, False)])
def test_dots_and_dashes_in_a_row_are_left(wide: int, apart: int, left: bool) -> None:
    """Six rows high; letters have strokes closer together than half their height, and some of them wide spaces."""
    marks = np.full((6, 20 * (wide + apart)), 230, np.uint8)
    for x in range(0, marks.shape[1], wide + apart):
        marks[:, x : x + wide] = 20
    page = on_paper((40, marks), height=90)
    assert line_rows(page) == (None if left else (39, 47))


@pytest.mark.parametrize(("left", "right"), [(500, 500), (500, 0), (0, 500), (90, 10), (70, 70)])
@pytest.mark.parametrize("noise", [0, 4])
def test_wide_paper_at_the_sides_is_cut(left: int, right: int, noise: int) -> None:
    """What is wider than two heights of the picture, 40 rows here, but for one of them; rows as if it were not there."""
    page = on_paper((10, writing()), height=40, margin=0).astype(np.float32)  # writing from column 5 to 194
    page = np.pad(page, ((0, 0), (left, right)), constant_values=230)
    page += np.random.default_rng(0).normal(0, noise, page.shape)
    box = line_box(page.clip(0, 255).astype(np.uint8))
    assert box is not None
    first = left + 5 - 40 if left + 5 > 80 else 0
    last = left + 195 + 40 if right + 5 > 80 else page.shape[1]
    assert abs(box.left - first) <= 5  # an edge is looked for over five columns
    assert abs(box.right - last) <= 5
    assert (box.top, box.bottom) == (7, 33)


def test_only_the_sides_may_be_cut() -> None:
    close = np.pad(writing(), ((2, 2), (300, 300)), constant_values=230)
    box = line_box(close)
    assert box is not None
    assert (box.top, box.bottom) == (0, 24)
    assert box.right - box.left < 260
    high = line_box(np.kron(close, np.ones((10, 10), np.uint8)))  # looked at in 96 rows
    assert high is not None
    assert np.abs(np.array(high) - 10 * np.array(box)).max() <= 30


@pytest.mark.parametrize("mark", ["faint", "dust", "rule", "fading", "both sides"])
def test_what_may_be_writing_stays(mark: str) -> None:
    """At the left, far from the line: a fifth as strong; one dot; a rule at the edge; fading to a seventh, as thermal
    print does. And paper at no side."""
    page = np.pad(writing(), ((10, 10), (600, 600)), constant_values=230).astype(np.uint8)
    if mark == "faint":
        page[10:30, 200:230:7] = 190
    if mark == "dust":
        page[18:22, 200:204] = 20
    if mark == "rule":
        page[:, 2] = 20
    if mark == "fading":
        page[10:30, 0:600] = writing(width=600, ink=200)
    if mark == "both sides":
        page[10:30, 20:40:7] = page[10:30, -40:-20:7] = 20
    box = line_box(page)
    first = {"faint": 160, "dust": 160, "rule": 0, "fading": 0, "both sides": 0}[mark]
    assert box is not None
    assert abs(box.left - first) <= 5
    assert (box.right == page.shape[1]) == (mark == "both sides")


def test_edges_of_any_width_are_counted_once() -> None:
    """A blurred dot has an edge of several columns, which is no stroke; and one edge in a row is endlessly far away."""
    steps = np.zeros((4, 40), np.float32)
    steps[:, [4, 5, 6, 20, 21, 22]] = 50
    assert _apart(steps) == 16
    steps[:, 20:] = 0
    assert _apart(steps) == float("inf")
    steps[0, 30] = 50  # a row apart is not a column apart
    assert _apart(steps) == 26
    assert _apart(np.tile(np.array([50, -50], np.float32), (4, 20))) == 1  # strokes of one pixel, one apart


@pytest.mark.parametrize("shape", [(1, 1), (11, 200), (40, 1), (40, 2), (100, 1), (2000, 1)])
def test_small_and_empty_pictures_are_left(shape: tuple[int, int]) -> None:
    assert line_rows(np.full(shape, 200, np.uint8)) is None
    assert line_rows(np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)) is None


def test_even_paper_and_rules_are_left() -> None:
    assert line_rows(np.full((60, 200), 230, np.uint8)) is None
    rule = np.full((60, 200), 230, np.uint8)
    rule[30:32] = 0
    assert line_rows(rule) is None


def test_only_rows_are_cut_off() -> None:
    page = on_paper((20, writing()))
    assert np.array_equal(np.asarray(trimmed(Image.fromarray(page))), page[17:43])
    close = Image.fromarray(writing())
    assert trimmed(close) is close


def test_quantiles_are_numpys() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 11, 96, 301):
        values = rng.random(count, dtype=np.float32) * 255
        for shares in ((0.1, 0.95), (0.05, 0.95), (0.0, 1.0)):
            assert _quantiles(values, *shares) == pytest.approx(np.quantile(values, shares), rel=1e-5)


def test_a_picture_filled_by_its_line_is_looked_at_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most lines are like that, and reading them should cost nothing more."""
    rows = np.full((32, 200), 255, dtype=np.uint8)
    rows[3:29, ::4] = 0
    monkeypatch.setattr(trim, "_with_single_strokes", lambda *_: pytest.fail("looked at"))
    assert line_rows(rows) is None
    with pytest.raises(pytest.fail.Exception):
        line_rows(np.pad(rows, ((40, 40), (0, 0)), constant_values=255))
