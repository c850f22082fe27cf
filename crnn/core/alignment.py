"""What was read instead of what: two texts side by side, by the fewest edits.

Wagner and Fischer, "The String-to-String Correction Problem", Journal of the ACM 21(1), 1974.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crnn.core.text import clusters

Edit = tuple[str, str]
"""(character of the label, what was read for it); the first is empty for one too many, the second for one missed."""


class Pair(NamedTuple):
    """One column of two aligned texts."""

    true: str
    """Character of the reference; empty where the reading has one too many."""
    read: str
    """Character of the reading; empty where one is missing."""

    @property
    def is_error(self) -> bool:
        """Whether the two differ."""
        return self.true != self.read


def align(reading: Sequence[str], reference: Sequence[str]) -> list[Pair]:
    """Both texts, cut into characters, as columns; as many of them differ as the Levenshtein distance says.

    Among alignments with equally few edits one is taken that, from the right, keeps characters opposite each other
    rather than leaving one out. Costs time and memory for every pair of characters between the first and the last
    difference.
    """
    first, shorter = 0, min(len(reading), len(reference))
    while first < shorter and reading[first] == reference[first]:
        first += 1
    last = 0
    while last < shorter - first and reading[-1 - last] == reference[-1 - last]:
        last += 1
    same_before = [Pair(c, c) for c in reference[:first]]
    same_after = [Pair(c, c) for c in reference[len(reference) - last :]]
    middle = _align(reading[first : len(reading) - last], reference[first : len(reference) - last])
    return [*same_before, *middle, *same_after]


def _align(read: Sequence[str], true: Sequence[str]) -> list[Pair]:
    """As `align`, without the parts at the ends that are alike."""
    rows = [list(range(len(true) + 1))]  # distances between the first i characters read and the first j true ones
    for i, character in enumerate(read, 1):
        above, row = rows[-1], [i]
        left = i
        for j, wanted in enumerate(true):
            cost = above[j] + (character != wanted)
            left = min(cost, left + 1, above[j + 1] + 1)
            row.append(left)
        rows.append(row)
    pairs: list[Pair] = []
    i, j = len(read), len(true)
    while i or j:
        here = rows[i][j]
        if i and j and here == rows[i - 1][j - 1] + (read[i - 1] != true[j - 1]):
            i, j = i - 1, j - 1
            pairs.append(Pair(true[j], read[i]))
        elif j and here == rows[i][j - 1] + 1:
            j -= 1
            pairs.append(Pair(true[j], ""))
        else:
            i -= 1
            pairs.append(Pair("", read[i]))
    return pairs[::-1]


def edits(reading: str, reference: str) -> list[Edit]:
    """The fewest edits between a reading and its label, from left to right, as `align` finds them.

    Characters are grapheme clusters; there are as many edits as `crnn.core.metrics.EditCounts` counts.
    """
    return [(pair.true, pair.read) for pair in align(clusters(reading), clusters(reference)) if pair.is_error]
