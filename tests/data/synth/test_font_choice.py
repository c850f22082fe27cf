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

from crnn.data.synth.font_choice import FontChoice
from crnn.data.synth.fonts import Font, bundled_folder, find_fonts

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
