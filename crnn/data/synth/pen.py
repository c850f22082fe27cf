"""What every kind of text draws from: chances, digits, words in a language, signs that the charset has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from crnn.data.synth.vocabulary import Words

UPPER, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxyz", "aeiouy"
_NOUNS = ("ung", "heit", "keit", "schaft", "tion", "tät", "ling", "chen", "nis", "tum", "ismus")
_Item = TypeVar("_Item")


class Pen:
    """Draws the parts of one text.

    Args:
        rng: of the text.
        language: of its words, `en`.
        words: of that language.
        allowed: characters of the charset.
        room: characters that a text may have.
    """

    def __init__(
        self, rng: np.random.Generator, language: str, words: Words, allowed: frozenset[str], room: int
    ) -> None:
        self.rng = rng
        self.language = language
        self.words = words
        self.allowed = allowed
        self.room = room
        self._latin = allowed.issuperset(_VOWELS) or allowed.issuperset(_VOWELS.upper())

    def chance(self, probability: float) -> bool:
        """Whether something happens that has this probability."""
        return bool(self.rng.random() < probability)

    def number(self, first: int, last: int) -> int:
        """first..last, both included."""
        return int(self.rng.integers(first, last + 1))

    def one(self, items: Sequence[_Item]) -> _Item:
        """One of them, each as likely."""
        return items[int(self.rng.integers(len(items)))]

    def one_allowed(self, items: Sequence[str]) -> str:
        """One that the charset can write; the first if it can write none."""
        return self.one([item for item in items if self.allowed.issuperset(item)] or items[:1])

    def some(self, alphabet: str, count: int) -> str:
        """So many characters of an alphabet, each as likely."""
        return "".join(alphabet[i] for i in self.rng.integers(len(alphabet), size=count))

    def digits(self, count: int) -> str:
        """So many digits."""
        return self.some(DIGITS, count)

    def raw_word(self) -> str:
        """A word in the case of the list; one in twelve is letters that make no word."""
        if not len(self.words) or (self.chance(0.08) and self._latin):
            return "".join(
                self.some(_CONSONANTS, self.number(1, 2)) + self.some(_VOWELS, 1) for _ in range(self.number(1, 3))
            )
        word = self.words.draw(self.rng)
        if self.language == "de" and (word.endswith(_NOUNS) or self.chance(0.2)):
            word = capital(word)
        return word

    def word(self) -> str:
        """A word in small letters, with a capital, or in capitals."""
        word, case = self.raw_word(), self.rng.random()
        return upper(word, self.allowed) if case < 0.25 else capital(word) if case < 0.5 else word

    def name(self) -> str:
        """A word with a capital."""
        return capital(self.raw_word())

    def names(self, fewest: int, most: int) -> str:
        """That many words with capitals, with spaces between."""
        return " ".join(self.name() for _ in range(self.number(fewest, most)))

    def amount(self) -> float:
        """A sum of money; small ones are more frequent."""
        return round(float(10 ** self.rng.uniform(-1, 4.5)), 2)


def capital(word: str) -> str:
    """With its first letter as a capital."""
    return word[:1].upper() + word[1:]


def upper(text: str, allowed: frozenset[str]) -> str:
    """In capitals; ß as ẞ if the charset has that, else as SS."""
    return (text.replace("ß", "ẞ") if "ẞ" in allowed else text).upper()


def grouped(value: float, decimals: int, group: str, point: str) -> str:
    """1234.5 with a sign between thousands and one before decimals: ``1.234,50``."""
    return f"{value:,.{decimals}f}".replace(",", "\0").replace(".", point).replace("\0", group)
