"""Each part of a pattern against Python's own regular expressions, character by character."""

from __future__ import annotations

import re

import pytest

from crnn.core.charset import Charset
from crnn.core.decode import pattern_parts
from crnn.core.decode.automaton import Automaton
from crnn.core.decode.pattern import compile_pattern
from crnn.core.decode.pattern_parts import Parts, parse
from crnn.errors import ConfigError

CHARACTERS = "abcyzAZ019_-.^ é²٣\n\tß"
CHARSET = Charset(tuple(sorted(CHARACTERS)), unit="codepoint")


def accepts(pattern: str, text: str, charset: Charset = CHARSET) -> bool:
    return compile_pattern(pattern, charset).accepts(charset.encode(text))


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", ".", "a", "[^a]", r"\.", "é", "[a-c]", "[^a-c]", "[b-y]", "[a-]"),
        *(r"[\d_]", r"[^\d_]", r"[\W\d]", r"[^\W\d]", r"[\s.]", r"[^\S\n]", "[abc]", "[^abc]", r"[\^a]", "[0-9a-z]"),
        *("a|b", "a|b|1", "[^0-9]", "(?:a)", "(a)", "(?P<name>a)", "(?s:a)|b", "a?b", "(?#a comment)a", r"\x61"),
    ],
)
def test_single_characters_are_those_of_python(pattern: str) -> None:
    if pattern.startswith("(?s"):
        with pytest.raises(ConfigError, match="has a flag, which is not supported"):
            compile_pattern(pattern, CHARSET)
        return
    automaton = compile_pattern(pattern, CHARSET)
    allowed = {c for c in CHARACTERS if automaton.accepts(CHARSET.encode(c))}
    assert allowed == {c for c in CHARACTERS if re.fullmatch(pattern, c)}
    assert automaton.accepts([]) == bool(re.fullmatch(pattern, ""))


@pytest.mark.parametrize("inner", ["a", "(?:ab)", "[ab]", "(?:a|)"])
@pytest.mark.parametrize(
    "times", ["?", "*", "+", "{0}", "{1}", "{2}", "{3}", "{0,1}", "{0,2}", "{1,2}", "{2,3}", "{2,}", "{,1}", "{3,4}?"]
)
def test_repetitions_are_those_of_python(inner: str, times: str) -> None:
    pattern = f"{inner}{times}c"
    automaton = compile_pattern(pattern, CHARSET)
    for text in [letters * n + "c" for letters in ("a", "ab", "b") for n in range(6)] + ["", "a", "ac" * 2, "aabc"]:
        assert automaton.accepts(CHARSET.encode(text)) == bool(re.fullmatch(pattern, text)), text


def test_repetitions_of_nothing() -> None:
    for pattern in ("(){3}a", "(?:){2,5}a", "()*a", "(){2,}a"):
        assert accepts(pattern, "a")
        assert not accepts(pattern, "aa")


@pytest.mark.parametrize("pattern", ["a|bc|", "(a|b)(c|y)", "a(b|c*)y", "(a|ab)(c|bcy)?"])
def test_ways_are_those_of_python(pattern: str) -> None:
    automaton = compile_pattern(pattern, CHARSET)
    for text in ("", "a", "b", "bc", "ab", "ac", "ay", "aby", "accy", "abc", "abbcy", "acy", "abcy", "aa", "by"):
        assert automaton.accepts(CHARSET.encode(text)) == bool(re.fullmatch(pattern, text)), text


@pytest.mark.parametrize(("case", "stored"), [("lower", "ab1"), ("upper", "AB1")])
def test_letters_of_either_case(case: str, stored: str) -> None:
    charset = Charset.from_texts([stored], case=case)  # type: ignore[arg-type]
    for pattern in ("a", "A", "[a]", "[A]", "[a-a]", "[A-A]"):
        found = compile_pattern(pattern, charset)
        assert [found.accepts(charset.encode(c)) for c in stored] == [True, False, False], pattern
    for pattern in ("[^a]", "[^A]", "[^A-A]"):
        found = compile_pattern(pattern, charset)
        assert [found.accepts(charset.encode(c)) for c in stored] == [False, True, True], pattern
    assert accepts(r"\d", "1", charset)
    keep = Charset.from_texts(["aA"])
    for pattern in ("a", "[a]", "[a-a]"):
        assert accepts(pattern, "a", keep)
        assert not accepts(pattern, "A", keep)


def test_characters_of_several_code_points() -> None:
    charset = Charset.from_texts(["éèa"], form="NFD")
    for text, allowed in {"é": True, "a": True, "è": False}.items():
        assert accepts("[éa]", text, charset) == allowed
        assert accepts("é|a", text, charset) == allowed
    for pattern in ("[é\\d]", "[éa-b]"):
        assert accepts(pattern, "é", charset)
        assert not accepts(pattern, "è", charset)
    assert accepts("[éa-b]", "a", charset)
    with pytest.raises(ConfigError, match="a set of what is not allowed that lists characters of several code points"):
        compile_pattern("[^éa]", charset)
    assert accepts("[^b]", "a", charset)


@pytest.mark.parametrize("pattern", ["(?i:a)", "(?-i:a)", "(?m:a)"])
def test_flags_of_a_part_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="has a flag, which is not supported; allowed are characters"):
        compile_pattern(pattern, CHARSET)


@pytest.mark.parametrize("pattern", ["(?i)a", "(?m)a", "(?s)a", "(?a)a", "(?x)a", "(?ia)a"])
def test_flags_of_all_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"has flags such as \(\?i\), which are not supported; write \[aA\] instead"):
        parse(pattern)


@pytest.mark.parametrize("pattern", ["^a$", r"\Aa\Z", "^a", "a$", r"\Aa", r"a\Z", "a"])
def test_anchors_at_the_ends_are_left_out(pattern: str) -> None:
    assert [str(operation) for operation, _ in parse(pattern)] == ["LITERAL"]


def test_anchors_elsewhere_stay() -> None:
    assert parse("") == []
    assert parse("^") == parse("$") == parse("^$") == []
    for pattern in ("$a", "a^", r"\Za", r"a\A", r"\ba", r"a\B", "^^a", "a$$"):
        assert "AT" in [str(operation) for operation, _ in parse(pattern)], pattern
        with pytest.raises(ConfigError, match="an anchor or word boundary within it"):
            compile_pattern(pattern, CHARSET)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(a)\1", "a reference to a group"),
        ("a(?=b)", "a lookahead or lookbehind"),
        ("(?<=a)b", "a lookahead or lookbehind"),
        ("a(?!b)", "a negative lookahead or lookbehind"),
        ("(a)?(?(1)b|c)", "a condition on a group"),
    ],
)
def test_what_is_not_supported_is_named(pattern: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f" has {words}, which is not supported"):
        compile_pattern(pattern, CHARSET)


def test_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_parts, "MAX_LENGTH", 3)
    assert len(parse("aaa")) == 3
    with pytest.raises(ConfigError, match="a pattern has at most 3 characters; this one has 4"):
        parse("aaaa")


def test_states_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_parts, "MAX_PARTS", 3)
    parts = Parts("x", CHARSET)
    assert [parts.state() for _ in range(3)] == [0, 1, 2]
    assert (parts.moves, parts.free) == ([[], [], []], [[], [], []])
    with pytest.raises(ConfigError, match="pattern 'x' is too large: its repetitions make more than 3 parts"):
        parts.state()


def test_what_is_reached_without_a_character() -> None:
    parts = Parts("x", CHARSET)
    for _ in range(5):
        parts.state()
    parts.free[0] += [1, 2]
    parts.free[2] += [3, 0]
    assert parts.closure(iter((0,))) == {0, 1, 2, 3}
    assert parts.closure(iter((3, 4))) == {3, 4}
    assert parts.closure(iter(())) == frozenset()


def test_the_deterministic_one_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(states: int, work: int = 10**6) -> Automaton:
        monkeypatch.setattr("crnn.core.decode.pattern.MAX_STATES", states)
        monkeypatch.setattr("crnn.core.decode.pattern.MAX_WORK", work)
        return compile_pattern("abc", CHARSET)

    assert made(4).missing == [3, 2, 1, 0]
    with pytest.raises(ConfigError, match="is too large: more than 3 states; simplify it"):
        made(3)
    with pytest.raises(ConfigError, match="is too large"):
        made(4, 10)
