"""Which texts are allowed: a deterministic automaton over classes, of a pattern (`pattern.py`) or of a list of texts.

Every state of it is on the way to an allowed text: what cannot become one has no state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

DEAD = -1
"""Instead of a state: no allowed text begins like this."""


class Automaton:
    """A table of moves; state 0 is the start.

    Args:
        groups: of each class, blank included, the group whose moves it takes.
        moves: of each state, group -> state.
        accepting: whether the text is allowed to end in each state.

    States that lead nowhere may be among those given; `step` never goes to one. `possible` is False if no text is
    allowed at all.
    """

    def __init__(self, groups: Sequence[int], moves: Sequence[dict[int, int]], accepting: Sequence[bool]) -> None:
        self.accepting = accepting
        self.missing = _fewest_symbols(moves, accepting)
        """Of each state, how many symbols the shortest rest has; `DEAD` if there is none."""
        self._groups = groups
        self._moves = [
            {group: state for group, state in after.items() if self.missing[state] != DEAD} for after in moves
        ]
        self._members: dict[int, list[int]] = {}
        for label, group in enumerate(groups):
            if label:  # not the blank
                self._members.setdefault(group, []).append(label)
        self._followers: dict[int, dict[int, int]] = {}

    @property
    def possible(self) -> bool:
        """Whether any text is allowed."""
        return self.missing[0] != DEAD

    def step(self, state: int, label: int) -> int:
        """The state after one more symbol, or `DEAD`."""
        return self._moves[state].get(self._groups[label], DEAD)

    def followers(self, state: int) -> dict[int, int]:
        """Class -> state, of all symbols that may come next."""
        if state not in self._followers:
            self._followers[state] = {
                label: after for group, after in self._moves[state].items() for label in self._members.get(group, ())
            }
        return self._followers[state]

    def likeliest(self, state: int, scores: NDArray[np.float32], count: int) -> list[tuple[int, int]]:
        """(class, state) of the `count` symbols with the highest scores (C,) of each move from `state`."""
        found = []
        for group, after in self._moves[state].items():
            labels = self._members.get(group, [])
            if len(labels) > count:
                top = np.argpartition(scores[labels], -count)[-count:]
                labels = [labels[i] for i in top.tolist()]
            found += [(label, after) for label in labels]
        return found

    def accepts(self, labels: Iterable[int]) -> bool:
        """Whether the text of these classes is allowed."""
        state = 0 if self.possible else DEAD
        for label in labels:
            if state != DEAD:
                state = self.step(state, label)
        return state != DEAD and self.accepting[state]


def trie(texts: Iterable[Sequence[int]], classes: int) -> Automaton:
    """The automaton of a list of texts, each a sequence of classes below `classes`."""
    moves: list[dict[int, int]] = [{}]
    accepting = [False]
    for text in texts:
        state = 0
        for label in text:
            after = moves[state].get(label)
            if after is None:
                after = moves[state][label] = len(moves)
                moves.append({})
                accepting.append(False)
            state = after
        accepting[state] = True
    return Automaton(range(classes), moves, accepting)


def _fewest_symbols(moves: Sequence[dict[int, int]], accepting: Sequence[bool]) -> list[int]:
    """Of each state, the length of the shortest way to an accepting one, breadth first from the end."""
    before: list[set[int]] = [set() for _ in moves]
    for state, after in enumerate(moves):
        for target in after.values():
            before[target].add(state)
    missing = [0 if accepted else DEAD for accepted in accepting]
    waiting = deque(state for state, accepted in enumerate(accepting) if accepted)
    while waiting:
        state = waiting.popleft()
        for earlier in before[state]:
            if missing[earlier] == DEAD:
                missing[earlier] = missing[state] + 1
                waiting.append(earlier)
    return missing
