"""Lines of plain blocks instead of letters, so that nothing depends on the fonts or the FreeType of a machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from crnn.data.synth.fonts import Font
from crnn.data.synth.render import Layout, make_layout
from crnn.data.synth.text import PRINTABLE_ASCII


class Blocks:
    """A face of plain blocks."""

    def __init__(self, size: int) -> None:
        self.size = size

    def getmask2(self, text: str, mode: str, anchor: str) -> tuple[object, tuple[int, int]]:
        wide, high = max(2, self.size * (2 + ord(text) % 4) // 8), max(4, self.size * (3 + ord(text) % 3) // 5)
        grey = 0 if text == " " else 255
        return Image.new("L", (wide, high), grey).im, (ord(text) % 3 - 1, -high + ord(text) % 4)

    def getlength(self, text: str) -> float:
        return self.size * (3 + ord(text) % 4) / 8


class Typed(Blocks):
    """As wide an advance for each of them."""

    def getlength(self, text: str) -> float:
        return self.size * 0.6


class Plain(Font):
    """A family that is called typed has letters of one width."""

    def at(self, size: int) -> Blocks:  # type: ignore[override]
        return Typed(size) if "typed" in self.family else Blocks(size)


def layouts(count: int, wear: float = 1.0) -> Iterator[Layout]:
    fonts = [
        Plain(name, 0, name, style, frozenset(PRINTABLE_ASCII))
        for name, style in (("plain", "Regular"), ("heavy", "Bold"), ("typed", "Regular"))
    ]
    for seed in range(count):
        yield make_layout(
            ("ab", "x yz fg", "one: long line")[seed % 3], fonts[seed % 5 % 3], np.random.default_rng(seed), wear
        )
