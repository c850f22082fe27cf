"""Characters to classes and back."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.charset import BLANK, Charset, describe, required_steps
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
