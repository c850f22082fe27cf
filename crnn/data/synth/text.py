"""Random texts: words and sentences, numbers, prices, dates, codes, and strings of any characters.

Strings without sense are among them on purpose: a model that has seen only words learns to guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib import resources

import numpy as np

PRINTABLE_ASCII = "".join(map(chr, range(32, 127)))
_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxyz", "aeiouy"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UPPER, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"


@lru_cache(maxsize=1)
def all_words() -> tuple[str, ...]:
    """The word list, about 1,700 common English words."""
    return tuple(resources.files(__package__).joinpath("words.txt").read_text(encoding="utf-8").split())


@lru_cache(maxsize=2)
def words(held_out: bool) -> tuple[str, ...]:
    """Nine words in ten for training, the tenth held out."""
    return tuple(w for w in all_words() if (hashlib.sha256(w.encode()).digest()[0] % 10 == 0) == held_out)


class TextMaker:
    """Draws one text after the other.

    Args:
        characters: all that may occur; a kind of text that would need others is left out or stripped of them.
        min_length, max_length: in characters.
        held_out: draw from held-out words.
        lines: if given, texts are these lines; pass them through `fit` first.
    """

    def __init__(
        self,
        characters: str = PRINTABLE_ASCII,
        min_length: int = 1,
        max_length: int = 32,
        held_out: bool = False,
        lines: tuple[str, ...] = (),
    ) -> None:
        self.characters = characters
        self.min_length = min_length
        self.max_length = max_length
        self._words = words(held_out)
        self._lines = lines
        self._allowed = frozenset(characters)
        self._visible = "".join(c for c in dict.fromkeys(characters) if not c.isspace())
        self._space = " " in self._allowed

    def __call__(self, rng: np.random.Generator) -> str:
        """A text: allowed characters only, no space at its ends, none twice in a row, never empty."""
        for _ in range(4):
            text = self._clean(self._draw(rng))
            if self.min_length <= len(text) <= self.max_length:
                return text
        length = int(rng.integers(self.min_length, self.max_length + 1))
        return self._clean(_pick(rng, self._visible, length))

    def fit(self, line: str) -> str:
        """`line` without characters that are not allowed, cut at a space if too long; empty if it is too short."""
        text = self._clean(line)
        return text if len(text) >= self.min_length else ""

    def _draw(self, rng: np.random.Generator) -> str:
        if self._lines:
            return self._lines[int(rng.integers(len(self._lines)))]
        kinds: list[tuple[float, Callable[[np.random.Generator], str]]] = [
            (0.40, self._sentence),
            (0.12, self._number),
            (0.10, self._date),
            (0.10, self._code),
            (0.08, self._contact),
            (0.20, self._any),
        ]
        weights = np.array([weight for weight, _ in kinds])
        return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))][1](rng)

    def _clean(self, text: str) -> str:
        text = "".join(c for c in text if c in self._allowed)
        text = " ".join(text.split())
        if len(text) > self.max_length:
            cut = text.rfind(" ", 0, self.max_length + 1)
            text = text[: cut if cut >= max(1, self.min_length) else self.max_length].strip()
        return text

    def _word(self, rng: np.random.Generator) -> str:
        if rng.random() < 0.25:  # letters that make no word
            word = "".join(
                _pick(rng, _CONSONANTS, int(rng.integers(1, 3))) + _pick(rng, _VOWELS, 1)
                for _ in range(int(rng.integers(1, 4)))
            )
        else:
            word = self._words[int(rng.integers(len(self._words)))]
        case = rng.random()
        return word.upper() if case < 0.2 else word.capitalize() if case < 0.45 else word

    def _sentence(self, rng: np.random.Generator) -> str:
        count = int(rng.integers(1, 7))
        upper = rng.random() < 0.15
        parts: list[str] = []
        length = 0
        for _ in range(count):
            word = self._word(rng)
            draw = rng.random()
            if draw < 0.12:
                word += ",.;:!?"[int(rng.integers(6))]
            elif draw < 0.16:
                left, right = ("()", "[]", "{}", '""', "''", "<>")[int(rng.integers(6))]
                word = f"{left}{word}{right}"
            elif draw < 0.20:
                word += "-/&'_"[int(rng.integers(5))] + self._word(rng)
            length += len(word) + 1
            if parts and length > self.max_length + 1:
                break
            parts.append(word)
        text = (" " if self._space else "").join(parts)
        return text.upper() if upper else text

    def _number(self, rng: np.random.Generator) -> str:
        value = round(float(10 ** rng.uniform(-1, 6)), 2)
        shape = int(rng.integers(7))
        if shape == 0:
            return str(int(value))
        if shape == 1:
            return f"{value:,.2f}"
        if shape == 2:
            return f"${value:.2f}"
        if shape == 3:
            return f"{('RM', 'EUR', 'USD', 'No.', '#', 'Qty:')[int(rng.integers(6))]} {value:.2f}"
        if shape == 4:
            return f"{value % 100:.1f}%"
        if shape == 5:
            return f"{int(value) % 100} x {value:.2f} = {int(value) % 100 * value:,.2f}"
        return f"{self._word(rng)} {value:,.2f}"

    def _date(self, rng: np.random.Generator) -> str:
        year, month, day = int(rng.integers(1900, 2100)), int(rng.integers(1, 13)), int(rng.integers(1, 32))
        hour, minute, second = int(rng.integers(24)), int(rng.integers(60)), int(rng.integers(60))
        shapes = (
            f"{day:02d}/{month:02d}/{year}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day}.{month}.{year % 100:02d}",
            f"{day} {_MONTHS[month - 1]} {year}",
            f"{_MONTHS[month - 1]} {day}, {year}",
            f"{hour:02d}:{minute:02d}",
            f"{day:02d}/{month:02d}/{year} {hour:02d}:{minute:02d}:{second:02d}",
            f"{hour % 12 or 12}:{minute:02d} {'AP'[hour // 12]}M",
        )
        return shapes[int(rng.integers(len(shapes)))]

    def _code(self, rng: np.random.Generator) -> str:
        alphabet = (_DIGITS, _UPPER, _UPPER + _DIGITS, (_UPPER + _DIGITS).lower())[int(rng.integers(4))]
        groups = [_pick(rng, alphabet, int(rng.integers(2, 8))) for _ in range(int(rng.integers(1, 4)))]
        return "-/. "[int(rng.integers(4))].join(groups)

    def _contact(self, rng: np.random.Generator) -> str:
        one, two = self._word(rng).lower(), self._word(rng).lower()
        digits = _pick(rng, _DIGITS, 10)
        shapes = (
            f"{one}@{two}.com",
            f"www.{one}-{two}.org",
            f"https://{one}.net/{two}?id={digits[:3]}",
            f"+{digits[:2]} {digits[2:5]} {digits[5:]}",
            f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
            f"{digits[:3]} {one.capitalize()} St.",
            f"{one.capitalize()} {two.capitalize()}",
            f"C:\\{one}\\{two}.txt",
            f"#{one}_{digits[:2]} ~{two}*",
        )
        return shapes[int(rng.integers(len(shapes)))]

    def _any(self, rng: np.random.Generator) -> str:
        """Characters of the whole charset, each as likely, in groups."""
        groups = [_pick(rng, self._visible, int(rng.integers(1, 9))) for _ in range(int(rng.integers(1, 5)))]
        return (" " if self._space else "").join(groups)


def _pick(rng: np.random.Generator, alphabet: str, count: int) -> str:
    return "".join(alphabet[i] for i in rng.integers(len(alphabet), size=count))
