"""Random texts: words and running text, prices, dates, receipts, codes, and strings of any characters.

Strings without sense are among them on purpose: a model that has seen only words learns to guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from crnn.data.synth import chinese, notation, prose, shop
from crnn.data.synth.own_lines import LineModel
from crnn.data.synth.pen import Pen
from crnn.data.synth.vocabulary import BASIC, CHINESE, check_languages, words_of

PRINTABLE_ASCII = "".join(map(chr, range(32, 127)))

Kind = Callable[[Pen], str]


def anything(pen: Pen) -> str:
    """Characters of the whole charset, each as likely, in groups."""
    visible = "".join(sorted(c for c in pen.allowed if not c.isspace()))
    groups = [pen.some(visible, pen.number(1, 8)) for _ in range(pen.number(1, 4))]
    return " ".join(groups)


KINDS: dict[Kind, float] = {
    prose.word: 0.17,
    prose.phrase: 0.12,
    prose.prose: 0.15,
    prose.old_print: 0.03,
    shop.head: 0.06,
    shop.identity: 0.02,
    shop.address: 0.05,
    shop.item: 0.06,
    shop.total: 0.04,
    shop.cell: 0.04,
    shop.form: 0.03,
    shop.person: 0.02,
    notation.price: 0.05,
    notation.number: 0.03,
    notation.date: 0.05,
    notation.code: 0.04,
    notation.plate: 0.01,
    notation.measure: 0.02,
    notation.contact: 0.04,
    anything: 0.08,
}
"""What is written, and how often."""
_CHINESE: dict[Kind, float] = {**chinese.KINDS, anything: 0.05}
_KEPT = 0.6
"""A text that the charset can write less than this share of is drawn anew."""


@lru_cache(maxsize=2)
def _steps(in_chinese: bool) -> tuple[tuple[Kind, ...], np.ndarray]:
    """Kinds, and their shares added up."""
    kinds = _CHINESE if in_chinese else KINDS
    return tuple(kinds), np.cumsum(list(kinds.values())) / sum(kinds.values())


class TextMaker:
    """Draws one text after the other.

    Args:
        characters: all that may occur; a kind of text that would need others is left out or stripped of them.
        min_length, max_length: in characters.
        held_out: draw from held-out words.
        lines: if given, texts are these lines; pass them through `fit` first.
        languages: of words, each as often; see `check_languages`.
        new_lines: writes half of the texts; with `lines` only.
    """

    def __init__(
        self,
        characters: str = PRINTABLE_ASCII,
        min_length: int = 1,
        max_length: int = 32,
        held_out: bool = False,
        lines: tuple[str, ...] = (),
        languages: Sequence[str] = (BASIC,),
        new_lines: LineModel | None = None,
    ) -> None:
        check_languages(languages)
        self.characters = characters
        self.min_length = min_length
        self.max_length = max_length
        self.languages = tuple(languages)
        self._held_out = held_out
        self._lines = lines
        self._new_lines = new_lines
        self._allowed = frozenset(characters)
        self._visible = "".join(c for c in dict.fromkeys(characters) if not c.isspace())

    def __call__(self, rng: np.random.Generator) -> str:
        """A text: allowed characters only, no space at its ends, none twice in a row, never empty."""
        for _ in range(4):
            text = self._clean(self._draw(rng))
            if self.min_length <= len(text) <= self.max_length:
                return text
        length = int(rng.integers(self.min_length, self.max_length + 1))
        return self._clean("".join(self._visible[i] for i in rng.integers(len(self._visible), size=length)))

    def fit(self, line: str) -> str:
        """`line` without characters that are not allowed, cut at a space if too long; empty if it is too short."""
        text = self._clean(" ".join(line.split()))
        return text if len(text) >= self.min_length else ""

    def _draw(self, rng: np.random.Generator) -> str:
        if self._new_lines and rng.random() < 0.5 and (line := self._new_lines(rng, self.max_length)):
            return line
        if self._lines:
            return self._lines[int(rng.integers(len(self._lines)))]
        language = self.languages[int(rng.integers(len(self.languages)))]
        words_here = words_of(language, self._held_out, self._allowed)
        pen = Pen(rng, language, words_here, self._allowed, self.max_length)
        kinds, steps = _steps(language == CHINESE)
        kind = kinds[min(int(np.searchsorted(steps, rng.random())), len(kinds) - 1)]
        text = kind(pen)
        if kind is not anything:
            text = self._recased(prose.typeset(pen, text))
        return text if sum(c in self._allowed for c in text) >= _KEPT * len(text) else ""

    def _recased(self, text: str) -> str:
        """With letters that the charset has in the other case only in that case."""
        if self._allowed.issuperset(text):
            return text
        return "".join(c if c in self._allowed or c.swapcase() not in self._allowed else c.swapcase() for c in text)

    def _clean(self, text: str) -> str:
        text = "".join(c for c in text if c in self._allowed)
        text = " ".join(text.split())
        if len(text) > self.max_length:
            cut = text.rfind(" ", 0, self.max_length + 1)
            text = text[: cut if cut >= max(1, self.min_length) else self.max_length].strip()
        return text
