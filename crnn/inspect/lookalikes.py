"""Letters that look like letters of another script, and the words in which they hide."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache

_CYRILLIC = dict(zip("АВЕКМНОРСТУХІЅЈԚԜӀасеорухіѕјһԁԛԝӏ", "ABEKMHOPCTYXISJQWIaceopyxisjhdqwl", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹοϲϳ", "ABEZHIKMNOPTYXCocj", strict=True))
_ARMENIAN = dict(zip("օսհՏ", "ouhS", strict=True))
TWINS: dict[str, str] = {**_CYRILLIC, **_GREEK, **_ARMENIAN}
"""Letter -> the Latin letter that looks the same in most fonts; from Unicode's confusables (UTS #39)."""
_LATIN_TWINS = {
    script: frozenset(table.values())
    for script, table in (("CYRILLIC", _CYRILLIC), ("GREEK", _GREEK), ("ARMENIAN", _ARMENIAN))
}
SCRIPTS = frozenset(("LATIN", *_LATIN_TWINS))
"""Scripts with letters in common."""
_WORDS = re.compile(r"[^\W\d_]+")
_RARE = 0.05


@cache
def script(letter: str) -> str:
    """The first word of its name: LATIN, CYRILLIC, CJK ...; empty for what is no letter."""
    return unicodedata.name(letter, "").split(" ")[0] if letter.isalpha() else ""


class LookAlikes:
    """Finds words with letters that only look like those of the usual script.

    Args:
        counts: how often each code point occurs in the labels of the set.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        letters: Counter[str] = Counter()
        for character, count in counts.items():
            letters[script(character)] += count
        letters.pop("", None)
        total = letters.total()
        self.main = letters.most_common(1)[0][0] if letters else ""
        """The script of most letters."""
        self._needed = len(SCRIPTS & letters.keys()) > 1
        self._rare = {name for name, count in letters.items() if count < _RARE * total}

    def mixed(self, text: str) -> str | None:
        """What is mixed in the first word that mixes scripts, as a detail, or None."""
        if not self._needed or text.isascii():
            return None
        for word in _WORDS.findall(text):
            scripts = Counter(script(letter) for letter in word)
            known = [name for name in scripts if name in SCRIPTS]
            if len(known) < 2:
                continue
            usual = max(known, key=lambda name: (scripts[name], name == self.main))
            odd = [letter for letter in word if script(letter) in SCRIPTS and script(letter) != usual]
            if all(_resembles(letter, usual) for letter in odd):
                named = ", ".join(dict.fromkeys(f"U+{ord(c):04X} {unicodedata.name(c)}" for c in odd))
                return f"{word!r} holds {named} among {usual.capitalize()} letters"
        return None

    def hidden(self, text: str) -> str | None:
        """The first word whose letters all belong to a rare script and look like the usual one, or None."""
        if not self._needed or text.isascii():
            return None
        genuine = {script(c) for c in text if c.isalpha() and not _resembles(c, self.main)}
        for word in _WORDS.findall(text):
            own = script(word[0])
            if own == self.main or own not in self._rare or own in genuine:
                continue
            if all(script(c) == own and _resembles(c, self.main) for c in word):
                return f"{word!r} is {own.capitalize()}: {' '.join(f'U+{ord(c):04X}' for c in word)}"
        return None


def _resembles(letter: str, usual: str) -> bool:
    """Whether a letter of another script looks like one of the script `usual`."""
    if usual == "LATIN":
        return letter in TWINS
    return letter in _LATIN_TWINS.get(usual, ())
