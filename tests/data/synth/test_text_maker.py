"""The maker of texts: which kind, how long, what is left of one that a charset cannot write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from few_draws import FewDraws, digest
from text_draws import CHARSETS, LATIN, WORDS, written

from crnn.data.synth import chinese, text
from crnn.data.synth.own_lines import LineModel
from crnn.data.synth.pen import Pen
from crnn.data.synth.text import KINDS, PRINTABLE_ASCII, TextMaker, anything
from crnn.errors import ConfigError


def only(monkeypatch: pytest.MonkeyPatch, *kinds: Callable[[Pen], str], ends: tuple[float, ...] = (1.0,)) -> None:
    """Let these be all kinds, with shares that end here."""
    monkeypatch.setattr(text, "_steps", lambda in_chinese: (kinds, np.array(ends)))
    monkeypatch.setattr(text.prose, "typeset", lambda pen, made: made)
    monkeypatch.setattr(text, "words_of", lambda *_: WORDS)


def test_shares_of_all_kinds() -> None:
    for kinds in (KINDS, chinese.KINDS):
        assert all(0 < share <= 0.3 for share in kinds.values())
        assert 0.95 <= sum(kinds.values()) < 1.2
    for in_chinese, kinds in ((False, KINDS), (True, {**chinese.KINDS, anything: 0.05})):
        made, steps = text._steps(in_chinese)
        assert list(made) == list(kinds)
        assert steps[-1] == pytest.approx(1)
        assert np.diff(steps, prepend=0) == pytest.approx(np.array(list(kinds.values())) / sum(kinds.values()))


def test_printable_characters_of_ascii() -> None:
    assert (len(PRINTABLE_ASCII), PRINTABLE_ASCII[0], PRINTABLE_ASCII[-1]) == (95, " ", "~")


def test_a_kind_comes_by_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, lambda pen: "one", lambda pen: "two", lambda pen: "three", ends=(0.25, 0.75, 0.99))
    for draw, made in ((0.0, "one"), (0.25, "one"), (0.26, "two"), (0.75, "two"), (0.8, "three"), (1.0, "three")):
        assert TextMaker()(FewDraws(0, [draw])) == made


def test_half_are_new_lines_where_there_is_a_model() -> None:
    maker = TextMaker(lines=("whole",), new_lines=LineModel(["new"], 3))
    assert [maker(FewDraws(0, [draw])) for draw in (0.0, 0.49, 0.5, 0.9)] == ["new", "new", "whole", "whole"]
    maker = TextMaker(lines=("whole",), new_lines=LineModel(["new"], 3, avoid=["new"]))
    assert maker(FewDraws(0, [0.0])) == "whole"  # nothing but what is to be avoided
    maker = TextMaker(lines=("a", "b", "c"))
    assert set(map(maker, map(np.random.default_rng, range(40)))) == set("abc")


@pytest.mark.parametrize(("made", "kept"), [("abc__", True), ("abc__x", False), ("abcxx", True), ("ab__", False)])
def test_of_a_text_six_tenths_must_be_left(made: str, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, lambda pen: made)
    maker = TextMaker("abc" + "x" * (made == "abcxx"), 1, 9)
    assert maker._draw(np.random.default_rng(0)) == (made if kept else "")


def test_lengths_at_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def four(pen: Pen) -> str:
        tries.append(pen.room)
        return "abab" if len(tries) >= 4 else ""

    only(monkeypatch, four)
    for shortest, longest in ((4, 9), (1, 4), (4, 4)):
        tries.clear()
        assert TextMaker("ab", shortest, longest)(np.random.default_rng(0)) == "abab"
        assert tries == [longest] * 4
    lengths = set()
    for seed in range(60):
        tries.clear()
        made = TextMaker("a b", 5, 7)(np.random.default_rng(seed))
        assert len(tries) == 4
        assert set(made) <= {"a", "b"}  # characters at random, without spaces
        lengths.add(len(made))
    assert lengths == {5, 6, 7}
    assert (TextMaker().min_length, TextMaker().max_length) == (1, 32)


@pytest.mark.parametrize(
    ("line", "shortest", "longest", "fit"),
    [
        ("ab cd", 1, 5, "ab cd"),
        ("ab cd", 1, 4, "ab"),
        ("ab cd", 1, 2, "ab"),
        ("ab cd", 1, 1, "a"),
        ("ab cd", 2, 4, "ab"),
        ("ab cd", 3, 4, "ab c"),
        ("ab cd", 3, 3, ""),  # a space at the end is none
        ("a bcde", 1, 4, "a"),
        ("abcde", 1, 4, "abcd"),
        ("ab", 2, 9, "ab"),
        ("ab", 3, 9, ""),
        ("  a \t b ", 1, 9, "a b"),
        ("aXYb", 1, 9, "ab"),
        ("XY", 1, 9, ""),
    ],
)
def test_what_fits_of_a_line(line: str, shortest: int, longest: int, fit: str) -> None:
    assert TextMaker("abcde ", shortest, longest).fit(line) == fit


def test_letters_of_the_other_case() -> None:
    assert TextMaker("ABCd")._recased("aBcDx-") == "ABCdx-"
    assert TextMaker("abcdABCD")._recased("aBcD") == "aBcD"
    assert TextMaker("aAbB")._recased("aAbBx") == "aAbBx"


def test_any_characters_in_groups() -> None:
    found = digest(written(anything, 100, [0.5]))
    assert found == "18df815e0661"
    groups = [made.split(" ") for made in written(anything, 300, [0.5])]
    assert {len(made) for made in groups} == {1, 2, 3, 4}
    assert {len(group) for made in groups for group in made} == set(range(1, 9))


def test_texts_with_chances_at_their_bounds() -> None:
    """Of makers for several charsets, in some languages, of held-out words."""
    made = []
    for seed in range(160):
        maker = TextMaker(CHARSETS[seed % 4], 1 + seed % 3, 9 + seed % 30, bool(seed % 2))
        made.append(maker(FewDraws(seed, np.linspace(0, 0.98, 50))))
    found = digest(made)
    assert found == "d4b306bb8200"


def test_languages_come_as_often_as_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, lambda pen: f"{pen.language}.")
    maker = TextMaker(LATIN, languages=("basic", "zh", "zh"))
    counts = Counter(maker(np.random.default_rng(seed)) for seed in range(150))
    assert set(counts) == {"basic.", "zh."}
    assert 70 < counts["zh."] < 130
    with pytest.raises(ConfigError, match="must be a list of languages"):
        TextMaker(LATIN, languages=())


def test_the_kinds_of_chinese_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def steps(in_chinese: bool) -> tuple[tuple[Callable[[Pen], str]], np.ndarray]:
        asked.append(in_chinese)
        return (lambda pen: "ab",), np.array([1.0])

    monkeypatch.setattr(text, "_steps", steps)
    for language in ("zh", "basic"):
        TextMaker(LATIN, languages=(language,))(np.random.default_rng(0))
    assert asked == [True, False]
