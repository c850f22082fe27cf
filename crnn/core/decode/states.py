"""The states of a text's paths in CTC: each symbol with a blank before it, and one behind the last.

Graves et al., "Connectionist Temporal Classification", ICML 2006, section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import BLANK


class States(NamedTuple):
    """Of B texts; S states, as many as the longest text has."""

    sizes: NDArray[np.int64]
    """(B,) symbols of each text."""
    classes: NDArray[np.int64]
    """(B, S) blank, a, blank, b, blank ...; blanks behind the end of a shorter text."""
    skippable: NDArray[np.bool_]
    """(B, S) where the blank before a symbol may be left out: the symbol before is another one."""


def states_of(texts: Sequence[Sequence[int]]) -> States:
    """The states of texts, each a sequence of classes without blanks."""
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    classes = np.full((len(texts), 2 * int(sizes.max(initial=0)) + 1), BLANK, dtype=np.int64)
    for row, text in zip(classes, texts, strict=True):
        row[1 : 2 * len(text) : 2] = text
    skippable = np.zeros(classes.shape, dtype=np.bool_)
    skippable[:, 3::2] = classes[:, 3::2] != classes[:, 1:-2:2]
    return States(sizes, classes, skippable)
