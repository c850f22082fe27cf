"""What a font really shows of the characters that it says it has."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Mapping
from string import ascii_letters
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from crnn.data.synth.regions import is_han

_NOWHERE = "\U0010fffe"
"""No character: fonts draw the glyph for missing ones."""
_Pixels: TypeAlias = tuple[tuple[int, int], bytes]
"""Size and ink of a glyph."""
_SAMPLE = 40
"""Chinese characters that are looked at in a font."""
_CASED = "abdeghnqrt"
"""Letters whose two cases have different shapes."""
_ALIKE = 0.53
"""Correlation of the shapes of both cases: of 78 fonts, 0.46 and less with small letters, 0.59 and more without."""


def drawn_by(face: ImageFont.FreeTypeFont, characters: set[str]) -> set[str]:
    """Those that are seen; of Chinese ones a sample is looked at, and all if one of these is missing."""
    missing = _pixels(face, _NOWHERE)
    han = sorted(filter(is_han, characters))
    trusted = {*han} if all(_draws(face, c, missing) for c in han[:: max(1, len(han) // _SAMPLE)]) else set()
    return trusted | {c for c in characters - trusted if c.isspace() or _draws(face, c, missing)}


def _draws(face: ImageFont.FreeTypeFont, character: str, missing: _Pixels) -> bool:
    """Whether a glyph is seen that is not the box for missing ones, the letter without its accent, or the capital."""
    pixels = _pixels(face, character)
    if not any(pixels[1]) or pixels == missing:
        return False
    others = {unicodedata.normalize("NFD", character)[0], character.upper()} - {character}
    return all(pixels != _pixels(face, other) for other in others)


def _pixels(face: ImageFont.FreeTypeFont, character: str) -> _Pixels:
    mask = face.getmask(character)
    return mask.size, bytes(mask)


def has_only_capitals(face: ImageFont.FreeTypeFont, mapped: Container[int]) -> bool:
    """Whether small letters look like capitals, perhaps smaller or drawn by another hand."""
    alike = []
    for letter in _CASED:
        shapes = [_shape(face, c) for c in (letter, letter.upper()) if ord(c) in mapped]
        small, capital = shapes if len(shapes) == 2 else (None, None)
        if small is not None and capital is not None and small.std() > 0 and capital.std() > 0:
            alike.append(np.corrcoef(small, capital)[0, 1])
    return len(alike) >= 4 and bool(np.median(alike) > _ALIKE)


def draws_others(mapped: Mapping[int, str]) -> bool:
    """Whether most Latin letters are drawn by glyphs that are called something else: Zapf dingbats, Greek ones.

    Args:
        mapped: a font's table of glyph names by code. Names that mean nothing (``glyph00036``) count as right.
    """
    from fontTools import agl

    named = {letter: agl.toUnicode(mapped[ord(letter)], True) for letter in ascii_letters if ord(letter) in mapped}
    wrong = [name for letter, name in named.items() if name not in ("", letter) and not _is_private(name)]
    return 2 * len(wrong) > len(named)


def _is_private(text: str) -> bool:
    """Whether it begins with a character of a font's own, as the names of small capitals stand for."""
    return unicodedata.category(text[0]) == "Co"


def _shape(face: ImageFont.FreeTypeFont, character: str) -> NDArray[np.float64] | None:
    """The glyph without its margins, squeezed to 16 x 16 pixels: (256,)."""
    mask = face.getmask(character)
    glyph = Image.frombytes("L", mask.size, bytes(mask)) if mask.getbbox() else None
    box = glyph.point(lambda grey: 255 if grey > 100 else 0).getbbox() if glyph else None
    if glyph is None or box is None:
        return None
    return np.asarray(glyph.resize((16, 16), Image.Resampling.BOX, box), dtype=np.float64).ravel()
