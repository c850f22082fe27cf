"""Glyphs as pixels, drawn once for each size of a font, and lines set from them.

FreeType measures and hints every letter again for every line, which takes longer than all the rest of a line.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.data.synth.fonts import Font

DOTS = ".,:;'·"
"""What a poor print loses first."""
MOST_KEPT = 80_000
"""Glyphs kept by a process, about 50 MB; then it begins anew."""


class Glyph(NamedTuple):
    """One character in one size, relative to the left end of its baseline. Lengths in pixels."""

    ink: NDArray[np.uint8]
    """(H, W), 0..255; 0 x 0 for a space."""
    left: int
    top: int
    """Of the first row, down is positive."""
    advance: float


class Larger(NamedTuple):
    """Characters `start` to before `stop` of a line, set in a size of their own, on the same baseline."""

    start: int
    stop: int
    size: int
    """In pixels."""


class Placed(NamedTuple):
    """A glyph of a line, and where it begins, from the line's origin."""

    x: float
    glyph: Glyph


_kept: dict[tuple[str, int, int], dict[str, Glyph]] = {}
_left = [MOST_KEPT]


def glyphs(font: Font, size: int, text: str) -> list[Glyph]:
    """Of each character of `text`."""
    key = (font.path, font.index, size)
    known = _kept.get(key)
    if known is None or not known.keys() >= set(text):
        if _left[0] < len(text):
            _kept.clear()
            _left[0] = MOST_KEPT
        known = _kept.setdefault(key, {})
        for character in set(text) - known.keys():
            known[character] = _draw(font, size, character)
            _left[0] -= 1
    return [known[character] for character in text]


def _draw(font: Font, size: int, character: str) -> Glyph:
    face = font.at(size)
    mask, (left, top) = face.getmask2(character, mode="L", anchor="ls")
    width, height = mask.size
    ink = np.frombuffer(bytes(mask), dtype=np.uint8).reshape(height, width)
    return Glyph(ink, int(left), int(top), face.getlength(character))


def placed(
    text: str,
    font: Font,
    size: int,
    tracking: float = 0.0,
    word_space: float = 0.0,
    larger: Larger | None = None,
    dots: float = 1.0,
) -> list[Placed]:
    """The glyphs of a line from left to right.

    Args:
        tracking, word_space: added to each glyph, and to each space, in pixels.
        larger: characters of another size.
        dots: how much ink full stops, commas, colons and other `DOTS` have, of what the font gives them.
    """
    x, line = 0.0, []
    for character, glyph in zip(text, _sized(text, font, size, larger), strict=True):
        if dots != 1 and character in DOTS:
            glyph = glyph._replace(ink=(glyph.ink * np.float32(dots)).astype(np.uint8))
        line.append(Placed(x, glyph))
        step = glyph.advance + tracking
        if character == " ":
            step += word_space
        x += max(1.0, step) if tracking or word_space else step
    return line


def _sized(text: str, font: Font, size: int, larger: Larger | None) -> list[Glyph]:
    if larger is None:
        return glyphs(font, size, text)
    before, inside, after = text[: larger.start], text[larger.start : larger.stop], text[larger.stop :]
    return glyphs(font, size, before) + glyphs(font, larger.size, inside) + glyphs(font, size, after)


def bounds(line: list[Placed]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of ink and advances, in pixels from the origin."""
    left = right = top = bottom = 0
    for x, glyph in line:
        start = x + glyph.left
        high, wide = glyph.ink.shape
        left, right = min(left, math.floor(start)), max(right, math.ceil(start) + wide, math.ceil(x + glyph.advance))
        top, bottom = min(top, glyph.top), max(bottom, glyph.top + high)
    return left, top, right, bottom


def paint(line: list[Placed], canvas: NDArray[np.uint8], x: float, y: int) -> None:
    """Draw a line in place; what reaches beyond the canvas is left out.

    Args:
        canvas: (H, W), 0 is no ink.
        x, y: of the line's origin on it.
    """
    height, width = canvas.shape
    for start, glyph in line:
        ink = glyph.ink
        left, top = round(x + start) + glyph.left, y + glyph.top
        right, bottom = left + ink.shape[1], top + ink.shape[0]
        if left < 0 or top < 0 or right > width or bottom > height:
            ink = ink[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
            left, top = max(0, left), max(0, top)
            if not ink.size:
                continue
        part = canvas[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.maximum(part, ink, out=part)
