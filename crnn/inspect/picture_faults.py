"""What looks wrong in a picture: one decoding, one histogram, its border."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from crnn.core.picture import PICTURE_FORMATS
from crnn.core.prepared import cropped
from crnn.core.transform import LineTransform
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
ENOUGH = 2048
"""Pixels from which greys are counted."""
_MASK = 2**64 - 1
_MOVING = (".tif", ".tiff", ".gif", ".webp")


class Look(NamedTuple):
    """What one look at a picture gave."""

    size: tuple[int, int] = (0, 0)
    """(width, height) in pixels, upright."""
    pixels: int = 0
    """64 bits of hash, the same within a process; 0 if it was not decoded."""
    range: int = 255
    """Grey levels between dark and light."""
    polarity: int = 0
    """1 for dark on light, -1 for light on dark, 0 where it cannot be told."""
    frames: int = 1
    problem: str | None = None
    """Why the picture cannot be read."""
    line: tuple[int, int] = (0, 0)
    """Size as it is trained on, which can be trimmed."""


def look(
    source: LineSource,
    position: int,
    entry: LineEntry,
    decode: bool = True,
    trimmed_for: LineTransform | None = None,
) -> Look:
    """Look at the picture of a line; never raises for a bad one.

    Args:
        source: the lines.
        position: of the line.
        entry: the line.
        decode: False reads the size only.
        trimmed_for: lines are trimmed for this one's network; None: they are not.
    """
    if entry.problem:  # there may be no picture to look for
        return Look()
    try:
        if not decode and trimmed_for is None:
            size = source.size(position)
            return Look(size, line=size)
        picture = source.picture(position)
    except DataError as error:
        return Look(problem=str(error))
    raw = picture.tobytes()
    some = np.frombuffer(raw, np.uint8)[:: _step(len(raw), picture.width)]
    sums = np.bincount(some, minlength=256).cumsum()
    dark, light = sums.searchsorted((len(some) * 0.001, len(some) * 0.999)).tolist()
    polarity = 0
    if light - dark >= CLEAR_RANGE:
        middle = (dark + light) // 2
        polarity = _polarity(raw, picture.width, middle, int(sums[middle]) / len(some))
    frames = _frames(source, position, entry.picture)
    size = cropped(picture, trimmed_for).size if trimmed_for else picture.size
    return Look(picture.size, hash((raw, picture.size)) & _MASK or 1, light - dark, polarity, frames, line=size)


def _step(pixels: int, width: int) -> int:
    """Every so many pixels one is looked at, in changing columns, so that it is about `ENOUGH`."""
    step = max(1, pixels // ENOUGH)
    return step + 1 if step > 1 and width % step == 0 else step


def _polarity(raw: bytes, width: int, middle: int, dark: float) -> int:
    """Which side of the grey `middle` the upper and lower border and most of the picture lie on.

    Args:
        raw: grey pixels, row after row.
        width: of a row.
        middle: between the darkest and the lightest greys.
        dark: share of pixels that are as dark as it or darker.
    """
    light_border = np.count_nonzero(np.frombuffer(raw[:width] + raw[-width:], np.uint8) > middle) / (2 * width)
    if light_border >= 0.6 and dark <= 0.4:
        return 1
    return -1 if light_border <= 0.4 and dark >= 0.6 else 0


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
    if seen.line != (0, 0):  # what paper makes of its shape says nothing
        width, height = seen.line
    if characters >= SEVERAL and height >= ON_ITS_SIDE * width:
        faults.append((kinds.ROTATED, f"{described}, {characters} characters"))
    elif width > WIDEST * height or height > HIGHEST * width:
        faults.append((kinds.ASPECT, described))
    if seen.range < BLANK_RANGE:
        faults.append((kinds.BLANK, f"{seen.range} grey levels between dark and light"))
    return faults
