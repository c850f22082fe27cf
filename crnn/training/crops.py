"""How closely a training's lines are cropped, and what follows for those that its model will be given."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from crnn.core.transform import LineTransform
from crnn.core.trim import line_rows
from crnn.data.sources import LineSource
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
        with suppress(DataError):  # said when it is trained on
            cut += line_rows(np.asarray(source.picture(place))) is not None
    return cut / max(1, len(places))


def choose_trim(setting: bool | None, transform: LineTransform, rendered: bool, source: LineSource) -> tuple[bool, str]:
    """(whether readers trim lines before the model reads them, what to say of it).

    A model that has seen closely cropped lines alone reads loosely cropped ones badly, and loses nothing if paper is
    cut off: from its own lines nothing is. One that has learnt from loosely cropped lines reads them as they are.
    Rendered lines are cropped in all ways, few of each, and a model of these alone reads them, and real ones, better
    trimmed.

    Args:
        setting: ``export.trim``; None: as the lines are cropped.
        transform: of the model; where all pictures are scaled to one width, nothing is cut off unasked.
        rendered: whether all lines to train on are.
        source: validation lines.
    """
    if setting is not None:
        return setting, ""
    if transform.width is not None or not (rendered or loose_share(source) <= FEW):
        return False, ""
    how = "come in all crops" if rendered else "are cropped closely"
    return True, f"lines {how}: readers of the model cut paper above and below them off (export.trim)"
