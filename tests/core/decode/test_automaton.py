"""Lists of texts as automata."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.decode.automaton import DEAD, Automaton, trie

TEXTS = st.lists(st.lists(st.integers(1, 3), max_size=5), max_size=6)


@given(TEXTS, TEXTS)
def test_a_list_allows_its_texts_and_no_others(allowed: list[list[int]], others: list[list[int]]) -> None:
    automaton = trie(allowed, 4)
    assert automaton.possible == bool(allowed)
    assert [automaton.accepts(text) for text in allowed + others] == [text in allowed for text in allowed + others]


@given(TEXTS.filter(bool))
def test_how_many_symbols_are_missing(allowed: list[list[int]]) -> None:
    automaton = trie(allowed, 4)
    for text in allowed:
        state = 0
        for i, label in enumerate([*text, 0]):
            rests = [len(other) - i for other in allowed if other[:i] == text[:i]]
            assert automaton.missing[state] == min(rest for rest in rests if rest >= 0)
            state = automaton.step(state, label)
        assert state == DEAD  # nothing follows by way of a blank


def test_states_that_lead_nowhere_are_never_entered() -> None:
    automaton = Automaton([-1, 0, 1], [{0: 1, 1: 2}, {0: 1}, {}], [False, False, True])
    assert automaton.followers(0) == {2: 2}
    assert automaton.step(0, 1) == DEAD
    assert not automaton.accepts([1, 1])


def test_the_likeliest_of_each_move() -> None:
    automaton = Automaton([-1, 0, 0, 0, 1], [{0: 1, 1: 0}, {}], [False, True])
    scores = np.array([9, 1, 3, 2, 0], dtype=np.float32)
    assert sorted(automaton.likeliest(0, scores, 2)) == [(2, 1), (3, 1), (4, 0)]
    assert sorted(automaton.likeliest(0, scores, 5)) == [(1, 1), (2, 1), (3, 1), (4, 0)]
    many = Automaton([-1] + [0] * 3000, [{0: 1}, {}], [False, True])  # NumPy sorts few of them as a whole
    scores = np.random.default_rng(0).permutation(3001).astype(np.float32)
    ranked = sorted(range(1, 3001), key=lambda label: -scores[label])
    for count in (1, 10, 300, 2999, 3000, 4000):
        assert sorted(many.likeliest(0, scores, count)) == [(label, 1) for label in sorted(ranked[:count])]


def test_as_many_as_asked_for_are_taken_whole() -> None:
    """Where a move allows just as many classes as asked for, they stay in their order."""
    automaton = Automaton([-1, 0, 0, 0], [{0: 1}, {}], [False, True])
    scores = np.array([0, 3, 1, 2], dtype=np.float32)
    assert automaton.likeliest(0, scores, 3) == [(1, 1), (2, 1), (3, 1)]
    assert sorted(automaton.likeliest(0, scores, 2)) == [(1, 1), (3, 1)]
    assert automaton.likeliest(0, scores, 1) == [(1, 1)]
    assert automaton.likeliest(1, scores, 1) == []


def test_the_blank_takes_no_move() -> None:
    automaton = Automaton([0, 0, 1], [{0: 1, 7: 1}, {}], [False, True])
    assert automaton.followers(0) == {1: 1}  # and nothing of a group without classes
    assert automaton.likeliest(0, np.zeros(3, np.float32), 9) == [(1, 1)]
    assert (automaton.step(0, 1), automaton.step(0, 2), automaton.step(1, 1)) == (1, DEAD, DEAD)
    assert automaton.missing == [1, 0]


def test_the_shortest_rest_counts() -> None:
    moves = [{0: 1, 1: 3}, {0: 2}, {0: 3}, {0: 3}, {0: 0}, {0: 5}]
    automaton = Automaton([-1, 0, 1], moves, [False, False, False, True, False, False])
    assert automaton.missing == [1, 2, 1, 0, 2, DEAD]
    assert automaton.accepts([1, 1, 1])
    assert automaton.accepts([2, 1, 1])
    assert not automaton.accepts([1, 1])
    assert not Automaton([-1, 0], [{0: 0}], [False]).possible
    assert not Automaton([-1, 0], [{0: 0}], [False]).accepts([])
    assert trie([[]], 2).accepts([])
    assert trie([[1, 1]], 2).accepting == [False, False, True]
