"""In which order the units of a layer are shown: by what their short memory h follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import BLANK
from crnn.explain.gates import Walk
from crnn.explain.line import LineTrace

ORDERS = {
    "character": "correlation of h with columns that name a character",
    "space": "correlation of h with columns that name a space",
    "peak": "the column where |h| is largest",
    "stored": "their place in the weights",
}
"""Name -> what units are sorted by. (Columns that name neither are blanks: the other end of `character`.)"""


def events(line: LineTrace) -> dict[str, NDArray[np.bool_]]:
    """(T,) each: where the best path names a character, where a space; only what happens in this line."""
    path = np.array(line.path)
    is_space = path == line.space if line.space is not None else np.zeros(len(path), bool)
    found = {"character": (path != BLANK) & ~is_space, "space": is_space}
    return {name: where for name, where in found.items() if where.any() and not where.all()}


def correlation(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(units,) Pearson's correlation of each unit's values (T, units) with 1 where the event is, 0 elsewhere.

    0 for a unit that never changes.
    """
    event = where - where.mean()
    centred = values - values.mean(0)
    scale = np.sqrt((centred**2).sum(0) * (event**2).sum())
    return np.divide(event @ centred, scale, out=np.zeros(values.shape[1]), where=scale > 1e-12)


def orders(walk: Walk, found: dict[str, NDArray[np.bool_]]) -> dict[str, list[int]]:
    """Name in `ORDERS` -> units in that order, the highest correlation first; ties as stored."""
    h = walk.h.double().numpy()  # (T, units)
    sorted_by = {"peak": np.abs(h).argmax(0), **{name: -correlation(h, where) for name, where in found.items()}}
    sorted_by["stored"] = np.arange(h.shape[1])
    return {name: np.argsort(sorted_by[name], kind="stable").tolist() for name in ORDERS if name in sorted_by}


def telling_unit(walk: Walk, found: dict[str, NDArray[np.bool_]]) -> int:
    """The unit whose forget gate closes most clearly where characters are named; the first if nothing is."""
    if "character" not in found:
        return 0
    return int(correlation(walk.f.double().numpy(), found["character"]).argmin())
