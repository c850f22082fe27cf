"""Texts of a kind with every chance drawn at its bound again and again, and a few words that are always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from few_draws import FewDraws

from crnn.core.charsets import named_set
from crnn.data.synth.pen import Pen
from crnn.data.synth.text import PRINTABLE_ASCII
from crnn.data.synth.vocabulary import Words

LATIN = "".join(named_set("latin"))
CHARSETS = (LATIN, PRINTABLE_ASCII, PRINTABLE_ASCII.lower(), PRINTABLE_ASCII.upper())
WORDS = Words(("alpha", "c'est", "straße", "hélène", "igloo", "nation", "freiheit", "sea", "understanding"))
LANGUAGES = ("basic", "de", "fr", "es", "it", "en")


def pens(count: int, chances: Sequence[float], words: Words = WORDS) -> Iterator[Pen]:
    """In all languages, with large and small charsets, for short and long lines."""
    for seed in range(count):
        allowed = frozenset(CHARSETS[seed % 4])
        yield Pen(FewDraws(seed, chances), LANGUAGES[seed // 4 % 6], words, allowed, (60, 12, 30, 1, 100)[seed % 5])


def written(kind: Callable[[Pen], str], count: int, chances: Sequence[float]) -> list[str]:
    return [kind(pen) for pen in pens(count, chances)]
