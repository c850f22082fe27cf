"""What looks wrong in a label, and which of that can be mended without asking."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from html.entities import html5

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.core.text import TextRules
from crnn.data.labels import CONTROL, CONTROL_CHARACTER, SURROGATE
from crnn.inspect import kinds
from crnn.inspect.lookalikes import LookAlikes
from crnn.inspect.mojibake import mojibake
from crnn.inspect.odd_characters import JOINERS, LIGATURES, joins, odd_characters, unseen

Fault = tuple[str, str]
"""(kind, detail)."""

_ENTITY = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SUFFIXES = "|".join(sorted(suffix[1:] for suffix in PICTURE_SUFFIXES))
_FILE_NAME = re.compile(rf"(?:[^\s/\\]+[/\\])*[^\s/\\]*[^\s/\\.]\.(?:{_SUFFIXES})|[A-Za-z]:\\\S+", re.IGNORECASE)
_LONE_MARK = re.compile(r"(?:^|\s)(?=[^\x00-\x7f])(\S)")
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x85]")


class LabelStatistics:
    """What a set of labels holds; the ground for judging one of them."""

    def __init__(self) -> None:
        self.points: Counter[str] = Counter()
        """How often each code point occurs."""
        self.spelled: Counter[str] = Counter()
        """How often the letters of each of `LIGATURES` stand one by one."""

    def watch(self, labels: Iterable[str]) -> Iterator[str]:
        """`labels`, counted as they pass."""
        for text in labels:
            self.points.update(text)
            if "f" in text or "st" in text or "ſt" in text:
                for ligature, letters in LIGATURES.items():
                    self.spelled[ligature] += text.count(letters)
            yield text


class TextFaults:
    """Judges labels of one set.

    Args:
        statistics: of all labels.
        rules: the text rules of the model, or the default ones.
    """

    def __init__(self, statistics: LabelStatistics, rules: TextRules) -> None:
        self._look_alikes = LookAlikes(statistics.points)
        self._odd = odd_characters(statistics.points, self._look_alikes.main, statistics.spelled)
        self._rules = rules

    def __call__(self, text: str, picture: str) -> list[Fault]:
        """Everything suspicious about a label that is not empty, each kind once.

        Args:
            text: the label.
            picture: name of its picture.
        """
        faults: list[Fault] = []
        if text != text.strip():
            faults.append((kinds.SPACE_AT_END, repr(text)))
        if "  " in text.strip():
            faults.append((kinds.DOUBLE_SPACE, f"at position {text.strip().index('  ') + 1}"))
        if "&" in text and (entity := _entity(text)):
            faults.append((kinds.HTML_ENTITY, f"{entity} stands for {html.unescape(entity)!r}"))
        if _FILE_NAME.fullmatch(text) or (text == picture and "." in picture):
            faults.append((kinds.FILE_NAME, repr(text)))
        if not text.isascii():
            faults.extend(self._beyond_ascii(text))
        return faults

    def _beyond_ascii(self, text: str) -> Iterator[Fault]:
        seen: dict[str, list[str]] = {}
        for character in () if self._odd.keys().isdisjoint(text) else dict.fromkeys(text):
            kind = self._odd.get(character)
            if kind is None or (character in JOINERS and _all_join(text, character)):
                continue
            name, position = unicodedata.name(character, "unnamed"), text.index(character) + 1
            seen.setdefault(kind, []).append(f"U+{ord(character):04X} {name} at position {position}")
        for kind, named in seen.items():
            yield kind, ", ".join(named)
        whole = not SURROGATE.search(text)
        if whole and kinds.PRESENTATION not in seen and not unicodedata.is_normalized("NFC", text):
            yield kinds.NOT_NFC, f"{len(text)} code points, {len(unicodedata.normalize('NFC', text))} in NFC"
        if (lone := _LONE_MARK.search(text)) and unicodedata.category(lone[1])[0] == "M":
            yield kinds.LONE_MARK, f"U+{ord(lone[1]):04X} {unicodedata.name(lone[1], 'unnamed')}"
        if mixed := self._look_alikes.mixed(text):
            yield kinds.MIXED_SCRIPTS, mixed
        elif hidden := self._look_alikes.hidden(text):
            yield kinds.LOOK_ALIKE, hidden
        if garbled := mojibake(text):
            yield kinds.MOJIBAKE, f"{garbled[0]!r} was {garbled[1]!r}"
        if whole and not self._rules.round_trips(text):
            back = self._rules.to_logical(self._rules.to_visual(self._rules.normalize(text)))
            yield kinds.READING_ORDER, f"read as {back!r}"

    def repair(self, text: str) -> tuple[str, list[str]]:
        """The label with what can be mended safely, and the kinds of what was.

        Entities become characters, line ends and tabs spaces; other control, invisible and bidi control characters are
        removed; NFC; white space is trimmed at the ends, and several spaces become one.
        """
        mended: list[str] = []

        def step(kind: str, new: str) -> None:
            nonlocal text
            if new != text:
                mended.append(kind)
                text = new

        step(kinds.HTML_ENTITY, _without_entities(text))
        step(CONTROL_CHARACTER, CONTROL.sub("", _BREAKS.sub(" ", text)))
        for kind in (kinds.INVISIBLE, kinds.BIDI_CONTROL):
            step(kind, "".join(c for i, c in enumerate(text) if unseen(c) != kind or _wanted(text, i)))
        step(kinds.NOT_NFC, unicodedata.normalize("NFC", text))
        step(kinds.SPACE_AT_END, text.strip())
        step(kinds.DOUBLE_SPACE, re.sub(" {2,}", " ", text))
        return text, mended


def _entity(text: str) -> str | None:
    """The first entity of HTML, or None."""
    for match in _ENTITY.finditer(text):
        name = match[0][1:]
        if name in html5 or (name[0] == "#" and html.unescape(match[0]) not in ("", "\ufffd")):
            return match[0]
    return None


def _without_entities(text: str) -> str:
    """Characters for entities, also where what was one is one again: ``&amp;lt;`` is ``<``."""
    while (shorter := _ENTITY.sub(lambda m: html.unescape(m[0]) if _entity(m[0]) else m[0], text)) != text:
        text = shorter
    return text


def _wanted(text: str, position: int) -> bool:
    return text[position] in JOINERS and joins(text, position)


def _all_join(text: str, joiner: str) -> bool:
    return all(joins(text, i) for i, c in enumerate(text) if c == joiner)
