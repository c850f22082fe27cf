"""Which lines of a training are trimmed, by how closely they are cropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crnn.core.transform import LineTransform
from crnn.data.crops import FEW, loose_share
from crnn.data.sources import LineSource


class Crops(NamedTuple):
    """What `choose_crops` chose."""

    trim: bool
    """Whether readers of the model trim lines before it reads them; validation does then, too."""
    training: list[bool]
    """Whether the lines of each training source are trimmed."""
    why: str
    """For people; empty if nothing is to be said."""


def choose_crops(setting: bool | None, transform: LineTransform, sources: Sequence[LineSource]) -> Crops:
    """Trim what is cropped loosely.

    A network reads letters of one size best, and loose crops make them small and of many sizes: so of such lines paper
    is cut off in training. A model of closely cropped ones reads loosely cropped ones badly, and loses nothing if
    readers cut paper off: from its own lines nothing is. Rendered lines stay as they are, cropped in all ways, few of
    each; a model of these alone reads them, and real ones, better trimmed.

    Args:
        setting: ``data.trim``; None: as the lines are cropped.
        transform: of the model; where all pictures are scaled to one width, nothing is cut off unasked.
        sources: of training lines that are not rendered.
    """
    training = [bool(setting)] * len(sources)
    if setting is not None or transform.width is not None:
        return Crops(bool(setting), training, "")
    shares = [loose_share(source) for source in sources]
    training = [share > FEW for share in shares]
    if not sources:
        return Crops(
            True, [], "lines come in all crops: readers of the model cut paper above and below off (data.trim)"
        )
    if not any(training):
        why = "lines are cropped closely: readers of the model cut paper above and below others off (data.trim)"
        return Crops(True, training, why)
    loose = ", ".join(
        f"{source.name}: {share:.0%}" for source, share in zip(sources, shares, strict=True) if share > FEW
    )
    return Crops(True, training, f"lines are cropped loosely ({loose}): paper above and below is cut off (data.trim)")
