"""What paper, light, lens, sensor and file do. Pixels are grey values, (H, W) float32, 0..255; shapes are kept."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from crnn.data.synth.pixels import Pixels, blurred, clouds, resized, to_picture
from crnn.data.synth.surroundings import LEAST_CONTRAST

Rng = np.random.Generator
_SMALLEST = 13.0
"""Font size in pixels below which a low resolution would lose letters."""


def _grid(grey: Pixels) -> tuple[Pixels, Pixels]:
    """Row and column numbers: (H, 1) and (1, W)."""
    height, width = grey.shape
    return np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]


def texture(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Fibres and clouds of paper: noise of two sizes."""
    shape = (grey.shape[0], grey.shape[1])
    fine = clouds(rng, shape, float(rng.uniform(1.5, 3))) * np.float32(rng.uniform(1, 8))
    coarse = clouds(rng, shape, float(rng.uniform(6, 40))) * np.float32(rng.uniform(3, 14))
    return grey + fine + coarse


def stain(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """One or two darker spots with a soft edge."""
    y, x = _grid(grey)
    for _ in range(int(rng.integers(1, 3))):
        high, wide = (font_size * rng.uniform(0.5, 2.5, size=2)).tolist()
        off_y = (y - float(rng.uniform(0, grey.shape[0]))) / high
        off_x = (x - float(rng.uniform(0, grey.shape[1]))) / wide
        inside = np.clip((1 - np.sqrt(off_x**2 + off_y**2)) * float(rng.uniform(1, 6)), 0, 1)
        grey = grey * (1 - inside * float(rng.uniform(0.08, 0.3)))
    return grey


def gradient(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Light that falls off to one side."""
    height, width = grey.shape
    left, right, top, bottom = rng.uniform(0.75, 1.05, size=4).tolist()
    down = np.linspace(min(1.0, top + 0.1), min(1.0, bottom + 0.1), height, dtype=np.float32)
    return grey * np.linspace(left, right, width, dtype=np.float32) * down[:, None]


def shadow(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Of a hand, or of a fold: a slanting edge, darker on one side."""
    y, x = _grid(grey)
    height, width = grey.shape
    distance = (x - float(rng.uniform(0, width))) + (y - height / 2) * float(rng.uniform(-1.5, 1.5))
    if rng.random() < 0.5:
        distance = -distance
    dark = 1 / (1 + np.exp(-np.clip(distance / float(rng.uniform(1, font_size)), -30, 30)))
    return grey * (1 - dark * float(rng.uniform(0.15, 0.4)))


def blur(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Out of focus."""
    return blurred(grey, font_size * float(rng.uniform(0.015, 0.05)))


def motion(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """A hand that moved: a mean over 2 to 4 pixels, in letters of 32."""
    length = 1 + font_size / 32 * float(rng.uniform(1, 3))
    whole = math.floor(length)
    sideways = rng.random() < 0.7
    before = whole // 2
    around = (before, whole - before)
    padded = np.pad(grey, ((0, 0), around) if sideways else (around, (0, 0)), mode="edge")
    total = np.zeros_like(grey)
    for i, weight in enumerate([1.0] * whole + [length - whole]):
        moved = padded[:, i : i + grey.shape[1]] if sideways else padded[i : i + grey.shape[0]]
        total += moved * np.float32(weight / length)
    return total


def low_resolution(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Fewer pixels, scaled up again."""
    height, width = grey.shape
    scale = min(0.95, max(float(rng.uniform(0.35, 0.9)), _SMALLEST / font_size))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    down = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)[int(rng.integers(3))]
    up = rng.random()
    back = (
        Image.Resampling.NEAREST if up < 0.15 else (down if down != Image.Resampling.BOX else Image.Resampling.BICUBIC)
    )
    return resized(resized(grey, small, down), (width, height), back)


def bitonal(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """A scan or fax of two greys only, some pixels at the edges wrong; often of a low resolution."""
    height, width = grey.shape
    scale = max(float(rng.uniform(0.5, 1.3)), (_SMALLEST + 3) / font_size)
    few = grey
    if scale < 1:
        few = resized(grey, (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX)
    paper = float(np.median(few))
    ink = max(float(few.min()), float(few.max()), key=lambda grey: abs(grey - paper))
    noise = clouds(rng, (few.shape[0], few.shape[1]), 1.0) * np.float32(0.07)
    part = (few - paper) / ((ink - paper) or 1.0) + noise  # of ink, 0..1
    few = np.where(part > float(rng.uniform(0.28, 0.45)), np.float32(ink), np.float32(paper))
    if scale >= 1:
        return few
    back = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BILINEAR
    return resized(few, (width, height), back)


def faint(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Less contrast, but not below `LEAST_CONTRAST`."""
    dark, light = (float(v) for v in np.percentile(grey[::2, ::2], (1, 99)))
    contrast = max(1.0, light - dark)
    factor = max(float(rng.uniform(0.3, 0.8)), min(1.0, LEAST_CONTRAST / contrast))
    return (grey - dark) * np.float32(factor) + np.float32(dark + contrast * (1 - factor) * float(rng.random()))


def grain(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Noise of a sensor."""
    return grey + rng.standard_normal(grey.shape, dtype=np.float32) * np.float32(rng.uniform(2, 14))


def specks(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Dust: dots darker or lighter than the paper, of one or two pixels."""
    height, width = grey.shape
    grey = grey.copy()
    count = 1 + int(height * width * float(rng.uniform(0.0005, 0.006)))
    y, x = rng.integers(height, size=count), rng.integers(width, size=count)
    value = np.float32(rng.uniform(0, 255))
    grey[y, x] = value
    larger = count // 4
    grey[y[:larger], np.minimum(x[:larger] + 1, width - 1)] = value
    return grey


def jpeg(grey: Pixels, rng: Rng, font_size: float) -> Pixels:
    """Blocks of a picture file that was made small."""
    buffer = io.BytesIO()
    to_picture(grey).save(buffer, "JPEG", quality=int(rng.integers(15, 80)))
    return np.asarray(Image.open(buffer, formats=("JPEG",)), dtype=np.float32)
