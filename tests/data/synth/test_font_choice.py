"""Which font is drawn how often, and glyphs that do not show what their label would say."""

from __future__ import annotations

import logging
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable

from crnn.data.synth.font_choice import FontChoice, _place, require_coverage, split_fonts
from crnn.data.synth.fonts import Font, bundled_folder, find_fonts
from crnn.errors import DataError

SMALL, CAPITALS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def face(family: str, style: str, characters: str) -> Font:
    return Font(f"{family}-{style}.ttf", 0, family, style, frozenset(characters))


@pytest.fixture
def table() -> TTFont:
    folder = bundled_folder()
    assert folder
    return TTFont(folder / "DejaVuSans.ttf")


def covered(table: TTFont, path: Path, characters: str) -> frozenset[str]:
    table.save(path)
    fonts, skipped = find_fonts(path, characters)
    assert not skipped
    return fonts[0].characters


def remap(table: TTFont, to: dict[str, str]) -> None:
    """Let characters have the glyphs of others."""
    names = table.getBestCmap()
    for character, other in to.items():
        for part in table["cmap"].tables:
            if part.isUnicode() and ord(character) in part.cmap:
                part.cmap[ord(character)] = names[ord(other)] if other else ".notdef"


def test_styles_count_by_their_root_and_uncovered_never() -> None:
    fonts = [face("Many", str(i), "ab") for i in range(16)]
    fonts += [face("One", "Regular", "ab"), face("Other", "Regular", "abc")]
    choice = FontChoice(fonts)
    rng = np.random.default_rng(0)
    drawn = [choice.draw(rng, "ab") for _ in range(6000)]
    counts = Counter(font.family for font in drawn if font)
    assert abs(counts["Many"] / 6000 - 4 / 6) < 0.03
    assert abs(counts["One"] / 6000 - 1 / 6) < 0.03
    assert len({font.style for font in drawn if font and font.family == "Many"}) == 16
    assert {choice.draw(rng, "abc") for _ in range(200)} == {fonts[-1]}
    assert choice.draw(rng, "abcd") is None


def test_a_rare_cover_is_found_with_the_same_weights() -> None:
    fonts = [face(f"F{i}", "Regular", "a") for i in range(200)]
    fonts += [face("Z", str(i), "az") for i in range(4)] + [face("Y", "Regular", "az")]
    choice, rng = FontChoice(fonts), np.random.default_rng(1)
    counts = Counter(font.family for _ in range(3000) if (font := choice.draw(rng, "z")))
    assert set(counts) == {"Y", "Z"}
    assert abs(counts["Z"] / 3000 - 2 / 3) < 0.04


def test_accents_that_are_not_drawn_are_not_covered(table: TTFont, tmp_path: Path) -> None:
    assert covered(table, tmp_path / "whole.ttf", "eéèaà") == frozenset("eéèaà")
    remap(table, {"é": "e", "à": "a"})
    assert covered(table, tmp_path / "plain.ttf", "eéèaà") == frozenset("eèa")


def test_boxes_are_not_covered(table: TTFont, tmp_path: Path) -> None:
    remap(table, {"€": ""})
    for part in ("glyf", "hmtx"):  # a box under a name of its own
        table[part][table.getBestCmap()[ord("x")]] = table[part][".notdef"]
    assert covered(table, tmp_path / "boxes.ttf", "wxy€") == frozenset("wy")


def test_a_font_of_other_signs_is_left_out(table: TTFont, tmp_path: Path) -> None:
    """As URW's D050000L, whose name does not say it: its A is a star."""
    remap(table, dict(zip("ABCDEabcde", "ΑΒΓΔΕαβγδε", strict=True)))
    for part in table["cmap"].tables:
        for letter in CAPITALS[5:] + SMALL[5:]:
            part.cmap.pop(ord(letter), None)
    table.save(tmp_path / "greek.ttf")
    fonts, skipped = find_fonts(tmp_path / "greek.ttf", "abc")
    assert not fonts
    assert [reason for _, reason in skipped] == ["draws other characters than it says"]


@pytest.mark.parametrize("scale", [1.0, 0.8])
def test_small_letters_drawn_as_capitals_are_not_covered(table: TTFont, tmp_path: Path, scale: float) -> None:
    """Labels would say small letters where the picture shows (small) capitals."""
    names, glyphs = table.getBestCmap(), table.getGlyphSet()
    for small, capital in zip(SMALL, CAPITALS, strict=True):
        pen = TTGlyphPen(None)
        glyphs[names[ord(capital)]].draw(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
        table["glyf"][names[ord(small)]] = pen.glyph()
    del table["fpgm"], table["prep"], table["cvt "]  # no hints, which belong to the old outlines
    assert covered(table, tmp_path / "capitals.ttf", SMALL + CAPITALS + "12é.ß") == frozenset(CAPITALS + "12.")


def test_the_bundled_fonts_keep_their_small_letters() -> None:
    fonts, _ = find_fonts("bundled", SMALL + CAPITALS + "éüç")
    assert len(fonts) >= 15
    assert all(font.covers(SMALL + CAPITALS) for font in fonts)


def test_readers_of_fonts_keep_their_remarks(
    table: TTFont, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte too many among the names of glyphs is no matter of whoever trains with the font."""
    odd = DefaultTable("post")
    odd.data = table.reader["post"] + b"\0"
    table["post"] = odd
    logger = logging.getLogger("fontTools")
    for level, said in ((logging.WARNING, True), (logging.NOTSET, False)):  # the user's word goes first
        monkeypatch.setattr(logger, "level", level)
        logger.manager._clear_cache()
        caplog.clear()
        assert covered(table, tmp_path / f"{level}.ttf", "abc") == set("abc")
        assert ("1 extra bytes in post.stringData array" in caplog.text) == said


def test_a_font_is_read_again_when_it_changes(table: TTFont, tmp_path: Path) -> None:
    path = tmp_path / "f.ttf"
    assert covered(table, path, "abß") == set("abß")
    before = path.stat().st_mtime_ns
    for subtable in table["cmap"].tables:
        subtable.cmap.pop(ord("ß"), None)
    table.save(path)
    os.utime(path, ns=(before + 1, before + 1))
    assert find_fonts(path, "abß")[0][0].characters == set("ab")


class Listed:
    """A generator that gives what is listed."""

    def __init__(self, *draws: float) -> None:
        self.draws = list(draws)

    def random(self) -> float:
        return self.draws.pop(0)


def test_which_font_a_draw_is() -> None:
    """Two styles of one family come 2 ** -0.5 times as often as the only one of another."""
    one, two, other = face("Many", "1", "ab"), face("Many", "2", "ab"), face("One", "R", "abc")
    choice = FontChoice([one, two, other])
    first, second = 1 / (2 + 2**0.5), 2 / (2 + 2**0.5)  # where the first and second end
    for draw, font in ((0.0, one), (first - 0.01, one), (first + 0.01, two), (second + 0.01, other), (0.999, other)):
        assert choice.draw(Listed(draw), "ab") is font  # type: ignore[arg-type]
    assert choice.draw(Listed(*[0.0] * 7, 0.9), "abc") is other  # type: ignore[arg-type]  # the eighth
    rng = Listed(*[0.0] * 8, 0.0)
    assert choice.draw(rng, "abc") is other  # type: ignore[arg-type]
    assert rng.draws == []  # eight by chance, then one of those that cover it
    rng = Listed(*[0.0] * 8)
    assert choice.draw(rng, "abcd") is None  # type: ignore[arg-type]


def test_a_bound_belongs_to_the_next_place() -> None:
    ends = np.array([1.0, 1.0, 2.0, 4.0])  # the second has no length
    assert [_place(Listed(draw), ends) for draw in (0.0, 0.249, 0.25, 0.499, 0.5, 0.99)] == [0, 0, 2, 2, 3, 3]  # type: ignore[arg-type]


def test_which_families_are_held_out_in_every_version() -> None:
    def held_out(count: int, *more: Font) -> list[str]:
        fonts = [face(f"Family {i:02d}", "R", "ab") for i in range(count)]
        trained, kept = split_fonts([*fonts, *more], "ab")
        assert len(trained) + len(kept) == len(fonts) + len(more)
        return sorted({font.family for font in kept})

    assert held_out(2) == ["Family 01"]
    assert held_out(12) == ["Family 11"]
    assert [name[-2:] for name in held_out(13)] == ["03", "05", "06", "08", "12"]
    assert [name[-2:] for name in held_out(30)] == ["03", "05", "06", "08", "13", "15", "16", "17", "27", "29"]
    assert held_out(3, face("DejaVu Serif", "R", "ab"), face("DejaVu Serif", "B", "ab")) == ["DejaVu Serif"]
    assert held_out(3, face("DejaVu Serif", "R", "a")) == ["Family 02"]


def test_families_to_hold_out_are_refused_or_found() -> None:
    with pytest.raises(DataError, match=r"^no font was found; at least two families are needed"):
        split_fonts([])
    with pytest.raises(DataError, match=r"^only the font family A was found"):
        split_fonts([face("A", "R", "a"), face("A", "B", "a")])
    with pytest.raises(DataError, match=r"too few font families draw 'b' .*: A; at least two"):
        split_fonts([face("A", "R", "ab"), face("B", "R", "a"), face("C", "R", "a")], "ab")
    trained, kept = split_fonts([face("A", "R", "a"), face("B", "R", "b")])  # no characters are asked for
    assert [font.family for font in (*trained, *kept)] == ["A", "B"]
    require_coverage([face("A", "R", "a"), face("B", "R", "b")], "ab")
    require_coverage([], "")
    with pytest.raises(DataError, match=r"no font has 'c' \(U\+0063"):
        require_coverage([face("A", "R", "a"), face("B", "R", "b")], "abc")
