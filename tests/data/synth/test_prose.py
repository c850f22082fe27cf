"""Signs and cuts of running text, drawn by a pen that says yes or no."""

from __future__ import annotations

import numpy as np
import pytest
from few_draws import FewDraws, digest
from text_draws import LANGUAGES, WORDS, pens

from crnn.core.charsets import named_set
from crnn.data.synth import prose
from crnn.data.synth.pen import Pen
from crnn.data.synth.vocabulary import Words

LATIN = frozenset("".join(named_set("latin")))


class Certain(Pen):
    """Draws the first of several, and says yes to all chances or to none."""

    def __init__(self, yes: bool, language: str = "en", allowed: frozenset[str] = LATIN) -> None:
        super().__init__(np.random.default_rng(0), language, Words(["word"]), allowed, 30)
        self.yes = yes

    def chance(self, probability: float) -> bool:
        return self.yes

    def one(self, items):  # type: ignore[no-untyped-def]
        return items[0]


@pytest.mark.parametrize(
    ("text", "room", "divided", "whole"),
    [
        ("hello wonderful", 15, "hello wonderful", "hello wonderful"),
        ("hello wonderful", 11, "hello wond-", "hello"),
        ("hello wonderful", 10, "hello won-", "hello"),  # three letters before the hyphen at least
        ("hello wonderful", 9, "hello", "hello"),
        ("hello wonderful", 14, "hello wonderf-", "hello"),
        ("hello wonder x", 11, "hello", "hello"),  # a single letter is not left for the next line
        ("hello wonder-x", 11, "hello", "hello"),
        ("hello won4erful", 11, "hello", "hello"),
        ("hello wond4rful", 11, "hello wond-", "hello"),  # what the hyphen stands for does not matter
        ("hello wonderful", 5, "hello", "hello"),
        ("hello wonderful", 6, "hello", "hello"),
        ("hello wonderful", 4, "hell", "hell"),  # no space to cut at
        (" wonderful", 5, " wond", " wond"),
    ],
)
def test_lines_are_cut_at_a_space_or_in_a_word(text: str, room: int, divided: str, whole: str) -> None:
    assert prose._fitted(Certain(True), text, room) == divided
    assert prose._fitted(Certain(False), text, room) == whole


@pytest.mark.parametrize(
    ("language", "quoted"),
    [("fr", "« x »"), ("es", "«x»"), ("it", "«x»"), ("de", "„x“"), ("en", "“x”"), ("nl", "“x”")],
)
def test_quotes_of_a_language(language: str, quoted: str) -> None:
    assert prose._quoted(Certain(True, language), "x") == quoted
    assert prose._quoted(Certain(False, language), "x") == "(x)"
    assert prose._quoted(Certain(True, language, frozenset("x()")), "x") == "(x)"  # those that can be written


def test_long_s() -> None:
    for plain, old in (
        ("sister", "ſiſter"),
        ("was", "was"),
        ("satisfy", "ſatisfy"),
        ("is, so", "is, ſo"),
        ("s1", "s1"),
    ):
        assert prose.long_s(plain) == old
    assert prose.long_s("a_s_a sß") == "a_s_a ſß"


def test_print_has_signs_of_its_own() -> None:
    plain = "it's - so... well-made: yes; no"
    assert prose.typeset(Certain(True, "fr"), plain) == plain  # half of the texts are left alone

    class Printed(Certain):
        """Says no first, then yes."""

        def chance(self, probability: float) -> bool:
            self.yes = not self.yes
            return not self.yes

    assert prose.typeset(Printed(False), plain) == "it’s – so… well-made: yes; no"
    assert prose.typeset(Printed(False, "fr"), plain) == "it’s – so… well-made : yes ; no"
    assert prose.typeset(Certain(False, "fr"), "oui: non!") == "oui: non!"
    assert prose.typeset(Printed(False, "fr"), "oui! 12:30 non?") == "oui ! 12:30 non ?"
    assert prose.typeset(Printed(False, allowed=frozenset("–")), "it's - so...") == "it's – so..."


def test_spanish_sentences_begin_with_their_sign() -> None:
    class Asking(Certain):
        def one(self, items):  # type: ignore[no-untyped-def]
            return self.sign

    for sign, language, text, made in (
        ("?", "es", "uno", "¿uno?"),
        ("!", "es", "uno. dos", "uno. ¡dos!"),
        ("?", "es", "a. b. c d", "a. b. ¿c d?"),
        (".", "es", "uno", "uno."),
        ("...", "es", "uno", "uno..."),
        ("?", "en", "one", "one?"),
    ):
        pen = Asking(True, language)
        pen.sign = sign
        assert prose._sentence_end(pen, text) == made


def test_signs_about_words_and_print_at_their_bounds() -> None:
    chances = (0.02, 0.025, 0.045, 0.085, 0.095, 0.115, 0.125, 0.3, 0.5)
    signs = [prose._with_signs(pen, WORDS.all[i % 9]) for i, pen in enumerate(pens(900, chances))]
    printed = [prose.typeset(pen, "it's - so... one; two!") for pen in pens(120, (0.4, 0.5, 0.6))]
    found = digest(signs), digest(printed)
    assert found == ("f1a03e673cd5", "36af48918c3a")


SEA = Words(["sea"])


def draws(*values: float, language: str = "en", words: Words = SEA) -> list[str]:
    """Words by a pen with these chances only, one for each."""
    return [prose.word(Pen(FewDraws(2, [value]), language, words, LATIN, 30)) for value in values]


def test_the_case_and_the_signs_of_a_word() -> None:
    assert draws(0.14, 0.35, 0.36, 0.65, 0.66, 0.9) == ["SEA", "SEA", "Sea", "Sea", "sea", "sea"]
    [point, quoted, joined, counted] = draws(0.059, 0.08999, 0.11999, 0.13999, words=Words(()))
    assert point[-1] in ".,:;!?"
    assert len(quoted) > 3
    assert not quoted[0].isalpha()
    assert any(sign in joined for sign in "-/&'_")
    assert counted[-1].isdigit()


@pytest.mark.parametrize("room", [1, 5, 8, 40])
def test_running_text_is_no_longer_than_there_is_room(room: int) -> None:
    """And not much shorter; that of the shorter lines is at least eight, or all that there is."""
    lengths = []
    for seed in range(120):
        pen = Pen(FewDraws(seed, [0.2, 0.59, 0.6, 0.7]), LANGUAGES[seed % 6], WORDS, LATIN, room)
        lengths.append(len(prose.prose(pen)))
    assert max(lengths) <= room
    assert min(lengths) >= 1
    assert room < 40 or max(lengths) > 34 > 12 > min(lengths)
