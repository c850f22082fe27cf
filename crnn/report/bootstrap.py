"""How far figures could have come out otherwise: intervals of rates over lines, and tests of differences.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals) and 15 (permutation
tests); for error rates of recognisers Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
evaluation", ICASSP 2004, who draw lines and divide sums. Shares of lines: Wilson, "Probable Inference, the Law of
Succession, and Statistical Inference", Journal of the American Statistical Association 22, 1927, which Brown, Cai and
DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 16, 2001, recommend.
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
NORMAL = 1.959964
"""The middle 95 % of a standard normal distribution ends here."""


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


def interval(samples: NDArray[np.float64]) -> Interval | None:
    """The middle 95 % of samples (R,); None if they are alike, as of one line: that tells nothing of other lines."""
    low, high = np.quantile(samples, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high)) if low < high else None


def share_interval(found: int, lines: int) -> Interval:
    """Wilson's score interval of the share of lines that are something, after `found` of `lines` were: 0 of 40 may be
    0 to 8.8 %."""
    square = NORMAL**2
    middle = (found + square / 2) / (lines + square)
    half = NORMAL / (lines + square) * (found * (lines - found) / max(lines, 1) + square / 4) ** 0.5
    return Interval(max(middle - half, 0.0) if found else 0.0, min(middle + half, 1.0) if found < lines else 1.0)


def error_interval(errors: int, lines: int, samples: NDArray[np.float64]) -> Interval | None:
    """Interval of an error rate whose resampled values are samples (R,).

    Without any error, resampling finds none either. The upper end is then that of `share_interval` for lines with an
    error, each counted as wrong from end to end.
    """
    return interval(samples) if errors else share_interval(0, lines)


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
