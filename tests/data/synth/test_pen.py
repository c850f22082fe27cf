"""What texts are made of: bounds that are included, words in their cases, signs that a charset has."""

from __future__ import annotations

import numpy as np
import pytest
from few_draws import FewDraws, digest
from text_draws import LATIN, WORDS, pens

from crnn.data.synth.pen import Pen, capital, grouped, upper
from crnn.data.synth.vocabulary import Words

ALLOWED = frozenset(LATIN)


def pen(*chances: float, language: str = "en", words: Words = WORDS, allowed: frozenset[str] = ALLOWED) -> Pen:
    return Pen(FewDraws(1, chances or (0.5,)), language, words, allowed, 30)


def test_a_chance_below_its_probability_happens() -> None:
    assert [pen(draw).chance(0.25) for draw in (0.0, 0.24, 0.25, 0.9)] == [True, True, False, False]
    assert pen(0.0).chance(0.0) is False


def test_both_ends_are_drawn() -> None:
    one = pen()
    assert {one.number(2, 4) for _ in range(60)} == {2, 3, 4}
    assert {one.number(3, 3) for _ in range(9)} == {3}
    assert {one.one("abc") for _ in range(60)} == set("abc")
    assert set(one.some("xyz", 90)) == set("xyz")
    assert len(one.some("xyz", 90)) == 90
    assert one.some("xyz", 0) == ""
    assert set(one.digits(300)) == set("0123456789")
    assert {len(one.names(1, 3).split()) for _ in range(60)} == {1, 2, 3}
    assert all(part[0].isupper() for part in one.names(9, 9).split())


def test_signs_that_cannot_be_written_are_not_drawn() -> None:
    one = pen(allowed=frozenset("ab1"))
    assert {one.one_allowed(("€", "a", "b1", "a€")) for _ in range(40)} == {"a", "b1"}
    assert {one.one_allowed(("€", "£")) for _ in range(20)} == {"€"}


def test_words_and_letters_that_make_none() -> None:
    assert pen(0.08).raw_word() in WORDS.all
    made = {pen(0.079).raw_word()} | {Pen(FewDraws(i, [0.0]), "en", WORDS, ALLOWED, 9).raw_word() for i in range(90)}
    assert not made & set(WORDS.all)
    assert {len(word) for word in made} <= set(range(2, 10))
    assert min(map(len, made)) == 2
    assert max(map(len, made)) > 7
    assert all(word[0] not in "aeiouy" or word[0] == "y" for word in made)
    for letters, there in (("aeiouy", True), ("AEIOUY", True), ("aeiou", False), ("", False)):
        one = pen(0.0, allowed=frozenset(letters))
        assert (one.raw_word() not in WORDS.all) == there
    assert pen(0.9, words=Words(())).raw_word()  # letters where there are no words


def test_german_nouns_have_capitals() -> None:
    nouns, other = Words(("bedeutung", "nation", "heiterkeit", "märchen")), Words(("gehen",))
    assert pen(0.9, language="de", words=nouns).raw_word()[0].isupper()
    assert pen(0.9, language="en", words=nouns).raw_word()[0].islower()
    assert pen(0.2, language="de", words=other).raw_word() == "gehen"
    assert pen(0.19, language="de", words=other).raw_word() == "Gehen"


@pytest.mark.parametrize(
    ("draw", "made"), [(0.1, "SEA"), (0.24, "SEA"), (0.25, "Sea"), (0.49, "Sea"), (0.5, "sea"), (0.9, "sea")]
)
def test_the_case_of_a_word(draw: float, made: str) -> None:
    assert pen(draw, words=Words(("sea",))).word() == made


def test_sums_are_from_a_tenth_to_thousands() -> None:
    sums = [pen_.amount() for pen_ in pens(300, [0.5])]
    assert 0.1 <= min(sums) < 0.15
    assert 25_000 < max(sums) <= 31_622.78
    assert all(each == round(each, 2) for each in sums)
    assert any(each != round(each, 1) for each in sums)
    assert 50 < np.median(sums) < 500 / 3


def test_the_same_parts_in_every_version() -> None:
    found = digest(
        (p.word(), p.name(), p.names(1, 3), p.amount(), p.digits(3)) for p in pens(120, [0.0, 0.08, 0.2, 0.25, 0.5])
    )
    assert found == "cd4130f8742b"


def test_capitals() -> None:
    assert [capital(word) for word in ("word", "", "élan", "x")] == ["Word", "", "Élan", "X"]
    assert upper("straße", frozenset("A")) == "STRASSE"
    assert upper("straße", frozenset("ẞ")) == "STRAẞE"
    assert grouped(1234.5, 2, ".", ",") == "1.234,50"
    assert grouped(1234567.891, 1, "'", ".") == "1'234'567.9"
    assert grouped(0.5, 0, ".", ",") == "0"
