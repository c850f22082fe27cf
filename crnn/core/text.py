"""The rules that labels and readings share: Unicode form, white space, case, direction of writing.

Everything is kept by default. What is not is recorded with the model's characters, and holds for training labels and
for the labels of an evaluation alike.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

import regex

from crnn.core import bidi
from crnn.errors import CharsetError

UnicodeForm = Literal["NFC", "NFD", "NFKC", "NFKD", "none"]
Whitespace = Literal["keep", "strip", "collapse"]
Case = Literal["keep", "lower", "upper"]
Direction = Literal["ltr", "rtl", "auto"]

CHOICES: dict[str, tuple[str, ...]] = {
    "form": get_args(UnicodeForm),
    "whitespace": get_args(Whitespace),
    "case": get_args(Case),
    "direction": get_args(Direction),
}
"""What each rule may be, the default first."""

BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_WITHOUT_CONTROLS = dict.fromkeys(map(ord, BIDI_CONTROLS))
_SPACES = re.compile(r"\s+")
_CLUSTERS = regex.compile(r"\X")
_NOT_ONE_BY_ONE = re.compile(
    "[^\0-\x0c\x0e-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05ea\u0620-\u064a\u0671-\u06d3\u1e00-\u1fff"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff]"
)
"""Finds what may be part of a longer cluster; the ranges left out hold code points that are always one of their own."""


def clusters(text: str) -> list[str]:
    """`text` cut into grapheme clusters: what a reader calls one character, perhaps several code points."""
    return _CLUSTERS.findall(text) if _NOT_ONE_BY_ONE.search(text) else list(text)


@dataclass(frozen=True)
class TextRules:
    """How labels are brought into one form, and between reading order and picture order.

    Args:
        form: Unicode form; ``none`` leaves code points as they are.
        whitespace: ``keep``; ``strip`` removes it at both ends; ``collapse`` also makes one space of every run of it.
        case: ``keep``, ``lower`` or ``upper``, by Unicode's full mappings.
        direction: of lines. ``ltr``: texts stand in pictures as they are stored, nothing is reordered. ``rtl``: lines
            run from right to left, whatever they start with. ``auto``: each as its first strong character.

    Raises:
        CharsetError: for a rule that does not exist.
    """

    form: UnicodeForm = "NFC"
    whitespace: Whitespace = "keep"
    case: Case = "keep"
    direction: Direction = "ltr"

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                label = "Unicode form" if name == "form" else name
                raise CharsetError(f"{label} {getattr(self, name)!r} is unknown; allowed are {', '.join(allowed)}")

    def normalize(self, text: str) -> str:
        """`text` by these rules, in reading order; a text that went through once does not change again.

        With a direction other than ``ltr`` the invisible bidi controls (U+061C, U+200E, U+200F, U+202A to U+202E,
        U+2066 to U+2069) are removed: no picture shows them.
        """
        text = self.characters(text)
        return text if self.whitespace == "keep" else text.strip()

    def characters(self, text: str) -> str:
        """As `normalize`, but white space at the ends stays: for lists of characters, where a space is one of them."""
        if self.direction != "ltr" and not text.isascii():
            text = text.translate(_WITHOUT_CONTROLS)
        text = self._shaped(text)
        if self.case != "keep":
            text = self._shaped(text.lower() if self.case == "lower" else text.upper())
        return _SPACES.sub(" ", text) if self.whitespace == "collapse" else text

    def _shaped(self, text: str) -> str:
        return text if self.form == "none" or text.isascii() else unicodedata.normalize(self.form, text)

    def to_visual(self, text: str) -> str:
        """A normalised text as it stands in a picture, from left to right. CTC reads columns in this order."""
        if self.direction == "ltr":
            return text
        visual = bidi.to_visual(text, "R" if self.direction == "rtl" else bidi.base_of(text))
        return self._shaped(visual)  # a mark without a letter may have found one

    def to_logical(self, text: str) -> str:
        """The text that stands in a picture as `text` from left to right, in reading order and in the rules' form.

        Where several texts look the same it is the likeliest (see `crnn.core.bidi.to_logical`). Not all labels come
        back then: in right-to-left lines ``12 abc`` becomes ``abc 12``, and ``(abc) def`` becomes ``def (abc)``. With
        ``auto``, lines that start in one direction and end in the other can be taken for lines of the other direction.
        """
        text = self._shaped(text)  # of symbols one by one: a mark may have found a letter that is written with it
        if self.direction == "ltr":
            return text
        return bidi.to_logical(text, "R" if self.direction == "rtl" else bidi.visual_base(text))

    def round_trips(self, text: str) -> bool:
        """Whether a perfect reading of a picture of `text` comes back as `text`, normalised."""
        text = self.normalize(text)
        return self.direction == "ltr" or self.to_logical(self.to_visual(text)) == text

    def differences(self) -> dict[str, str]:
        """The rules that are not the default ones."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}

    def to_dict(self) -> dict[str, str]:
        """Name of each rule -> what it is."""
        return asdict(self)
