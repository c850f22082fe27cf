"""Edit counts against a plain Levenshtein distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.metrics import EditCounts

TEXT = st.text("ab ", max_size=8)


def levenshtein(a: list, b: list) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


@given(TEXT, TEXT)
def test_one_line(reading: str, reference: str) -> None:
    counts = EditCounts.of(reading, reference)
    assert counts.character_errors == levenshtein(list(reading), list(reference))
    assert counts.word_errors == levenshtein(reading.split(), reference.split())
    assert (counts.characters, counts.words) == (len(reference), len(reference.split()))
    assert (counts.lines, counts.exact) == (1, int(reading == reference))


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_sums_first_one_division(pairs: list[tuple[str, str]]) -> None:
    total = EditCounts.total(pairs)
    halves = EditCounts.total(pairs[:2]) + EditCounts.total(pairs[2:])
    assert total == halves
    characters = sum(len(reference) for _, reference in pairs)
    if characters:
        assert total.cer == pytest.approx(sum(levenshtein(list(a), list(b)) for a, b in pairs) / characters)
    if pairs:
        assert total.exact_rate == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))


def test_edges() -> None:
    assert (EditCounts().cer, EditCounts().wer, EditCounts().exact_rate) == (0, 0, 0)
    assert EditCounts.of("abc", "").cer == 1.0
    assert EditCounts.of("abcdef", "a").cer == 5.0
    assert EditCounts.of("निx", "नि").characters == 1  # a grapheme cluster is one character
    assert EditCounts.of("Ab", "ab").character_errors == 1  # case counts
    assert EditCounts.of("a b", "ab").character_errors == 1  # space counts
