"""How rendered lines look, what every effect of them and every augmentation makes of a fixed picture: as stored in
golden/changes.npz.

Committed experiments rest on "same seed, same lines": how a line looks, and what an augmentation does to it, changes on
purpose only. Where that is meant, store the results anew, and say so in the commit:

    PYTHONPATH=. python tests/data/synth/golden_changes.py

The pictures are made by NumPy alone, the lines of blocks instead of letters: neither fonts nor optional packages
matter. Kept are the means of small squares, and some figures of each picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from block_font import layouts
from numpy.typing import NDArray
from PIL import Image

from crnn.data.augment import CHANGES
from crnn.data.synth.render import draw_ink
from crnn.data.synth.wear import INK, SCAN, worn

STORED = Path(__file__).parent / "golden" / "changes.npz"
FONT_SIZES = (20, 22, 40)
"""Of the effects, whose strength goes with the size of the letters: two bounds, and a large one."""
SHAPES = ((32, 80), (16, 176), (40, 48))
"""(H, W) of the pictures: usual, very wide, narrow."""
EFFECT_SEEDS, AUGMENT_SEEDS, LINES = 3, 4, 60

Pixels = NDArray[Any]
Make = Callable[[], Iterator[Pixels]]


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


def lines_inked() -> Iterator[Pixels]:
    return (draw_ink(layout) for layout in layouts(LINES))


def lines_worn() -> Iterator[Pixels]:
    return (np.asarray(worn(each, np.random.default_rng(i), 1.0)) for i, each in enumerate(layouts(LINES)))


def of_effect(effect: Callable[..., Pixels], is_ink: bool) -> Iterator[Pixels]:
    """What it makes of the strokes for each font size and seed."""
    ink = strokes(*SHAPES[0])
    pixels = ink if is_ink else np.asarray(225 - 0.75 * ink, dtype=np.float32)
    for size in FONT_SIZES:
        for seed in range(EFFECT_SEEDS):
            yield effect(pixels, np.random.default_rng(seed), size)


def of_augmentation(change: Callable[..., Image.Image]) -> Iterator[Pixels]:
    """What it makes of the strokes in each shape for each seed. Paper is lighter in the first row, darker in the last."""
    for shape in SHAPES:
        pixels = (225 - 0.75 * strokes(*shape)).astype(np.uint8)
        pixels[0], pixels[-1] = 250, 150
        for seed in range(AUGMENT_SEEDS):
            yield np.asarray(change(Image.fromarray(pixels), np.random.default_rng(seed)))


LINES_MADE: dict[str, tuple[int, Make]] = {"lines.ink": (8, lines_inked), "lines.worn": (8, lines_worn)}
"""Name -> side of the squares, and what makes the pictures."""
EFFECTS: dict[str, tuple[int, Make]] = {
    effect.__name__: (4, lambda effect=effect, is_ink=kinds is INK: of_effect(effect, is_ink))  # type: ignore[misc]
    for kinds in (INK, SCAN)
    for chances in kinds.values()
    for _, effect in chances
}
AUGMENTATIONS: dict[str, tuple[int, Make]] = {
    f"augment.{name}": (4, lambda change=change: of_augmentation(change))  # type: ignore[misc]
    for name, change in CHANGES.items()
}


def squares(pictures: Iterable[Pixels], side: int) -> NDArray[np.float64]:
    """Means of squares, row by row, cut to 0..255; what is left at the right and below is not looked at."""
    found = []
    for pixels in pictures:
        height, width = (length // side for length in pixels.shape)
        cut = pixels.astype(np.float64)[: height * side, : width * side].clip(0, 255)
        found.append(cut.reshape(height, side, width, side).mean(axis=(1, 3)).ravel())
    return np.concatenate(found)


def figures(pictures: Iterable[Pixels]) -> NDArray[np.float32]:
    """(N, 4): mean, deviation, and how much neighbours across and down differ."""
    found = []
    for pixels in pictures:
        values = pixels.astype(np.float64)
        across, down = np.abs(np.diff(values, axis=1)).mean(), np.abs(np.diff(values, axis=0)).mean()
        found.append((values.mean(), values.std(), across, down))
    return np.array(found, dtype=np.float32)


def kept(side: int, make: Make) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Squares and figures, as they are now."""
    pictures = list(make())
    return squares(pictures, side), figures(pictures)


if __name__ == "__main__":
    stored: dict[str, NDArray[Any]] = {}
    for name, (side, make) in {**LINES_MADE, **EFFECTS, **AUGMENTATIONS}.items():
        found = kept(side, make)
        stored[name], stored[f"{name}.figures"] = found[0].round().astype(np.uint8), found[1]
    STORED.parent.mkdir(exist_ok=True)
    np.savez_compressed(STORED, **stored)
    print(f"{STORED.name}: {len(stored) // 2} changes, {STORED.stat().st_size:,} bytes")
