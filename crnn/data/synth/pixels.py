"""Pillow's filters on float pixels, (H, W) float32, 0..255, and smooth noise."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels: TypeAlias = NDArray[np.float32]
"""(H, W), 0..255."""


def to_bytes(pixels: Pixels) -> NDArray[np.uint8]:
    """Whole grey values; those outside of 0..255 are cut off."""
    return np.minimum(np.maximum(pixels, 0), 255).astype(np.uint8)


def to_picture(pixels: Pixels) -> Image.Image:
    """Mode ``L``; values outside of 0..255 are cut off."""
    return Image.fromarray(to_bytes(pixels))


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """A Gaussian blur; `radius` is its standard deviation in pixels."""
    return np.asarray(to_picture(pixels).filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)


def grown(pixels: Pixels) -> Pixels:
    """The largest of each pixel and its eight neighbours."""
    wide = pixels.copy()
    np.maximum(wide[:, 1:], pixels[:, :-1], out=wide[:, 1:])
    np.maximum(wide[:, :-1], pixels[:, 1:], out=wide[:, :-1])
    high = wide.copy()
    np.maximum(high[1:], wide[:-1], out=high[1:])
    np.maximum(high[:-1], wide[1:], out=high[:-1])
    return high


def resized(pixels: Pixels, size: tuple[int, int], way: Image.Resampling) -> Pixels:
    """To (width, height)."""
    return np.asarray(Image.fromarray(pixels).resize(size, way), dtype=np.float32)


def clouds(rng: np.random.Generator, shape: tuple[int, int], grain: float) -> Pixels:
    """Smooth noise with mean 0 and a deviation of about 1: (H, W).

    Args:
        grain: pixels from one random value to the next.
    """
    height, width = shape
    if grain <= 1:
        return rng.standard_normal(shape, dtype=np.float32)
    few = (math.ceil(height / grain) + (height > 1), math.ceil(width / grain) + 1)
    return resized(rng.standard_normal(few, dtype=np.float32), (width, height), Image.Resampling.BILINEAR)
