"""Words of many languages with their frequencies, nine in ten for training and the tenth held out.

The frequencies come from the package wordfreq; without it there is English only, from words.txt.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module, resources
from types import ModuleType

import numpy as np

from crnn.errors import ConfigError

BASIC = "basic"
"""The language of words.txt: the same words on every machine, whether or not wordfreq is installed."""
CHINESE = "zh"
"""Without wordfreq its words are characters at random."""
MOST_WORDS = 30_000
"""Of a language; the most frequent ones."""
FEW_WORDS = 100
"""If a charset can write fewer of a language, others are made up of its letters, so that texts differ."""
ENOUGH_WORDS = 600
"""With those made up."""
_RARE = 0.3
"""This share of words is drawn evenly, so that rare ones come too; the others by the root of their frequency."""
_NOT_WRITTEN = ("ja",)
"""Languages of wordfreq that no kind of text is written for: no spaces, and syllables beside characters."""


@lru_cache(maxsize=1)
def all_words() -> tuple[str, ...]:
    """The word list, about 1,900 common English words."""
    return tuple(resources.files(__package__).joinpath("words.txt").read_text(encoding="utf-8").split())


def is_held_out(word: str) -> bool:
    """Whether a word is kept for validation; the same for all of its spellings in upper and lower case."""
    return hashlib.sha256(word.lower().encode()).digest()[0] % 10 == 0


def _wordfreq() -> ModuleType | None:
    try:
        return import_module("wordfreq")
    except ImportError:
        return None


def check_languages(languages: Sequence[str]) -> None:
    """Refuse languages that there are no words of.

    Allowed are `basic` (words.txt), `en` (words.txt too, where wordfreq is missing), `zh` (characters at random, where
    it is missing), and the languages of wordfreq.

    Raises:
        ConfigError: for none, an unknown one, or one that needs wordfreq where that is missing.
    """
    if isinstance(languages, str) or not languages:
        raise ConfigError(
            f"data.rendered.languages={languages!r}: must be a list of languages, such as [en] or [de,fr]"
        )
    package = _wordfreq()
    for language in languages:
        if language == BASIC or (language in ("en", CHINESE) and package is None):
            continue
        if package is None:
            raise ConfigError(
                f"data.rendered.languages: words of {language!r}, if there are any, come from wordfreq, which is not "
                'installed; pip install "crnn[synth]", or choose [en]'
            )
        known = sorted(set(package.available_languages("small")) - set(_NOT_WRITTEN))
        if language not in known:
            raise ConfigError(
                f"data.rendered.languages: no words of {language!r}; allowed are {BASIC}, {', '.join(known)}"
            )


class Words:
    """Words to draw from.

    Args:
        words: each once.
        frequencies: of each; None: all the same.
    """

    def __init__(self, words: Sequence[str], frequencies: Iterable[float] | None = None) -> None:
        self.all = tuple(words)
        weights = np.ones(len(self.all)) if frequencies is None else np.sqrt(np.fromiter(frequencies, float))
        self._steps = np.cumsum(weights / weights.sum()) if len(self.all) else weights

    def __len__(self) -> int:
        return len(self.all)

    def draw(self, rng: np.random.Generator) -> str:
        """A word; empty if there are none."""
        if not self.all:
            return ""
        if rng.random() < _RARE:
            return self.all[int(rng.integers(len(self.all)))]
        return self.all[min(int(np.searchsorted(self._steps, rng.random())), len(self.all) - 1)]


@lru_cache(maxsize=64)
def words_of(language: str, held_out: bool, allowed: frozenset[str]) -> Words:
    """A language's words that can be written with `allowed` characters, in small or capital letters."""
    package = None if language == BASIC else _wordfreq()
    found: dict[str, float]
    if package is None:
        found = {} if language == CHINESE else dict.fromkeys(all_words(), 1.0)
    else:
        listed = package.get_frequency_dict(language, "small")
        found = {word: listed[word] for word in sorted(listed, key=lambda w: (-listed[w], w))[:MOST_WORDS]}
    kept = [
        word
        for word in found
        if word.replace("'", "").isalpha()
        and is_held_out(word) == held_out
        and (allowed.issuperset(word) or allowed.issuperset(word.upper()))
    ]
    weights = [found[word] for word in kept]
    if language != CHINESE and len(kept) < FEW_WORDS:
        invented = _invented(found, held_out, allowed, ENOUGH_WORDS - len(kept), frozenset(kept))
        weights += [float(np.mean(weights)) if weights else 1.0] * len(invented)
        kept += invented
    return Words(kept, weights)


def _invented(
    listed: Mapping[str, float], held_out: bool, allowed: frozenset[str], count: int, known: frozenset[str]
) -> list[str]:
    """Up to `count` words of a small charset's letters, each letter about as frequent as in the `listed` words."""
    letters = sorted({c.lower() for c in allowed if c.isalpha() and len(c.lower()) == 1})
    if not letters:
        return []
    uses = Counter[str]()
    for word, frequency in listed.items():
        uses.update(dict.fromkeys(word, frequency))
    shares = np.sqrt([uses[letter] for letter in letters])
    shares += (shares.sum() or 1.0) / 50
    rng, made = np.random.default_rng(0), dict[str, None]()
    for _ in range(20 * count):
        word = "".join(rng.choice(letters, size=int(rng.integers(2, 9)), p=shares / shares.sum()).tolist())
        if word not in known and is_held_out(word) == held_out:
            made[word] = None
        if len(made) == count:
            break
    return list(made)
