"""Words of a reading: which characters, where, and how sure, in scripts of both directions."""

from __future__ import annotations

import pytest

from crnn.core.bidi import base_of, to_visual
from crnn.core.recognition import Character, Recognition
from crnn.reading.words import words_of


def reading(text: str, sure: float = 0.9) -> Recognition:
    """Characters of 6 pixels with 4 between them, from left to right as a picture shows them; the n-th from the left
    is n thousandths less sure."""
    shown = to_visual(text, base_of(text))
    one = [Character(c, sure - i / 1000, 10.0 * i + 2, 10.0 * i + 8) for i, c in enumerate(shown)]
    return Recognition(text, 0.5, tuple(one))


def test_words_of_a_line() -> None:
    words = words_of(reading("ab  cde f"), 90)
    assert [word.text for word in words] == ["ab", "cde", "f"]
    assert [word.confidence for word in words] == pytest.approx([0.899, 0.894, 0.892])
    half = (88 - 2) / 9 / 2
    assert words[0][2:] == pytest.approx((0, 18 + half))  # no farther than the picture
    assert words[1][2:] == pytest.approx((42 - half, 68 + half))
    assert words[2][2:] == pytest.approx((82 - half, 90))
    wide = tuple(Character(c, 0.9, *place) for c, place in zip("a b", ((0, 30), (30, 32), (32, 60)), strict=True))
    one, other = words_of(Recognition("a b", 0.5, wide), 60)
    assert one.end == other.start == 31  # the middle of the space


def test_no_words() -> None:
    assert words_of(Recognition("", 0.9, ()), 50) == []
    assert words_of(reading("  "), 50) == []


@pytest.mark.parametrize("text", ["שלום (עולם) 12", "abc שלום עולם xyz", "ספר Name 12 אב", "אב אב 12 אב"])
def test_words_of_right_to_left_lines_stand_where_they_are_read(text: str) -> None:
    words = words_of(reading(text), 10 * len(text))
    assert [word.text for word in words] == text.split()
    shown = to_visual(text, base_of(text))
    for word in words:
        part = shown[round(word.start / 10) : round(word.end / 10)].strip()
        assert sorted(part.strip("()")) == sorted(word.text.strip("()"))
    if base_of(text) == "R":
        assert words[0].end == max(word.end for word in words)
    assert len({word.start for word in words}) == len(words)


def test_words_that_cannot_be_found_are_the_whole_line() -> None:
    other = reading("ab cd")
    assert words_of(Recognition("xy cd", 0.5, other.characters), 60) == [("xy", 0.5, 0, 60), ("cd", 0.5, 0, 60)]
    assert words_of(Recognition("ab", 0.5, other.characters), 60) == [("ab", 0.5, 0, 60)]
