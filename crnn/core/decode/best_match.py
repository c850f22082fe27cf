"""The likeliest path that collapses to an allowed text: what a beam that lost all allowed texts falls back to.

Viterbi's algorithm over pairs of an automaton's state and the class of the last time step. Per state it keeps the best
path that ends in a blank and the best two that end in different symbols: with two, one of them can be followed by any
symbol, so that no text that fits is missed.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import BLANK
from crnn.core.decode.automaton import Automaton

KEPT = 3
"""Likeliest symbols of each move that are tried, if it allows more: one may be barred as the last one, two are kept."""
MOST = 500

_Path = tuple[int, "_Path | None"]
"""Last symbol and what came before it."""


def best_match(log_probs: NDArray[np.float32], automaton: Automaton, most: int = MOST) -> list[int] | None:
    """Classes of the allowed text with the likeliest path found, None if no allowed text fits.

    Args:
        log_probs: (T, C) of one line.
        automaton: of the texts that are allowed.
        most: states that are kept after each time step at first; if no text is found so, all are.
    """
    if not automaton.possible:
        return None
    found = _search(log_probs, automaton, most)
    return _search(log_probs, automaton, len(automaton.accepting)) if found is None else found


def _search(log_probs: NDArray[np.float32], automaton: Automaton, most: int) -> list[int] | None:
    steps = len(log_probs)
    # state -> last class (blank or symbol) -> score and path
    live: dict[int, dict[int, tuple[float, _Path | None]]] = {0: {BLANK: (0.0, None)}}
    for step in range(steps):
        row = log_probs[step]
        left = steps - step - 1
        after: dict[int, dict[int, tuple[float, _Path | None]]] = {}

        def offer(state: int, last: int, score: float, path: _Path | None, after: dict = after) -> None:
            ends = after.setdefault(state, {})
            if last not in ends or ends[last][0] < score:
                ends[last] = (score, path)

        for state, ends in live.items():
            best = max(ends.values(), key=lambda end: end[0])
            if automaton.missing[state] <= left:
                offer(state, BLANK, best[0] + float(row[BLANK]), best[1])
                for last, (score, path) in ends.items():
                    if last != BLANK:
                        offer(state, last, score + float(row[last]), path)
            for label, target in automaton.likeliest(state, row, KEPT):
                if automaton.missing[target] <= left:
                    ways = [end for last, end in ends.items() if last != label]
                    if ways:
                        score, path = max(ways, key=lambda end: end[0])
                        offer(target, label, score + float(row[label]), (label, path))
        if len(after) > most:
            after = dict(heapq.nlargest(most, after.items(), key=lambda item: max(end[0] for end in item[1].values())))
        live = {state: _kept(ends) for state, ends in after.items()}
    finals = [end for state, ends in live.items() if automaton.accepting[state] for end in ends.values()]
    if not finals:
        return None
    labels = []
    path = max(finals, key=lambda end: end[0])[1]
    while path is not None:
        labels.append(path[0])
        path = path[1]
    return labels[::-1]


def _kept(ends: dict[int, tuple[float, _Path | None]]) -> dict[int, tuple[float, _Path | None]]:
    symbols = heapq.nlargest(2, ((end[0], last) for last, end in ends.items() if last != BLANK))
    kept = {last: ends[last] for _, last in symbols}
    if BLANK in ends:
        kept[BLANK] = ends[BLANK]
    return kept
