"""Pixels of any kind as 8-bit grey: arrays, every mode of Pillow, transparent pictures on paper."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.errors import DataError

_STRIP_PIXELS = 2**20
"""Of a transparent picture so many are laid on paper at once: each takes three times four bytes meanwhile."""
_LIGHT = 224
"""Ink of this grey or lighter cannot be told from white paper."""
_FULL = (1, 255, 4095, 65535)
"""White in pictures of floats; which one is meant is told by the largest value, which may be twice as much."""


def from_array(array: NDArray[Any], where: str) -> Image.Image:
    """The picture of an array (H, W) or (H, W, 1|3|4): uint8 as it is, uint16 scaled, bool and floats taken as 0..1.

    Args:
        array: the pixels.
        where: its name for messages.

    Raises:
        DataError: for another shape or type, or values out of range.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or 0 in array.shape:
        raise DataError(f"{where}: an array of shape {array.shape} is not a picture; pass (H, W[, 3|4])")
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise DataError(f"{where}: a {array.dtype} picture must lie in 0..1; scale it or pass uint8")
        array = np.rint(array.astype(np.float32) * 255).astype(np.uint8)
    elif array.dtype == np.uint16:
        array = _eight_bits(array)
    elif array.dtype != np.uint8:
        raise DataError(f"{where}: an array of {array.dtype} is not a picture; pass uint8, uint16 or floats in 0..1")
    return Image.fromarray(np.ascontiguousarray(array))


def to_grey(picture: Image.Image) -> Image.Image:
    """Any Pillow mode as 8-bit grey; what is transparent lies on white paper, light ink alone on black."""
    mode = picture.mode
    if mode == "L" and "transparency" not in picture.info:
        return picture
    if mode.startswith("I"):  # 16-bit greys, and 32-bit ones that hold 16-bit values
        return Image.fromarray(_eight_bits(np.asarray(picture)))
    if mode == "F":
        floats = np.nan_to_num(np.asarray(picture, dtype=np.float32))
        most = float(floats.max(initial=0.0))
        floats *= 255 / next((full for full in _FULL if most <= 2 * full), _FULL[-1])
        np.rint(floats.clip(0, 255, out=floats), out=floats)
        return Image.fromarray(floats.astype(np.uint8))
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        return _on_paper(picture)
    if mode in ("1", "RGB"):
        return picture.convert("L")
    return picture.convert("RGB").convert("L")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """16-bit greys as 8-bit ones; values of 8 or 12 bits that are merely kept in 16 are scaled as what they are."""
    most = values.max(initial=0)  # in their own type: a large one would take 8 bytes a pixel in each step
    scaled = values if most <= 255 else values // 16 if most <= 4095 else values // 257
    return scaled.clip(0, 255).astype(np.uint8)


def _on_paper(picture: Image.Image) -> Image.Image:
    """A transparent picture on white; or on black, where nothing could be seen on white."""
    white = _laid_on("white", picture)
    if np.asarray(white).min() < _LIGHT:
        return white
    black = _laid_on("black", picture)
    return black if np.ptp(np.asarray(black)) > np.ptp(np.asarray(white)) else white


def _laid_on(paper: str, picture: Image.Image) -> Image.Image:
    """A transparent picture on paper of a colour, as 8-bit grey; strip by strip."""
    width, height = picture.size
    rows = max(1, _STRIP_PIXELS // width)
    grey = Image.new("L", picture.size)
    for top in range(0, height, rows):
        rgba = picture.crop((0, top, width, min(height, top + rows))).convert("RGBA")
        grey.paste(Image.alpha_composite(Image.new("RGBA", rgba.size, paper), rgba).convert("L"), (0, top))
    return grey
