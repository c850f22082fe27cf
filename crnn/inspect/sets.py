"""What shows only when all lines have been seen: duplicates, labels unlike their width, pictures of other polarity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from crnn.inspect import kinds

ENOUGH = 50
"""Fewer lines than this say nothing about what is usual."""
FACTOR, PER_CHARACTER = 2.0, 4.0
"""Characters per width have to be off by more than the first times ``1 + second / characters ** 1.5`` ..."""
SPREADS = 4.0
"""... and by more than so many standard deviations, as the median deviation tells them (1.4826 times it)."""
MINORITY = 0.05
"""A polarity that fewer lines than this share have is an exception."""


class SetFacts:
    """About 22 bytes per line of one source.

    Args:
        lines: how many there are.
    """

    def __init__(self, lines: int) -> None:
        self.pixels = np.zeros(lines, np.uint64)
        """(N,): hash of the pixels; 0 where a line cannot be used or was not decoded."""
        self.labels = np.zeros(lines, np.uint64)
        """(N,): hash of the label."""
        self.density = np.zeros(lines, np.float32)
        """(N,): characters per pixel of scaled width; 0 where a line cannot be used."""
        self.length = np.zeros(lines, np.uint8)
        """(N,): characters, 255 at most."""
        self.polarity = np.zeros(lines, np.int8)
        """(N,): see `Look`."""


def duplicates(pixels: NDArray[np.uint64], labels: NDArray[np.uint64]) -> Iterator[tuple[int, int, str]]:
    """(position, position of the earlier line, kind) of every line whose picture was there before.

    Args:
        pixels, labels: (N,), hashes; 0 among `pixels` is no picture.
    """
    known = np.flatnonzero(pixels)
    order = known[np.argsort(pixels[known], kind="stable")]
    again = np.flatnonzero(pixels[order[1:]] == pixels[order[:-1]]) + 1
    same: dict[tuple[int, int], int] = {}
    group = 0
    for place in again.tolist():
        if place - 1 != group or not same:  # the first of a run of equal pictures
            first = int(order[place - 1])
            same = {(int(pixels[first]), int(labels[first])): first}
        group = place
        position = int(order[place])
        key = (int(pixels[position]), int(labels[position]))
        if key in same:
            yield position, same[key], kinds.DUPLICATE
        else:
            yield position, next(iter(same.values())), kinds.CONFLICT
            same[key] = position


def common(train: NDArray[np.uint64], val: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """(position in `val`, position in `train`) of pictures on both sides; hashes, 0 is no picture."""
    order = np.argsort(train, kind="stable")
    ordered = train[order]
    places = np.searchsorted(ordered, val)
    for position in np.flatnonzero(val).tolist():
        place = int(places[position])
        if place < len(ordered) and ordered[place] == val[position]:
            yield position, int(order[place])


def unusual_lengths(density: NDArray[np.float32], length: NDArray[np.uint8]) -> Iterator[tuple[int, str, float]]:
    """(position, kind, times as dense as the median) of labels that do not suit the width of their pictures.

    Judged by the median and the median deviation of the logarithm, among lines of similar length: short words stand in
    wide margins and single characters differ in width, so each has its own measure.

    Args:
        density: (N,), 0 is no line.
        length: (N,), characters.
    """
    bands = np.digitize(length, (2, 3, 4, 6, 9, 14, 24, 40))
    for band in np.unique(bands):
        some = np.flatnonzero((density > 0) & (bands == band))
        if len(some) < ENOUGH:
            continue
        logs = np.log(density[some])
        middle = np.median(logs)
        deviations = logs - middle
        limits = np.log(FACTOR * (1 + PER_CHARACTER / length[some] ** 1.5))
        limits = np.maximum(limits, SPREADS * 1.4826 * np.median(np.abs(deviations)))
        for which in np.flatnonzero(np.abs(deviations) > limits).tolist():
            kind = kinds.LONG_LABEL if deviations[which] > 0 else kinds.SHORT_LABEL
            yield int(some[which]), kind, float(np.exp(deviations[which]))


def other_polarity(polarity: NDArray[np.int8]) -> tuple[NDArray[np.int64], str]:
    """Positions of pictures that are light on dark among dark on light, or the reverse; and how the set is.

    Where both are common neither is an exception and the positions are none.

    Args:
        polarity: (N,), see `Look`.
    """
    dark_on_light, light_on_dark = int((polarity == 1).sum()), int((polarity == -1).sum())
    usual = 1 if dark_on_light >= light_on_dark else -1
    few = min(dark_on_light, light_on_dark)
    if few > max(1.0, MINORITY * (dark_on_light + light_on_dark)):
        return np.zeros(0, np.int64), f"{dark_on_light:,} pictures are dark on light, {light_on_dark:,} light on dark"
    return np.flatnonzero(polarity == -usual), "dark on light" if usual == 1 else "light on dark"
