"""Characters to classes and back."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.charset import BLANK, Charset, characters, count_symbols, describe, required_steps
from crnn.core.text import CHOICES, Direction, TextRules
from crnn.errors import CharsetError

SCRIPTS = ["naïve café", "नमस्ते दुनिया", "Tiếng Việt", "ἄνθρωπος", "👩‍👩‍👧 🇩🇪", "ﬁ ½ Å", "e\u0301\u0323", "ſ ß", "a  b "]
TEXTS = st.one_of(st.text(max_size=30), st.sampled_from(SCRIPTS))
FORMS = ["NFC", "NFD", "NFKC", "NFKD", "none"]


@given(st.lists(TEXTS, max_size=5), TEXTS, st.sampled_from(FORMS), st.sampled_from(["grapheme", "codepoint"]))
def test_round_trip(others: list[str], text: str, form: str, unit: str) -> None:
    charset = Charset.from_texts([*others, text, "x"], form=form, unit=unit)  # type: ignore[arg-type]
    labels = charset.encode(text)
    assert BLANK not in labels
    assert all(1 <= label <= len(charset) for label in labels)
    wanted = text if form == "none" else unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert charset.decode(labels) == wanted
    assert charset.unknown(text) == []


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_charset_does_not_depend_on_the_order_of_texts(texts: list[str]) -> None:
    assert Charset.from_texts([*texts, "x"]) == Charset.from_texts(["x", *reversed(texts)])


def test_grapheme_clusters_are_one_symbol() -> None:
    for text, clusters in (("नि", 1), ("नमस्ते", 3), ("👩‍👩‍👧", 1), ("e\u0301", 1), ("ab", 2)):
        assert len(Charset.from_texts([text]).encode(text)) == clusters, text
        assert len(Charset.from_texts([text], unit="codepoint").split(text)) == len(unicodedata.normalize("NFC", text))


def test_space_is_a_character_and_nothing_is_changed() -> None:
    charset = Charset.from_texts(["aB c"])
    assert " " in charset
    assert charset.decode(charset.encode(" aB  c ")) == " aB  c "
    assert " " not in Charset.from_texts(["ab"])


def test_clusters_fall_back_to_their_code_points() -> None:
    charset = Charset(("q", "\u0323"))
    assert charset.encode("q\u0323") == [1, 2]
    assert charset.unknown("q\u0323z") == ["z"]


def test_unknown_characters_are_named() -> None:
    charset = Charset.from_texts(["abc"])
    assert charset.unknown("xaïbx") == ["x", "ï"]
    with pytest.raises(
        CharsetError, match=r"'ï' \(U\+00EF LATIN SMALL LETTER I WITH DIAERESIS\) is not in the charset of 3"
    ):
        charset.encode("aïx")
    assert describe("e\u0323").endswith("(U+0065 LATIN SMALL LETTER E + U+0323 COMBINING DOT BELOW)")


def test_extra_and_order() -> None:
    charset = Charset.from_texts(["ba"], extra="ïa")
    assert charset.symbols == ("a", "b", "ï")
    assert (len(charset), charset.classes) == (3, 4)
    assert [charset.symbol(i) for i in (1, 2, 3)] == ["a", "b", "ï"]
    for label in (0, 4, -1):
        with pytest.raises(CharsetError, match=r"classes 1\.\.3"):
            charset.symbol(label)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((),), "at least one symbol"),
        ((("a", ""),), "empty string"),
        ((("a", "b", "a"),), "'a' .* stands twice"),
        ((("e\u0301",),), "is not in NFC"),
        ((("a",), "NFX"), "allowed are NFC"),
        ((("a",), "NFC", "word"), "choose one of grapheme"),
        ((("a",), "NFC", "grapheme", "squeeze"), "whitespace 'squeeze' is unknown; allowed are keep, strip, collapse"),
        ((("a",), "NFC", "grapheme", "keep", "title"), "case 'title' is unknown"),
        (
            (("a",), "NFC", "grapheme", "keep", "keep", "down"),
            "direction 'down' is unknown; allowed are ltr, rtl, auto",
        ),
        ((("A",), "NFC", "grapheme", "keep", "lower"), "'A' .* never occurs in texts with case=lower; remove it"),
        ((("\u00a0",), "NFC", "grapheme", "collapse"), "never occurs in texts with whitespace=collapse"),
        ((("\u200f",), "NFC", "grapheme", "keep", "keep", "rtl"), "never occurs in texts with direction=rtl"),
    ],
)
def test_bad_charsets(arguments: tuple, message: str) -> None:
    with pytest.raises(CharsetError, match=message):
        Charset(*arguments)


def test_stored_form() -> None:
    charset = Charset.from_texts(SCRIPTS, form="NFD")
    assert Charset.from_dict(charset.to_dict()) == charset
    points = Charset(("b", "a"), "none", "codepoint")  # class order is kept, not sorted
    assert Charset.from_dict(points.to_dict()) == points
    assert Charset.from_dict({"symbols": ["b", "a"]}) == Charset(("b", "a"), "NFC", "grapheme")
    for bad in ({}, {"symbols": "abc"}, {"symbols": [1]}):
        with pytest.raises(CharsetError, match="list of strings"):
            Charset.from_dict(bad)


@given(st.lists(st.integers(1, 2), min_size=1, max_size=4))
def test_required_steps_is_the_length_of_the_shortest_path(labels: list[int]) -> None:
    def possible(steps: int) -> bool:
        return any(
            [c for c, _ in itertools.groupby(path) if c != BLANK] == labels
            for path in itertools.product(range(3), repeat=steps)
        )

    needed = required_steps(labels)
    assert possible(needed)
    assert not possible(needed - 1)


def test_text_in_another_form_is_the_same_text() -> None:
    """However a label was typed, it has the same classes; with form none it has not."""
    for text in ("Tiếng Việt", "ἄνθρωπος", "naïve"):
        charset = Charset.from_texts([text])
        assert charset.encode(unicodedata.normalize("NFD", text)) == charset.encode(text)
        assert charset.unknown(unicodedata.normalize("NFD", text)) == []
        assert Charset.from_texts([text], form="none").unknown(unicodedata.normalize("NFD", text)) != []
    assert Charset.from_texts(["ﬁ½"], form="NFKC").symbols == tuple(sorted("fi1⁄2"))


def test_classes_are_ordered_by_code_point() -> None:
    assert Charset.from_texts(["zaZ9 ï", "é"]).symbols == (" ", "9", "Z", "a", "z", "é", "ï")
    assert Charset.from_texts(["b"], extra="a") == Charset.from_texts(["ab"])


def test_what_cannot_be_written() -> None:
    """A charset without texts; the blank; each unknown symbol once, in order of appearance."""
    with pytest.raises(CharsetError, match="are all labels empty"):
        Charset.from_texts(["", ""])
    charset = Charset.from_texts(["ab"])
    with pytest.raises(CharsetError, match="class 0 is not a symbol"):
        charset.decode([1, BLANK])
    assert charset.unknown("zbyzay") == ["z", "y"]
    assert charset.encode("") == []
    assert charset.decode([]) == ""
    assert required_steps([]) == 0
    cluster = "\U0001f469\u200d\U0001f467"
    with pytest.raises(CharsetError, match=r"U\+1F469 WOMAN \+ U\+200D ZERO WIDTH JOINER \+ U\+1F467 GIRL"):
        charset.encode(f"a{cluster}")
    with pytest.raises(CharsetError, match=r"U\+E000 unnamed"):
        charset.encode("\ue000")


RULES = st.builds(TextRules, *(st.sampled_from(allowed) for allowed in CHOICES.values()))
UNITS = st.sampled_from(["grapheme", "codepoint"])
ANY = st.one_of(TEXTS, st.text(st.sampled_from("אבגش ()12aA\u05b8\u0301\r\n\t\u00a0"), max_size=15))


@given(st.lists(ANY, max_size=4), ANY, RULES, UNITS)
def test_every_rule_holds_for_training_and_reading(others: list[str], text: str, rules: TextRules, unit: str) -> None:
    charset = Charset.from_counts(count_symbols([*others, text], rules, unit), "x", rules, unit)  # type: ignore[arg-type]
    if rules.case == "upper":
        assert "X" in charset
    visual = rules.to_visual(rules.normalize(text))
    labels = charset.encode(text)
    assert "".join(map(charset.symbol, labels)) == visual == "".join(charset.split(text))
    assert charset.unknown(text) == []
    assert charset.encode(charset.normalize(text)) == labels
    assert (charset.decode(labels) == charset.normalize(text)) == rules.round_trips(text)
    assert Charset.from_dict(charset.to_dict()) == charset
    assert charset.rules == rules


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("text", "graphemes", "composed", "decomposed"),
    [
        ("नमस्ते क्षत्रिय", 7, 15, 15),
        ("Tiếng Việt được", 15, 15, 22),
        ("ἄνθρωπος ᾧ τῷ ὕβρις", 19, 19, 28),
        ("שָׁלוֹם", 4, 7, 7),
        ("السَّلَامُ", 6, 10, 10),
        ("o\u0323\u0302 q\u0301\u0323", 3, 5, 7),
    ],
)
def test_combining_marks(text: str, graphemes: int, composed: int, decomposed: int, form: str) -> None:
    """As clusters, each with its marks, or as code points, in either form: nothing is lost and nothing is split."""
    direction = "rtl" if text[0] in "שا" else "ltr"
    clusters = Charset.from_texts([text], form=form, direction=direction)  # type: ignore[arg-type]
    assert len(clusters.encode(text)) == graphemes
    points = Charset.from_texts([text], form=form, unit="codepoint", direction=direction)  # type: ignore[arg-type]
    assert len(points.encode(text)) == (composed if form == "NFC" else decomposed)
    assert all(len(symbol) == 1 for symbol in points.symbols)
    for charset in (clusters, points):
        for typed in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
            assert charset.decode(charset.encode(typed)) == unicodedata.normalize(form, text)  # type: ignore[arg-type]


def test_right_to_left_labels_are_in_the_order_of_the_picture() -> None:
    charset = Charset.from_texts(["(שלום) Ab"], direction="rtl")
    assert "".join(map(charset.symbol, charset.encode("(שלום) Ab"))) == "Ab (םולש)"
    assert charset.decode(charset.encode("(שלום) Ab")) == "(שלום) Ab"
    assert charset.unknown("חשלב") == ["ב", "ח"]
    assert Charset.from_texts(["א("], direction="rtl").symbols == (")", "א")
    assert "".join(Charset.from_texts(["א("]).split("א(")) == "א("  # nothing is reordered by default


def test_a_mark_without_a_letter_does_no_harm() -> None:
    """It comes to stand behind another letter, in a cluster that is in the charset's form again."""
    charset = Charset.from_texts(["\u05960\u0300"], direction="rtl")
    assert charset.symbols == ("0\u0596\u0300",)


def test_counts_and_rare_characters() -> None:
    counts = count_symbols(["ABba", "ba "], TextRules(case="lower"))
    assert counts == {"a": 3, "b": 3, " ": 1}
    assert Charset.from_counts(counts, "é", min_count=2).symbols == ("a", "b", "é")
    assert Charset.from_texts(["aab", "ac"], min_count=2).symbols == ("a",)
    assert Charset.from_texts(["aab", "ac"], min_count=2).unknown("abc") == ["b", "c"]
    assert count_symbols(["e\u0301é\r\n"]) == {"é": 2, "\r\n": 1}
    assert count_symbols(["éa"], TextRules("NFD"), "codepoint") == {"e": 1, "\u0301": 1, "a": 1}


def test_a_list_of_characters_is_no_text() -> None:
    """Its spaces count, and it has no direction."""
    rules = TextRules("NFC", "collapse", "lower", "rtl")
    assert characters(" Aba(e\u0301\u200f", rules) == [" ", "a", "b", "(", "é"]
    assert Charset.from_texts(["אa b"], " ", whitespace="strip", direction="rtl").symbols == (" ", "a", "b", "א")
    assert Charset.from_texts(["ab"], " ", whitespace="strip").symbols == (" ", "a", "b")


def test_what_is_known_of_a_text() -> None:
    charset = Charset.from_texts(["ab("])
    assert charset.encode_known("xa(ŝb") == charset.encode("a(b")
    assert charset.encode_known("xyz") == []
    mirrored = Charset.from_texts(["אב("], direction="rtl")  # the picture shows the bracket the other way round
    assert mirrored.encode_known("(אxב") == mirrored.encode("(אב")


@pytest.mark.parametrize("direction", ["ltr", "rtl", "auto"])
def test_a_reading_is_in_the_charsets_form(direction: Direction) -> None:
    """A letter and a mark, each a symbol of its own, are what a label with both is after normalising."""
    for form, wanted in (("NFC", "\u0929"), ("NFKC", "\u0929"), ("none", "\u0928\u093c")):
        charset = Charset(("\u0928", "\u0929", "\u093c"), form, direction=direction)
        assert charset.decode([1, 3]) == wanted
    marks = Charset(("\u0628", "\u064e", "\u0651"), direction=direction)  # beh, fatha, shadda: in this order by Unicode
    assert marks.decode([1, 3, 2]) == marks.normalize("\u0628\u0651\u064e") == "\u0628\u064e\u0651"
