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


COUNTS = st.builds(EditCounts, *[st.integers(0, 99)] * 6)


@given(COUNTS, COUNTS, COUNTS)
def test_addition(a: EditCounts, b: EditCounts, c: EditCounts) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + EditCounts() == a
    assert a != b or a + c == b + c
    assert (a + b).word_errors == a.word_errors + b.word_errors


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6))
def test_rates(pairs: list[tuple[str, str]]) -> None:
    total = EditCounts.total(pairs)
    words = sum(len(reference.split()) for _, reference in pairs)
    errors = sum(levenshtein(a.split(), b.split()) for a, b in pairs)
    assert total.wer == pytest.approx(errors / words if words else float(errors > 0))
    assert (total.lines, total.words, total.word_errors) == (len(pairs), words, errors)


def test_lines_count_by_their_length_not_alike() -> None:
    total = EditCounts.total([("", "a"), ("bbb", "bbb")])
    assert (total.cer, total.wer, total.exact_rate) == (1 / 4, 1 / 2, 1 / 2)


def test_clusters_and_words() -> None:
    family = "\U0001f469\u200d\U0001f467"
    assert EditCounts.of("", family + "नि").character_errors == 2
    assert EditCounts.of("e\u0301", "e").character_errors == 1  # another mark is another character, once
    words = EditCounts.of("a  b\tc", " a b d ")
    assert (words.word_errors, words.words, words.exact) == (1, 3, 0)
    assert EditCounts.of("x", " ").wer == 1.0  # a reference without words
