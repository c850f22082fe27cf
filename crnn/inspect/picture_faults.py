"""What looks wrong in a picture: one decoding, one histogram, its border."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from crnn.core.image import PICTURE_FORMATS
from crnn.data.facts import pixel_hash
from crnn.data.sources.base import Content, LineEntry, LineSource
from crnn.errors import DataError
from crnn.inspect import kinds

TINY_HEIGHT, TINY_WIDTH = 8, 3
WIDEST, HIGHEST = 80.0, 8.0
"""Width over height, and height over width, from which a picture is no line."""
ON_ITS_SIDE = 1.5
"""Height over width from which a label of `SEVERAL` characters cannot stand in it."""
SEVERAL = 4
BLANK_RANGE = 20
"""Grey levels between the lightest and the darkest pixels, the outermost thousandth apart."""
CLEAR_RANGE = 64
_MOVING = (".tif", ".tiff", ".gif", ".webp")


class Look(NamedTuple):
    """What one look at a picture gave."""

    size: tuple[int, int] = (0, 0)
    """(width, height) in pixels, upright."""
    pixels: int = 0
    """64 bits of hash; 0 if it was not decoded."""
    range: int = 255
    """Grey levels between dark and light."""
    polarity: int = 0
    """1 for dark on light, -1 for light on dark, 0 where it cannot be told."""
    frames: int = 1
    problem: str | None = None
    """Why the picture cannot be read."""


def look(source: LineSource, position: int, entry: LineEntry, decode: bool = True) -> Look:
    """Look at the picture of a line; never raises for a bad one.

    Args:
        source: the lines.
        position: of the line.
        entry: the line.
        decode: False reads the size only.
    """
    if entry.problem:  # there may be no picture to look for
        return Look()
    try:
        if not decode:
            return Look(source.size(position))
        picture = source.picture(position)
    except DataError as error:
        return Look(problem=str(error))
    raw = picture.tobytes()
    pixels = len(raw)
    # np.bincount is quick, but takes eight times the picture's memory
    few = pixels < 2**20
    histogram = np.bincount(np.frombuffer(raw, np.uint8), minlength=256) if few else np.array(picture.histogram())
    sums = histogram.cumsum()
    dark, light = sums.searchsorted((pixels * 0.001, pixels * 0.999)).tolist()
    polarity = 0
    if light - dark >= CLEAR_RANGE:
        middle = (dark + light) // 2
        polarity = _polarity(raw, picture.width, middle, int(sums[middle]))
    frames = _frames(source, position, entry.picture)
    return Look(picture.size, pixel_hash(raw, picture.size), light - dark, polarity, frames)


def _polarity(raw: bytes, width: int, middle: int, dark: int) -> int:
    """Which side of the grey `middle` border and most of the picture lie on.

    Args:
        raw: grey pixels, row after row.
        width: of a row.
        middle: between the darkest and the lightest greys.
        dark: so many pixels are as dark as it or darker.
    """
    border = np.frombuffer(raw[:width] + raw[-width:] + raw[::width] + raw[width - 1 :: width], np.uint8)
    light_border = int(np.count_nonzero(border > middle))
    if light_border >= 0.6 * len(border) and dark <= 0.5 * len(raw):
        return 1
    return -1 if light_border <= 0.4 * len(border) and dark >= 0.5 * len(raw) else 0


def _frames(source: LineSource, position: int, name: str) -> int:
    """Pages or frames in the file, for kinds of files that can have several."""
    name = name.partition("#")[0].lower()
    return count_frames(source.content(position)) if name.endswith(_MOVING) else 1


def count_frames(content: Content) -> int:
    """Pages or frames of a picture as it is kept; 1 if that cannot be told."""
    if isinstance(content, Image.Image):
        return 1
    try:
        with Image.open(content if isinstance(content, Path) else io.BytesIO(content), formats=PICTURE_FORMATS) as one:
            return int(getattr(one, "n_frames", 1))
    except Exception:  # decoders raise many kinds; the first frame was readable
        return 1


def picture_faults(seen: Look, characters: int) -> list[tuple[str, str]]:
    """(kind, detail) of what is suspicious about a readable picture by itself.

    Args:
        seen: the look.
        characters: of its label.
    """
    width, height = seen.size
    described = f"{width} x {height} pixels"
    faults = []
    if seen.frames > 1:
        faults.append((kinds.FRAMES, f"{seen.frames} frames"))
    if height < TINY_HEIGHT or width < TINY_WIDTH:
        faults.append((kinds.TINY, described))
    if characters >= SEVERAL and height >= ON_ITS_SIDE * width:
        faults.append((kinds.ROTATED, f"{described}, {characters} characters"))
    elif width > WIDEST * height or height > HIGHEST * width:
        faults.append((kinds.ASPECT, described))
    if seen.range < BLANK_RANGE:
        faults.append((kinds.BLANK, f"{seen.range} grey levels between dark and light"))
    return faults
