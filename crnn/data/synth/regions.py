"""Chinese characters look otherwise in China, Taiwan, Hong Kong, Japan and Korea; fonts come in a variant for each."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ENDING = re.compile(r"\s+(SC|TC|HK|JP|KR)$")
_SIMPLIFIED, _TRADITIONAL = frozenset("们这国说时对会过发经"), frozenset("們這國說時對會過發經")


def region_of(family: str) -> str:
    """The two letters at the end of a family's name, such as SC; empty if it has none."""
    found = _ENDING.search(family)
    return found[1] if found else ""


def common_family(family: str) -> str:
    """The name that all variants of a family have: ``Noto Sans CJK`` for ``Noto Sans CJK SC``."""
    return _ENDING.sub("", family)


def region_for(characters: frozenset[str]) -> str:
    """Whose shapes a charset wants: JP with kana, KR with hangul, TC with traditional characters only, else SC."""
    if any("\u3040" <= c <= "\u30ff" for c in characters):
        return "JP"
    if any("\uac00" <= c <= "\ud7a3" for c in characters):
        return "KR"
    return "TC" if characters & _TRADITIONAL and not characters & _SIMPLIFIED else "SC"


def chosen_faces(families: Sequence[str], characters: frozenset[str]) -> list[int]:
    """Of one file's faces, given their families, those to use: of variants only the wanted region's, if it has it."""
    wanted = region_for(characters)
    regions = [region_of(family) for family in families]
    if wanted not in regions:
        wanted = next((region for region in regions if region), "")
    return [i for i, region in enumerate(regions) if region in ("", wanted)]


def is_han(character: str) -> bool:
    """Whether it is one of the common Chinese characters."""
    return "\u4e00" <= character <= "\u9fff"
