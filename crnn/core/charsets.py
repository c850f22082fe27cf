"""Named sets of characters: ``set:latin`` and the like.

Each is a tuple of single code points in NFC, ordered, made from Unicode's data. All but ``digits`` hold the 95
printable ASCII characters, because numbers, punctuation and Latin words come in every script. Where letters carry marks
that have no composed form (Hebrew points, Arabic vowels, Devanagari signs) the marks are in the set by themselves, and
a cluster that is not in a charset is encoded as its code points.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from crnn.errors import CharsetError

_TYPOGRAPHY = "‘’‚“”„‹›«»–—…•"
_CURRENCY = "£¥€¢"


def _range(first: int, last: int, categories: str = "LMN") -> str:
    """Assigned code points first..last that NFC leaves alone, of these general categories."""
    points = map(chr, range(first, last + 1))
    return "".join(c for c in points if unicodedata.category(c)[0] in categories and _composed(c))


def _composed(symbol: str) -> bool:
    return unicodedata.is_normalized("NFC", symbol)


def _with_marks(bases: str, marks: str) -> str:
    """Every base letter with every mark, where Unicode has that as one code point, in both cases."""
    made = (unicodedata.normalize("NFC", base + mark) for base in bases + bases.upper() for mark in marks)
    return "".join(letter for letter in made if len(letter) == 1)


def _both_cases(letters: str) -> str:
    return letters + letters.upper()


def _gb2312(first: int, last: int) -> str:
    """The characters of these rows of GB 2312, each row has 94 cells."""
    cells = (bytes((row + 0xA0, cell + 0xA0)) for row in range(first, last + 1) for cell in range(1, 95))
    return "".join(cell.decode("gb2312", "ignore") for cell in cells)


_ASCII = "".join(map(chr, range(32, 127)))
_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT_BELOW = "\u0300\u0301\u0303\u0309\u0323"
_EUROPEAN = _range(0xC0, 0x17F, "L").replace("ŉ", "") + "ȘșȚțẞ"
_GREEK = _range(0x386, 0x3CE, "L")
_ARABIC = _range(0x621, 0x652) + _range(0x660, 0x669) + "ٰ،؛؟٪٫٬"

_SETS: dict[str, Callable[[], str]] = {
    "digits": lambda: "0123456789",
    "ascii": lambda: _ASCII,
    "latin": lambda: _ASCII + _EUROPEAN + _TYPOGRAPHY + _CURRENCY + "¡¿ªº§°±²³µ¶·×÷½¼¾©®™†‡‰№",
    "german": lambda: _ASCII + "ÄÖÜäöüßẞ" + _TYPOGRAPHY + "€§°²³",
    "french": lambda: _ASCII + _both_cases("àâæçéèêëîïôœùûü") + "ÿŸ" + _TYPOGRAPHY + "€°²³",
    "spanish": lambda: _ASCII + _both_cases("áéíñóúü") + "¡¿ªº" + _TYPOGRAPHY + "€°",
    "vietnamese": lambda: (
        _ASCII
        + _both_cases("ăâđêôơư")
        + _with_marks("aăâeêioôơuưy", _GRAVE + _ACUTE + _TILDE + _HOOK + _DOT_BELOW)
        + _TYPOGRAPHY
        + "₫°"
    ),
    "greek": lambda: _ASCII + _GREEK + _TYPOGRAPHY + "·€°",
    "greek-polytonic": lambda: _ASCII + _GREEK + _range(0x1F00, 0x1FFC, "L") + _TYPOGRAPHY + "·€°",
    "cyrillic": lambda: _ASCII + _range(0x400, 0x45F, "L") + _range(0x48A, 0x4FF, "L") + _TYPOGRAPHY + "№§°€₴₽",
    "hebrew": lambda: _ASCII + _range(0x5D0, 0x5EA) + "־׳״" + _TYPOGRAPHY + "₪€°",
    "hebrew-pointed": lambda: _ASCII + _range(0x5B0, 0x5C2) + "ׇ" + _range(0x5D0, 0x5EA) + "־׳״" + _TYPOGRAPHY + "₪€°",
    "arabic": lambda: _ASCII + _ARABIC + _TYPOGRAPHY + "°",
    "persian": lambda: _ASCII + _ARABIC + "پچژکگیۀۓ" + _range(0x6F0, 0x6F9) + "\u200c" + _TYPOGRAPHY + "°",
    "devanagari": lambda: _ASCII + _range(0x900, 0x97F) + "।॥॰\u200c\u200d" + _TYPOGRAPHY + "₹°",
    # level 1 of GB 2312, the 3,755 characters in daily use; a Chinese text has no other in 99 of 100 places
    "chinese": lambda: _ASCII + _gb2312(16, 55) + "，。、；：？！（）《》〈〉【】「」『』～￥％" + "‘’“”—…·×°℃",
}

NAMES = tuple(_SETS)
SET_PREFIX = "set:"
"""Of a named set where a file, or characters themselves, could stand as well."""


@cache
def named_set(name: str) -> tuple[str, ...]:
    """The characters of a named set, ordered by code point.

    Raises:
        CharsetError: for a name that is not among `NAMES`.
    """
    if name not in _SETS:
        raise CharsetError(f"there is no set of characters {name!r}; there are {', '.join(NAMES)}")
    return _ordered(_SETS[name]())


def _ordered(symbols: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(symbols)))
