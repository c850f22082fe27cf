"""Which of the fonts draw: one for each text, some for training and others held out; all characters by some."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import describe
from crnn.data.synth.fonts import Font
from crnn.errors import DataError


class FontChoice:
    """Draws fonts: a family with four times as many styles comes twice as often, not four times."""

    def __init__(self, fonts: Sequence[Font]) -> None:
        self._fonts = fonts
        styles = Counter(font.family for font in fonts)
        self._weights = np.array([styles[font.family] ** -0.5 for font in fonts], dtype=np.float64)
        self._ends = np.cumsum(self._weights)

    def draw(self, rng: np.random.Generator, text: str) -> Font | None:
        """One that covers `text`, or None if there is none."""
        for _ in range(8):  # most fonts cover most texts
            font = self._fonts[_place(rng, self._ends)]
            if font.covers(text):
                return font
        covering = np.array([font.covers(text) for font in self._fonts])
        return self._fonts[_place(rng, np.cumsum(self._weights * covering))] if covering.any() else None


def _place(rng: np.random.Generator, ends: NDArray[np.float64]) -> int:
    """A place in a row of lengths, given where each ends; one of length 0 is never chosen."""
    return int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))


def split_fonts(fonts: Sequence[Font], characters: str = "") -> tuple[list[Font], list[Font]]:
    """Fonts for training and held-out fonts, by whole families; each side draws all `characters`.

    Held out are DejaVu Serif (or the last family) if it draws them all, else as many families as it takes, and of more
    than twelve families one in six, chosen by its name.

    Raises:
        DataError: for a single family, or a character that only one side could draw.
    """
    families = sorted({font.family for font in fonts})
    if len(families) < 2:
        named = f"only the font family {families[0]}" if families else "no font"
        raise DataError(f"{named} was found; at least two families are needed, one to hold out; name a folder")
    wanted = frozenset(characters)
    drawn = {name: frozenset().union(*(f.characters for f in fonts if f.family == name)) for name in families}

    def draws_all(names: Iterable[str]) -> bool:
        return wanted <= frozenset().union(*(drawn[name] for name in names))

    def enough_without(held_out: set[str]) -> bool:
        kept = set(families) - held_out
        return bool(kept) and draws_all(kept)

    held_out: set[str] = set()
    for family in sorted(reversed(families), key=lambda name: (not draws_all([name]), name != "DejaVu Serif")):
        if held_out and draws_all(held_out):
            break
        if enough_without(held_out | {family}):
            held_out.add(family)
    for character in characters if not (held_out and draws_all(held_out)) else "":
        if not any(character in drawn[name] for name in held_out):
            having = ", ".join(name for name in families if character in drawn[name])
            raise DataError(
                f"too few font families draw {describe(character)}: {having}; at least two are needed, "
                "one to hold out; name a folder with more in data.rendered.fonts"
            )
    if len(families) > 12:
        for family in families[1:]:
            if _hash(family) % 6 == 0 and enough_without(held_out | {family}):
                held_out.add(family)
    return [f for f in fonts if f.family not in held_out], [f for f in fonts if f.family in held_out]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def require_coverage(fonts: Iterable[Font], characters: str) -> None:
    """Refuse characters that no font draws.

    Raises:
        DataError: naming the first one.
    """
    drawn = frozenset().union(*(font.characters for font in fonts))
    for character in characters:
        if character not in drawn:
            raise DataError(f"no font has {describe(character)}; name a folder with one in data.rendered.fonts")
