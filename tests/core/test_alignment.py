"""Alignments are as short as they can be, and say what was edited."""

from __future__ import annotations

from collections import Counter

import editdistance
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from crnn.core.alignment import Edit, Pair, align, edits
from crnn.core.metrics import EditCounts

TEXT = st.text("abc ", max_size=14)


def counts(pairs: list[Pair]) -> Counter[str]:
    return Counter("insert" if not p.true else "delete" if not p.read else "replace" for p in pairs if p.is_error)


@given(TEXT, TEXT)
def test_both_texts_are_there_with_as_few_edits_as_can_be(reading: str, reference: str) -> None:
    pairs = align(reading, reference)
    assert "".join(p.read for p in pairs) == reading
    assert "".join(p.true for p in pairs) == reference
    assert all(p.true or p.read for p in pairs)
    mine = counts(pairs)
    assert mine.total() == editdistance.eval(reading, reference)
    others = Counter(op.tag for op in Levenshtein.editops(reference, reading))
    assert mine.total() == others.total()
    assert mine["insert"] - mine["delete"] == others["insert"] - others["delete"]


@given(st.text("abcdefghij", min_size=1, max_size=30), st.data())
def test_planted_edits_are_counted_as_an_independent_library_does(reference: str, data: st.DataObject) -> None:
    """Edits with characters that come nowhere else, apart from each other, can be told in one way only."""
    reading, planted = [], Counter()
    for number, character in enumerate(reference):
        kind = data.draw(st.sampled_from(["keep", "replace", "insert"])) if number % 3 == 1 else "keep"
        planted[kind] += 1
        reading.append({"keep": character, "replace": "X", "insert": character + "Y"}[kind])
    mine = counts(align("".join(reading), reference))
    assert mine == Counter(op.tag for op in Levenshtein.editops(reference, "".join(reading)))
    assert {kind: mine[kind] for kind in ("replace", "insert")} == {
        kind: planted[kind] for kind in ("replace", "insert")
    }
    assert counts(align(reference, "".join(reading)))["delete"] == planted["insert"]


@pytest.mark.parametrize(
    ("reading", "reference", "errors"),
    [
        ("", "", []),
        ("abc", "abc", []),
        ("abc", "abd", [("d", "c")]),
        ("ac", "abc", [("b", "")]),
        ("abxc", "abc", [("", "x")]),
        ("m", "rn", [("r", ""), ("n", "m")]),
        ("", "ab", [("a", ""), ("b", "")]),
    ],
)
def test_by_hand(reading: str, reference: str, errors: list[tuple[str, str]]) -> None:
    assert [tuple(p) for p in align(reading, reference) if p.is_error] == errors


def test_characters_may_be_longer_than_a_code_point() -> None:
    assert align(["नि", "x"], ["नि", "न"]) == [Pair("नि", "नि"), Pair("न", "x")]


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


@pytest.mark.parametrize(
    ("reading", "reference"), [("aa", "aaa"), ("aaa", "aa"), ("abab", "ab"), ("ab", "abab"), ("a", "aa")]
)
def test_ends_that_are_alike_do_not_overlap(reading: str, reference: str) -> None:
    pairs = align(reading, reference)
    assert ("".join(p.read for p in pairs), "".join(p.true for p in pairs)) == (reading, reference)
    assert sum(p.is_error for p in pairs) == abs(len(reading) - len(reference))
