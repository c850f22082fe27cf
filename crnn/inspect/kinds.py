"""The kinds of findings: one registry of names, levels, explanations and remedies."""

from __future__ import annotations

from typing import Literal, NamedTuple

from crnn.data.check import TOO_WIDE, UNREADABLE, UNUSABLE_ROW
from crnn.data.labels import CANNOT_FIT, CONTROL_CHARACTER, EMPTY_LABEL, LONE_SURROGATE, UNKNOWN_CHARACTER

Level = Literal["error", "warning"]


class Kind(NamedTuple):
    """What can be found at a line."""

    name: str
    level: Level
    """``error``: training leaves the line out or refuses it; ``warning``: it trains, but should be looked at."""
    explanation: str
    remedy: str


class Finding(NamedTuple):
    """Something found at one line."""

    role: str
    """``train`` or ``val``."""
    position: int
    """Of the line among those of its role."""
    where: str
    picture: str
    kind: str
    """Name of a kind in `KINDS`."""
    detail: str


OUT_OF_REACH = "label out of reach"
READING_ORDER = "reading order is lost"
NOT_NFC = "not in NFC"
INVISIBLE = "invisible character"
BIDI_CONTROL = "bidi control character"
SPACE_AT_END = "space at an end"
DOUBLE_SPACE = "double space"
ODD_SPACE = "unusual white space"
MIXED_SCRIPTS = "mixed scripts in a word"
LOOK_ALIKE = "look-alike of another script"
FULL_WIDTH = "full-width or half-width form"
LIGATURE = "ligature character"
PRESENTATION = "presentation form"
LONE_MARK = "mark without a letter"
PRIVATE_USE = "private-use character"
UNASSIGNED = "unassigned code point"
REPLACEMENT = "replacement character"
MOJIBAKE = "mojibake"
HTML_ENTITY = "HTML entity"
FILE_NAME = "label is a file name"
FRAMES = "picture with more frames"
TINY = "tiny picture"
ASPECT = "extreme aspect ratio"
BLANK = "almost blank picture"
INVERTED = "inverted picture"
ROTATED = "picture on its side"
LONG_LABEL = "label too long for its picture"
SHORT_LABEL = "label too short for its picture"
DUPLICATE = "duplicate line"
CONFLICT = "same picture, other label"
LEAK = "picture in train and val"

_ALL: tuple[tuple[str, Level, str, str], ...] = (
    (UNUSABLE_ROW, "error", "the row of the label file cannot be understood", "mend the row, or remove it"),
    (UNREADABLE, "error", "the picture is missing, damaged or cut off", "replace the picture, or remove the line"),
    (EMPTY_LABEL, "error", "the label holds nothing that can be seen", "write what the picture says, or remove it"),
    (CONTROL_CHARACTER, "error", "a tab, line end or other control character", "remove it; --fix does"),
    (LONE_SURROGATE, "error", "half of a character: no file in UTF-8 can hold it", "correct the label"),
    (UNKNOWN_CHARACTER, "error", "the charset has no such character", "correct the label, or add it (charset.extra)"),
    (CANNOT_FIT, "error", "more characters than CTC has time steps", "correct the label, or raise image.height"),
    (TOO_WIDE, "error", "wider than training takes", "cut the line in two, or raise data.max_width"),
    (OUT_OF_REACH, "warning", "no reading of this validation line can be right: it has characters that training lacks, "
     "or more than its width has time steps", "correct it, or add such lines to training"),
    (READING_ORDER, "warning", "with this model's direction of writing the label comes back as other text",
     "accept it, or set charset.direction"),
    (NOT_NFC, "warning", "the same text can be written with fewer code points; training composes it",
     "normalise to NFC; --fix does"),
    (INVISIBLE, "warning", "zero-width space, joiner, soft hyphen or byte order mark: no picture shows it",
     "remove it; --fix does"),
    (BIDI_CONTROL, "warning", "an invisible control of writing direction", "remove it; --fix does"),
    (SPACE_AT_END, "warning", "white space before or behind the text is learned as a character",
     "trim it; --fix does; or set charset.whitespace=strip"),
    (DOUBLE_SPACE, "warning", "two or more spaces in a row", "make it one; --fix does; or charset.whitespace=collapse"),
    (ODD_SPACE, "warning", "a white space that looks like others (no-break, thin, ideographic)",
     "use U+0020; or set charset.whitespace=collapse"),
    (MIXED_SCRIPTS, "warning", "letters of another script that look alike within a word", "type the word again"),
    (LOOK_ALIKE, "warning", "a word in a script that is rare here, all of whose letters look like the usual script",
     "type the word again"),
    (FULL_WIDTH, "warning", "a wide or narrow form of a character that the set writes the usual way",
     "use the usual form; or set charset.form=NFKC"),
    (LIGATURE, "warning", "one code point for letters that the set mostly writes one by one",
     "write the letters; or set charset.form=NFKC"),
    (PRESENTATION, "warning", "a positional form of a Hebrew or Arabic letter", "use the letter; or charset.form=NFKC"),
    (LONE_MARK, "warning", "a combining mark at the start or behind a space", "put it behind its letter"),
    (PRIVATE_USE, "warning", "a rare code point that means something in one font only", "use a standard character"),
    (UNASSIGNED, "warning", "Unicode has no such character (in the version of this Python)", "correct the label"),
    (REPLACEMENT, "warning", "U+FFFD stands where a conversion lost a character", "restore the character"),
    (MOJIBAKE, "warning", "UTF-8 that was read as Latin-1 or Windows-1252 once", "convert the label back"),
    (HTML_ENTITY, "warning", "an entity of HTML instead of its character", "replace it; --fix does"),
    (FILE_NAME, "warning", "the label looks like the name of a picture", "check the columns of the label file"),
    (FRAMES, "warning", "of several pages or frames only the first is read", "save each as a file of its own"),
    (TINY, "warning", "fewer than 8 pixels high, or fewer than 3 wide", "scan at a higher resolution"),
    (ASPECT, "warning", "far wider than a line of text, or far higher", "check how the line was cut"),
    (BLANK, "warning", "hardly any difference between light and dark", "check how the line was cut"),
    (INVERTED, "warning", "light text on dark where the set is dark on light, or the other way round",
     "invert the picture, or add more such lines"),
    (ROTATED, "warning", "higher than wide, with a label of several characters", "turn the picture"),
    (LONG_LABEL, "warning", "far more characters per width than the set has", "check label and cut"),
    (SHORT_LABEL, "warning", "far fewer characters per width than the set has", "check label and cut"),
    (DUPLICATE, "warning", "an earlier line has the same pixels and the same label", "remove one of them"),
    (CONFLICT, "warning", "an earlier line has the same pixels and another label", "correct one of them"),
    (LEAK, "warning", "a validation picture that training has too flatters the figures", "remove it from one side"),
)  # fmt: skip

KINDS: dict[str, Kind] = {row[0]: Kind(*row) for row in _ALL}
"""Name -> kind, errors first."""
NEED_PIXELS = frozenset((FRAMES, BLANK, INVERTED, DUPLICATE, CONFLICT, LEAK))
"""Kinds that are not looked for where headers alone are read."""
