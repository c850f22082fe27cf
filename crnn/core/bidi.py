"""Between the order in which text is read (logical) and the order in which it stands in a picture (visual).

From logical to visual goes the bidirectional algorithm of Unicode (UAX #9), as python-bidi carries it out, with two
things that it leaves to its caller: brackets are mirrored, and a letter's marks stay behind it. Backwards there is no
standard, and for some pictures there are several texts; see `to_logical`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import regex

Base = Literal["L", "R"]
"""The direction of a line as a whole."""

_CLUSTERS = regex.compile(r"\X")
_RTL = regex.compile(r"[\p{bc=R}\p{bc=AL}\p{bc=AN}]")
_STRONG = regex.compile(r"[\p{bc=L}\p{bc=R}\p{bc=AL}]")
_DIVIDED = regex.compile(r"[\p{bc=B}\p{bc=S}]|[^\p{bc=B}\p{bc=S}]+")
_END = {"L": "a", "R": "א"}
_PROBES = "".join(map(chr, (*range(9), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0))))
"""Control characters, which have no direction of their own: put behind another character, they take its level."""

# One letter per bidirectional class, so that runs can be found with patterns; the other classes are neutral.
_KINDS = {"L": "L", "R": "R", "AL": "A", "EN": "1", "AN": "9", "ES": "+", "CS": ",", "ET": "$"}
_EUROPEAN = r"1+(?:[+,]1+)*"
_NUMBERS = {
    "R": re.compile(rf"\$*{_EUROPEAN}(?:\$+{_EUROPEAN})*\$*|9+(?:,9+)*"),  # UAX #9, W4 to W6
    "A": re.compile(r"[19]+(?:,[19]+)*"),  # after an Arabic letter, W2
    "L": re.compile(r"\$*1(?:.*1)?\$*|9+(?:,9+)*"),  # after a Latin one they are part of its run, W7
}
_JOINED = re.compile("[^ 1]?[1$+,]*[1$]")
"""A number, backwards, that no space parts from what comes behind it."""


class _Shapes(NamedTuple):
    mirrored: dict[str, str]
    closers: dict[str, str]
    """Closing bracket to its opening one."""


@cache
def _shapes() -> _Shapes:
    from bidi.mirror import MIRRORED

    closers = {c: o for c, o in MIRRORED.items() if unicodedata.category(c) == "Pe" and unicodedata.category(o) == "Ps"}
    return _Shapes(MIRRORED, closers)


def base_of(text: str) -> Base:
    """The direction of the first strong character; L where there is none (UAX #9, P2 and P3)."""
    strong = _STRONG.search(text)
    return "R" if strong and unicodedata.bidirectional(strong[0]) in ("R", "AL") else "L"


@cache
def _alike(kind: str) -> tuple[str, ...]:
    """Code points of a bidirectional class that can stand for others of it: no brackets, nothing mirrored."""
    points = map(chr, range(0x21, 0x10000))
    return tuple(
        c for c in points if unicodedata.bidirectional(c) == kind and not unicodedata.mirrored(c) and c not in _PROBES
    )


def _stand_in(cluster: str, taken: Iterable[str]) -> str:
    """One code point for a cluster, of the class of its first one; the first one itself if it is free."""
    kind = unicodedata.bidirectional(cluster[0])
    return next(c for c in (cluster[0], *_alike(kind), *_alike("ON")) if c not in taken)


@lru_cache(maxsize=1024)
def to_visual(text: str, base: Base) -> str:
    """`text`, free of bidi controls, as it stands in a picture from left to right.

    Grapheme clusters are moved whole, with their code points in order; at right-to-left levels brackets and other
    mirrored characters become their counterparts, so that a symbol is what the picture shows. Tabs and line ends stay
    in their places and what is between them is reordered by itself.
    """
    if base == "L" and not _RTL.search(text):
        return text
    return "".join(_shown(part, base) for part in _DIVIDED.findall(text))


def _shown(text: str, base: Base) -> str:
    from bidi import get_display

    clusters = _CLUSTERS.findall(text)
    if text in "\r\n\t\v\x1c\x1d\x1e\x1f\x85\u2029":
        return text
    points = {c: c for c in clusters if len(c) == 1}
    for cluster in dict.fromkeys(c for c in clusters if len(c) > 1):
        points[cluster] = _stand_in(cluster, points.values())
    probe = next(c for c in _PROBES if c not in points)
    # a letter of the line's direction at its end changes nothing but the levels of probes there
    shown = str(get_display("".join(points[c] + probe for c in clusters) + _END[base], base_dir=base))
    shown = shown[1:] if base == "R" else shown[:-1]
    whole = {point: cluster for cluster, point in points.items()}
    mirrored = _shapes().mirrored
    visual = []
    for first, second in zip(shown[::2], shown[1::2], strict=True):
        if first == probe:  # reversed with its character: a right-to-left level
            cluster = whole[second]
            visual.append(mirrored.get(cluster[0], cluster[0]) + cluster[1:])
        else:
            visual.append(whole[first])
    return "".join(visual)


def visual_base(text: str) -> Base:
    """The likely direction of a line in visual order, for lines that may have either.

    A line in one direction shows at its left and its right end what it is. One that starts with one direction and ends
    with the other looks the same both ways; then the side of its closing punctuation decides, then the more frequent
    letters.
    """
    kinds = [_kind(strong) for strong in _STRONG.findall(text)]
    if not kinds:
        return "L"
    if (kinds[0] == "L") == (kinds[-1] == "L"):
        return "L" if kinds[0] == "L" else "R"
    shown = text.strip()
    for end, base in ((shown[-1], "L"), (shown[0], "R")):
        if end in ".,;:!?…،؛؟۔":
            return base  # type: ignore[return-value]
    return "L" if 2 * kinds.count("L") > len(kinds) else "R"


@lru_cache(maxsize=1024)
def to_logical(text: str, base: Base) -> str:
    """The text that stands in a picture as `text` from left to right, in reading order.

    Several texts can look the same; the likelier one is taken: a number beside a word of its own direction belongs to
    that word's run (in a Hebrew line ``abc 12``, not ``12 abc``), and so does a bracket behind a word (``Name (AB)``).
    `TextRules.round_trips` tells for a label whether it is the one that comes back.
    """
    if base == "L" and not _RTL.search(text):
        return text
    return "".join(_read(part, base) for part in _DIVIDED.findall(text))


def _read(text: str, base: Base) -> str:
    clusters = _CLUSTERS.findall(text)
    levels = _levels(clusters, base)
    order = list(range(len(clusters)))
    for level in "12":  # undoes UAX #9, L2, so the lowest level comes first
        for run in re.finditer(f"[{level}-2]+", "".join(str(levels[i]) for i in order)):
            order[run.start() : run.end()] = order[run.start() : run.end()][::-1]
    mirrored = _shapes().mirrored
    heads = [mirrored.get(c[0], c[0]) if level % 2 else c[0] for c, level in zip(clusters, levels, strict=True)]
    return "".join(heads[i] + clusters[i][1:] for i in order)


@cache
def _kind(cluster: str) -> str:
    return _KINDS.get(unicodedata.bidirectional(cluster[0]), " ")


def _levels(clusters: list[str], base: Base) -> list[int]:
    """The likely level of each cluster of a line in visual order: 0 left to right, 1 right to left, 2 within that."""
    kinds = list(map(_kind, clusters))
    pairs = _bracket_pairs(clusters)
    own, other = ("L", "RA9") if base == "L" else ("RA9", "L")

    def follows_other(opener: int, closer: int) -> bool:
        """Whether text of the other direction is what is read just before a pair."""
        before = range(closer + 1, len(kinds)) if base == "L" else range(opener - 1, -1, -1)
        return next((kinds[i] in other for i in before if kinds[i] in "LRA9|"), False)

    for opener, closer in sorted(pairs.items(), reverse=base == "L"):
        inner = set(kinds[opener + 1 : closer])
        # UAX #9, N0: a pair around text of the line's direction has it; one around other text, unless it follows such
        if inner & set(own) or (inner & set(other) and not follows_other(opener, closer)):
            kinds[opener] = kinds[closer] = "|"
    return (_levels_rtl if base == "R" else _levels_ltr)("".join(kinds), pairs)


def _bracket_pairs(clusters: list[str]) -> dict[int, int]:
    """Opening to closing positions; what does not close is left out, and what lies deeper than UAX #9, BD16 looks."""
    closers = _shapes().closers
    openers = set(closers.values())
    waiting: list[int] = []
    pairs = {}
    for position, cluster in enumerate(clusters):
        if cluster in openers:
            if len(waiting) == 63:
                break
            waiting.append(position)
        elif cluster in closers:
            for depth in range(len(waiting) - 1, -1, -1):
                if clusters[waiting[depth]] == closers[cluster]:
                    pairs[waiting[depth]] = position
                    del waiting[depth:]
                    break
    return pairs


def _levels_rtl(kinds: str, pairs: dict[int, int]) -> list[int]:
    levels = [1] * len(kinds)

    def raise_numbers(start: int, end: int, strong: str) -> None:
        for number in _NUMBERS[strong].finditer(kinds, start, end):
            levels[number.start() : number.end()] = [2] * (number.end() - number.start())

    for segment in re.finditer("[^RA]+", kinds):
        strong = kinds[segment.end()] if segment.end() < len(kinds) else "R"  # what is read before it
        for start, end in _pieces(segment.start(), kinds[segment.start() : segment.end()], "9|"):
            first = kinds.find("L", start, end)
            if first < 0:
                raise_numbers(start, end, strong)
                continue
            last = max(kinds.rfind("L", start, end), kinds.rfind("1", start, end))
            while last + 1 < end and kinds[last] in "1$" and kinds[last + 1] == "$":
                last += 1
            last = max([last, *(pairs[i] for i in range(first, end) if pairs.get(i, end) < end)])
            levels[first : last + 1] = [2] * (last + 1 - first)
            before = max((n.end() for n in _NUMBERS[strong].finditer(kinds, start, first)), default=-1)
            raise_numbers(start, first, strong if before == first else "L")
            strong = "L"
        raise_numbers(segment.start(), segment.end(), "A") if "9" in segment[0] else None
    return levels


def _levels_ltr(kinds: str, pairs: dict[int, int]) -> list[int]:
    levels = [0] * len(kinds)
    for start, end in _pieces(0, kinds, "L|"):
        found = [i for i in range(start, end) if kinds[i] in "RA9"]
        if not found:
            continue
        first, last = found[0], found[-1]
        first = next((i for i in range(start, first) if pairs.get(i, end) < last), first)
        if first == found[0] and (joined := _JOINED.match(kinds[start:first][::-1])):
            first -= joined.end()
        levels[first : last + 1] = [1] * (last + 1 - first)
        for numbers in re.finditer("[^RA]+", kinds[first : last + 1]):
            strong = kinds[first + numbers.end()] if first + numbers.end() <= last else "R"
            for number in _NUMBERS[strong].finditer(kinds, first + numbers.start(), first + numbers.end()):
                levels[number.start() : number.end()] = [2] * (number.end() - number.start())
    return levels


def _pieces(offset: int, kinds: str, breaks: str) -> Iterator[tuple[int, int]]:
    """(start, end) of the stretches without `breaks`, the rightmost first."""
    for piece in reversed(list(re.finditer(f"[^{re.escape(breaks)}]+", kinds))):
        yield offset + piece.start(), offset + piece.end()
