"""Kinds of characters, and confusions."""

from __future__ import annotations

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
