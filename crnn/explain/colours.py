"""Colour maps that colour-blind people can tell apart: viridis, and blue to orange with a neutral middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIVERGING = {
    "light": ("08306b", "2a6fae", "9cc4e0", "f4f2ee", "f1bd8b", "cf6a1a", "713003"),
    "dark": ("b5dcff", "4a97d6", "22486b", "202227", "6a3b16", "dd8730", "ffddb3"),
}
"""Theme -> colours at equal distances from the lowest value over zero to the highest."""
SEQUENTIAL = "viridis"
"""Of gates, probabilities and strengths, in both themes."""
LINES = ("0072b2", "d55e00", "009e73")
"""Of curves: Okabe and Ito's blue, vermilion and green."""


def diverging(theme: str = "light") -> NDArray[np.uint8]:
    """(256, 3) red, green, blue."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in DIVERGING[theme]])
    at = np.linspace(0, len(stops) - 1, 256)
    return np.stack([np.interp(at, np.arange(len(stops)), stops[:, i]) for i in range(3)], 1).round().astype(np.uint8)


def sequential() -> NDArray[np.uint8]:
    """(256, 3) red, green, blue."""
    from matplotlib import colormaps

    return (colormaps[SEQUENTIAL](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
