"""Lines without the paper around them, where lines are cropped loosely. Runs without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.prepared import cropped
from crnn.core.transform import LineTransform
from crnn.core.trim import line_box
from crnn.data.progress import Watch, unwatched
from crnn.data.sources.base import LineSource
from crnn.data.sources.views import Whole
from crnn.errors import DataError

SOME = 200
"""Lines that are looked at, spread over all."""
FEW = 0.1
"""Lines are closely cropped if trimming would cut paper off no more than this share of them."""


def loose_share(source: LineSource, watch: Watch = unwatched) -> float:
    """Share (0..1) of the lines that `crnn.core.trim` would cut paper off; of `SOME` of them."""
    places = np.unique(np.linspace(0, len(source) - 1, min(SOME, len(source))).astype(int))
    cut = 0
    for place in watch(places.tolist(), len(places), "looking at crops"):
        with suppress(DataError):  # said when all are looked at
            cut += line_box(np.asarray(source.picture(place))) is not None
    return cut / max(1, len(places))


@dataclass(frozen=True)
class Crops:
    """What `choose_crops` chose."""

    readers: bool
    """Whether readers of the model trim lines before it reads them."""
    validation: bool
    """Whether validation lines are trimmed, too, as they should be."""
    training: list[bool]
    """Whether the lines of each training source that is not rendered are."""
    why: str = ""
    """For people; empty if nothing is to be said."""

    def record(self) -> dict[str, Any]:
        """For data.json."""
        return {key: value for key, value in asdict(self).items() if key != "why"}


def choose_crops(
    sources: Sequence[LineSource],
    transform: LineTransform,
    asked: bool | None = None,
    decode: bool = True,
    shares: Callable[[], Sequence[float]] | None = None,
) -> Crops:
    """Trim what is cropped loosely.

    A network reads letters of one size best, and loose crops make them small and of many sizes: so of such lines paper
    is cut off in training. A model of closely cropped ones reads loosely cropped ones badly, and loses nothing if
    readers cut paper off: from its own lines nothing is. Rendered lines stay as they are, cropped in all ways, few of
    each; a model of these alone reads them, and real ones, better trimmed. Validation lines are those that readers see,
    but where closely cropped pictures are not to be decoded before the first step.

    Args:
        sources: of training lines that are not rendered.
        transform: of the model; where all pictures are scaled to one width, nothing is cut off unasked.
        asked: ``data.trim``; None is as the lines are cropped.
        decode: ``data.decode_check``.
        shares: in place of `loose_share` of each source; asked for where it decides.
    """
    if asked is not None or transform.width is not None:
        return Crops(bool(asked), bool(asked), [bool(asked)] * len(sources))
    found = shares() if shares else [loose_share(source) for source in sources]
    training = [share > FEW for share in found]
    if not sources:
        why = "lines come in all crops: readers of the model cut paper around lines off (data.trim)"
    elif not any(training):
        why = "lines are cropped closely: readers of the model cut paper around others off (data.trim)"
    else:
        named = ", ".join(f"{s.name}: {share:.0%}" for s, share in zip(sources, found, strict=True) if share > FEW)
        why = f"lines are cropped loosely ({named}): paper around lines is cut off (data.trim)"
    return Crops(True, decode or not sources or any(training), training, why)


def trimmed_sizes(sizes: NDArray[np.int32], lines: NDArray[np.int32], transform: LineTransform) -> NDArray[np.int32]:
    """(N, 2): sizes of lines as `crnn.core.prepared.cropped` makes them.

    Args:
        sizes: (N, 2) width and height of each picture, in pixels; 0 where it cannot be read.
        lines: (N, 2) of what its line fills; 0 where it was not looked for.
        transform: of the model.
    """
    read = lines[:, 1] > 0
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
