"""Which characters were read as which: the edits that turn a label into its reading."""

from __future__ import annotations

import editdistance

from crnn.core.metrics import clusters

Edit = tuple[str, str]
"""(character of the label, what was read for it); the first is empty for one too many, the second for one missed."""


def edits(reading: str, reference: str) -> list[Edit]:
    """The fewest edits between a reading and its label, from left to right; as many as `EditCounts` counts.

    Characters are grapheme clusters. Where several ways are equally short, an exchange is preferred to one character
    missed and another too many. Levenshtein's table, only as far from its diagonal as the distance allows (Ukkonen,
    "Algorithms for approximate string matching", 1985): a long line with few errors costs little.
    """
    read, true = clusters(reading), clusters(reference)
    if read == true:
        return []
    distance = editdistance.eval(read, true)
    table = _table(read, true, distance)
    found: list[Edit] = []
    row, column = len(true), len(read)
    while row or column:
        cost = table[row][column]
        same = row and column and true[row - 1] == read[column - 1]
        if row and column and cost == table[row - 1][column - 1] + (not same):
            row, column = row - 1, column - 1
            if not same:
                found.append((true[row], read[column]))
        elif row and cost == table[row - 1][column] + 1:
            row -= 1
            found.append((true[row], ""))
        else:
            column -= 1
            found.append(("", read[column]))
    return found[::-1]


def _table(read: list[str], true: list[str], band: int) -> list[list[int]]:
    """(len(true) + 1, len(read) + 1) distances of all beginnings; far too large where they differ by over `band`."""
    far = len(read) + len(true) + 1
    table = [[j if j <= band else far for j in range(len(read) + 1)]]
    for i, character in enumerate(true, 1):
        above, row = table[-1], [far] * (len(read) + 1)
        if i <= band:
            row[0] = i
        for j in range(max(1, i - band), min(len(read), i + band) + 1):
            row[j] = min(above[j - 1] + (character != read[j - 1]), above[j] + 1, row[j - 1] + 1)
        table.append(row)
    return table
