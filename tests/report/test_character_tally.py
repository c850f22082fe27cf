"""Kinds of characters, and confusions."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from crnn.core.alignment import Pair
from crnn.report.characters import COMMON, OTHER, CharacterCounts, CharacterTally, class_of, script_of
from crnn.report.lines import JudgedLine


def line(reference: str, reading: str, where: str = "a:1") -> JudgedLine:
    return JudgedLine(0, where, "", reference, reading, 0)


def test_classes_and_scripts() -> None:
    kinds = [class_of(c) for c in ("a", "é", "नि", "7", "٣", ".", "—", " ", "\u3000", "€", "")]
    assert kinds == ["letters"] * 3 + ["digits"] * 2 + ["punctuation"] * 2 + ["space"] * 2 + [OTHER] * 2
    found = [
        script_of(c) for c in ("a", "ß", "ж", "α", "א", "ب", "नि", "漢", "か", "カ", "한", "7", ".", " ", "ሀ", "𐒀")
    ]
    assert found == [
        *("Latin", "Latin", "Cyrillic", "Greek", "Hebrew", "Arabic", "Devanagari", "Han", "Hiragana", "Katakana"),
        *("Hangul", COMMON, COMMON, COMMON, "Ethiopic", OTHER),
    ]


def test_confusions_are_counted_and_named() -> None:
    tally = CharacterTally.of(
        [
            line("tea", "tca", "a:1"),
            line("tee", "tcc", "a:2"),
            line("et", "ct", "b:7"),
            line("e", "c", "b:8"),
            line("ab", "xab"),
        ]
    )
    first, second = tally.ranked()
    assert (first.pair, first.count, first.lines) == (Pair("e", "c"), 5, ["a:1", "a:2", "b:7"])
    assert (second.pair, second.count) == (Pair("", "x"), 1)
    assert tally.references["e"] == 5


def test_errors_by_class_and_script() -> None:
    tally = CharacterTally.of([line("aж 12", "aж. 17"), line("ab", "a")])
    assert tally.by_class() == {
        "letters": CharacterCounts(4, 0, 1, 0),
        "digits": CharacterCounts(2, 1, 0, 0),
        "punctuation": CharacterCounts(0, 0, 0, 1),
        "space": CharacterCounts(1, 0, 0, 0),
    }
    assert tally.by_script()["Latin"] == CharacterCounts(3, 0, 1, 0)
    assert tally.by_script()["Cyrillic"] == CharacterCounts(1, 0, 0, 0)
    assert tally.by_class()["letters"].error_rate == 1 / 4
    assert tally.by_class()["punctuation"].error_rate == 1.0


def test_spaces() -> None:
    tally = CharacterTally.of([line("ab cd ef", "abcd ef x"), line("ab", "a b")])
    assert tally.space_precision == 1 / 3  # of the three spaces read, one stands in the labels
    assert tally.space_recall == 1 / 2
    nothing = CharacterTally.of([line("ab", "ab")])
    assert (nothing.space_precision, nothing.space_recall) == (None, None)


def table_of(pairs: list[tuple[str, str]]) -> Counter[Pair]:
    """Confusions of (reading, reference), aligned by rapidfuzz."""
    found: Counter[Pair] = Counter()
    for reading, reference in pairs:
        for kind, true, read in Levenshtein.editops(reference, reading):
            found[Pair("" if kind == "insert" else reference[true], "" if kind == "delete" else reading[read])] += 1
    return found


@given(st.integers(0, 10**9))
def test_the_table_is_that_of_an_independent_alignment(seed: int) -> None:
    """Edits five characters apart, in texts whose letters differ from those around them, can be told in one way only."""
    rng = random.Random(seed)
    pairs = []
    for _ in range(rng.randrange(1, 8)):
        start = rng.randrange(10)
        reference = ("abcdefghij" * 6)[start : start + rng.randrange(1, 50)]
        reading = list(reference)
        for place in range(2, len(reference) - 2, 5):
            reading[place] = rng.choice([reference[place], "X", "Z", "", reference[place] + "Y"])
        pairs.append(("".join(reading), reference))
    tally = CharacterTally.of([line(reference, reading) for reading, reference in pairs])
    assert {pair: one.count for pair, one in tally.confusions.items()} == table_of(pairs)


@given(st.lists(st.tuples(st.text("abc ", max_size=10), st.text("abc ", max_size=10)), max_size=5))
def test_as_many_errors_as_an_independent_alignment(pairs: list[tuple[str, str]]) -> None:
    """Where edits can be told in several ways, their number cannot, nor how many more are too many than missing."""
    tally = CharacterTally.of([line(reference, reading) for reading, reference in pairs])
    mine, other = Counter({pair: one.count for pair, one in tally.confusions.items()}), table_of(pairs)
    assert mine.total() == other.total()
    surplus = [sum(n * (bool(p.read) - bool(p.true)) for p, n in table.items()) for table in (mine, other)]
    assert surplus[0] == surplus[1]
    assert tally.misread().total() == sum(n for p, n in mine.items() if p.true)
