"""Lines without the paper above and below them, where lines are cropped loosely. Runs without torch."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.prepared import cropped
from crnn.core.transform import LineTransform
from crnn.core.trim import line_rows
from crnn.data.sources.base import LineSource
from crnn.data.sources.views import Whole
from crnn.errors import DataError

SOME = 200
"""Lines that are looked at, spread over all."""
FEW = 0.1
"""Lines are closely cropped if trimming would cut paper off no more than this share of them."""


def loose_share(source: LineSource) -> float:
    """Share (0..1) of the lines that `crnn.core.trim` would cut paper off; of `SOME` of them."""
    places = np.unique(np.linspace(0, len(source) - 1, min(SOME, len(source))).astype(int))
    cut = 0
    for place in places.tolist():
        with suppress(DataError):  # said when all are looked at
            cut += line_rows(np.asarray(source.picture(place))) is not None
    return cut / max(1, len(places))


def is_loose(source: LineSource, transform: LineTransform) -> bool:
    """Whether training on the lines trims them unasked; where all are scaled to one width it does not."""
    return transform.width is None and loose_share(source) > FEW


def trimmed_sizes(sizes: NDArray[np.int32], heights: NDArray[np.int32], transform: LineTransform) -> NDArray[np.int32]:
    """(N, 2): sizes of lines as `crnn.core.prepared.cropped` makes them.

    Args:
        sizes: (N, 2) width and height of each picture, in pixels; 0 where it cannot be read.
        heights: (N,) of the rows that its line fills.
        transform: of the model.
    """
    lines = np.stack([sizes[:, 0], heights], axis=1)
    read = heights > 0
    fits = np.zeros(len(sizes), dtype=bool)
    fits[read] = transform.scaled_widths(lines[read]) <= transform.max_width
    return np.where(fits[:, None], lines, sizes)


def narrower(transform: LineTransform, max_width: int | None) -> LineTransform:
    """The transform, for lines of at most `max_width`, if that is less."""
    return transform if max_width is None else replace(transform, max_width=min(transform.max_width, max_width))


class Trimmed(Whole):
    """The lines of a source, trimmed as the model's readers do.

    Args:
        source: not endless.
        sizes: (N, 2) of the trimmed pictures, in pixels.
        transform: of the model; no line is trimmed that would be wider than it takes.
    """

    def __init__(self, source: LineSource, sizes: NDArray[np.int32], transform: LineTransform) -> None:
        super().__init__(source)
        self._sizes = sizes
        self._transform = transform

    def size(self, position: int) -> tuple[int, int]:
        width, height = self._sizes[position].tolist()
        return width, height

    def picture(self, position: int) -> Image.Image:
        return cropped(self.source.picture(position), self._transform)
