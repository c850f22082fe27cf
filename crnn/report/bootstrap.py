"""How far figures could have come out otherwise: bootstrap intervals over lines, and tests of differences.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals) and 15 (permutation
tests); for error rates of recognisers Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
evaluation", ICASSP 2004, who draw lines and divide sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
SHUFFLES = 9999
AT_ONCE = 2_000_000
"""Numbers drawn at once; bounds the memory."""
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """Both ends of a 95 % interval."""

    low: float
    high: float


def resampled_sums(values: NDArray[np.float64], seed: int = 0, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """Sums over lines that are drawn anew, as many as there are, with replacement.

    Args:
        values: (N, K), K counts of each line.
        seed: the same seed draws the same lines, whatever the K.

    Returns:
        (resamples, K).
    """
    lines, columns = values.shape
    sums = np.zeros((resamples, columns))
    if not lines:
        return sums
    rng = np.random.default_rng(seed)
    step = max(1, AT_ONCE // lines)
    for start in range(0, resamples, step):
        drawn = min(step, resamples - start)
        picks = rng.integers(0, lines, (drawn, lines)) + np.arange(drawn)[:, None] * lines
        counts = np.bincount(picks.ravel(), minlength=drawn * lines).reshape(drawn, lines)
        sums[start : start + drawn] = counts.astype(np.float64) @ values
    return sums


def interval(samples: NDArray[np.float64]) -> Interval:
    """The middle 95 % of samples (R,)."""
    low, high = np.quantile(samples, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high))


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Element by element; as `EditCounts` has it, 0 or 1 where nothing stands below."""
    return np.where(below > 0, above / np.maximum(below, 1), (above > 0).astype(np.float64))


def sign_test(differences: NDArray[np.float64], seed: int = 0, shuffles: int = SHUFFLES) -> float:
    """p-value of paired differences (N,) under the guess that either of a pair could as well have been the other's.

    A permutation test with random signs: the share of sign changes whose sum is at least as far from 0 as the one that
    was seen, which counts itself. 1.0 where nothing differs.
    """
    told = differences[differences != 0]
    if not len(told):
        return 1.0
    seen = abs(told.sum())
    rng = np.random.default_rng(seed)
    step, as_far = max(1, AT_ONCE // len(told)), 0
    for start in range(0, shuffles, step):
        signs = rng.integers(0, 2, (min(step, shuffles - start), len(told)), dtype=np.int8) * 2 - 1
        as_far += int((np.abs(signs.astype(np.float64) @ told) >= seen - 1e-9).sum())
    return (as_far + 1) / (shuffles + 1)
