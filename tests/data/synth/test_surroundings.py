"""Margins, cuts, other lines, rules and greys: where each begins and ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from few_draws import FewDraws, digest

from crnn.data.synth.surroundings import LEAST_CONTRAST, Crop, Neighbour, Stroke, choose_crop, colours, surround

CROPS = np.array([0.0, 0.1, 0.12, 0.19, 0.2, 0.3, 0.4, 0.42, 0.5, 0.6, 0.9])
AROUND = np.array([0.02, 0.04, 0.05, 0.06, 0.08, 0.09, 0.3, 0.5])
COLOURS = np.array([0.04, 0.08, 0.1, 0.2, 0.5, 1.0])


class Listed:
    """A generator that gives what is listed, and keeps what it was asked for."""

    def __init__(self, draws: Sequence[Any], numbers: Sequence[int] = ()) -> None:
        self.draws, self.numbers, self.asked = list(draws), list(numbers), []  # type: ignore[var-annotated]

    def random(self, size: int | None = None) -> Any:
        return self.draws.pop(0) if size is None else np.array([self.draws.pop(0) for _ in range(size)])

    def integers(self, *bounds: int) -> int:
        self.asked.append(bounds)
        return self.numbers.pop(0)


def test_a_bound_between_two_choices_belongs_to_the_second() -> None:
    """Of crops and surroundings; with every chance drawn again and again at its bound."""
    crops, around, greys = [], [], []
    for seed in range(400):
        size, wear = (16, 24, 30, 36, 40)[seed % 5], (1.0, 0.5, 1.0, 0.25)[seed // 5 % 4]
        rng = FewDraws(seed, CROPS * wear)
        crop = choose_crop(size, -(seed % 7) * size // 8, seed % 5 * size // 12, rng, wear)
        crops.append(dataclasses.astuple(crop))
        rng = FewDraws(seed, AROUND * wear)
        made = surround("line: a text"[seed % 6 :], size, 40 + seed, crop, rng, wear)
        around.append([*map(dataclasses.astuple, (*made[0], *made[1], made[2]))])
        greys.append(colours(FewDraws(seed, COLOURS * wear), wear))
    found = [digest(rows) for rows in (crops, around, greys)]
    assert found == ["8ad4800b1d15", "dc0955c4cc01", "3239fc1270aa"]


def test_a_clean_line_has_even_margins_and_nothing_around() -> None:
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    for size, even in ((9, 2), (17, 2), (18, 3), (40, 6)):
        crop = choose_crop(size, -size, 3, rng, 0.0)
        assert crop == Crop(-size, 3, even, even, even, even, (0, 0))
        assert surround("text", size, 90, crop, rng, 0.0) == ((), (), crop)
    assert rng.bit_generator.state == before  # a clean line draws nothing


@pytest.mark.parametrize(
    ("size", "ink", "rows"),
    [
        (20, (-9, 0), (-9, 0)),  # 0.45 of the size is a letter
        (20, (-8, 0), (-14, 4)),  # less is a dash, which has room for letters
        (20, (-16, -10), (-16, 4)),
        (20, (0, 8), (-14, 8)),
        (40, (-10, 7), (-29, 8)),
    ],
)
def test_small_signs_have_the_room_of_letters(size: int, ink: tuple[int, int], rows: tuple[int, int]) -> None:
    crop = choose_crop(size, *ink, np.random.default_rng(0), 0.0)
    assert (crop.top, crop.bottom) == rows


def test_room_for_all_letters_is_not_less_than_there_is() -> None:
    class Even(Listed):
        def integers(self, *bounds: Any, size: int = 1) -> Any:
            return np.full(size, bounds[0])

    for ink, rows in (((-9, 1), (-15, 4)), ((-16, 1), (-16, 4)), ((-9, 7), (-15, 7))):
        crop = choose_crop(20, *ink, Even([0.39, 0.9, 0.0, 0.9]), 1.0)  # type: ignore[arg-type]
        assert (crop.top, crop.bottom) == rows
        assert crop.cut == (0, 0)
        crop = choose_crop(20, *ink, Even([0.4, 0.9, 0.0, 0.9]), 1.0)  # type: ignore[arg-type]
        assert (crop.top, crop.bottom) == ink


def test_some_crops_are_wide() -> None:
    shares = []
    for seed in range(1000):
        crop = choose_crop(32, -24, 8, np.random.default_rng(seed), 1.0)
        shares.append(32 / (32 + crop.top_margin + crop.bottom_margin))
    assert 0.33 < min(shares) < 0.38
    assert 90 < sum(share < 0.5 for share in shares) < 150  # of the 180 that are wide


def test_a_margin_grows_and_never_shrinks() -> None:
    crop = Crop(-10, 3, 1, 2, 3, 4)
    assert crop.cut == (0, 0)
    for side, wider in (
        ("left", Crop(-10, 3, 5, 2, 3, 4)),
        ("right", Crop(-10, 3, 1, 5, 3, 4)),
        ("top", Crop(-10, 3, 1, 2, 5, 4)),
        ("bottom", Crop(-10, 3, 1, 2, 3, 5)),
    ):
        assert crop.with_room(side, 5) == wider
        assert crop.with_room(side, 1) == crop


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("under", (7, 23, 37, 23)),
        ("across", (0, 23, 90, 23)),
        ("top", (0, 3, 90, 3)),
        ("bottom", (0, 36, 90, 36)),
        ("left", (3, 0, 3, 40)),
        ("right", (86, 0, 86, 40)),
    ],
)
def test_where_a_rule_runs(kind: str, ends: tuple[int, int, int, int]) -> None:
    assert Stroke(kind, 3, 30, 1, 255).line((7, 20), (90, 40)) == ends


def test_a_cut_line_has_no_neighbour_and_a_rule_below_stops_the_cut() -> None:
    for seed in range(40):
        cut = Crop(-20, 5, 1, 1, 1, 1, (2, 1))
        neighbours, strokes, crop = surround("abc", 28, 50, cut, FewDraws(seed, [0.0, 0.3]), 1.0)
        assert not neighbours
        kinds = {stroke.kind for stroke in strokes}
        assert crop.cut == ((0, 0) if kinds - {"under", "across"} else (2, 0) if kinds else (2, 1))


def test_every_letter_of_a_neighbour_is_of_the_line() -> None:
    crop = Crop(-20, 5, 1, 1, 1, 1)
    neighbours, _, wider = surround("abcdef", 28, 50, crop, FewDraws(1, [0.0]), 1.0)
    assert [neighbour.above for neighbour in neighbours] == [True, False]
    assert all(sorted(neighbour.text) == list("abcdef") for neighbour in neighbours)
    assert wider.top_margin > neighbours[0].rows
    assert wider.bottom_margin > neighbours[1].rows


@pytest.mark.parametrize(
    ("ink", "place", "paper", "count"),
    [
        (0, 0, 60, 196),
        (59, 0, 119, 137),
        (60, 0, 0, 137),
        (60, 1, 120, 137),
        (195, -1, 255, 137),
        (196, -1, 136, 137),
        (255, -1, 195, 196),
    ],
)
def test_paper_of_any_grey_is_just_far_enough(ink: int, place: int, paper: int, count: int) -> None:
    rng = Listed([0.1, 0.0, 0.0], [ink, place])
    assert colours(rng, 1.0) == (ink, paper)  # type: ignore[arg-type]
    assert abs(ink - paper) >= LEAST_CONTRAST == 60
    assert rng.asked == [(0, 256), (count,)]  # so many papers there are


def test_greys_of_usual_lines() -> None:
    for draws, greys in (
        ([0.2, 0.0, 0.0], (0, 255)),
        ([0.2, 1.0, 1.0], (110, 180)),
        ([0.2, 0.5, 0.0], (27, 255)),
        ([0.2, 0.0, 0.5], (0, 237)),
    ):
        assert colours(Listed(draws), 1.0) == greys  # type: ignore[arg-type]
    assert colours(Listed([0.1, 1.0, 1.0]), 0.5) == (55, 218)  # type: ignore[arg-type]
    rng = Listed([0.07, 0, 0], [200, 30])
    assert colours(rng, 1.0) == (200, 30)  # type: ignore[arg-type]
    assert rng.asked == [(170, 256), (0, 90)]


def test_what_is_laid_out_stays() -> None:
    for part in (Crop(0, 1, 1, 1, 1, 1), Neighbour("a", True, 1, 1), Stroke("top", 1, 1, 1, 1)):
        name = dataclasses.fields(part)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, name, 0)
