"""A language model of characters: how likely each one is after those before it.

Witten-Bell interpolation (Witten and Bell, "The Zero-Frequency Problem", IEEE Transactions on Information Theory 1991;
Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", 1998, section 2.6). Its symbols
are the classes of a charset, so texts go in as they stand in a picture.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crnn.errors import ConfigError

ORDER = 6
MAX_ORDER = 12
MAX_BYTES = 4_000_000
"""Size of a model as JSON; rare n-grams are left out until it fits."""
CACHED = 4_000_000
"""Probabilities that are kept for the next time, of all contexts together."""
EDGE = "\x20"
"""Start of a line in contexts; end of one as a symbol."""


def _written(label: int) -> str:
    """A class as one character of a key: printable, short as UTF-8, never one that JSON escapes."""
    code = label + 0x23  # class 1 is $
    for skipped, width in ((0x5C, 1), (0x7F, 0x22), (0xD800, 0x800)):  # backslash; controls; surrogates
        if code >= skipped:
            code += width
    return chr(code)


class NgramModel:
    """Probabilities of the next class, or of the line's end, after the classes before.

    Args:
        symbols: number of symbols, blank not among them: classes are 1..symbols.
        order: characters that are looked at, the next one included.
        followers: context -> what came after it and how often, as `to_dict` has it.
    """

    def __init__(self, symbols: int, order: int, followers: Mapping[str, Sequence[Any]]) -> None:
        self.symbols = symbols
        self.order = order
        self._followers = followers
        self._letters = [EDGE, *map(_written, range(1, symbols + 1))]
        self._index = {letter: label for label, letter in enumerate(self._letters)}
        self._known: dict[str, NDArray[np.float64]] = {}
        self._most_known = max(100, CACHED // (symbols + 1))

    @classmethod
    def of(
        cls, texts: Iterable[Sequence[int]], symbols: int, order: int = ORDER, max_bytes: int = MAX_BYTES
    ) -> NgramModel:
        """The model of texts, each a sequence of classes.

        Raises:
            ConfigError: for no texts, or an order out of range.
        """
        if not 1 <= order <= MAX_ORDER:
            raise ConfigError(f"a language model has order 1 to {MAX_ORDER}; this one has {order}")
        letters = [EDGE, *map(_written, range(1, symbols + 1))]
        counts: Counter[str] = Counter()
        for text in texts:
            line = EDGE + "".join([letters[label] for label in text]) + EDGE
            end = len(line)
            for size in range(1, order + 1):  # n-grams of this size, but for the start as a symbol
                counts.update([line[i : i + size] for i in range(int(size == 1), end - size + 1)])
        if not counts:
            raise ConfigError("a language model needs at least one text; is the file empty?")
        return cls(symbols, order, _pruned(counts, order, max_bytes))

    def start(self) -> str:
        """The context at the start of a line."""
        return EDGE[: self.order - 1]

    def after(self, context: str, label: int) -> str:
        """The context once class `label` has followed."""
        return (context + self._letters[label])[1 - self.order :] if self.order > 1 else ""

    def probabilities(self, context: str) -> NDArray[np.float64]:
        """(symbols + 1,): of the line's end at index 0, of each class behind it. They sum to 1."""
        found = self._known.get(context)
        if found is None:
            even = 1 / (self.symbols + 1)
            lower = self.probabilities(context[1:]) if context else np.full(self.symbols + 1, even)
            entry = self._followers.get(context)
            if entry is None:
                found = lower
            else:
                kinds = len(entry) - 1
                whole = sum(entry[1:]) + kinds
                found = lower * (kinds / whole)
                found[[self._index[letter] for letter in entry[0]]] += np.array(entry[1:], dtype=np.float64) / whole
            if len(self._known) >= self._most_known:
                self._known.clear()
            self._known[context] = found
        return found

    def log_prob(self, context: Sequence[int], symbol: int) -> float:
        """Natural logarithm of the probability of class `symbol` (0: the line's end) after the classes before it."""
        written = EDGE + "".join([self._letters[label] for label in context])
        return float(np.log(self.probabilities(written[1 - self.order :] if self.order > 1 else "")[symbol]))

    def text_log_prob(self, labels: Sequence[int]) -> float:
        """Natural logarithm of the probability of a whole line, its end included."""
        context, total = self.start(), 0.0
        for label in (*labels, 0):
            total += float(np.log(self.probabilities(context)[label]))
            context = self.after(context, label)
        return total

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``followers`` maps a context to a string of what followed, and how often each."""
        return {"symbols": self.symbols, "order": self.order, "followers": dict(self._followers)}

    @classmethod
    def from_dict(cls, data: object, symbols: int) -> NgramModel:
        """Check and rebuild.

        Raises:
            ConfigError: for anything that `to_dict` does not write, or a model of another number of symbols.
        """
        if not isinstance(data, Mapping) or set(data) != {"symbols", "order", "followers"}:
            raise ConfigError("a stored language model has 'symbols', 'order' and 'followers'")
        order, followers = data["order"], data["followers"]
        if type(order) is not int or not 1 <= order <= MAX_ORDER:
            raise ConfigError(f"the language model's order is {order!r}; 1 to {MAX_ORDER} are allowed")
        if data["symbols"] != symbols:
            raise ConfigError(f"the language model has {data['symbols']!r} symbols, the charset {symbols}")
        if not isinstance(followers, Mapping):
            raise ConfigError("the language model's 'followers' is not an object")
        model = cls(symbols, order, followers)
        allowed = set(model._letters)
        for context, entry in followers.items():
            if not (
                isinstance(context, str)
                and len(context) < order
                and isinstance(entry, list)
                and len(entry) > 1
                and isinstance(entry[0], str)
                and len(entry[0]) == len(entry) - 1 == len(set(entry[0]))
                and allowed.issuperset(entry[0])
                and all(type(count) is int and 0 < count < 2**40 for count in entry[1:])
            ):
                raise ConfigError(f"the language model's entry for {str(context)[:20]!r} is not valid")
        return model


def _pruned(counts: Counter[str], order: int, max_bytes: int) -> dict[str, list[Any]]:
    """Counts by context, without the rare ones of the longest n-grams if all are too many."""
    entries = _by_context(counts)
    rare = 0
    while _size(entries) > max_bytes and max(map(len, counts)) > 1:
        rare = 2 * rare or 1
        for size in range(order, 1, -1):
            counts = Counter({gram: n for gram, n in counts.items() if len(gram) < size or n > rare})
            entries = _by_context(counts)
            if _size(entries) <= max_bytes:
                break
    return entries


def _by_context(counts: Mapping[str, int]) -> dict[str, list[Any]]:
    followers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for gram, n in counts.items():
        followers[gram[:-1]][gram[-1]] = n
    return {context: ["".join(after), *after.values()] for context, after in sorted(followers.items())}


def _size(entries: Mapping[str, Any]) -> int:
    return len(json.dumps(entries, ensure_ascii=False).encode())
