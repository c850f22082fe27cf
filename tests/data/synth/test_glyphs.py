"""Lines set from kept glyphs look as FreeType draws them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw

from crnn.data.synth import glyphs
from crnn.data.synth.fonts import Font, find_fonts
from crnn.data.synth.glyphs import bounds, paint, placed

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
