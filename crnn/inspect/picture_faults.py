"""What looks wrong in a picture: one decoding, one histogram, its border."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image

from crnn.core.image import PICTURE_FORMATS, PICTURE_SUFFIXES
from crnn.data.facts import pixel_hash
from crnn.data.sources.base import Content, LineSource
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
_STILL = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k"))


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


def look(source: LineSource, position: int, decode: bool = True) -> Look:
    """Look at the picture of a line; never raises for a bad one.

    Args:
        source: the lines.
        position: of the line.
        decode: False reads the size only.
    """
    entry = source.entry(position)
    if entry.problem:  # there may be no picture to look for
        return Look()
    try:
        if not decode:
            return Look(source.size(position))
        picture = source.picture(position)
    except DataError as error:
        return Look(problem=str(error))
    raw = picture.tobytes()
    dark, light = _ends(picture.histogram(), len(raw))
    grey = np.frombuffer(raw, dtype=np.uint8).reshape(picture.height, picture.width)
    polarity = _polarity(grey, dark, light) if light - dark >= CLEAR_RANGE else 0
    return Look(
        picture.size, pixel_hash(raw, picture.size), light - dark, polarity, _frames(source, position, entry.picture)
    )


def _ends(histogram: list[int], pixels: int) -> tuple[int, int]:
    """(dark, light): the greys beyond which a thousandth of the pixels lies on either side."""
    sums = np.cumsum(histogram)
    dark, light = np.searchsorted(sums, (pixels * 0.001, pixels * 0.999), side="right")
    return int(dark), min(255, int(light))


def _polarity(grey: np.ndarray, dark: int, light: int) -> int:
    """Which side of the middle border and most of the picture lie on."""
    middle = (dark + light) / 2
    border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    light_border = np.count_nonzero(border > middle) / len(border)
    light_share = np.count_nonzero(grey > middle) / grey.size
    if light_border >= 0.6 and light_share >= 0.5:
        return 1
    return -1 if light_border <= 0.4 and light_share <= 0.5 else 0


def _frames(source: LineSource, position: int, name: str) -> int:
    """Pages or frames in the file, for kinds of files that can have several."""
    suffix = PurePosixPath(name.partition("#")[0]).suffix.lower()
    if suffix in _STILL or suffix not in PICTURE_SUFFIXES:
        return 1
    return count_frames(source.content(position))


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
