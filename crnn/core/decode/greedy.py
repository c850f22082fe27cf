"""Greedy (best path) decoding: the likeliest class of each time step, repeats merged, blanks dropped.

Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import BLANK
from crnn.core.decode.base import Decoded


class GreedyDecoder:
    """The best path of each line.

    A symbol's span is the run of time steps in which it is the likeliest class, its confidence the highest
    probability within that run. The line's confidence is the probability of the best path, the product over all true
    time steps (blanks included): a lower bound on the probability of the text, so it falls with every doubt,
    one about a missing character too.
    """

    def __call__(self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64]) -> list[Decoded]:
        best = log_probs.argmax(axis=2)  # (T, B)
        score = np.take_along_axis(log_probs, best[:, :, None], axis=2)[:, :, 0]  # (T, B)
        return [
            _collapse(best[:length, line], score[:length, line].astype(np.float64))
            for line, length in enumerate(lengths.tolist())
        ]


def _collapse(best: NDArray[np.int64], score: NDArray[np.float64]) -> Decoded:
    """One line: `best` classes and their log-probabilities `score`, both (T,)."""
    if not len(best):
        return Decoded([], [], [], 1.0)
    starts = np.flatnonzero(np.concatenate(([True], best[1:] != best[:-1])))
    ends = np.append(starts[1:], len(best))
    peaks = np.exp(np.maximum.reduceat(score, starts))
    kept = best[starts] != BLANK
    return Decoded(
        labels=best[starts][kept].tolist(),
        spans=list(zip(starts[kept].tolist(), ends[kept].tolist(), strict=True)),
        confidences=np.minimum(peaks[kept], 1.0).tolist(),
        confidence=float(min(np.exp(score.sum()), 1.0)),
    )
