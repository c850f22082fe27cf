"""The likeliest path to an allowed text, by hand; against every path there is in test_beam.py."""

from __future__ import annotations

import numpy as np
import pytest

from crnn.core.decode.automaton import Automaton, trie
from crnn.core.decode.best_match import _kept, _search, best_match


def log(*rows: list[float]) -> np.ndarray:
    return np.log(np.array(rows, dtype=np.float32))


def test_the_best_of_several_texts() -> None:
    """The likeliest path decides, not the first or last text."""
    rows = log([0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3])
    assert best_match(rows, trie([[1], [2], [2, 1], [1, 2]], 3)) == [2, 1]
    assert best_match(rows, trie([[1, 2], [2, 1]], 3)) == [2, 1]
    assert best_match(rows, trie([[2, 1], [1, 2]], 3)) == [2, 1]
    assert best_match(rows, trie([[1], [2]], 3)) == [2]
    assert best_match(rows, trie([[1], [1, 2]], 3)) == [1, 2]  # 0.2 * 0.8 * 0.3 against 0.1 * 0.8 * 0.5
    assert best_match(rows, trie([], 3)) is None
    assert best_match(rows, Automaton([-1, 0, 1], [{0: 0}], [False])) is None


@pytest.mark.parametrize(
    ("rows", "allowed", "wanted"),
    [
        (([0.2, 0.8], [0.9, 0.1], [0.2, 0.8]), [[1], [1, 1]], [1, 1]),  # a blank between
        (([0.2, 0.8], [0.3, 0.7], [0.2, 0.8]), [[1], [1, 1]], [1]),
        (([0.2, 0.8], [0.1, 0.9], [0.2, 0.8]), [[1, 1]], [1, 1]),  # the blank, however unlikely
        (([0.2, 0.8], [0.1, 0.9]), [[1, 1]], None),
        (([0.9, 0.1],), [[], [1]], []),
        (([0.9, 0.1],), [[1]], [1]),
        (([0.1, 0.9],), [[], [1]], [1]),
    ],
)
def test_blanks_and_repeats(rows: tuple[list[float], ...], allowed: list[list[int]], wanted: list[int] | None) -> None:
    assert best_match(log(*rows), trie(allowed, 2)) == wanted


def test_few_states_are_kept_at_first() -> None:
    rows = log([0.1, 0.6, 0.3], [0.1, 0.5, 0.4], [0.1, 0.45, 0.45])
    allowed = trie([[1, 2, 1], [2, 1, 2]], 3)
    assert _search(rows, allowed, 1) == [1, 2, 1]
    assert _search(rows, allowed, 100) == [1, 2, 1]
    astray = trie([[1, 2, 2], [2, 1, 2]], 3)  # the likeliest start has no end within three steps
    assert best_match(rows, astray, 1) == [2, 1, 2]
    dead = trie([[1, 1], [2, 1]], 3)
    assert best_match(log([0.1, 0.6, 0.3], [0.1, 0.6, 0.3]), dead, 1) == [2, 1]


def test_what_is_kept_of_a_state() -> None:
    """The blank, and the best two symbols."""
    ends: dict[int, tuple[float, None]] = {0: (-9.0, None), 1: (-3.0, None), 2: (-1.0, None), 3: (-2.0, None)}
    assert _kept(ends) == {0: ends[0], 2: ends[2], 3: ends[3]}
    del ends[0]
    assert _kept(ends) == {2: ends[2], 3: ends[3]}
    assert _kept({0: (-1.0, None)}) == {0: (-1.0, None)}


def test_of_many_symbols_those_are_tried_that_can_follow() -> None:
    """Ten classes share a move: twice of it, the best symbol cannot follow itself at once."""
    automaton = Automaton([-1, *[0] * 10], [{0: 1}, {0: 2}, {}], [False, False, True])
    row = [0.01, 0.5, 0.2, 0.15, *[0.02] * 7]
    assert best_match(log(row, row), automaton) in ([1, 2], [2, 1])
    three = Automaton([-1, *[0] * 10], [{0: 1}, {0: 2}, {0: 3}, {}], [False, False, False, True])
    assert best_match(log(row, row, row), three) == [1, 2, 1]
