"""Patterns against Python's own regular expressions."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crnn.core.charset import Charset
from crnn.core.decode.pattern import compile_pattern
from crnn.core.decode.pattern_parts import Parts, parse
from crnn.core.text import UnicodeForm
from crnn.errors import ConfigError

CHARSET = Charset(("a", "b", "1", "\u0663", ".", " ", "\n"), unit="codepoint")
TEXTS = ["".join(text) for n in range(5) for text in itertools.product("ab1. ", repeat=n)]
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "1",
        ".",
        r"\.",
        r"\d",
        r"\w",
        r"\s",
        r"\D",
        r"\W",
        r"\S",
        "[ab]",
        "[^a]",
        r"[\d.]",
        "[a-z]",
        r"[^\w ]",
        "[^1-9]",
        "()",
    ]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda ways: f"({'|'.join(ways)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "{,2}", "{1,}", "*?", "+?", "{0}"])).map(
            lambda x: f"(?:{x[0]}){x[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(PATTERNS, st.lists(st.text("ab1\u0663. \n", max_size=8), max_size=20))
def test_as_python_matches(pattern: str, texts: list[str]) -> None:
    matcher = re.compile(pattern)
    try:
        automaton = compile_pattern(pattern, CHARSET)
    except ConfigError as error:
        assert "matches no text" in str(error)
        assert not any(matcher.fullmatch(text) for text in TEXTS)
        return
    matched = 0
    for text in [*TEXTS[:150], *texts]:
        matched += bool(matcher.fullmatch(text))
        assert automaton.accepts(CHARSET.encode(text)) == bool(matcher.fullmatch(text)), text


@settings(max_examples=50, deadline=None)
@given(PATTERNS)
def test_every_state_is_on_the_way_to_a_match(pattern: str) -> None:
    """Following any moves leads to an allowed text, in exactly as many symbols as the state says."""
    try:
        automaton = compile_pattern(pattern, CHARSET)
    except ConfigError:
        return
    assert 0 not in automaton.followers(0)  # the blank
    for state, missing in enumerate(automaton.missing):
        if missing > 0:
            assert min(automaton.missing[after] for after in automaton.followers(state).values()) == missing - 1
        assert (missing == 0) == automaton.accepting[state]


def test_symbols_of_several_code_points() -> None:
    charset = Charset.from_texts(["e\u0301e\u0300"], form="NFD")
    assert len(charset) == 2
    for pattern, allowed in {"é+": ["é", "éé"], "é|è": ["é", "è"], "(e.){2}": ["éé", "éè"], "\u0301e": []}.items():
        if not allowed:
            with pytest.raises(ConfigError, match="matches no text of the model's 2 characters"):
                compile_pattern(pattern, charset)
            continue
        automaton = compile_pattern(pattern, charset)
        assert all(automaton.accepts(charset.encode(text)) for text in allowed)
        assert not automaton.accepts(charset.encode("éèé"))


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_letters_and_marks_are_what_texts_make_of_them(form: UnicodeForm) -> None:
    charset = Charset.from_texts(["caféx"], form=form)
    for pattern in ("caf\u00e9?", "cafe\u0301?", "caf[xe\u0301]?"):
        automaton = compile_pattern(pattern, charset)
        assert [automaton.accepts(charset.encode(text)) for text in ("café", "caf", "cafc")] == [True, True, False]
    wide = compile_pattern("a\uff0a", Charset.from_texts(["a*"], form="NFKC"))  # no operator, but what texts make of it
    assert [wide.accepts(labels) for labels in ([2, 1], [2], [2, 2])] == [True, False, False]


def test_letters_stand_for_both_cases_where_texts_have_one() -> None:
    charset = Charset.from_texts(["abcxyz-"], case="lower")
    automaton = compile_pattern("[A-C]+-XY", charset)
    assert automaton.accepts(charset.encode("abc-xy"))
    assert not automaton.accepts(charset.encode("x-xy"))


def test_anchors_at_the_ends_say_nothing_new() -> None:
    for pattern in ("^a1$", r"\Aa1\Z", "a1"):
        automaton = compile_pattern(pattern, CHARSET)
        assert automaton.accepts(CHARSET.encode("a1"))
        assert not automaton.accepts(CHARSET.encode("a1b"))


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"(a)\1", r"has a reference to a group, which is not supported; allowed are characters"),
        ("(?=a)a", "has a lookahead or lookbehind"),
        ("(?<!a)a", "has a negative lookahead or lookbehind"),
        (r"a\b", "has an anchor or word boundary within it"),
        ("a|^b", "has an anchor"),
        ("(a)?(?(1)b|1)", "has a condition on a group"),
        ("(?i)a", r"has flags such as \(\?i\)"),
        ("(?i:a)", "has a flag"),
        ("", "the pattern is empty: .* leave it out to read any text"),
        ("(", "is not a regular expression: missing"),
        ("a{2,1}", "is not a regular expression"),
        ("a{99999999999}", "is not a regular expression"),
        ("[é]", "matches no text of the model's 7 characters"),
        ("a" * 1001, "at most 1,000 characters; this one has 1,001"),
        ("a{6000}", "is too large: its repetitions make more than 5,000 parts"),
        ("((a{99}){99}){99}", "is too large"),
        ("(a|b)*a(a|b){15}", "is too large: more than 10,000 states"),
        ("(a?){1600}", "is too large"),
        ("(" * 400 + "a" + ")" * 400, "nested too deep|is not a regular expression|regular"),
    ],
)
def test_refused(pattern: str, message: str) -> None:
    started = time.process_time()
    if pattern.startswith("(((("):  # deep, but within what Python's parser takes
        assert compile_pattern(pattern[300:-300], CHARSET).accepts(CHARSET.encode("a"))
        return
    with pytest.raises(ConfigError, match=message):
        compile_pattern(pattern, CHARSET)
    assert time.process_time() - started < 10


@pytest.mark.parametrize("direction", ["rtl", "auto"])
def test_right_to_left_is_refused(direction: str) -> None:
    charset = Charset.from_texts(["אב"], direction=direction)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"direction {direction}; list the allowed texts in a lexicon"):
        compile_pattern("א+", charset)


def test_a_repeated_set_is_asked_once_for_each_character() -> None:
    charset = Charset("abc")
    parts = Parts("[ab]{9}a.[ab]a{5}.[^a]", charset)
    parts.sequence(parse(parts.pattern), parts.state())
    assert [[test(c) for c in "abc"] for test in parts.tests] == [
        [True, True, False], [True, False, False], [True, True, True], [False, True, True],
    ]  # fmt: skip


def test_limits_of_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compile_pattern("a" * 1000, CHARSET).accepts(CHARSET.encode("a" * 1000))
    with pytest.raises(ConfigError, match=r"1,?00[01] characters"):
        compile_pattern("a" * 1001, CHARSET)
    monkeypatch.setattr("crnn.core.decode.pattern_parts.MAX_PARTS", 4)
    assert compile_pattern("aaa", CHARSET).accepts(CHARSET.encode("aaa"))
    with pytest.raises(ConfigError, match="its repetitions make more than 4 parts"):
        compile_pattern("aaaa", CHARSET)
