"""The rules that labels and readings share."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.text import _NOT_ONE_BY_ONE, BIDI_CONTROLS, CHOICES, TextRules, clusters
from crnn.errors import CharsetError

HARD = " \t\u00a0\u2003\u0301\u0323\u0345Σςΰᾳİıßŉǅﬁ™ʰKÅ¨ﷺ½אב(ا\u200f\u200d\u2067²aA"
TEXTS = st.one_of(st.text(max_size=12), st.text(st.sampled_from(HARD), max_size=12))
RULES = st.builds(TextRules, *(st.sampled_from(allowed) for allowed in CHOICES.values()))


@given(RULES, TEXTS)
def test_what_went_through_once_does_not_change_again(rules: TextRules, text: str) -> None:
    once = rules.normalize(text)
    assert rules.normalize(once) == once
    assert rules.characters(once) == once
    if rules.form != "none":
        assert unicodedata.is_normalized(rules.form, once)
    if rules.whitespace != "keep":
        assert once == once.strip()
    if rules.whitespace == "collapse":
        assert " ".join(once.split()) == once
    if rules.case == "lower":
        assert once.lower() == once
    if rules.direction != "ltr":
        assert not set(once) & set(BIDI_CONTROLS)


def test_by_default_nothing_changes_but_the_form() -> None:
    text = "  Aß\u00a0\tb\u200f e\u0301 "
    assert TextRules().normalize(text) == text.replace("e\u0301", "é")
    assert TextRules("none").normalize(text) == text
    assert TextRules().to_visual("שלום (a)") == TextRules().to_logical("שלום (a)") == "שלום (a)"
    assert TextRules().round_trips("12 abc")


@pytest.mark.parametrize(
    ("rules", "text", "wanted"),
    [
        (TextRules(whitespace="strip"), "\u2003 a \u00a0 b\t", "a \u00a0 b"),
        (TextRules(whitespace="collapse"), "\u2003 a \u00a0\t b\t", "a b"),
        (TextRules(case="lower"), "ÉCOLE Straße ΟΔΟΣ", "école straße οδος"),
        (TextRules(case="upper"), "école Straße ﬁ", "ÉCOLE STRASSE FI"),
        (TextRules("NFKC", case="lower"), "A™", "atm"),  # the form brings up capitals
        (TextRules("NFD", case="lower"), "É", "e\u0301"),
        (TextRules("NFKC", "collapse"), "a\u00a0 \u2003b ", "a b"),
        (TextRules(direction="rtl"), "א\u200fb\u202a\u2069c\u061c", "אbc"),
        (TextRules(direction="ltr"), "א\u200fb", "א\u200fb"),
        (TextRules(direction="auto"), "e\u200f\u0301", "é"),  # controls go first, then the form
    ],
)
def test_rules(rules: TextRules, text: str, wanted: str) -> None:
    assert rules.normalize(text) == wanted


def test_in_a_list_of_characters_a_space_is_one_of_them() -> None:
    assert TextRules(whitespace="collapse").characters(" ab\t") == " ab "
    assert TextRules(whitespace="strip", case="upper").characters(" a ") == " A "


def test_unknown_rules_are_refused() -> None:
    for name, allowed in CHOICES.items():
        label = "Unicode form" if name == "form" else name
        with pytest.raises(CharsetError, match=f"^{label} 'x' is unknown; allowed are {', '.join(allowed)}$"):
            TextRules(**{name: "x"})


def test_differences_are_named() -> None:
    assert TextRules().differences() == {}
    assert TextRules("NFD", direction="rtl").differences() == {"form": "NFD", "direction": "rtl"}


def test_code_points_of_the_quick_way_are_clusters_of_their_own() -> None:
    alone = regex.compile(r"[\p{GCB=Other}\p{GCB=Control}\p{GCB=LF}]")
    quick = [c for c in map(chr, range(0x110000)) if not _NOT_ONE_BY_ONE.search(c)]
    assert len(quick) > 20_000
    assert [c for c in quick if not alone.fullmatch(c)] == []
    assert "\r" not in quick


@given(st.one_of(st.text(), st.text(st.sampled_from("ab\r\n é\u0301\u0915\u094d\u0937\u200d👩🇩🇪각ᄀ\u0600א"))))
def test_clusters(text: str) -> None:
    assert clusters(text) == regex.findall(r"\X", text)


def test_left_to_right_text_loads_no_bidi() -> None:
    code = (
        "import sys; from crnn.core.charset import Charset; c = Charset.from_texts(['aïn', 'नि ']); c.decode(c.encode('ï'));"
        "d = Charset.from_texts(['abc'], direction='auto'); d.decode(d.encode('cab')); print('bidi' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_code_points_stay_where_the_form_is_none() -> None:
    for text in ("e\u0301", "\u212b", "abc"):
        assert TextRules("none").characters(text) == text
    assert TextRules("none", case="upper").normalize("e\u0301ß") == "E\u0301SS"


def test_every_rule_is_named_when_it_is_not_the_first() -> None:
    for name, allowed in CHOICES.items():
        assert getattr(TextRules(), name) == allowed[0]
        for value in allowed:
            rules = TextRules(**{name: value})  # type: ignore[arg-type]
            assert rules.differences() == ({} if value == allowed[0] else {name: value})
            assert rules.to_dict() == {**TextRules().to_dict(), name: value}
    assert list(TextRules().to_dict()) == list(CHOICES)


def test_which_direction_a_line_has() -> None:
    rtl, auto = TextRules(direction="rtl"), TextRules(direction="auto")
    assert (rtl.to_visual("abc א"), auto.to_visual("abc א")) == ("א abc", "abc א")
    assert (rtl.to_logical("א abc"), auto.to_logical("abc א")) == ("abc א", "abc א")
    assert auto.to_visual("אב abc") == "abc בא"
    assert not rtl.round_trips("12 abc")
    assert rtl.round_trips("abc 12")
    assert TextRules(direction="rtl", whitespace="strip").round_trips("  abc ")
