"""Lines set from kept glyphs look as FreeType draws them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw

from crnn.data.synth import glyphs
from crnn.data.synth.fonts import Font, find_fonts
from crnn.data.synth.glyphs import DOTS, Larger, bounds, paint, placed

TEXT = "Total: (gjy) 12.30"


@pytest.fixture(params=["DejaVu Sans Mono", "STIXGeneral", "cmr10"])
def font(request: pytest.FixtureRequest) -> Font:
    return next(f for f in find_fonts("bundled", TEXT)[0] if f.family == request.param and f.covers(TEXT))


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    glyphs._kept.clear()
    yield
    glyphs._kept.clear()


def test_a_line_is_as_freetype_draws_it(font: Font) -> None:
    picture = Image.new("L", (400, 60), 0)
    ImageDraw.Draw(picture).text((10, 40), TEXT, fill=255, font=font.at(28), anchor="ls")
    canvas = np.zeros((60, 400), dtype=np.uint8)
    line = placed(TEXT, font, 28)
    paint(line, canvas, 10, 40)
    assert np.abs(canvas.astype(int) - np.asarray(picture, dtype=int)).max() <= 64  # where two letters touch
    assert (canvas == np.asarray(picture)).mean() > 0.999
    left, top, right, bottom = bounds(line)
    outside = canvas.copy()
    outside[40 + top : 40 + bottom, 10 + left : 10 + right] = 0
    assert not outside.any()


def test_what_reaches_beyond_is_left_out(font: Font) -> None:
    line = placed(TEXT, font, 28)
    whole = np.zeros((80, 600), dtype=np.uint8)
    paint(line, whole, 100, 50)
    part = np.zeros((20, 150), dtype=np.uint8)
    paint(line, part, 100 - 150, 50 - 30)
    assert part.any()
    assert np.array_equal(part, whole[30:50, 150:300])


def test_spread_letters_and_words(font: Font) -> None:
    plain = [x for x, _ in placed("a b", font, 28)]
    spread = [x for x, _ in placed("a b", font, 28, tracking=2.5, word_space=4)]
    assert spread == [plain[0], plain[1] + 2.5, plain[2] + 2.5 + 2.5 + 4]
    squeezed = [x for x, _ in placed("abc", font, 28, tracking=-100)]
    assert squeezed == [0, 1, 2]


def test_a_full_store_begins_anew_and_changes_nothing(font: Font, monkeypatch: pytest.MonkeyPatch) -> None:
    first = placed(TEXT, font, 28)
    monkeypatch.setattr(glyphs, "_left", [0])
    again = placed(TEXT + "x", font, 28)[:-1]
    assert len(glyphs._kept) == 1
    assert glyphs._left[0] == glyphs.MOST_KEPT - len(set(TEXT + "x"))
    for (x, glyph), (other_x, other) in zip(first, again, strict=True):
        assert (x, glyph.left, glyph.top, glyph.advance) == (other_x, other.left, other.top, other.advance)
        assert np.array_equal(glyph.ink, other.ink)


def glyph(ink: list[list[int]], left: int = 0, top: int = 0, advance: float = 1.0) -> glyphs.Glyph:
    return glyphs.Glyph(np.array(ink, dtype=np.uint8), left, top, advance)


def test_bounds_hold_ink_and_advances() -> None:
    two = [[9, 9], [9, 9], [9, 9]]
    assert bounds([]) == (0, 0, 0, 0)
    assert bounds([glyphs.Placed(0.0, glyph(two, -3, -2, 4.2))]) == (-3, -2, 5, 1)
    assert bounds([glyphs.Placed(2.5, glyph(two, 0, -7, 1.0))]) == (0, -7, 5, 0)  # from 2.5: columns 2 to 5
    assert bounds([glyphs.Placed(2.5, glyph(two, 1, 2, 0.0))]) == (0, 0, 6, 5)
    assert bounds([glyphs.Placed(0.0, glyph(two, -1)), glyphs.Placed(1.2, glyph(two, -4))]) == (-3, 0, 3, 3)
    empty = glyphs.Glyph(np.zeros((0, 0), dtype=np.uint8), 0, 0, 3.1)
    assert bounds([glyphs.Placed(0.0, empty), glyphs.Placed(3.1, empty)]) == (0, 0, 7, 0)


@pytest.mark.parametrize(
    ("x", "y", "rows", "columns"),
    [
        (0, 0, (0, 2), (0, 3)),
        (2, 1, (1, 3), (2, 5)),
        (3, 2, (2, 4), (3, 6)),  # just within
        (4, 3, (3, 4), (4, 6)),
        (5, 0, (0, 2), (5, 6)),
        (-1, -1, (0, 1), (0, 2)),
        (-2, 3, (3, 4), (0, 1)),
        (6, 0, (0, 0), (0, 0)),
        (-3, 0, (0, 0), (0, 0)),
        (0, 4, (0, 0), (0, 0)),
        (0, -2, (0, 0), (0, 0)),
        (1.4, 0, (0, 2), (1, 4)),
        (1.6, 0, (0, 2), (2, 5)),
    ],
)
def test_what_of_a_glyph_is_painted(x: float, y: int, rows: tuple[int, int], columns: tuple[int, int]) -> None:
    """The part on the canvas of 4 x 6; ink that is there stays where it is darker."""
    ink = np.array([[10, 200, 30], [40, 50, 60]], dtype=np.uint8)
    far = np.zeros((24, 26), dtype=np.uint8)
    left, top = round(x) + 10, y + 10
    far[top : top + 2, left : left + 3] = ink
    for under in (0, 45):
        canvas = np.full((4, 6), under, dtype=np.uint8)
        paint([glyphs.Placed(0.0, glyphs.Glyph(ink, 1, -1, 3.0))], canvas, x - 1, y + 1)
        assert canvas.tolist() == np.maximum(far[10:14, 10:16], under).tolist()
        assert (np.argwhere(canvas > under) < (rows[1], columns[1])).all()
    canvas = np.zeros((4, 6), dtype=np.uint8)
    line = [glyphs.Placed(-9.0, glyph([[9]])), glyphs.Placed(0.0, glyphs.Glyph(ink, 0, 0, 3.0))]
    paint(line, canvas, x, y)  # a glyph out of sight is no end of the line
    assert canvas.tolist() == far[10:14, 10:16].tolist()


def test_a_glyph_is_drawn_once_for_a_size(font: Font, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    draw_one = glyphs._draw

    def counting(font: Font, size: int, character: str) -> glyphs.Glyph:
        drawn.append(character)
        return draw_one(font, size, character)

    monkeypatch.setattr(glyphs, "_draw", counting)
    monkeypatch.setattr(glyphs, "_left", [100])
    glyphs.glyphs(font, 20, "abca")
    assert (sorted(drawn), glyphs._left) == (["a", "b", "c"], [97])
    glyphs.glyphs(font, 20, "cb")
    assert len(drawn) == 3
    glyphs.glyphs(font, 20, "cd")
    glyphs.glyphs(font, 21, "c")
    assert (drawn[3:], glyphs._left) == (["d", "c"], [95])
    glyphs._left[0] = 2
    glyphs.glyphs(font, 20, "xy")  # just as many as there is room for
    assert (len(glyphs._kept), glyphs._left) == (2, [0])
    glyphs.glyphs(font, 20, "xy")
    assert len(glyphs._kept) == 2  # nothing new is needed
    glyphs.glyphs(font, 20, "z")
    assert (len(glyphs._kept), glyphs._left) == (1, [glyphs.MOST_KEPT - 1])


def test_letters_do_not_stand_on_each_other(font: Font) -> None:
    at = [x for x, _ in placed("a b", font, 28, word_space=-50)]
    assert at[2] == at[1] + 1
    face = font.at(28)
    assert [x for x, _ in placed("ab", font, 28)] == [0, face.getlength("a")]
    assert [x for x, _ in placed("ab", font, 28, tracking=0.5)] == [0, face.getlength("a") + 0.5]


def test_some_characters_in_a_larger_size(font: Font) -> None:
    """On the same baseline; what follows moves by their advances."""
    small, large = font.at(20), font.at(28)
    line = placed("ab cd", font, 20, tracking=1.5, word_space=4, larger=Larger(1, 3, 28))
    steps = [
        small.getlength("a") + 1.5,
        large.getlength("b") + 1.5,
        large.getlength(" ") + 5.5,
        small.getlength("c") + 1.5,
    ]
    assert [x for x, _ in line] == pytest.approx([0, *np.cumsum(steps)])
    wanted = [*glyphs.glyphs(font, 20, "a"), *glyphs.glyphs(font, 28, "b "), *glyphs.glyphs(font, 20, "cd")]
    assert all(glyph is other for (_, glyph), other in zip(line, wanted, strict=True))
    for larger, text in ((Larger(0, 2, 28), "ab"), (Larger(3, 5, 28), "cd")):
        line = placed("ab cd", font, 20, larger=larger)
        assert [glyph for _, glyph in line[larger.start : larger.stop]] == glyphs.glyphs(font, 28, text)


def test_faint_dots(font: Font) -> None:
    """Less ink, in the same place; letters, and the glyphs that other lines use, keep theirs."""
    plain, faint = placed("a.b: c", font, 28), placed("a.b: c", font, 28, dots=0.5)
    for character, (x, glyph), (other_x, other) in zip("a.b: c", plain, faint, strict=True):
        assert (x, glyph[1:]) == (other_x, other[1:])
        if character in ".:":
            assert other.ink.tolist() == (glyph.ink // 2).tolist()
            assert glyph.ink.max() > 200
        else:
            assert other is glyph
    assert DOTS == ".,:;'\u00b7"
    assert [glyph.ink.max() for _, glyph in placed(".", font, 28)] == [plain[1].glyph.ink.max()]
