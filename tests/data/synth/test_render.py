"""A line as a layout and as ink: sizes and places, rules, bold, wave, shear and turn."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from block_font import Plain, layouts
from few_draws import FewDraws, digest

from crnn.data.synth import render
from crnn.data.synth.fonts import Font, find_fonts
from crnn.data.synth.render import SIZES, Layout, coloured, draw, draw_ink, is_typed, make_layout
from crnn.data.synth.surroundings import Neighbour, Stroke
from crnn.data.synth.text import PRINTABLE_ASCII

CHANCES = np.array([0.0, 0.04, 0.05, 0.06, 0.08, 0.09, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.5, 0.6, 0.9])
FONTS = [
    ("plain", "Regular"), ("heavy", "Bold"), ("typed", "Book"), ("fat", "Extra Heavy"), ("mono", "Book"),
    ("black", "Black Italic"), ("also typed", "Regular"), ("wide", "Light"), ("both typed", "Bold"),
]  # fmt: skip


def font(family: str = "plain", style: str = "Regular") -> Font:
    return Plain(family, 0, family, style, frozenset(PRINTABLE_ASCII))


@pytest.fixture
def layout() -> Layout:
    """A clean line of 16 pixels: two letters and a space, all upright."""
    return next(each for each in layouts(99, 0.0) if each.text == "ab" and each.font_size == 16)


def rounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(rounded, value))
    return round(value, 5) if isinstance(value, float) else value


def test_a_bound_between_two_choices_belongs_to_the_second() -> None:
    rows = []
    for seed in range(270):
        wear = (1.0, 0.5, 1.0, 0.0)[seed // 9 % 4]
        rng = FewDraws(seed, CHANCES * (wear or 1.0))
        made = make_layout(("ab", "x yz fg", "one: line")[seed % 3], font(*FONTS[seed % 9]), rng, wear)
        rows.append(rounded(dataclasses.astuple(dataclasses.replace(made, font=None))))  # type: ignore[arg-type]
    found = digest(rows)
    assert found == "7d2407cfef44"


def test_ink_of_upright_lines() -> None:
    """Blocks, bold ones too, rules and parts of other lines: to the pixel."""
    rows = []
    for seed in range(60):
        made = make_layout("ab cd", font(*FONTS[seed % 2]), FewDraws(seed, [0.0, 0.05, 0.11, 0.3, 0.9]), 1.0)
        made = dataclasses.replace(made, wave=(0.0, 1.0, 0.0), shear=0.0, angle=0.0, stretch=1.0)
        ink = draw_ink(made)
        assert ink.shape == made.size[::-1]
        rows.append(digest([ink.tobytes().hex()]))
    found = digest(rows)
    assert found == "ad19c820d3c9"


def test_a_clean_line_is_as_wide_as_its_letters() -> None:
    seen = set()
    for made in layouts(60, 0.0):
        even = max(2, made.font_size // 6)
        advance = sum(made.font.at(made.font_size).getlength(c) for c in made.text)
        assert math.ceil(advance) <= made.size[0] - 2 * even <= math.ceil(advance) + made.font_size // 4 + 1
        assert (made.tracking, made.word_space, made.stretch, made.bold, made.shear, made.angle) == (0, 0, 1, 0, 0, 0)
        assert (made.larger, made.dots) == (None, 1)
        assert (made.wave[0], made.cut, made.neighbours, made.strokes, made.ink, made.paper) == (
            0,
            (0, 0),
            (),
            (),
            0,
            255,
        )
        seen.add(made.font_size)
    assert seen == set(SIZES)


def test_a_picture_has_a_column_and_four_rows_at_least() -> None:
    class Nothing(Font):
        def at(self, size: int) -> Any:
            return self

        def getmask2(self, text: str, mode: str, anchor: str) -> Any:
            from PIL import Image

            return Image.new("L", (0, 0)).im, (0, 0)

        def getlength(self, text: str) -> float:
            return 0.0

    nothing = Nothing("nothing", 0, "nothing", "Regular", frozenset("a"))
    sizes = [make_layout("a", nothing, np.random.default_rng(seed), 1.0).size for seed in range(60)]
    assert all(width >= 1 and height >= 4 for width, height in sizes)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(render, "choose_crop", lambda *_: render_crop(0, 0))
        assert make_layout("a", nothing, np.random.default_rng(0), 0.0).size == (1, 4)
        patch.setattr(render, "choose_crop", lambda *_: render_crop(1, 5))
        assert make_layout("a", nothing, np.random.default_rng(0), 0.0).size == (2, 5)


def render_crop(margin: int, rows: int) -> Any:
    from crnn.data.synth.surroundings import Crop

    return Crop(0, rows, margin, margin, 0, 0)


def test_letters_of_one_width_are_often_set_narrow() -> None:
    narrow = [make_layout("ab", font("typed"), FewDraws(seed, [0.59]), 1.0).stretch for seed in range(40)]
    assert 0.5 <= min(narrow) < 0.56
    assert 1.25 < max(narrow) <= 1.35
    assert [make_layout("ab", font("typed"), FewDraws(seed, [0.6]), 1.0).stretch for seed in range(3)] == [1, 1, 1]
    others = [make_layout("ab", font("mono"), FewDraws(seed, [0.29]), 1.0).stretch for seed in range(40)]
    assert 0.75 <= min(others) < 0.81
    assert [make_layout("ab", font("mono"), FewDraws(seed, [0.3]), 1.0).stretch for seed in range(3)] == [1, 1, 1]
    for style in ("Bold", "Extra Black", "Heavy Oblique"):
        heavy = [make_layout("ab", font("typed", style), FewDraws(seed, [0.1]), 1.0) for seed in range(20)]
        assert 0.85 <= min(made.stretch for made in heavy) < 0.95
        assert all(made.bold == 0 and made.tracking >= 0 for made in heavy)
        bound = [make_layout("ab", font("typed", style), FewDraws(seed, [0.3]), 1.0) for seed in range(3)]
        assert [made.stretch for made in bound] == [1, 1, 1]


def test_words_at_one_end_are_sometimes_larger() -> None:
    made = [make_layout("ab cd ef", font(), FewDraws(seed, [0.04, 0.7]), 1.0) for seed in range(200)]
    ends = {(0, 2), (0, 5), (3, 8), (6, 8)}
    larger = [each for each in made if each.larger]
    assert 60 < len(larger) < 110
    assert {each.larger[:2] for each in larger if each.larger} == ends
    ratios = [each.larger.size / each.font_size for each in larger if each.larger]
    assert 1.15 < min(ratios) < 1.2
    assert 1.7 < max(ratios) < 1.8
    assert {each.larger.size for each in larger if each.larger} == set(SIZES[1:])
    assert all(each.font_size < SIZES[-1] for each in larger)
    alone = [make_layout("abcd", font(), FewDraws(seed, [0.0]), 1.0).larger for seed in range(20)]
    never = [make_layout("ab cd ef", font(), FewDraws(seed, [0.05]), 1.0).larger for seed in range(20)]
    assert alone == never == [None] * 20


def test_a_layout_has_room_for_its_larger_words(layout: Layout) -> None:
    """Nothing of the letters is cut off."""
    count = 0
    for seed in range(300):
        made = make_layout("ab cd", font(), np.random.default_rng(seed), 0.2)
        if made.larger and not any(made.cut) and not made.neighbours and not made.strokes:
            room = dataclasses.replace(made, size=(made.size[0] + 80, made.size[1] + 80))
            room = dataclasses.replace(room, origin=(made.origin[0] + 40, made.origin[1] + 40))
            if made.stretch == 1 and not made.angle and not made.shear:
                assert draw_ink(room).sum() == draw_ink(made).sum()
                count += 1
    assert count > 1


def test_dots_are_sometimes_faint_and_words_far_apart() -> None:
    dots = [make_layout("a.b", font(), FewDraws(seed, [0.059]), 1.0).dots for seed in range(40)]
    assert 0.3 <= min(dots) < 0.35
    assert 0.75 < max(dots) < 0.8
    assert [make_layout("a.b", font(), FewDraws(seed, [0.06]), 1.0).dots for seed in range(9)] == [1.0] * 9
    for chance, most in ((0.039, 2.5), (0.04, 0.7)):
        wide = [make_layout("a b", font(), FewDraws(seed, [chance]), 1.0) for seed in range(60)]
        assert 0.9 * most < max(each.word_space / each.font_size for each in wide) <= most
        assert -0.08 <= min(each.word_space / each.font_size for each in wide) < 0.05


def test_letters_of_one_width_are_known_by_their_advances() -> None:
    fonts = {f.family: f for f in find_fonts("bundled", PRINTABLE_ASCII)[0]}
    assert [is_typed(fonts[name]) for name in ("DejaVu Sans Mono", "DejaVu Sans", "DejaVu Serif")] == [
        True,
        False,
        False,
    ]
    assert not is_typed(dataclasses.replace(fonts["DejaVu Sans"], characters=frozenset("IW")))
    assert not is_typed(dataclasses.replace(fonts["DejaVu Sans"], characters=frozenset("12")))
    assert not is_typed(dataclasses.replace(fonts["DejaVu Serif"], characters=frozenset("0123456789I")))
    assert is_typed(dataclasses.replace(fonts["DejaVu Sans Mono"], characters=frozenset("0123456789I")))


def test_colours_are_mixed(layout: Layout) -> None:
    ink = np.array([[0, 64, 128, 255]], dtype=np.uint8)
    dark = dataclasses.replace(layout, ink=50, paper=200)
    assert coloured(ink, dark).tolist() == [[200, 162, 125, 50]]
    light = dataclasses.replace(layout, ink=255, paper=0)
    assert coloured(ink, light).tolist() == ink.tolist()
    assert coloured(ink, dark).dtype == np.uint8
    assert np.array_equal(np.asarray(draw(dark)), coloured(draw_ink(dark), dark))
    assert draw(dark).size == dark.size


@pytest.mark.parametrize(
    ("ends", "width", "stretch", "rows", "columns"),
    [
        ((2, 3, 7, 3), 1, 1.0, (3, 4), (2, 7)),
        ((2, 3, 7, 3), 2, 1.0, (3, 5), (2, 7)),  # an even rule lies one more below
        ((2, 3, 7, 3), 3, 1.0, (2, 5), (2, 7)),
        ((2, 3, 7, 3), 4, 1.0, (2, 6), (2, 7)),
        ((-3, 0, 7, 0), 3, 1.0, (0, 2), (0, 7)),
        ((0, 3, 12, 3), 1, 1.0, (3, 4), (0, 10)),
        ((0, 7, 10, 7), 3, 1.0, (6, 8), (0, 10)),
        ((0, -2, 10, -2), 1, 1.0, (0, 0), (0, 0)),
        ((2, 3, 7, 3), 1, 0.5, (3, 4), (4, 10)),
        ((2, 3, 8, 3), 1, 2.0, (3, 4), (1, 4)),
        ((5, 0, 5, 8), 1, 1.0, (0, 8), (5, 6)),
        ((5, 0, 5, 8), 2, 1.0, (0, 8), (5, 7)),
        ((5, 0, 5, 8), 3, 1.0, (0, 8), (4, 7)),
        ((5, 1, 5, 6), 1, 1.0, (1, 6), (5, 6)),
        ((0, 0, 0, 8), 3, 1.0, (0, 8), (0, 2)),
        ((6, 0, 6, 8), 1, 2.0, (0, 8), (3, 4)),
        ((6, 0, 6, 8), 1, 1.5, (0, 8), (4, 5)),
        ((-4, 0, -4, 8), 1, 1.0, (0, 0), (0, 0)),
    ],
)
def test_a_rule_covers_its_rows_and_columns(
    ends: tuple[int, int, int, int], width: int, stretch: float, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    ink = np.full((8, 10), 30, dtype=np.uint8)
    ink[:, 5] = 200
    wanted = ink.copy()
    wanted[slice(*rows), slice(*columns)] = np.maximum(wanted[slice(*rows), slice(*columns)], 100)
    render._rule(ink, Stroke("any", 0, 0, width, 100), ends, stretch)
    assert ink.tolist() == wanted.tolist()


def test_bold_is_a_lighter_copy_one_pixel_to_the_right() -> None:
    ink = np.array([[0, 100, 0, 200, 10, 0], [255, 0, 0, 0, 0, 255]], dtype=np.uint8)
    assert render._bolder(ink.copy(), 0.5).tolist() == [[0, 100, 50, 200, 100, 5], [255, 127, 0, 0, 0, 255]]
    assert render._bolder(ink.copy(), 1.0).tolist() == [[0, 100, 100, 200, 200, 10], [255, 255, 0, 0, 0, 255]]


@pytest.mark.parametrize("stretch", [1.0, 0.5])
@pytest.mark.parametrize("wave", [(2.0, 8.0, 0.0), (1.3, 5.0, 1.0), (9.0, 7.0, 2.0)])
def test_a_wave_is_a_sine_from_the_origin(layout: Layout, wave: tuple[float, float, float], stretch: float) -> None:
    ink = np.random.default_rng(8).integers(0, 256, (7, 20), dtype=np.uint8)
    made = render._waved(ink, dataclasses.replace(layout, wave=wave, origin=(3, 5), stretch=stretch))
    assert (made.shape, made.dtype) == (ink.shape, np.uint8)
    padded = np.concatenate([np.zeros((1, 20)), ink, np.zeros((1, 20))])
    for column in range(20):
        moved = wave[0] * math.sin((column * stretch - 3) * 2 * math.pi / wave[1] + wave[2])
        for row in range(7):
            place = min(max(row + moved, -1), 6) + 1
            low, part = math.floor(place), place - math.floor(place)
            wanted = padded[low, column] * (1 - part) + padded[low + 1, column] * part
            assert abs(int(made[row, column]) - wanted) < 1.01, (row, column)
    assert render._waved(ink, dataclasses.replace(layout, wave=(0.0, 1.0, 0.0))).tolist() == ink.tolist()


@pytest.mark.parametrize(
    ("angle", "shear", "stretch"), [(0.1, 0.0, 1.0), (0.0, 0.2, 1.0), (0.0, 0.0, 0.7), (0.05, -0.2, 1.3)]
)
def test_a_turned_line_comes_from_the_upright_one(layout: Layout, angle: float, shear: float, stretch: float) -> None:
    """Stretched, turned counter-clockwise, leaning to the right, about the centre of the picture; y is down."""
    made = render._inverse(dataclasses.replace(layout, angle=angle, shear=shear, stretch=stretch, size=(90, 36)))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    forward = np.array([[1, -shear], [0, 1]]) @ turn
    for point in ((0, 0), (45, 18), (90, 0), (13, 30)):
        wanted = np.linalg.inv(forward) @ (np.array(point) - (45, 18)) + (45, 18)
        x, y = made[0] * point[0] + made[1] * point[1] + made[2], made[3] * point[0] + made[4] * point[1] + made[5]
        assert (x, y) == pytest.approx((wanted[0] / stretch, wanted[1]))


def test_a_stretched_line_is_drawn_as_wide_as_its_layout(layout: Layout) -> None:
    plain = draw_ink(layout)
    columns = np.flatnonzero(plain.any(0))
    for stretch in (0.5, 1.5):
        size = (math.ceil(layout.size[0] * stretch), layout.size[1])
        origin = (round(layout.origin[0] * stretch), layout.origin[1])
        ink = draw_ink(dataclasses.replace(layout, stretch=stretch, size=size, origin=origin))
        assert ink.shape == size[::-1]
        found = np.flatnonzero((ink > 127).any(0))
        assert found[0] == pytest.approx(columns[0] * stretch, abs=1.01)
        assert found[-1] == pytest.approx(columns[-1] * stretch, abs=1.51)
        assert np.flatnonzero((ink > 127).any(1)).tolist() == np.flatnonzero((plain > 127).any(1)).tolist()


def test_a_line_leans_to_the_right_and_turns_up(layout: Layout) -> None:
    layout = dataclasses.replace(layout, size=(60, 60), origin=(20, 40))
    rows, columns = np.mgrid[:60, :60]

    def sums(**change: float) -> tuple[float, float, float]:
        """Of all ink: how far it is to the right where it is high, how high where it is right, and how much there is."""
        ink = draw_ink(dataclasses.replace(layout, **change)).astype(float)  # type: ignore[arg-type]
        right, up = (sign * (each - (ink * each).sum() / ink.sum()) for sign, each in ((1, columns), (-1, rows)))
        both = (ink * right * up).sum()
        return both / (ink * up**2).sum(), both / (ink * right**2).sum(), ink.sum()

    plain, leaning, turned = sums(), sums(shear=0.2), sums(angle=0.1)
    assert leaning[0] == pytest.approx(plain[0] + 0.2, abs=0.03)
    assert turned[1] > plain[1] + 0.02
    assert leaning[2] == pytest.approx(plain[2], rel=0.05) == turned[2]


def test_other_lines_reach_in_from_above_and_below(layout: Layout) -> None:
    """Of the one above its lowest rows, of the one below the tops of its letters."""
    size = (60, 50)
    layout = dataclasses.replace(layout, text="", size=size, origin=(10, 30))
    above = draw_ink(dataclasses.replace(layout, neighbours=(Neighbour("b", True, 6, 4),)))
    left, top, height = 97 % 3 - 1, 0, 0
    blocks = layout.font.at(16)
    mask, (left, top) = blocks.getmask2("b", "L", "ls")
    wide, height = mask.size  # type: ignore[attr-defined]
    wanted = np.zeros((50, 60), dtype=np.uint8)
    wanted[max(0, 6 + top) : 6 + top + height, 14 + left : 14 + left + wide] = 255
    assert above.tolist() == wanted.tolist()
    below = draw_ink(dataclasses.replace(layout, neighbours=(Neighbour("b", False, 5, -3),)))
    wanted = np.zeros((50, 60), dtype=np.uint8)
    baseline = 50 - 5 + round(0.72 * 16)
    wanted[baseline + top : baseline + top + height, 7 + left : 7 + left + wide] = 255
    assert below.tolist() == wanted.tolist()


def test_a_layout_stays(layout: Layout) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        layout.text = "other"  # type: ignore[misc]
