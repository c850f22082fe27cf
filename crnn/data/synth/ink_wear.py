"""How printers, presses and age lay ink on paper. Pixels are ink coverage, (H, W) float32, 0..255; shapes are kept."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from crnn.data.synth.pixels import Pixels, blurred, clouds, grown, resized, to_picture

Rng = np.random.Generator


def thermal(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """A receipt printer's: columns that fade, and rows that a worn head leaves out."""
    height, width = ink.shape
    strength = np.float32(rng.uniform(0.25, 0.8))
    bands = clouds(rng, (1, width), float(rng.uniform(0.2, 3.0)) * font_size)
    ink = ink * (1 - strength * np.clip(0.5 + 0.5 * bands, 0, 1))
    if rng.random() < 0.4 and font_size >= 20:
        thick = max(1, round(font_size / 30))
        for _ in range(int(rng.integers(1, 3))):
            row = int(rng.integers(height))
            ink[row : row + thick] *= np.float32(rng.uniform(0.15, 0.5))
    return ink


def dot_matrix(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Letters of dots, 10 to 14 rows of them; small ones are uneven instead, their strokes would be lost."""
    if font_size < 22:
        return uneven(ink, rng, font_size)
    height, width = ink.shape
    cell = max(2.0, font_size * 0.95 / float(rng.integers(10, 15)))
    rows, columns = math.ceil(height / cell), math.ceil(width / cell)
    whole = np.zeros((math.ceil(rows * cell), math.ceil(columns * cell)), dtype=np.float32)
    whole[:height, :width] = ink
    few = resized(whole, (columns, rows), Image.Resampling.BOX)
    few = np.where(few > 50, np.minimum(few * 1.5 + 80, 255), 0).astype(np.float32)
    y = np.arange(height, dtype=np.float32) / np.float32(cell)
    x = np.arange(width, dtype=np.float32) / np.float32(cell)
    dots = few[np.minimum(y.astype(np.int32), rows - 1)[:, None], np.minimum(x.astype(np.int32), columns - 1)[None, :]]
    off_y, off_x = (y % 1 - 0.5 + 0.5 / cell)[:, None], (x % 1 - 0.5 + 0.5 / cell)[None, :]
    radius = float(rng.uniform(0.5, 0.68))
    return dots * np.clip((radius - np.sqrt(off_y**2 + off_x**2)) * cell + 0.5, 0, 1).astype(np.float32)


def bleed(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Ink that ran into the paper: edges are soft, uneven and further out."""
    soft = blurred(ink, font_size * float(rng.uniform(0.025, 0.05)))
    limit = 95 + 22 * clouds(rng, (ink.shape[0], ink.shape[1]), float(rng.uniform(1.5, 3.0)))
    return np.clip((soft - limit) * np.float32(3.5) + 128, 0, 255)


def broken(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Letters with gaps, as of worn type, of dry ink or of a bad threshold."""
    grain = clouds(rng, (ink.shape[0], ink.shape[1]), max(1.5, font_size * float(rng.uniform(0.05, 0.1))))
    return ink * (1 - np.clip((grain - np.float32(rng.uniform(1.1, 1.6))) * 3, 0, 1))


def uneven(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """More ink here than there, as from a hand press or a typewriter's ribbon."""
    amount = clouds(rng, (ink.shape[0], ink.shape[1]), font_size * float(rng.uniform(0.25, 1.2)))
    return ink * np.clip(0.75 + 0.25 * amount, 0.4, 1)


def thinner(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Strokes of up to a pixel less."""
    part = np.float32(rng.uniform(0.15, 0.5) * min(1.0, font_size / 28))
    return ink - (ink + grown(-ink)) * part


def thicker(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Strokes of up to two pixels more."""
    part = np.float32(rng.uniform(0.15, 0.7) * min(1.0, font_size / 28))
    return ink + (grown(ink) - ink) * part


def shine_through(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """The print of the paper's other side: mirrored, soft and faint."""
    other = np.roll(ink[:, ::-1], int(rng.uniform(-0.5, 0.5) * font_size), axis=0)
    faint = blurred(other, font_size * 0.04) * np.float32(rng.uniform(0.08, 0.22))
    return np.maximum(ink, faint)


def perspective(ink: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Seen from the side: each corner up to 10 % of the height further in, so that nothing leaves the picture."""
    height, width = ink.shape
    away = (rng.random(8) * 0.1 * min(height, width)).tolist()
    right0, right1, bottom0, bottom1, left0, left1, top0, top1 = away
    # where the corners come from: above left, below left, below right, above right; all outside of the source
    corners = (-left0, -top0, -left1, height + bottom0, width + right0, height + bottom1, width + right1, -top1)
    seen = to_picture(ink).transform((width, height), Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)
    return np.asarray(seen, dtype=np.float32)
