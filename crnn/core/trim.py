"""Loosely cropped lines: which part of a picture its line fills.

A network reads writing of the size that it has learnt from, and paper above and below a line makes it small. Much paper
at its sides makes every reading unsure, as each column of it may be writing after all. What is writing is told by how
much neighbouring pixels of a row differ: paper is even, however it is shaded.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VERSION = 3
"""Of what is found; one more with each change of it: what was found in pictures is kept."""
ROWS = 96
"""A higher picture is looked at in so many rows."""
LEAST_ROWS = 12
"""A lower one is left as it is."""
INK = 0.1
"""A row has writing if it differs by more than this share of what lies between quiet and busy rows."""
NOISE, MOST_NOISE = 5.0, 0.3
"""Rows of noisy paper differ by so many of its means over the root of its columns; more than this share is no noise."""
PIECE, GAP = 0.5, 0.2
"""What has at most so many heights of the line, at most so many heights above or below it, belongs to it: accents."""
STRONG, REACH = 0.5, 0.6
"""Strokes of at least this share of the line's strength, no farther from it than so many of its heights, belong to it:
an accent or ascender of one letter, by which a row as a whole hardly differs."""
RIVAL = 0.8
"""Where something else has more than this share of the line's differences, there may be two lines."""
QUIET = 0.02
"""Of a line at the picture's edge, all that is cut off has at most this share of its differences."""
MARGIN = 0.15
"""Heights of the line that stay above and below it."""
MOST, MOST_AT_EDGE = 0.8, 0.6
"""Shares of the picture's height; nothing is cut off where more than that is to stay."""
APART = 0.55
"""From edge to edge of the strokes in a row it is at most so many heights of the line. Letters have less than 0.5, wide
bold ones too; dots in a row 0.65 and more, dashes 1.5 and more: marks that say nothing of the size of the writing."""
WIDE, KEPT = 2, 1
"""Heights of the picture: more paper than that at a side is cut off; that much of it stays."""
PAPER, EVEN, FAINT = 0.2, 1.4, 0.1
"""A side is paper if no column of its first height differs by more than this share of the strongest writing, and one in
ten at most by more than so many times what the middle one does, as fading writing would. What differs by so much more
is writing."""
LEAST_CHANGE, LEAST_STROKE = 1.0, 8.0
"""Grey values: less than that is even paper; less than that from column to column is no stroke."""


class Box(NamedTuple):
    """A part of a picture, in pixels, as Pillow crops it: the last column and row are those behind it."""

    left: int
    top: int
    right: int
    bottom: int


def line_box(grey: NDArray[np.uint8]) -> Box | None:
    """The line in a picture, with a margin; None to leave the picture as it is.

    Args:
        grey: (H, W).
    """
    height, width = grey.shape
    if height < LEAST_ROWS or width < 2:
        return None
    seen = grey
    if height > ROWS:
        size = (max(2, round(width * ROWS / height)), ROWS)
        seen = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))
    pixels = seen.astype(np.float32)
    slopes = pixels[:, 1:] - pixels[:, :-1]
    steps = np.abs(slopes)
    first, last = _columns(steps)
    rows = _rows(steps[:, first:last], slopes[:, first:last])
    if rows is None and last - first == steps.shape[1]:
        return None
    across, down = width / seen.shape[1], height / len(seen)
    top, bottom = rows or (0, len(seen))
    right = width if last == steps.shape[1] else math.ceil(last * across)
    return Box(int(first * across), int(top * down), right, min(height, math.ceil(bottom * down)))


def _columns(steps: NDArray[np.float32]) -> tuple[int, int]:
    """(first column, column behind the last one) without wide paper at the sides; all where there is none."""
    height, width = len(steps), steps.shape[1]
    wide = WIDE * height
    if width < 2 * wide:
        return 0, width
    strongest = float(steps.max())
    if min(float(steps[:, :wide].max()), float(steps[:, -wide:].max())) > 0.5 * strongest:
        return 0, width  # most lines: there is writing at both sides
    columns = steps.max(0)
    strongest = float(np.sort(columns)[-max(1, height // 4)])  # but for a few: dust
    return _paper(columns, height, strongest), width - _paper(columns[::-1], height, strongest)


def _paper(columns: NDArray[np.float32], height: int, strongest: float) -> int:
    """How many columns from the first one on are paper that is not needed."""
    most = float(columns[:height].max())
    middle, upper = _quantiles(columns[:height], 0.5, 0.9)
    if most > PAPER * strongest or upper > EVEN * middle + LEAST_STROKE / 2:
        return 0
    writing = np.flatnonzero(columns > most + max(FAINT * (strongest - most), LEAST_STROKE))
    paper = int(writing[0]) if len(writing) else 0
    return paper - KEPT * height if paper > WIDE * height else 0


def _rows(steps: NDArray[np.float32], slopes: NDArray[np.float32]) -> tuple[float, float] | None:
    """(first row, row behind the last one) of a line, with a margin; None to leave them as they are.

    None, too, of what may be several lines, of what lies at the picture's edge and may be part of something larger, and
    of a colon, dashes or dots by themselves, which say nothing of the size of the writing: a line that is no wider than
    high, or whose strokes are as wide and as far apart as it is high.

    Args:
        steps: (H, W - 1) how much neighbouring pixels differ.
        slopes: the same, below 0 where it becomes darker.
    """
    change = steps.mean(1)
    quiet, busy = _quantiles(change, 0.1, 0.95)
    if busy - quiet < LEAST_CHANGE:
        return None
    change = np.maximum(change - quiet, 0)
    least = INK * (busy - quiet)
    if steps.shape[1] > 2 * len(steps):  # in fewer columns a quiet row may well be one of writing
        least = max(least, min(NOISE * quiet / math.sqrt(steps.shape[1]), MOST_NOISE * (busy - quiet)))
    pieces = _runs(change > least)
    first, last = max(pieces, key=lambda piece: change[slice(*piece)].sum())
    if _stays(first, last, len(change)) > MOST:  # as of most lines; what belongs to it makes it no lower
        return None
    pieces.remove((first, last))
    first, last = _with_accents(first, last, pieces)
    first, last = _with_single_strokes(steps, first, last)
    line, others = float(change[first:last].sum()), [float(change[slice(*piece)].sum()) for piece in pieces]
    if max(others, default=0) > RIVAL * line:
        return None
    if _extent(steps[first:last]) < last - first or _apart(slopes[first:last]) > APART * (last - first):
        return None
    margin = MARGIN * (last - first)
    at_edge = first < 2 * margin or last > len(change) - 2 * margin
    if at_edge and sum(others) > QUIET * line:
        return None
    if _stays(first, last, len(change)) > (MOST_AT_EDGE if at_edge else MOST):
        return None
    return max(0.0, first - margin), min(float(len(change)), last + margin)


def _stays(first: int, last: int, rows: int) -> float:
    """Share of the rows that the line and its margins take."""
    margin = MARGIN * (last - first)
    return (min(float(rows), last + margin) - max(0.0, first - margin)) / rows


def _quantiles(values: NDArray[np.float32], *shares: float) -> list[float]:
    """As `numpy.quantile` has them, in a tenth of its time."""
    ordered = np.sort(values)
    found = []
    for share in shares:
        place = share * (len(ordered) - 1)
        below = int(place)
        low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
        found.append(low + (high - low) * (place - below))
    return found


def _runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, behind the last) of each run of True."""
    edges = np.flatnonzero(np.diff(on, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _with_accents(first: int, last: int, pieces: list[tuple[int, int]]) -> tuple[int, int]:
    """The line with the pieces that belong to it, which are taken out of the list."""
    core = last - first
    near = True
    while near:
        near = False
        for piece in list(pieces):
            away = max(piece[0] - last, first - piece[1])
            if away <= GAP * core and piece[1] - piece[0] <= PIECE * core:
                first, last = min(first, piece[0]), max(last, piece[1])
                pieces.remove(piece)
                near = True
    return first, last


def _with_single_strokes(steps: NDArray[np.float32], first: int, last: int) -> tuple[int, int]:
    """The line with what a few letters alone reach, which differs little as a row: the only b, g or Ä of a line."""
    stroke = steps.max(1)
    paper = _quantiles(stroke, 0.1)[0]
    strong = stroke > paper + STRONG * (float(np.median(stroke[first:last])) - paper)
    step, reach = max(1, round(GAP * (last - first))), round(REACH * (last - first))
    above, below = strong[max(0, first - reach) : first][::-1], strong[last : last + reach]
    return first - _reached(above, step), last + _reached(below, step)


def _reached(strong: NDArray[np.bool_], step: int) -> int:
    """How far the rows go on, from the nearest, with no more than `step` rows without a stroke between two."""
    far = 0
    for place in np.flatnonzero(strong).tolist():
        if place - far > step:
            break
        far = place + 1
    return far


def _extent(steps: NDArray[np.float32]) -> int:
    """Columns from the first to the last stroke."""
    stroke = steps.max(0)
    low, high = _quantiles(stroke, 0.05, 0.95)
    found = np.flatnonzero(stroke > max(0.75 * low + 0.25 * high, LEAST_STROKE))
    return int(found[-1] - found[0] + 1) if len(found) else 0


def _apart(slopes: NDArray[np.float32]) -> float:
    """Columns from each edge of a stroke to the next in its row, the median; endless where no row has two."""
    least = STRONG * float(np.median(np.abs(slopes).max(1)))
    edges = np.sign(slopes) * (np.abs(slopes) > least)
    before = np.pad(edges, ((0, 0), (1, 0)))[:, :-1]
    row, column = np.nonzero((edges != 0) & (edges != before))  # an edge may be several columns wide
    apart = np.diff(column)[np.diff(row) == 0]
    return float(np.median(apart)) if len(apart) else math.inf


def trimmed(picture: Image.Image) -> Image.Image:
    """A grey picture without the paper around its line, as far as `line_box` finds one."""
    box = line_box(np.asarray(picture))
    return picture if box is None else picture.crop(box)
