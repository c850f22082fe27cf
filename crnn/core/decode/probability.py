"""The probability of a text: CTC's forward pass, for many lines at once.

Graves et al., "Connectionist Temporal Classification", ICML 2006, section 4.1; probabilities scaled on the way as
in Rabiner, "A Tutorial on Hidden Markov Models", 1989, section V.A, which is faster than sums of logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crnn.core.decode.states import states_of

RESCALED = 4
"""Probabilities are scaled to 1 every so many steps; four of them do not leave the range of a double."""
GATHERED = 2**20
"""Probabilities that are gathered at a time, for as many steps as they go around; at least for one."""
TINY = 1e-300
"""Instead of a probability of zero, to divide by."""


def text_log_probability(
    log_probs: NDArray[np.float32],
    lengths: NDArray[np.int64],
    texts: Sequence[Sequence[int]],
    lines: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Log of the sum over all paths that collapse to each text.

    Memory grows with the number of texts and their length, not with the time steps.

    Args:
        log_probs: (T, B, C), log-softmax over C; what lies beyond a line's length is never looked at.
        lengths: (B,) true time steps.
        texts: N sequences of classes, without blanks.
        lines: (N,) which of the B lines each text is of; None for one of each.

    Returns:
        (N,), -inf for a text that does not fit.
    """
    if lines is None:
        lines = np.arange(len(texts))
    lengths = lengths[lines]
    sizes, symbols, skippable = states_of(texts)
    states, skips = symbols.shape[1], skippable.astype(np.float64)
    steps = int(lengths.max(initial=0))
    block = max(1, GATHERED // max(1, symbols.size))
    alpha = np.zeros((len(texts), states + 2))  # two states in front that are never reached
    alpha[:, 2] = 1.0  # before the first step: the first symbol can come without the blank in front of it
    total = np.zeros(len(texts))
    reached, skipped = np.empty(symbols.shape), np.empty(symbols.shape)
    shortest = int(lengths.min(initial=steps))
    for step in range(steps):
        place = step % block
        if place == 0:
            some = log_probs[step : min(steps, step + block)]
            emitted = np.exp(some[:, lines[:, None], symbols].astype(np.float64))  # (block, N, S)
        np.add(alpha[:, 2:], alpha[:, 1:-1], out=reached)
        np.multiply(skips, alpha[:, :-2], out=skipped)
        np.add(reached, skipped, out=reached)
        if step < shortest:
            np.multiply(reached, emitted[place], out=alpha[:, 2:])
        else:  # lines that have ended stay as they are
            real = step < lengths
            alpha[real, 2:] = reached[real] * emitted[place, real]
        if step % RESCALED == 0:
            scale = np.maximum(alpha.sum(axis=1), TINY)
            alpha /= scale[:, None]
            total += np.log(scale)
    rows = np.arange(len(texts))
    ends = alpha[rows, 2 + 2 * sizes] + np.where(sizes > 0, alpha[rows, 1 + 2 * sizes], 0.0)
    with np.errstate(divide="ignore"):
        found = total + np.log(ends)
    return np.where(lengths > 0, found, np.where(sizes > 0, -np.inf, 0.0))


def tempered(log_probs: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Log-probabilities (T, B, C) at a temperature: divided by it, and log-softmax over C again."""
    if temperature == 1.0:
        return log_probs
    scaled = log_probs / np.float32(temperature)
    return scaled - np.logaddexp.reduce(scaled, axis=2, keepdims=True)
