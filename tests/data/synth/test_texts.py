"""Texts to render: every kind, allowed characters only, held-out words, languages, long s."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable
from itertools import chain

import numpy as np
import pytest

from crnn.core.charsets import named_set
from crnn.data.synth import notation, prose, shop
from crnn.data.synth.pen import Pen, capital, grouped, upper
from crnn.data.synth.text import KINDS, PRINTABLE_ASCII, TextMaker, anything
from crnn.data.synth.vocabulary import Words, all_words, is_held_out, words_of

LATIN = "".join(named_set("latin"))
LANGUAGES = ["en", "de", "fr", "es", "it"]


def pen(seed: int, language: str = "basic", characters: str = LATIN, room: int = 60, held_out: bool = False) -> Pen:
    allowed = frozenset(characters)
    return Pen(np.random.default_rng(seed), language, words_of(language, held_out, allowed), allowed, room)


def texts(maker: TextMaker, count: int) -> list[str]:
    return [maker(np.random.default_rng(i)) for i in range(count)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_writes_something_for_every_charset_and_language(kind) -> None:
    for characters in (LATIN, PRINTABLE_ASCII, "0123456789", "ABC", "中 文", "x"):
        for language in ("basic", "de", "fr", "es", "it", "xx"):
            for seed in range(20):
                one = Pen(
                    np.random.default_rng(seed),
                    language,
                    words_of("basic", False, frozenset()),
                    frozenset(characters),
                    30,
                )
                assert isinstance(kind(one), str)
    made = {kind(pen(seed)) for seed in range(200)}
    assert len(made) > 80  # not a handful of fixed texts
    assert "" not in made


@pytest.mark.parametrize(
    "characters", [LATIN, PRINTABLE_ASCII, "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "äöü,", "中文"]
)
@pytest.mark.parametrize("longest", [1, 5, 28, 90])
def test_only_allowed_characters_and_lengths(characters: str, longest: int) -> None:
    for text in texts(TextMaker(characters, 1, longest), 300):
        assert 1 <= len(text) <= longest
        assert set(text) <= set(characters)
        assert text == " ".join(text.split())


def test_texts_that_a_small_charset_cannot_write_are_drawn_anew() -> None:
    made = texts(TextMaker("0123456789 abc", 1, 6), 400)
    assert sum(len(text) == 1 for text in made) < 80
    assert len(set(made)) > 300


def test_every_character_of_a_set_comes() -> None:
    maker = TextMaker(LATIN, 1, 40)
    assert not missing(map(re.escape, LATIN), (maker(np.random.default_rng(seed)) for seed in range(4000)))


def missing(patterns: Iterable[str], drawn: Iterable[str]) -> set[str]:
    """Patterns that none of the texts has; no more texts are drawn than it takes."""
    left = set(patterns)
    for text in drawn:
        left -= {pattern for pattern in left if re.search(pattern, text)}
        if not left:
            break
    return left


def test_what_receipts_and_forms_show_comes() -> None:
    patterns = (
        r"^RM \d+\.\d\d$", r"\d\.\d{3},\d\d €", r"\$\d", r"\d\.-", r"SDN\.? BHD", "GMBH|GmbH", "TAX INVOICE",
        r"GST ID", r"TOTAL.* : ", r"ROUND.* -0\.\d\d", r"\w@\w+\.\w", r"https?://", r"\d ?kg", r"\d ?%", r"[X*x#]{4}",
        r"\d\d/\d\d/\d{4} \d\d:\d\d", r"(?i)cashier", r"[a-z]{3}-$", "[“„«]", "[–—]", "…", "ſ", r"\d+ x \d", r"(?i)Tel",
    )  # fmt: skip
    maker = TextMaker(LATIN, 1, 60)
    assert not missing(patterns, (maker(np.random.default_rng(seed)) for seed in range(8000)))


def test_case_is_mixed() -> None:
    letters = [c for text in texts(TextMaker(LATIN, 1, 40), 1000) for c in text if c.isalpha()]
    assert 0.2 < sum(map(str.isupper, letters)) / len(letters) < 0.45
    only = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    words = {word.upper() for word in all_words() if len(word) > 4}
    assert sum(text in words for text in texts(TextMaker(only, 1, 12), 500)) > 50  # in capitals, not codes only
    assert any("sdnbhd" in text for text in texts(TextMaker(only.lower(), 1, 20), 2000))
    assert upper("Straße", frozenset("ẞ")) == "STRAẞE"
    assert upper("Straße", frozenset("S")) == "STRASSE"
    assert capital("l'eau") == "L'eau"


def test_held_out_words_do_not_leak() -> None:
    for held_out in (False, True):
        words = {
            w
            for seed in range(300)
            if (w := pen(seed, held_out=held_out).raw_word()) in words_of("basic", held_out, frozenset(LATIN)).all
        }
        assert len(words) > 50
        assert {is_held_out(word) for word in words} == {held_out}
    long_words = set(words_of("basic", True, frozenset(LATIN)).all)
    long_words = {word for word in long_words if len(word) > 6}
    fixed = " ".join(shop._HEADS + shop._TOTALS + shop._IDS + shop._FIELDS + shop._FIRMS).lower()
    for text in texts(TextMaker(LATIN, 1, 60), 2000):
        found = long_words & set(re.findall(r"[^\W\d_]+", text.lower()))
        assert not {word for word in found if word not in fixed}, text


def test_same_seed_same_text_and_through_pickle() -> None:
    maker = TextMaker(LATIN, 1, 50)
    assert texts(pickle.loads(pickle.dumps(maker)), 50) == texts(TextMaker(LATIN, 1, 50), 50) == texts(maker, 50)
    assert len(pickle.dumps(maker)) < 20_000  # words are not carried to every process


@pytest.mark.parametrize(
    ("modern", "old"),
    [
        ("Das Haus ist sehr groß", "Das Haus iſt ſehr groß"),
        ("blessings, satisfaction", "bleſſings, ſatisfaction"),
        ("Masse Esse", "Maſſe Eſſe"),
        ("S's s 5s", "S's s 5s"),
        ("ables- sonst", "ables- ſonſt"),
    ],
)
def test_long_s(modern: str, old: str) -> None:
    assert prose.long_s(modern) == old


def test_long_s_comes_only_where_the_charset_has_it() -> None:
    assert any("ſ" in prose.old_print(pen(seed)) for seed in range(20))
    assert not any("ſ" in prose.old_print(pen(seed, characters=PRINTABLE_ASCII)) for seed in range(50))
    assert sum("ſ" in text for text in texts(TextMaker(LATIN, 1, 40), 2000)) < 150


def test_running_text_fills_the_line_and_may_be_divided() -> None:
    lines = [prose.prose(pen(seed, room=80)) for seed in range(300)]
    assert max(map(len, lines)) <= 80
    assert sum(len(line) > 65 for line in lines) > 150
    assert sum(bool(re.search(r"[^\W\d_]{2}-$", line)) for line in lines) > 20


@pytest.mark.parametrize(
    ("language", "patterns"),
    [
        ("de", ["„[^“]+“", "[Ää]", "ß", r"(straße|str\.|weg|platz) \d"]),
        ("fr", [r"[a-zé]{3} [;!?]", r"\b[ldjLDJ]['’]", "« ", "[Éé]", r", rue "]),
        ("es", [r"¿\w[^?]*\?", r"¡\w[^!]*!", "ñ", r"Calle|C/"]),
        ("it", [r"\b(l|dell|all|un|nell)['’]", "[àèìòù]", r"Via "]),
        ("en", [r"['’]s\b", r"“[^”]+”"]),
    ],
)
def test_each_language_has_its_notation(language: str, patterns: list[str]) -> None:
    pytest.importorskip("wordfreq")
    kinds = [kind for kind in KINDS if kind is not anything]

    def made(seed: int) -> str:
        one = pen(seed, language)
        return prose.typeset(one, kinds[seed % len(kinds)](one))

    some = [made(seed) for seed in range(300)]
    assert not missing(patterns, chain(some, map(made, range(300, 3000))))
    assert sum(map(str.isupper, "".join(some))) > 0.15 * sum(map(str.isalpha, "".join(some)))


def test_capitals_have_accents_and_german_nouns_capitals() -> None:
    pytest.importorskip("wordfreq")
    maker = TextMaker(LATIN, 1, 70, languages=["fr", "de"])
    assert not missing([r"\b[A-Z]+[ÉÈÀÊ][A-Z]+\b"], (maker(np.random.default_rng(seed)) for seed in range(2000)))
    running = " ".join(prose.prose(pen(seed, "de")) for seed in range(300))
    inner = re.findall(r"(?<=[a-z] )[^\W\d_]+", running)
    assert 0.15 < sum(word[0].isupper() for word in inner) / len(inner) < 0.5


def test_languages_are_mixed_evenly() -> None:
    pytest.importorskip("wordfreq")
    maker = TextMaker(LATIN, 1, 60, languages=LANGUAGES)
    assert not missing("ßñçìê¿", (maker(np.random.default_rng(seed)) for seed in range(3000)))


def test_numbers_are_written_as_asked() -> None:
    assert grouped(1234567.5, 2, ".", ",") == "1.234.567,50"
    assert grouped(1234.5, 2, " ", ",") == "1 234,50"
    assert all(any(c.isdigit() for c in notation.price(pen(seed))) for seed in range(100))
    assert not any("€" in notation.price(pen(seed, characters=PRINTABLE_ASCII)) for seed in range(300))


def test_anything_takes_each_character_as_often() -> None:
    pens = (Pen(np.random.default_rng(seed), "basic", Words(()), frozenset("ab "), 60) for seed in range(300))
    joined = "".join(map(anything, pens)).replace(" ", "")
    assert 0.45 < joined.count("a") / len(joined) < 0.55
