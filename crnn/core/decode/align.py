"""Where each character of a known text stands: the likeliest path of that text, for many lines at once.

Forced alignment: Viterbi's algorithm over the text's states, see Rabiner, "A Tutorial on Hidden Markov Models", 1989,
section III.B.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crnn.core.decode.states import states_of

NEVER = -1e30
"""Instead of a log-probability of zero, to add to."""


def align(
    log_probs: NDArray[np.float32], lengths: NDArray[np.int64], texts: Sequence[Sequence[int]]
) -> list[list[tuple[int, int, float]]]:
    """First time step, the one after the last, and highest probability of each symbol on the likeliest path.

    Args:
        log_probs: (T, B, C), log-softmax over C; what lies beyond a line's length is never looked at.
        lengths: (B,) true time steps.
        texts: classes of each of the B lines, without blanks; each has to fit into its line.
    """
    lines = len(texts)
    sizes, symbols, skippable = states_of(texts)
    states, skip = symbols.shape[1], np.where(skippable, 0.0, NEVER)
    steps = int(lengths.max(initial=0))
    emitted = np.take_along_axis(log_probs[:steps], symbols[None], axis=2).astype(np.float64)  # (T, B, S)
    score = np.full((lines, states + 2), NEVER)  # two states in front that are never reached
    score[:, 2] = 0.0
    moves = np.zeros((steps, lines, states), dtype=np.int8)  # states back from which the best path came
    ways = np.empty((3, lines, states))
    for step in range(steps):
        ways[0], ways[1] = score[:, 2:], score[:, 1:-1]
        np.add(score[:, :-2], skip, out=ways[2])
        moves[step] = ways.argmax(axis=0)
        reached = ways.max(axis=0) + emitted[step]
        real = step < lengths
        score[real, 2:] = reached[real]
    found = []
    for line in range(lines):
        end, length = 2 * int(sizes[line]), int(lengths[line])
        state = end - 1 if end and score[line, end + 1] > score[line, end + 2] else end
        places: list[tuple[int, int, float]] = []
        last = length
        for step in range(length - 1, -1, -1):
            before = state - int(moves[step, line, state])
            if state % 2 and (before != state or step == 0):
                peak = float(np.exp(emitted[step:last, line, state].max()).clip(max=1.0))
                places.append((step, last, peak))
            if before != state:
                last = step
            state = before
        found.append(places[::-1])
    return found
