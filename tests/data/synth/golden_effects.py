"""What each effect makes of small pictures, told by figures finer than those of golden_changes.py.

Every chance is drawn at its bound again and again, and pictures of a pixel or two are among them. Effects that work on
whole grey values (blur, JPEG, perspective) are followed up to the call that does it, and what they ask of it counts.
Store the figures anew where a change is meant:

    PYTHONPATH=. python tests/data/synth/golden_effects.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from few_draws import FewDraws
from numpy.typing import NDArray
from PIL import Image

from crnn.data.synth import ink_wear, scan_wear

STORED = Path(__file__).parent / "golden" / "effects.npz"
SHAPES = ((20, 50), (33, 14), (1, 1), (2, 3), (5, 2), (1, 9), (7, 1))
"""(H, W)."""
SIZES = (16, 19, 20, 22, 23, 28, 30, 34, 40, 45)
"""Of letters, in pixels; bounds of the effects are among them."""
CASES = 70
CHANCES = (0.1, 0.15, 0.4, 0.5, 0.7, 0.9)
INK = ("thermal", "dot_matrix", "bleed", "broken", "uneven", "thinner", "thicker", "shine_through", "perspective")
SCAN = (
    "texture", "stain", "gradient", "shadow", "blur", "motion", "low_resolution", "bitonal", "faint", "grain", "specks",
    "jpeg",
)  # fmt: skip

Pixels = NDArray[np.float32]


class Asked:
    """In place of a picture: keeps what is asked of it."""

    def __init__(self, pixels: Pixels, asked: list[float]) -> None:
        self.pixels, self.asked = pixels, asked

    def transform(self, size: tuple[int, int], _: Any, corners: tuple[float, ...], way: int) -> Pixels:
        self.asked += [*size, *corners, way]
        return self.pixels

    def save(self, file: Any, form: str, quality: int) -> None:
        self.asked += [quality]
        Image.new("L", self.pixels.shape[::-1], 128).save(file, form)


def cases(name: str) -> Iterator[list[float]]:
    """Six figures of each picture that an effect makes."""
    module: Any = ink_wear if name in INK else scan_wear
    effect: Callable[..., Pixels] = getattr(module, name)
    asked: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "blurred", lambda pixels, radius: pixels * 0.9 + np.float32(10 * radius))
        patch.setattr(module, "to_picture", lambda pixels: Asked(pixels, asked))
        for case in range(CASES):
            shape, size = SHAPES[max(0, case % 10 - 3)], SIZES[case % 7 + case % 4]
            pixels = np.random.default_rng(case).uniform(0, 255, shape).astype(np.float32)
            if case % 3:  # a part is full of ink, a part without
                pixels[: shape[0] // 2, : shape[1] // 3] = 255
                pixels[shape[0] // 2 :, : shape[1] // 3] = 0
            if name in SCAN:
                pixels = (230 - (0.8 if case % 2 else 0.2) * pixels).astype(np.float32)
            asked.clear()
            made = effect(pixels, FewDraws(case, CHANCES), size)
            yield figures(made, asked)


def figures(pixels: Pixels, asked: list[float]) -> list[float]:
    """Mean, deviation, where it is lighter, how neighbours differ, and the sum of what was asked, each in its turn."""
    values = pixels.astype(np.float64)
    across, down = (np.linspace(-1, 1, length) for length in (values.shape[1], values.shape[0]))
    return [
        values.mean(),
        values.std(),
        (values * across).mean() + (values * down[:, None] * 0.7).mean(),
        np.sqrt((np.diff(values, axis=1) ** 2).sum() / values.size),
        np.sqrt((np.diff(values, axis=0) ** 2).sum() / values.size),
        sum((i + 1) * value for i, value in enumerate(asked)),
    ]


def found(name: str) -> NDArray[np.float64]:
    """(N, 6), as they are now."""
    return np.array(list(cases(name)))


def check(name: str) -> None:
    """Compare with what is stored."""
    with np.load(STORED) as stored:
        wanted = stored[name]
    now = found(name)
    assert now == pytest.approx(wanted, rel=2e-5, abs=0.004)


if __name__ == "__main__":
    np.savez_compressed(STORED, **{name: found(name).astype(np.float32) for name in (*INK, *SCAN)})
    print(f"{STORED.name}: {STORED.stat().st_size:,} bytes")
