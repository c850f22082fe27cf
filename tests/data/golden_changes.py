"""What every effect of rendered lines and every augmentation makes of fixed pictures, as stored in golden/changes.npz.

Committed experiments rest on "same seed, same lines": how a line looks, and what an augmentation does to it, changes on
purpose only. Where that is meant, store the results anew, and say so in the commit:

    python tests/data/golden_changes.py

The pictures are made by NumPy alone: neither fonts nor optional packages matter. Kept are the means of 4 x 4 pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.data.augment import CHANGES
from crnn.data.synth.wear import INK, SCAN

STORED = Path(__file__).parent / "golden" / "changes.npz"
BLOCK = 4
FONT_SIZES = (16, 24, 40)
"""Of the effects, whose strength goes with the size of the letters: below and above all their bounds."""
SHAPES = ((32, 96), (16, 176), (40, 48))
"""(H, W) of the pictures: usual, very wide, narrow."""
SEEDS = 4


def strokes(height: int, width: int) -> NDArray[np.float32]:
    """Ink of soft-edged strokes, upright, level and slanting, of unequal width; no side mirrors another: (H, W)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lines = [
        (1.5, np.abs((x - 0.2 * y) % 17 - 7)),
        (2.5, np.abs(x - 0.6 * width)),
        (1.2, np.abs(y - 0.7 * height)),
        (2.0, np.abs(np.hypot(x - 0.3 * width, y - 0.4 * height) - 0.25 * height)),
    ]
    ink = np.max([np.clip(half + 0.5 - away, 0, 1) for half, away in lines], axis=0)
    inside = (y > 0.15 * height) & (y < 0.9 * height) & (x > 5) & (x < width - 8)
    return np.asarray(255 * ink * inside, dtype=np.float32)


def blocks(pixels: NDArray[np.generic]) -> NDArray[np.float64]:
    """Means of blocks of 4 x 4 pixels, cut to 0..255: (H // 4 * W // 4,)."""
    height, width = (length // BLOCK for length in pixels.shape)
    cut = pixels.astype(np.float64)[: height * BLOCK, : width * BLOCK].clip(0, 255)
    return cut.reshape(height, BLOCK, width, BLOCK).mean(axis=(1, 3)).ravel()


def effects() -> Iterator[tuple[str, Callable[[], NDArray[np.float64]]]]:
    """The name of each effect, and what it makes of the strokes for each font size and seed."""
    for kinds, is_ink in ((INK, True), (SCAN, False)):
        for _, effect in (each for chances in kinds.values() for each in chances):

            def make(effect: Callable = effect, is_ink: bool = is_ink) -> NDArray[np.float64]:
                ink = strokes(*SHAPES[0])
                pixels = ink if is_ink else np.asarray(225 - 0.75 * ink, dtype=np.float32)
                cases = [(size, seed) for size in FONT_SIZES for seed in range(SEEDS)]
                return np.concatenate(
                    [blocks(effect(pixels, np.random.default_rng(seed), size)) for size, seed in cases]
                )

            yield effect.__name__, make


def augmentations() -> Iterator[tuple[str, Callable[[], NDArray[np.float64]]]]:
    """The name of each augmentation, and what it makes of the strokes in each shape for each seed."""
    for name, change in CHANGES.items():

        def make(change: Callable = change) -> NDArray[np.float64]:
            made = []
            for shape in SHAPES:
                picture = Image.fromarray((225 - 0.75 * strokes(*shape)).astype(np.uint8))
                made += [blocks(np.asarray(change(picture, np.random.default_rng(seed)))) for seed in range(SEEDS)]
            return np.concatenate(made)

        yield f"augment.{name}", make


def everything() -> dict[str, Callable[[], NDArray[np.float64]]]:
    """Name -> function that makes it now."""
    return dict([*effects(), *augmentations()])


if __name__ == "__main__":
    made = {name: make().round().astype(np.uint8) for name, make in everything().items()}
    STORED.parent.mkdir(exist_ok=True)
    np.savez_compressed(STORED, **made)
    print(f"{STORED.name}: {len(made)} changes, {STORED.stat().st_size:,} bytes")
