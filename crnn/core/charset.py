"""The characters a model can write, in the order of its output classes.

Class 0 is the CTC blank; class ``i`` is ``symbols[i - 1]``. A symbol is a grapheme cluster (what a reader calls one
character, perhaps several code points) or, by choice, a code point. Space is a character like any other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, get_args

import regex

from crnn.errors import CharsetError

UnicodeForm = Literal["NFC", "NFD", "NFKC", "NFKD", "none"]
Unit = Literal["grapheme", "codepoint"]
BLANK = 0

_CLUSTERS = regex.compile(r"\X")


def describe(symbol: str) -> str:
    """Name a symbol so that nobody has to guess: ``'ï' (U+00EF LATIN SMALL LETTER I WITH DIAERESIS)``."""
    points = " + ".join(f"U+{ord(c):04X} {unicodedata.name(c, 'unnamed')}" for c in symbol)
    return f"{symbol!r} ({points})"


@dataclass(frozen=True)
class Charset:
    """An ordered set of symbols with the text rules that belong to them.

    Args:
        symbols: the symbols in class order, blank not among them.
        form: Unicode form that texts are brought into before encoding.
        unit: whether texts are cut into grapheme clusters or code points.

    Raises:
        CharsetError: for no symbols, an empty or repeated symbol, or one that is not in `form`.
    """

    symbols: tuple[str, ...]
    form: UnicodeForm = "NFC"
    unit: Unit = "grapheme"
    _classes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.form not in get_args(UnicodeForm):
            raise CharsetError(f"Unicode form {self.form!r} is unknown; allowed are {', '.join(get_args(UnicodeForm))}")
        if self.unit not in get_args(Unit):
            raise CharsetError(f"unit {self.unit!r} is unknown; choose one of {', '.join(get_args(Unit))}")
        if not self.symbols:
            raise CharsetError("a charset needs at least one symbol; are all labels empty?")
        classes: dict[str, int] = {}
        for symbol in self.symbols:
            if not symbol:
                raise CharsetError("the empty string is not a symbol; remove it from the charset")
            if symbol in classes:
                raise CharsetError(f"{describe(symbol)} stands twice in the charset; keep one of them")
            if self.normalize(symbol) != symbol:
                raise CharsetError(f"{describe(symbol)} is not in {self.form}, the charset's form; normalise it")
            classes[symbol] = len(classes) + 1
        object.__setattr__(self, "_classes", classes)

    def __len__(self) -> int:
        """Number of symbols, without the blank."""
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._classes

    @property
    def classes(self) -> int:
        """Number of output classes C: the symbols and the blank."""
        return len(self.symbols) + 1

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], extra: str = "", form: UnicodeForm = "NFC", unit: Unit = "grapheme"
    ) -> Charset:
        """The charset of everything that occurs in `texts` and `extra`, ordered by code point."""
        plain = cls((" ",), form, unit)
        found: set[str] = set(plain.split(extra))
        for text in texts:
            found.update(plain.split(text))
        return cls(tuple(sorted(found)), form, unit)

    def normalize(self, text: str) -> str:
        """`text` in the charset's Unicode form; nothing else changes."""
        return text if self.form == "none" else unicodedata.normalize(self.form, text)

    def split(self, text: str) -> list[str]:
        """`text`, normalised, cut into symbols (known or not)."""
        text = self.normalize(text)
        return _CLUSTERS.findall(text) if self.unit == "grapheme" else list(text)

    def _known(self, text: str) -> list[tuple[str, int | None]]:
        """(symbol, class) for each symbol of `text`; a cluster that is no symbol falls back to its code points."""
        pairs: list[tuple[str, int | None]] = []
        for symbol in self.split(text):
            if symbol in self._classes:
                pairs.append((symbol, self._classes[symbol]))
            elif len(symbol) > 1 and all(point in self._classes for point in symbol):
                pairs.extend((point, self._classes[point]) for point in symbol)
            else:
                pairs.append((symbol, None))
        return pairs

    def unknown(self, text: str) -> list[str]:
        """The symbols of `text` that the charset lacks, each once, in order of appearance."""
        return list(dict.fromkeys(symbol for symbol, label in self._known(text) if label is None))

    def encode(self, text: str) -> list[int]:
        """Classes of the symbols of `text`; none of them is the blank.

        Raises:
            CharsetError: naming the first symbol that is not in the charset.
        """
        labels: list[int] = []
        for symbol, label in self._known(text):
            if label is None:
                raise CharsetError(f"{describe(symbol)} is not in the charset of {len(self)}")
            labels.append(label)
        return labels

    def decode(self, labels: Sequence[int]) -> str:
        """Text of a sequence of classes (blanks and repeats already collapsed).

        Raises:
            CharsetError: for the blank or a class out of range.
        """
        return "".join(self.symbol(label) for label in labels)

    def symbol(self, label: int) -> str:
        """The symbol of class `label` (1..len)."""
        if not 1 <= label <= len(self.symbols):
            raise CharsetError(f"class {label} is not a symbol; symbols have classes 1..{len(self.symbols)}")
        return self.symbols[label - 1]

    def to_dict(self) -> dict[str, Any]:
        return {"symbols": list(self.symbols), "form": self.form, "unit": self.unit}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Charset:
        symbols = data.get("symbols")
        if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
            raise CharsetError("a stored charset needs 'symbols', a list of strings")
        return cls(tuple(symbols), data.get("form", "NFC"), data.get("unit", "grapheme"))


def required_steps(labels: Sequence[int]) -> int:
    """Time steps T that CTC needs for `labels`: one each, and a blank between equal neighbours.

    Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.1.
    """
    return len(labels) + sum(a == b for a, b in pairwise(labels))
