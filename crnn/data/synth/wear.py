"""What printers, paper, cameras and scanners do to a line: of every kind at most one thing, so that it stays readable.

First the ink (`ink_wear`: how much of it is where), then its colours, then the picture (`scan_wear`: grey values).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image

from crnn.data.synth import ink_wear, scan_wear
from crnn.data.synth.pixels import Pixels, to_bytes
from crnn.data.synth.render import Ink, Layout, coloured, draw_ink

Effect: TypeAlias = Callable[[Pixels, np.random.Generator, float], Pixels]
"""New pixels of the same shape. Its third argument is the font size in pixels: dots and blurs go with the letters."""
Kinds: TypeAlias = Mapping[str, Sequence[tuple[float, Effect]]]
"""Of each kind one effect is chosen, or none: each has its probability at wear 1."""

INK: Kinds = {
    "printer": (
        (0.12, ink_wear.thermal),
        (0.07, ink_wear.dot_matrix),
        (0.07, ink_wear.bleed),
        (0.07, ink_wear.broken),
        (0.06, ink_wear.uneven),
    ),
    "stroke": ((0.08, ink_wear.thinner), (0.1, ink_wear.thicker)),
    "other side": ((0.04, ink_wear.shine_through),),
    "place": ((0.08, ink_wear.perspective),),
}
SCAN: Kinds = {
    "paper": (
        (0.1, scan_wear.texture),
        (0.03, scan_wear.stain),
        (0.1, scan_wear.gradient),
        (0.05, scan_wear.shadow),
    ),
    "optics": (
        (0.2, scan_wear.blur),
        (0.05, scan_wear.motion),
        (0.2, scan_wear.low_resolution),
        (0.08, scan_wear.bitonal),
    ),
    "contrast": ((0.08, scan_wear.faint),),
    "sensor": ((0.28, scan_wear.grain), (0.05, scan_wear.specks)),
    "file": ((0.22, scan_wear.jpeg),),
}

HARSH: Sequence[Effect] = (scan_wear.low_resolution, scan_wear.bitonal)
"""Effects that are left out after one of a printer: together they would take whole strokes away."""


def worn(layout: Layout, rng: np.random.Generator, wear: float) -> Image.Image:
    """The line as a page or a photograph shows it: mode ``L``, exactly `layout.size`.

    Args:
        wear: 0 (clean) .. 1, by which all probabilities are multiplied.
    """
    ink = draw_ink(layout)
    if wear == 0:
        return Image.fromarray(coloured(ink, layout))
    inked = _chosen(INK, rng, wear)
    scanned = _chosen(SCAN, rng, wear)
    if "printer" in inked:
        scanned = {kind: effect for kind, effect in scanned.items() if effect not in HARSH}
    ink = _applied(ink, inked, rng, layout.font_size)
    return Image.fromarray(_applied(coloured(ink, layout), scanned, rng, layout.font_size))


def _chosen(kinds: Kinds, rng: np.random.Generator, wear: float) -> dict[str, Effect]:
    """Kind -> effect, for kinds of which there is one."""
    chosen: dict[str, Effect] = {}
    for (kind, effects), draw in zip(kinds.items(), (rng.random(len(kinds)) / wear).tolist(), strict=True):
        for probability, effect in effects:
            if 0 <= draw < probability:
                chosen[kind] = effect
            draw -= probability
    return chosen


def _applied(grey: Ink, effects: dict[str, Effect], rng: np.random.Generator, font_size: int) -> Ink:
    if not effects:
        return grey
    pixels: Pixels = grey.astype(np.float32)
    for effect in effects.values():
        pixels = effect(pixels, rng, font_size)
    return to_bytes(pixels)
