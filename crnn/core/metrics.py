"""Character and word error rates. Counts are summed over lines (and processes) first and divided once, at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

import editdistance

from crnn.core.text import clusters


@dataclass(frozen=True)
class EditCounts:
    """Edit counts of some lines; add them up with ``+`` or ``sum(counts, EditCounts())``.

    Characters are grapheme clusters, words are what white space separates.
    """

    lines: int = 0
    exact: int = 0
    character_errors: int = 0
    characters: int = 0
    word_errors: int = 0
    words: int = 0

    @classmethod
    def of(cls, reading: str, reference: str) -> EditCounts:
        """Counts of one line; errors are Levenshtein distances, so they can exceed the reference's length."""
        true = clusters(reference)
        if reading == reference:
            return cls(1, 1, 0, len(true), 0, len(reference.split()))
        read = clusters(reading)
        read_words, true_words = reading.split(), reference.split()
        return cls(
            lines=1,
            exact=0,
            character_errors=editdistance.eval(read, true),
            characters=len(true),
            word_errors=editdistance.eval(read_words, true_words),
            words=len(true_words),
        )

    @classmethod
    def total(cls, pairs: Iterable[tuple[str, str]]) -> EditCounts:
        """Counts of many (reading, reference) pairs."""
        return sum((cls.of(reading, reference) for reading, reference in pairs), cls())

    def __add__(self, other: EditCounts) -> EditCounts:
        return EditCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def cer(self) -> float:
        """Character error rate: errors per reference character; 0.12 is 12 %. Can exceed 1."""
        return self.character_errors / self.characters if self.characters else float(self.character_errors > 0)

    @property
    def wer(self) -> float:
        """Word error rate: errors per reference word."""
        return self.word_errors / self.words if self.words else float(self.word_errors > 0)

    @property
    def exact_rate(self) -> float:
        """Share of lines read without any error."""
        return self.exact / self.lines if self.lines else 0.0
