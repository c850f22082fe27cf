"""Edits between a reading and its label."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.edits import Edit, edits
from crnn.core.metrics import EditCounts


@pytest.mark.parametrize(
    ("reading", "reference", "expected"),
    [
        ("abc", "abc", []),
        ("axc", "abc", [("b", "x")]),
        ("ac", "abc", [("b", "")]),
        ("abxc", "abc", [("", "x")]),
        ("", "ab", [("a", ""), ("b", "")]),
        ("ab", "", [("", "a"), ("", "b")]),
        ("Rechnunq 17", "Rechnung 117", [("g", "q"), ("1", "")]),
        ("नी", "नि", [("नि", "नी")]),  # one character for a reader
        ("vv", "w", [("", "v"), ("w", "v")]),
        ("bcda", "abcd", [("a", ""), ("", "a")]),  # the way that leaves the diagonal
    ],
)
def test_edits_by_hand(reading: str, reference: str, expected: list[Edit]) -> None:
    assert edits(reading, reference) == expected


TEXTS = st.text("ab ", max_size=12)


@given(TEXTS, TEXTS)
def test_as_many_as_the_metrics_count(reading: str, reference: str) -> None:
    found = edits(reading, reference)
    assert len(found) == EditCounts.of(reading, reference).character_errors
    assert all(true != read for true, read in found)
    for character in "ab ":  # what the label has, less what is gone, and what came
        change = sum(read == character for _, read in found) - sum(true == character for true, _ in found)
        assert reading.count(character) == reference.count(character) + change
