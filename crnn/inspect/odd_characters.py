"""Characters that are suspicious by themselves, given what else a set of labels holds."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from crnn.core.text import BIDI_CONTROLS
from crnn.inspect import kinds

LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ſt", "ﬆ": "st"}
"""One code point -> the letters it stands for."""
JOINERS = "\u200c\u200d"
CONVENTION = 20
"""A private-use character that occurs so often is a convention of the set, not a slip."""
_WIDE_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
_EUROPEAN = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


def odd_characters(counts: Mapping[str, int], main: str, spelled: Mapping[str, int]) -> dict[str, str]:
    """Code point -> kind, for those that are suspicious.

    Args:
        counts: how often each code point occurs in the set.
        main: its main script, see `LookAlikes.main`.
        spelled: how often the letters of each of `LIGATURES` stand one by one.
    """
    found = {}
    for character, count in counts.items():
        kind = _kind(character, count, counts, main in _WIDE_SCRIPTS, spelled)
        if kind:
            found[character] = kind
    return found


def unseen(character: str) -> str | None:
    """`kinds.BIDI_CONTROL` or `kinds.INVISIBLE` for what no picture shows, whatever else the set holds; else None."""
    if character in BIDI_CONTROLS:
        return kinds.BIDI_CONTROL
    return kinds.INVISIBLE if not character.isascii() and unicodedata.category(character) == "Cf" else None


def _kind(character: str, count: int, counts: Mapping[str, int], wide: bool, spelled: Mapping[str, int]) -> str | None:
    if character.isascii():
        return None
    category = unicodedata.category(character)
    if character in BIDI_CONTROLS:
        return kinds.BIDI_CONTROL
    if character == "\ufffd":
        return kinds.REPLACEMENT
    if category == "Cn":
        return kinds.UNASSIGNED
    if category == "Co":
        return kinds.PRIVATE_USE if count < CONVENTION else None
    if category == "Cf":
        return kinds.INVISIBLE
    if category in ("Zs", "Zl", "Zp"):
        return None if wide and character == "\u3000" else kinds.ODD_SPACE
    if character in LIGATURES:
        return kinds.LIGATURE if spelled.get(character, 0) > count else None
    if 0xFB13 <= ord(character) <= 0xFDFB or 0xFE70 <= ord(character) <= 0xFEFC:
        return kinds.PRESENTATION
    if 0xFF01 <= ord(character) <= 0xFFEE:
        usual = unicodedata.normalize("NFKC", character)
        if not wide or (character.isalnum() and counts.get(usual, 0) > count):
            return kinds.FULL_WIDTH
    return None


def joins(text: str, position: int) -> bool:
    """Whether the joiner at `position` stands behind a letter or mark that joins, so that a picture can show it."""
    before = text[position - 1 : position]
    return bool(before) and not before.isspace() and unicodedata.name(before, "").split(" ")[0] not in _EUROPEAN
