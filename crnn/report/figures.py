"""Error rates with their intervals, as read and with some differences forgiven, of all lines and of groups of them."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from crnn.core.metrics import EditCounts
from crnn.report.bootstrap import Interval, error_interval, ratio, resampled_sums, share_interval

_SPACE = regex.compile(r"\s+")
_PUNCTUATION = regex.compile(r"\p{P}+")


@lru_cache(maxsize=65_536)
def _folded(character: str) -> str:
    """Case folded if it stays one character: with ``ss`` for ``ß``, one error could become two."""
    forms = (character.casefold(), character.lower()) if character.isalpha() else (character.lower(),)
    return next((form for form in forms if len(form) == 1), character)


def _caseless(text: str) -> str:
    return "".join(map(_folded, text))


def _bare(text: str) -> str:
    return "".join(c for c in _caseless(text) if c.isalnum())


VARIANTS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "ignoring case": _caseless,
    "ignoring spaces": lambda text: _SPACE.sub("", text),
    "ignoring punctuation": lambda text: _PUNCTUATION.sub("", text),
    "letters and digits, ignoring case": _bare,
}
"""Name -> what is left of both texts before they are compared."""
WORDLESS = ("ignoring spaces", "letters and digits, ignoring case")
"""Variants without spaces: a line is one word, and its word error rate says nothing."""
LENGTHS = (5, 10, 20, 40, 80)
"""Longest label of each group, in characters; a last group has no end."""
COLUMNS = 6
"""Counts of a line in one variant: those of `EditCounts`, in its order."""


@dataclass(frozen=True)
class Figures:
    """Error rates of some lines in one variant, with 95 % intervals: see `crnn.report.bootstrap`; None: not known."""

    counts: EditCounts
    cer: Interval | None
    wer: Interval | None
    exact: Interval

    def to_dict(self, words: bool = True) -> dict[str, Any]:
        """Rates (0..1) and both ends of their intervals; without the word error rate where `words` is False.

        None of no lines, so that nobody takes them for a perfect reading.
        """
        data: dict[str, Any] = {"cer": self.counts.cer, "cer_95": self.cer and list(self.cer)}
        if words:
            data |= {"wer": self.counts.wer, "wer_95": self.wer and list(self.wer)}
        data |= {"exact": self.counts.exact_rate, "exact_95": list(self.exact)}
        return data if self.counts.lines else dict.fromkeys(data)


@dataclass
class CountTable:
    """Edit counts of every line in every variant: (N, variants * COLUMNS) integers."""

    numbers: array[int] = field(default_factory=lambda: array("q"))

    def add(self, reading: str, reference: str) -> int:
        """Count one line; returns its character errors as read."""
        for name, shorten in VARIANTS.items():
            counts = EditCounts.of(shorten(reading), shorten(reference))
            if name == "raw":
                errors = counts.character_errors
            self.numbers.extend(
                (1, counts.exact, counts.character_errors, counts.characters, counts.word_errors, counts.words)
            )
        return errors

    def __len__(self) -> int:
        return len(self.numbers) // (COLUMNS * len(VARIANTS))

    def rows(self) -> NDArray[np.int64]:
        """(N, variants * COLUMNS)."""
        return np.array(self.numbers, dtype=np.int64).reshape(-1, COLUMNS * len(VARIANTS))

    def total(self, variant: str = "raw") -> EditCounts:
        """The sum of all lines."""
        first = list(VARIANTS).index(variant) * COLUMNS
        return EditCounts(*self.rows()[:, first : first + COLUMNS].sum(axis=0).tolist())


def figures(rows: NDArray[np.int64]) -> dict[str, Figures]:
    """Variant -> figures of rows (N, variants * COLUMNS); fewer columns: of the first variants."""
    sums = resampled_sums(rows.astype(np.float64))
    totals = rows.sum(axis=0).tolist()
    found = {}
    for name, start in zip(VARIANTS, range(0, rows.shape[1], COLUMNS), strict=False):
        counts = EditCounts(*totals[start : start + COLUMNS])
        _, _, errors, characters, word_errors, words = sums[:, start : start + COLUMNS].T
        found[name] = Figures(
            counts,
            error_interval(counts.character_errors, counts.lines, ratio(errors, characters)),
            error_interval(counts.word_errors, counts.lines, ratio(word_errors, words)),
            share_interval(counts.exact, counts.lines),
        )
    return found


def by_length(rows: NDArray[np.int64]) -> dict[str, Figures]:
    """Length of the label, such as ``6-10`` -> raw figures of these lines; lengths that do not occur are left out."""
    lengths = rows[:, 3]
    groups, found = np.searchsorted(LENGTHS, lengths), {}
    for number in range(len(LENGTHS) + 1):
        chosen = rows[groups == number, :COLUMNS]
        if len(chosen):
            low = LENGTHS[number - 1] + 1 if number else 1
            name = f"{low}-{LENGTHS[number]}" if number < len(LENGTHS) else f"{low} or more"
            found[name] = figures(chosen)["raw"]
    return found
