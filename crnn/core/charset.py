"""The characters a model can write, in the order of its output classes.

Class 0 is the CTC blank; class ``i`` is ``symbols[i - 1]``. A symbol is a grapheme cluster (what a reader calls one
character, perhaps several code points) or, by choice, a code point. Space is a character like any other. Labels are
encoded in the order in which a picture shows them from left to right, readings are given in reading order.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import eq
from typing import Any, Literal, get_args

from crnn.core.text import Case, Direction, TextRules, UnicodeForm, Whitespace, clusters
from crnn.errors import CharsetError

Unit = Literal["grapheme", "codepoint"]
BLANK = 0


def describe(symbol: str) -> str:
    """Name a symbol so that nobody has to guess: ``'ï' (U+00EF LATIN SMALL LETTER I WITH DIAERESIS)``."""
    points = " + ".join(f"U+{ord(c):04X} {unicodedata.name(c, 'unnamed')}" for c in symbol)
    return f"{symbol!r} ({points})"


def split(text: str, rules: TextRules, unit: Unit = "grapheme") -> list[str]:
    """`text`, normalised, cut into symbols in the order in which a picture shows them."""
    visual = rules.to_visual(rules.normalize(text))
    return clusters(visual) if unit == "grapheme" else list(visual)


def characters(listed: str, rules: TextRules, unit: Unit = "grapheme") -> list[str]:
    """The symbols of a list of characters, as the rules would write them, in its order, each once."""
    shaped = rules.characters(listed)
    return list(dict.fromkeys(clusters(shaped) if unit == "grapheme" else shaped))


def count_symbols(texts: Iterable[str], rules: TextRules | None = None, unit: Unit = "grapheme") -> Counter[str]:
    """How often each symbol occurs in `texts`."""
    rules = rules or TextRules()
    return Counter(chain.from_iterable(split(text, rules, unit) for text in texts))


@dataclass(frozen=True)
class Charset:
    """An ordered set of symbols with the text rules that belong to them.

    Args:
        symbols: the symbols in class order, blank not among them.
        form: Unicode form that texts are brought into before encoding.
        unit: whether texts are cut into grapheme clusters or code points.
        whitespace, case, direction: further rules, see `TextRules`.

    Raises:
        CharsetError: for no symbols, an empty or repeated symbol, one that the rules would change, or unknown rules.
    """

    symbols: tuple[str, ...]
    form: UnicodeForm = "NFC"
    unit: Unit = "grapheme"
    whitespace: Whitespace = "keep"
    case: Case = "keep"
    direction: Direction = "ltr"
    rules: TextRules = field(init=False, repr=False, compare=False)
    """The text rules, `form` among them."""
    _classes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", TextRules(self.form, self.whitespace, self.case, self.direction))
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
            self._check_rules(symbol)
            classes[symbol] = len(classes) + 1
        object.__setattr__(self, "_classes", classes)

    def _check_rules(self, symbol: str) -> None:
        """Refuse a symbol that no normalised text contains."""
        if self.rules.characters(symbol) == symbol:
            return
        if TextRules(self.form).normalize(symbol) != symbol:
            raise CharsetError(f"{describe(symbol)} is not in {self.form}, the charset's form; normalise it")
        rules = ", ".join(f"{name}={value}" for name, value in self.rules.differences().items())
        raise CharsetError(f"{describe(symbol)} never occurs in texts with {rules}; remove it or change the rule")

    def __len__(self) -> int:
        """Number of symbols, without the blank."""
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._classes

    def extended(self, symbols: Iterable[str]) -> Charset:
        """The same charset with further symbols behind its own, which keep their classes."""
        return replace(self, symbols=(*self.symbols, *symbols))

    @property
    def classes(self) -> int:
        """Number of output classes C: the symbols and the blank."""
        return len(self.symbols) + 1

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        extra: str = "",
        form: UnicodeForm = "NFC",
        unit: Unit = "grapheme",
        whitespace: Whitespace = "keep",
        case: Case = "keep",
        direction: Direction = "ltr",
        min_count: int = 1,
    ) -> Charset:
        """The charset of everything that occurs in `texts` at least `min_count` times, and of all of `extra`.

        Ordered by code point, so neither the order of texts nor how often they come plays a part.
        """
        rules = TextRules(form, whitespace, case, direction)
        return cls.from_counts(count_symbols(texts, rules, unit), extra, rules, unit, min_count)

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[str, int],
        extra: str = "",
        rules: TextRules | None = None,
        unit: Unit = "grapheme",
        min_count: int = 1,
    ) -> Charset:
        """As `from_texts`, of what `count_symbols` gave with the same rules and unit.

        `extra` is a list of characters, not a text: it is in no order, and white space at its ends counts.
        """
        rules = rules or TextRules()
        found = {symbol for symbol, count in counts.items() if count >= min_count}
        found.update(characters(extra, rules, unit))
        return cls(tuple(sorted(found)), rules.form, unit, rules.whitespace, rules.case, rules.direction)

    def normalize(self, text: str) -> str:
        """`text` by the charset's rules, in reading order; by default nothing but the Unicode form changes."""
        return self.rules.normalize(text)

    def split(self, text: str) -> list[str]:
        """`text`, normalised, cut into symbols (known or not) in the order in which a picture shows them."""
        return split(text, self.rules, self.unit)

    def _known(self, symbols: list[str]) -> list[tuple[str, int | None]]:
        """(symbol, class) for each of `symbols`; a cluster that is no symbol falls back to its code points."""
        pairs: list[tuple[str, int | None]] = []
        for symbol in symbols:
            if symbol in self._classes:
                pairs.append((symbol, self._classes[symbol]))
            elif len(symbol) > 1 and all(point in self._classes for point in symbol):
                pairs.extend((point, self._classes[point]) for point in symbol)
            else:
                pairs.append((symbol, None))
        return pairs

    def unknown(self, text: str) -> list[str]:
        """The symbols of `text` that the charset lacks, each once, in order of appearance in a picture."""
        symbols = self.split(text)
        if self._classes.keys() >= set(symbols):
            return []
        return list(dict.fromkeys(symbol for symbol, label in self._known(symbols) if label is None))

    def encode(self, text: str) -> list[int]:
        """Classes of the symbols of `text`, in the order in which a picture shows them; none of them is the blank.

        Raises:
            CharsetError: naming the first symbol that is not in the charset.
        """
        symbols = self.split(text)
        try:
            return [self._classes[symbol] for symbol in symbols]
        except KeyError:
            pass  # the slower way, that knows what to do
        labels: list[int] = []
        for symbol, label in self._known(symbols):
            if label is None:
                raise CharsetError(f"{describe(symbol)} is not in the charset of {len(self)}")
            labels.append(label)
        return labels

    def encode_known(self, text: str) -> list[int]:
        """As `encode`, without the symbols that are not in the charset."""
        return [label for _, label in self._known(self.split(text)) if label is not None]

    def decode(self, labels: Sequence[int]) -> str:
        """Text, in reading order, of classes as a picture shows them from left to right (repeats already collapsed).

        Raises:
            CharsetError: for the blank or a class out of range.
        """
        return self.rules.to_logical("".join(self.symbol(label) for label in labels))

    def symbol(self, label: int) -> str:
        """The symbol of class `label` (1..len)."""
        if not 1 <= label <= len(self.symbols):
            raise CharsetError(f"class {label} is not a symbol; symbols have classes 1..{len(self.symbols)}")
        return self.symbols[label - 1]

    def to_dict(self) -> dict[str, Any]:
        """For a card: plain values."""
        return {"symbols": list(self.symbols), "unit": self.unit, **self.rules.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Charset:
        """Rebuild from what `to_dict` gave; rules that are missing have their defaults.

        Raises:
            CharsetError: for no list of symbols, and as `Charset`.
        """
        symbols = data.get("symbols")
        if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
            raise CharsetError("a stored charset needs 'symbols', a list of strings")
        rules = {name: data[name] for name in ("form", "unit", "whitespace", "case", "direction") if name in data}
        return cls(tuple(symbols), **rules)


def required_steps(labels: Sequence[int]) -> int:
    """Time steps T that CTC needs for `labels`: one each, and a blank between equal neighbours.

    Graves et al., "Connectionist Temporal Classification", ICML 2006, section 3.1.
    """
    return len(labels) + sum(map(eq, labels, labels[1:]))
