"""Greedy (best path) decoding: the likeliest class of each time step, repeats merged, blanks dropped.

Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.2; the probability of the text section 4.1.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import BLANK
from crnn.core.decode.base import Decoded
from crnn.core.decode.probability import text_log_probability

Path = tuple[list[int], list[tuple[int, int]], list[float]]
"""Classes of a line, the span of each, and its highest probability there."""


def run_starts(paths: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(B, T): where a run of one class begins in `paths` (B, T); nothing beyond the true `lengths` (B,) counts."""
    first: NDArray[np.bool_] = np.arange(paths.shape[1]) < lengths[:, None]
    first[:, 1:] &= paths[:, 1:] != paths[:, :-1]
    return first


def best_paths(log_probs: NDArray[np.float32], lengths: NDArray[np.int64]) -> list[Path]:
    """The likeliest class of each time step, repeats merged and blanks dropped, of each line.

    Args:
        log_probs: (T, B, C), what lies beyond a line's length is never looked at.
        lengths: (B,) true time steps.
    """
    steps, lines = log_probs.shape[:2]
    best = log_probs.argmax(axis=2)  # (T, B)
    score = np.take_along_axis(log_probs, best[:, :, None], axis=2)[:, :, 0].T.astype(np.float64)  # (B, T)
    best = np.ascontiguousarray(best.T)  # (B, T)
    real = np.arange(steps) < lengths[:, None]  # (B, T)
    rows, starts = np.nonzero(run_starts(best, lengths))  # in order of lines, then of time
    ends = np.append(starts[1:], 0)
    last = np.append(rows[1:] != rows[:-1], True)[: len(rows)]  # runs that end with their line
    ends = np.where(last, lengths[rows], ends[: len(rows)])
    score[~real] = -np.inf
    peaks = np.exp(np.maximum.reduceat(score.ravel(), rows * steps + starts)) if len(rows) else np.zeros(0)
    classes = best[rows, starts]
    kept = classes != BLANK
    bounds = np.concatenate(([0], np.cumsum(np.bincount(rows[kept], minlength=lines)))).tolist()
    labels, sure = classes[kept].tolist(), peaks[kept].clip(max=1.0).tolist()
    spans = list(zip(starts[kept].tolist(), ends[kept].tolist(), strict=True))
    return [(labels[low:high], spans[low:high], sure[low:high]) for low, high in pairwise(bounds)]


class GreedyDecoder:
    """The best path of each line.

    A symbol's span is the run of time steps in which it is the likeliest class, its confidence the highest
    probability within that run. The line's confidence is the probability of its text: the sum over all paths that
    collapse to it. (That of the best path alone falls with every time step: long lines would look doubtful.)
    """

    def __call__(self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64]) -> list[Decoded]:
        paths = best_paths(log_probs, lengths)
        whole = np.exp(text_log_probability(log_probs, lengths, [labels for labels, _, _ in paths])).clip(max=1.0)
        return [Decoded(*path, confidence) for path, confidence in zip(paths, whole.tolist(), strict=True)]
