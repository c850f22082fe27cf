"""The outline of a line of which only the baseline is known: a band along it, as high as the lines are apart."""

from __future__ import annotations

import math

import numpy as np

from crnn.data.sources.outlines import Points, angle_of

ABOVE, BELOW = 0.75, 0.25
"""Shares of the distance between lines that a band reaches above and below its baseline."""
_NEAR = 50
"""Neighbours are looked for among that many lines before and after, as they stand in the file."""
_BY_CHARACTER = 2.4
"""Lines are about this many mean character widths apart; for a page with a single line."""


def bands(baselines: list[Points | None], lengths: list[int], page_height: float) -> list[Points | None]:
    """An outline for each baseline; None for those that are None or shorter than a pixel.

    The height is the distance to the nearest line above or below that stands beside it, within half and one and a half
    of the median of these distances on the page. A line alone is taken to be as high as 2.4 times its mean character
    is wide.

    Args:
        baselines: of all lines of a page, each (N, 2) in pixels.
        lengths: characters of each line.
        page_height: in pixels.
    """
    usable = [b if b is not None and len(b) > 1 and math.dist(b[0], b[-1]) >= 1 else None for b in baselines]
    centres = np.array([(b[0] + b[-1]) / 2 if b is not None else (np.nan, np.nan) for b in usable]).reshape(-1, 2)
    apart = np.array([_distance(i, usable, centres) for i in range(len(usable))])
    usual = float(np.median(apart[np.isfinite(apart)])) if np.isfinite(apart).any() else math.nan
    found: list[Points | None] = []
    for baseline, distance, length in zip(usable, apart, lengths, strict=True):
        if baseline is None:
            found.append(None)
            continue
        if math.isnan(usual):
            height = math.dist(baseline[0], baseline[-1]) / max(length, 1) * _BY_CHARACTER
            height = min(max(height, 8.0), page_height / 4)
        else:
            height = min(max(distance, usual / 2), usual * 1.5) if math.isfinite(distance) else usual
        found.append(_band(baseline, height))
    return found


def _distance(position: int, baselines: list[Points | None], centres: Points) -> float:
    """From one baseline to the nearest one above or below it, in pixels; infinite if there is none."""
    baseline = baselines[position]
    if baseline is None:
        return math.inf
    angle = math.radians(angle_of(baseline))
    along, down = np.array((math.cos(angle), math.sin(angle))), np.array((-math.sin(angle), math.cos(angle)))
    start = max(position - _NEAR, 0)
    offsets = np.delete(centres[start : position + _NEAR + 1], position - start, 0) - centres[position]
    sideways, apart = np.abs(offsets @ along), np.abs(offsets @ down)
    beside = (sideways <= math.dist(baseline[0], baseline[-1]) / 2) & (apart >= 4)
    return float(apart[beside].min()) if beside.any() else math.inf


def _band(baseline: Points, height: float) -> Points:
    if baseline[-1] @ _along(baseline) < baseline[0] @ _along(baseline):  # right to left
        baseline = baseline[::-1]
    along = _along(baseline)
    down = np.array((-along[1], along[0]))
    longer = baseline.copy()  # letters reach beyond the ends
    longer[0] -= along * height * 0.15
    longer[-1] += along * height * 0.15
    return np.concatenate([longer - down * height * ABOVE, (longer + down * height * BELOW)[::-1]])


def _along(baseline: Points) -> Points:
    angle = math.radians(angle_of(baseline))
    return np.array((math.cos(angle), math.sin(angle)))
