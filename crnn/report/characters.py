"""What kind of character goes wrong, and what is read in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import regex

from crnn.core.alignment import Pair, align
from crnn.core.text import clusters
from crnn.report.lines import JudgedLine

EXAMPLES = 3
"""Lines that are named for each confusion."""
CLASSES = {"letters": r"\p{L}", "digits": r"\p{N}", "punctuation": r"\p{P}", "space": r"\s"}
OTHER = "other"
COMMON = "no script"
"""Digits, punctuation, spaces: all scripts share them."""
_NAMES = (
    "Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu "
    "Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Cherokee Mongolian Khmer Hiragana "
    "Katakana Bopomofo Han Gothic Coptic Runic Ogham Glagolitic"
)
SCRIPTS = tuple(_NAMES.split())
_CLASSES = {name: regex.compile(pattern) for name, pattern in CLASSES.items()}
_SCRIPTS = {name: regex.compile(rf"\p{{Script={name}}}") for name in SCRIPTS}
_COMMON = regex.compile(r"[\p{Script=Common}\p{Script=Inherited}]")


@lru_cache(maxsize=65_536)
def class_of(character: str) -> str:
    """`CLASSES` or `OTHER`; a letter with its marks is a letter."""
    return next((name for name, pattern in _CLASSES.items() if pattern.match(character)), OTHER)


@lru_cache(maxsize=65_536)
def script_of(character: str) -> str:
    """The Unicode script of a character's first code point, `COMMON` or `OTHER`."""
    if _COMMON.match(character):
        return COMMON
    return next((name for name, pattern in _SCRIPTS.items() if pattern.match(character)), OTHER)


@dataclass
class CharacterCounts:
    """Of one class or script. Characters that are too many count with the class of what was read."""

    characters: int = 0
    """In the references."""
    wrong: int = 0
    """Read as another."""
    missing: int = 0
    extra: int = 0

    @property
    def error_rate(self) -> float:
        """Errors per character of the references; can exceed 1."""
        errors = self.wrong + self.missing + self.extra
        return errors / self.characters if self.characters else float(errors > 0)


@dataclass
class Confusion:
    """A character (true), what was read instead, how often, and in which lines first. Empty: nothing."""

    pair: Pair
    count: int = 0
    lines: list[str] = field(default_factory=list)


@dataclass
class CharacterTally:
    """All characters of some lines."""

    references: Counter[str] = field(default_factory=Counter)
    """Characters of the references."""
    confusions: dict[Pair, Confusion] = field(default_factory=dict)
    spaces_right: int = 0
    spaces_read: int = 0

    @classmethod
    def of(cls, lines: Iterable[JudgedLine]) -> CharacterTally:
        """The tally of these lines."""
        tally = cls()
        for line in lines:
            tally.add(line)
        return tally

    def add(self, line: JudgedLine) -> None:
        """Take a line into account."""
        true = clusters(line.reference)
        self.references.update(true)
        pairs = [Pair(c, c) for c in true] if line.right else align(clusters(line.reading), true)
        for pair in pairs:
            if class_of(pair.read) == "space":
                self.spaces_read += 1
                self.spaces_right += class_of(pair.true) == "space"
            if pair.is_error:
                confusion = self.confusions.setdefault(pair, Confusion(pair))
                confusion.count += 1
                if len(confusion.lines) < EXAMPLES and line.where not in confusion.lines:
                    confusion.lines.append(line.where)

    @property
    def space_precision(self) -> float | None:
        """Share of the spaces read that stand in the references; None if none was read."""
        return self.spaces_right / self.spaces_read if self.spaces_read else None

    @property
    def space_recall(self) -> float | None:
        """Share of the references' spaces that were read; None if they hold none."""
        spaces = sum(count for character, count in self.references.items() if class_of(character) == "space")
        return self.spaces_right / spaces if spaces else None

    def misread(self) -> Counter[str]:
        """Character of the references -> how often it was read as another, or not at all."""
        found: Counter[str] = Counter()
        for (true, _), confusion in self.confusions.items():
            if true:
                found[true] += confusion.count
        return found

    def ranked(self) -> list[Confusion]:
        """The most frequent confusions first."""
        return sorted(self.confusions.values(), key=lambda confusion: (-confusion.count, confusion.pair))

    def by_class(self) -> dict[str, CharacterCounts]:
        """Counts of each of `CLASSES`, and of `OTHER`, that occurs."""
        return self._grouped({name: CharacterCounts() for name in (*CLASSES, OTHER)}, class_of)

    def by_script(self) -> dict[str, CharacterCounts]:
        """Counts of each script that occurs, `COMMON` and `OTHER` among them."""
        return self._grouped({}, script_of)

    def _grouped(self, groups: dict[str, CharacterCounts], kind: Callable[[str], str]) -> dict[str, CharacterCounts]:
        """Those that occur, the most frequent script first."""
        for character, count in self.references.items():
            groups.setdefault(kind(character), CharacterCounts()).characters += count
        for (true, read), confusion in self.confusions.items():
            group = groups.setdefault(kind(true or read), CharacterCounts())
            group.wrong += confusion.count if true and read else 0
            group.missing += confusion.count if not read else 0
            group.extra += confusion.count if not true else 0
        return {name: group for name, group in groups.items() if group != CharacterCounts()}
