"""What a decoder takes and gives."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Decoded(NamedTuple):
    """One line, decoded. All lists have one item per symbol."""

    labels: list[int]
    """Classes, blanks and repeats collapsed."""
    spans: list[tuple[int, int]]
    """First time step of the symbol, and the one after its last."""
    confidences: list[float]
    """0..1, of each symbol."""
    confidence: float
    """0..1, of the whole line."""


class Decoder(Protocol):
    """From log-probabilities to symbols; a decoder has no memory of earlier batches."""

    def __call__(self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64]) -> list[Decoded]:
        """Decode a batch.

        Args:
            log_probs: (T, B, C), log-softmax over C, class 0 the blank.
            lengths: (B,) true time steps of each line; what lies beyond is never looked at.
        """
        ...
