"""Where a line lies on its page: outlines, baselines, and the upright picture cut from within.

Coordinates are pixels of the upright page, x to the right and y down, counted from the corner of the first pixel: an
outline from 0 to 50 holds 50 pixels, as the boxes of ALTO do. Runs on numpy and Pillow alone.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

MAX_POINTS = 10_000
"""Most points of one outline or baseline."""
MAX_COORDINATE = 1_000_000
LEVEL = 5.0
"""A baseline within this many degrees of level (or of upright) is not turned by less than a quarter."""
_BLOCK = 64
"""The paper around a line is looked at in pieces this many pixels wide."""

Points = NDArray[np.float64]
"""(N, 2): x and y."""


class UnusableOutlineError(ValueError):
    """Says what is wrong with an outline."""


def read_points(text: str) -> Points:
    """(N, 2) of ``x,y x,y`` or ``x y x y``; (0, 2) for an empty text.

    Raises:
        UnusableOutlineError: for anything else.
    """
    parts = text.replace(",", " ").replace("(", " ").replace(")", " ").split()
    if len(parts) > 2 * MAX_POINTS:
        raise UnusableOutlineError(f"has {len(parts) // 2:,} points; at most {MAX_POINTS:,} are read")
    try:
        numbers = np.array([float(part) for part in parts])
    except ValueError:
        numbers = np.array([np.nan])
    if len(numbers) % 2 or not (np.abs(numbers) <= MAX_COORDINATE).all():
        raise UnusableOutlineError(f"has coordinates that are not pairs of numbers ({_short(text)!r}); x,y x,y ...")
    return numbers.reshape(-1, 2)


def _short(text: str) -> str:
    return " ".join(text.split())[:40]


def box(left: float, top: float, width: float, height: float) -> Points:
    """(4, 2): the corners of a box."""
    right, bottom = left + width, top + height
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float64)


def angle_of(baseline: Points | None) -> float:
    """Direction of a line in degrees, from its baseline's first point to its last: 0 to the right, 90 down, -90 up.

    A baseline from right to left is that of a right-to-left script, not of a line upside down: it counts as its
    reverse.
    """
    if baseline is None or len(baseline) < 2:
        return 0.0
    dx, dy = baseline[-1] - baseline[0]
    angle = math.degrees(math.atan2(dy, dx))
    return angle - math.copysign(180, angle) if abs(angle) > 135 else angle


def turns_of(angle: float) -> tuple[int, float]:
    """(quarter turns, degrees beyond them, or 0 if these are too few to matter)."""
    quarters = round(angle / 90)
    rest = angle - 90 * quarters
    return quarters, rest if abs(rest) > LEVEL else 0.0


def is_area(outline: Points) -> bool:
    """Whether an outline encloses anything, at least a pixel wide and high."""
    if len(outline) < 3 or np.ptp(outline, axis=0).min() < 1:
        return False
    return _spans_area(outline[1:] - outline[0])


def clipped(outline: Points, width: int, height: int) -> Points:
    """The part of an outline that lies on a page of `width` x `height`, to a tenth of a pixel.

    Raises:
        UnusableOutlineError: if it is no area, or nothing of it lies on the page.
    """
    if len(outline) < 3:
        raise UnusableOutlineError(f"has an outline of {len(outline)} points; three or more make an area")
    if not is_area(outline):
        raise UnusableOutlineError("has an outline without area; draw it around the line")
    for axis, limit, sign in ((0, 0.0, 1), (0, width, -1), (1, 0.0, 1), (1, height, -1)):
        outline = _half_plane(outline, axis, limit, sign)
    outline = np.round(outline, 1)
    if len(outline) < 3 or np.ptp(outline, axis=0).min() < 1:
        raise UnusableOutlineError(f"lies outside its page of {width} x {height} pixels")
    return outline


def _spans_area(spokes: Points) -> bool:
    longest = spokes[np.argmax((spokes**2).sum(1))]
    across = np.abs(spokes[:, 0] * longest[1] - spokes[:, 1] * longest[0]) / max(math.hypot(*longest), 1e-9)
    return bool(across.max() >= 0.5)


def _half_plane(points: Points, axis: int, limit: float, sign: int) -> Points:
    """The part of a polygon where ``sign * (coordinate - limit) >= 0`` (Sutherland and Hodgman)."""
    distance = sign * (points[:, axis] - limit)
    if len(points) == 0 or distance.min() >= 0:
        return points
    kept: list[Points] = []
    for i in range(len(points)):
        before, here = distance[i - 1], distance[i]
        if (before < 0) != (here < 0):
            crossing: Points = points[i - 1] + (points[i] - points[i - 1]) * (before / (before - here))
            crossing[axis] = limit
            kept.append(crossing)
        if here >= 0:
            kept.append(points[i])
    return np.array(kept).reshape(-1, 2)


def _axes(angle: float) -> NDArray[np.float64]:
    """(2, 2): unit vectors along the line and down from it, as columns."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return np.array([(cos, -sin), (sin, cos)])


def _frame(points: Points) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the pixels that an outline touches."""
    left, top = np.floor(points.min(0)).astype(int).tolist()
    right, bottom = np.ceil(points.max(0)).astype(int).tolist()
    return left, top, right, bottom


def cut_size(outline: Points, angle: float) -> tuple[int, int]:
    """(width, height) of what `cut` gives."""
    quarters, rest = turns_of(angle)
    left, top, right, bottom = _frame(np.round(outline @ _axes(angle), 1) if rest else outline)
    width, height = right - left, bottom - top
    return (height, width) if quarters % 2 and not rest else (width, height)


def stretch_of(outline: Points, angle: float, start: float, end: float) -> Points:
    """(N, 2): the part of an outline that `cut` shows from column `start` to column `end`; (0, 2) if there is none."""
    quarters, rest = turns_of(angle)
    axes = _axes(angle if rest else 90.0 * quarters)
    level = np.round(outline @ axes, 1)
    left = math.floor(level[:, 0].min())
    for column, sign in ((start, 1), (end, -1)):
        level = _half_plane(level, 0, left + column, sign)
    return np.round(level @ axes.T, 1)


def cut(page: NDArray[np.uint8], outline: Points, angle: float) -> Image.Image:
    """The line within an outline, level and grey; what lies around the outline is painted like its paper.

    Args:
        page: (H, W) grey.
        outline: on the page (see `clipped`).
        angle: of the baseline, in degrees. Within 5 degrees of a quarter turn, pixels are only moved, not resampled.
    """
    quarters, rest = turns_of(angle)
    if not rest:
        left, top, right, bottom = _frame(outline)
        pixels = _paint_around(page[top:bottom, left:right], outline - (left, top))
        return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, quarters)))
    axes = _axes(angle)
    level = np.round(outline @ axes, 1)
    left, top, right, bottom = _frame(level)
    corners = box(left, top, right - left, bottom - top) @ axes.T
    x0, y0, x1, y1 = _frame(corners)
    x0, y0 = max(x0 - 2, 0), max(y0 - 2, 0)
    source = page[y0 : max(y1 + 2, 1), x0 : max(x1 + 2, 1)]
    (ax, bx), (ay, by) = axes
    start = axes @ (left, top) - (x0, y0)
    line = Image.fromarray(np.ascontiguousarray(source)).transform(
        (right - left, bottom - top),
        Image.Transform.AFFINE,
        (ax, bx, start[0], ay, by, start[1]),
        Image.Resampling.BILINEAR,
        fillcolor=int(np.median(source)),
    )
    return Image.fromarray(_paint_around(np.asarray(line), level - (left, top)))


def _paint_around(line: NDArray[np.uint8], outline: Points) -> NDArray[np.uint8]:
    """`line` (H, W) with everything outside the outline replaced by the paper along it: the median grey of a rim three
    pixels wide just inside the outline, taken in pieces along the line and blended between them, so that neither
    shadows of the page nor dark paper leave an edge."""
    height, width = line.shape
    corners = [(x, y) for x, y in np.minimum(np.floor(outline), (width - 1, height - 1)).tolist()]
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon(corners, fill=1, outline=1)
    inside = np.asarray(mask).astype(bool)
    if inside.all():
        return line
    rim = Image.new("L", (width, height))
    ImageDraw.Draw(rim).line([*corners, corners[0]], fill=1, width=5)
    columns, rows = np.nonzero((np.asarray(rim).astype(bool) & inside).T)  # by column
    pieces = np.split(line[rows, columns], np.searchsorted(columns, np.arange(_BLOCK, width, _BLOCK)))
    found = [(i * _BLOCK + _BLOCK / 2, _middle(piece)) for i, piece in enumerate(pieces) if len(piece)]
    centres, greys = zip(*found, strict=True)
    paper = np.rint(np.interp(np.arange(width) + 0.5, centres, greys)).astype(np.uint8)  # (W,)
    return np.where(inside, line, paper[None, :])


def _middle(values: NDArray[np.uint8]) -> int:
    """The median, quickly."""
    half = len(values) // 2
    return int(np.partition(values, half)[half])
