"""Words of languages: where they come from, which are held out, how often each is drawn."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from crnn.core.charsets import named_set
from crnn.data.synth import vocabulary
from crnn.data.synth.vocabulary import Words, all_words, check_languages, is_held_out, words_of
from crnn.errors import ConfigError

LATIN = frozenset(named_set("latin"))


@pytest.fixture
def _no_wordfreq(monkeypatch: pytest.MonkeyPatch) -> None:
    words_of.cache_clear()
    monkeypatch.setattr(vocabulary, "_wordfreq", lambda: None)
    yield
    words_of.cache_clear()


@pytest.fixture
def _few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "FEW_WORDS", 0)
    listed = {"der": 0.04, "straße": 0.01, "über": 0.01, "2020": 0.5, "c'est": 0.01, "дом": 0.1}
    package = SimpleNamespace(
        available_languages=lambda _: {"de": "", "zh": "", "ja": ""}, get_frequency_dict=lambda *_: listed
    )
    words_of.cache_clear()
    monkeypatch.setattr(vocabulary, "_wordfreq", lambda: package)
    yield
    words_of.cache_clear()


@pytest.mark.usefixtures("_no_wordfreq")
def test_without_wordfreq_there_is_english_only() -> None:
    check_languages(["en", "basic"])
    assert set(words_of("en", False, LATIN).all) | set(words_of("en", True, LATIN).all) == set(all_words())
    with pytest.raises(
        ConfigError,
        match=r"words of 'de', if there are any, come from wordfreq.*pip install \"crnn\[synth\]\", or choose",
    ):
        check_languages(["en", "de"])


@pytest.mark.usefixtures("_few_words")
def test_words_are_those_that_the_charset_can_write() -> None:
    def both(allowed: str) -> set[str]:
        return {w for held_out in (False, True) for w in words_of("de", held_out, frozenset(allowed)).all}

    assert both("".join(LATIN)) == {"der", "straße", "über", "c'est"}
    assert both("abcdefghijklmnopqrstuvwxyz") == {"der"}
    assert both("DER") == {"der"}
    assert both("0123456789") == set()
    assert set(words_of("basic", False, LATIN).all) <= set(all_words())  # whatever is installed


@pytest.mark.usefixtures("_few_words")
@pytest.mark.parametrize(
    ("languages", "message"),
    [
        (["de", "xx"], r"no words of 'xx'; allowed are basic, de, zh$"),
        (["zh_CN"], "no words of 'zh_CN'"),
        ([], r"languages=\[\]: must be a list of languages"),
        ("de", r"languages='de': must be a list"),
    ],
)
def test_languages_without_words_are_refused(languages: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_languages(languages)


def test_words_of_many_languages() -> None:
    pytest.importorskip("wordfreq")
    check_languages(["en", "de", "fr", "es", "it", "pl"])
    for language, some in (("de", "für"), ("fr", "même"), ("es", "año"), ("it", "più")):
        train, val = (words_of(language, held_out, LATIN).all for held_out in (False, True))
        assert some in train + val
        assert len(train) > 10_000
        assert not set(train) & set(val)
        assert 0.08 < len(val) / len(train + val) < 0.12
        assert not [w for w in train if is_held_out(w) or is_held_out(w.upper()) or is_held_out(w.capitalize())]


def test_frequent_words_come_more_often_and_rare_ones_too() -> None:
    rng = np.random.default_rng(1)
    drawn = Words(("often", "rare", "rarer"), (0.9, 0.009, 0.0001))
    counts = Counter(drawn.draw(rng) for _ in range(4000))
    assert counts["often"] > 4000 * 0.65
    assert counts["rarer"] > 4000 * 0.07  # a third of the even share
    assert Words(()).draw(rng) == ""


@pytest.mark.parametrize("characters", ["012 abxyz", "ABC 12", "aBc"])
def test_a_small_charset_has_many_words(characters: str) -> None:
    allowed = frozenset(characters)
    trained, kept = (set(words_of("basic", held_out, allowed).all) for held_out in (False, True))
    assert len(trained) == vocabulary.ENOUGH_WORDS
    assert len(kept) > vocabulary.ENOUGH_WORDS / 2
    assert not trained & kept
    letters = {c.lower() for c in characters if c.isalpha()}
    assert set("".join(trained)) == letters
    assert words_of("basic", False, allowed).all == words_of.__wrapped__("basic", False, allowed).all


def test_digits_alone_have_no_words() -> None:
    assert len(words_of("basic", False, frozenset("0123456789"))) == 0


class Listed:
    """A generator that gives what is listed."""

    def __init__(self, *draws: float) -> None:
        self.draws = list(draws)

    def random(self) -> float:
        return self.draws.pop(0)

    def integers(self, below: int) -> int:
        return int(self.draws.pop(0)) % below


def test_which_word_a_draw_is() -> None:
    """Three in ten evenly, the others by the root of their frequency."""
    words = Words(("a", "b", "c"), (0.16, 0.04, 0.04))  # roots 0.4, 0.2, 0.2
    for draws, word in (
        ((0.29, 0), "a"),
        ((0.0, 2), "c"),
        ((0.3, 0.0), "a"),
        ((0.3, 0.5), "a"),
        ((0.3, 0.51), "b"),
        ((0.9, 0.75), "b"),
        ((0.9, 0.76), "c"),
        ((0.9, 1.0), "c"),
        ((0.9, 1.1), "c"),
    ):
        assert words.draw(Listed(*draws)) == word  # type: ignore[arg-type]
    even = Words(("a", "b"))
    assert [even.draw(Listed(0.5, draw)) for draw in (0.5, 0.51)] == ["a", "b"]  # type: ignore[arg-type]
    assert (len(even), len(Words(()))) == (2, 0)


def test_which_words_are_held_out_in_every_version() -> None:
    assert [word for word in all_words()[:60] if is_held_out(word)] == [
        "active",
        "again",
        "almost",
        "alone",
        "anxious",
        "april",
    ]
    assert len(all_words()) == 1910
    assert is_held_out("Water") == is_held_out("water")


@pytest.mark.usefixtures("_no_wordfreq")
def test_words_of_chinese_are_none_without_their_list() -> None:
    check_languages(["zh", "en", "basic"])
    assert words_of("zh", False, LATIN).all == ()
    assert set(words_of("en", False, LATIN).all) == set(words_of("basic", False, LATIN).all)
    with pytest.raises(ConfigError, match="'fr', if there are any, come from wordfreq"):
        check_languages(["zh", "fr"])


def listed(monkeypatch: pytest.MonkeyPatch, words: dict[str, float]) -> None:
    package = SimpleNamespace(available_languages=lambda _: {"de": ""}, get_frequency_dict=lambda *_: words)
    monkeypatch.setattr(vocabulary, "_wordfreq", lambda: package)


def test_only_the_most_frequent_words_of_a_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST_WORDS", 4)
    monkeypatch.setattr(vocabulary, "FEW_WORDS", 0)
    listed(monkeypatch, {"be": 0.1, "ab": 0.1, "most": 0.9, "rare": 0.01, "cd": 0.1})
    for language in ("de", "zh"):
        both = [words_of.__wrapped__(language, held_out, LATIN).all for held_out in (False, True)]
        assert sorted(both[0] + both[1]) == ["ab", "be", "cd", "most"]
        assert not set(both[0]) & set(both[1])
    words_of.__wrapped__("basic", False, LATIN)


def test_words_are_made_up_where_there_are_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {word: 0.25 for word in ("ab", "ba", "aab", "bab", "abba") if not is_held_out(word)}
    monkeypatch.setattr(vocabulary, "ENOUGH_WORDS", 12)
    listed(monkeypatch, own)
    monkeypatch.setattr(vocabulary, "FEW_WORDS", len(own))
    assert words_of.__wrapped__("de", False, LATIN).all == tuple(sorted(own))
    monkeypatch.setattr(vocabulary, "FEW_WORDS", len(own) + 1)
    more = words_of.__wrapped__("de", False, LATIN)
    assert (len(more), more.all[: len(own)]) == (12, tuple(sorted(own)))
    assert len(set(more.all)) == 12
    assert np.allclose(np.diff(more._steps), 1 / 12)  # as frequent as the others are
    assert words_of.__wrapped__("zh", False, LATIN).all == tuple(sorted(own))  # Chinese words are not spelled


def test_which_words_are_made_up_in_every_version() -> None:
    made = vocabulary._invented({"abc": 0.5, "aab": 0.1}, False, frozenset("AaBC1 "), 6, frozenset(["ab"]))
    assert made == ["aaaccbc", "bbbbccc", "cbacbabc", "cbbaba", "cabacca", "caaa"]
    held_out = vocabulary._invented({}, True, frozenset("ab"), 5, frozenset())
    assert held_out == ["bba", "bbbab", "abaab", "aa", "ababbbba"]
    assert all(map(is_held_out, held_out))
    assert vocabulary._invented({"abc": 0.5}, False, frozenset("12 ."), 6, frozenset()) == []
    lengths = {len(word) for word in vocabulary._invented({}, False, frozenset("abcdef"), 300, frozenset())}
    assert lengths == set(range(2, 9))
    few = vocabulary._invented({}, False, frozenset("a"), 50, frozenset(["aaa"]))  # not as many as are asked for
    assert "aaa" not in few
    assert 3 < len(few) < 7
