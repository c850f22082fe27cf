"""What a crop of a page shows beside the line: margins, parts of other lines, rules; and the greys of ink and paper."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LEAST_CONTRAST = 60
"""Between ink and paper, in grey values."""


@dataclass(frozen=True)
class Crop:
    """Rows of the line relative to its baseline, down is positive, and what is around them. All in pixels."""

    top: int
    bottom: int
    left_margin: int
    right_margin: int
    top_margin: int
    bottom_margin: int
    cut: tuple[int, int] = (0, 0)
    """Rows of the letters taken away above and below."""

    def with_room(self, side: str, pixels: int) -> Crop:
        """With a margin of `pixels` or more at ``left``, ``right``, ``top`` or ``bottom``."""
        return replace(self, **{f"{side}_margin": max(pixels, getattr(self, f"{side}_margin"))})


@dataclass(frozen=True)
class Neighbour:
    """The visible part of the line above or below."""

    text: str
    above: bool
    rows: int
    """How far it reaches into the picture: from its edge to the baseline above, or to the tops of capitals below."""
    shift: int
    """Pixels to the right of our line."""


@dataclass(frozen=True)
class Stroke:
    """A rule, fixed to the line or to an edge of the picture."""

    kind: str
    """``under`` the text, ``across`` the picture below the baseline, ``top``, ``bottom``, ``left`` or ``right``."""
    distance: int
    """From the baseline, or from the edge."""
    length: int
    """Of ``under``; the others go from edge to edge."""
    width: int
    darkness: int

    def line(self, origin: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Its two ends: x, y, x, y."""
        if self.kind == "under":
            return origin[0], origin[1] + self.distance, origin[0] + self.length, origin[1] + self.distance
        if self.kind in ("left", "right"):
            x = self.distance if self.kind == "left" else size[0] - 1 - self.distance
            return x, 0, x, size[1]
        heights = {"across": origin[1] + self.distance, "top": self.distance, "bottom": size[1] - 1 - self.distance}
        return 0, heights[self.kind], size[0], heights[self.kind]


def choose_crop(font_size: int, top: int, bottom: int, rng: np.random.Generator, wear: float) -> Crop:
    """Margins as detectors, segmenters and people leave them.

    Args:
        top, bottom: rows of the ink.
    """
    if bottom - top < 0.45 * font_size:  # a lone dash or dot shows what it is by its place in the line
        top, bottom = min(top, -round(0.72 * font_size)), max(bottom, round(0.2 * font_size))
    if wear == 0:
        even = max(2, font_size // 6)
        return Crop(top, bottom, even, even, even, even)
    if rng.random() < 0.4 * wear:  # room for all letters, whichever there are
        top, bottom = min(top, -round(0.74 * font_size)), max(bottom, round(0.22 * font_size))
    kind = rng.random() / wear
    cut = (0, 0)
    if kind < 0.2:  # tight
        margins = rng.integers(0, 2, size=4).tolist()
        if rng.random() < 0.5:
            above, below = rng.integers(0, round((bottom - top) * 0.07) + 1, size=2).tolist()  # 2 of 32 rows
            cut = (above, below)
            margins[2:] = [0 if above else margins[2], 0 if below else margins[3]]
    elif kind < 0.42:  # loose
        margins = rng.uniform(1, 2 + 0.4 * (bottom - top), size=4).astype(int).tolist()
    elif kind < 0.6:  # wide: letters are a third of the picture's height, or more
        margins = (rng.uniform(0.15, 1.0, size=4) * (bottom - top)).astype(int).tolist()
    else:
        most = round(font_size * (0.15 + 0.35 * wear * float(rng.random())))
        margins = rng.integers(1, max(3, most), size=4).tolist()
    if rng.random() < 0.12 * wear:  # a wide blank at one end
        margins[int(rng.integers(2))] += int(rng.uniform(0.5, 3.0) * font_size)
    return Crop(top, bottom, margins[0], margins[1], margins[2], margins[3], cut)


def surround(
    text: str, font_size: int, length: int, crop: Crop, rng: np.random.Generator, wear: float
) -> tuple[tuple[Neighbour, ...], tuple[Stroke, ...], Crop]:
    """Parts of other lines, and rules; and the crop with the room that they need.

    Args:
        length: of the line in pixels.
    """
    if wear == 0:
        return (), (), crop
    chance = (rng.random(5) / wear).tolist()
    neighbours: list[Neighbour] = []
    for side, drawn in zip(("top", "bottom"), chance, strict=False):
        if drawn < 0.09 and not any(crop.cut):
            rows = int(rng.uniform(0.0 if side == "top" else 0.06, 0.24) * font_size)
            other = "".join(text[i] for i in rng.permutation(len(text)))
            neighbours.append(Neighbour(other, side == "top", rows, int(rng.uniform(-0.2, 0.2) * length)))
            crop = crop.with_room(side, rows + round(font_size * float(rng.uniform(0.2, 0.4))))
    strokes: list[Stroke] = []
    width = 1 + int(rng.random() < 0.3) + font_size // 30
    darkness = int(rng.integers(120, 256))
    if chance[2] < 0.08:
        kind = "under" if chance[2] < 0.04 else "across"
        distance = max(2, round(font_size * float(rng.uniform(0.1, 0.2 if kind == "under" else 0.35))))
        strokes.append(Stroke(kind, distance, length, width, darkness))
        crop = replace(crop, bottom=max(crop.bottom, distance + width), cut=(crop.cut[0], 0))
    if chance[3] < 0.06:  # edges of a box
        for side in (("top",), ("bottom",), ("top", "bottom"))[int(rng.integers(3))]:
            strokes.append(Stroke(side, int(rng.integers(0, 2)), 0, width, darkness))
            crop = replace(crop.with_room(side, width + 2 + font_size // 12), cut=(0, 0))
    if (
        chance[4] < 0.06
    ):  # of a table: no | of the text, but at the edge, away from the letters and higher than they are
        for side in (("left",), ("right",), ("left", "right"))[int(rng.integers(3))]:
            distance = int(rng.integers(0, 2))
            strokes.append(Stroke(side, distance, 0, width, darkness))
            crop = crop.with_room(side, distance + width + round(0.35 * font_size))
            crop = replace(crop.with_room("top", font_size // 5).with_room("bottom", font_size // 5), cut=(0, 0))
    return tuple(neighbours), tuple(strokes), crop


def colours(rng: np.random.Generator, wear: float) -> tuple[int, int]:
    """Grey values of ink and paper, `LEAST_CONTRAST` apart or more."""
    draws = rng.random(3).tolist()
    if draws[0] < 0.08 * wear:  # light on dark
        return int(rng.integers(170, 256)), int(rng.integers(0, 90))
    if draws[0] < 0.2 * wear:  # on coloured ground
        ink = int(rng.integers(0, 256))
        papers = [*range(0, ink - LEAST_CONTRAST + 1), *range(ink + LEAST_CONTRAST, 256)]
        return ink, papers[int(rng.integers(len(papers)))]
    return int(110 * wear * draws[1] ** 2), 255 - int(75 * wear * draws[2] ** 2)
