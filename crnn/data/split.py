"""Splits into training, validation and test lines: seeded, by whole groups so that no page is on two sides, recorded.

Runs without torch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from string import ascii_letters, digits

import numpy as np
from numpy.typing import NDArray

from crnn.data.hashes import text_hash
from crnn.data.sources.base import LineEntry, LineSource
from crnn.data.sources.columns import column, entries
from crnn.data.sources.views import Selection
from crnn.errors import ConfigError, DataError, printable
from crnn.files import write_atomic

KINDS = ("auto", "line", "file", "folder", "page", "regex")
_HEADER = "position\tpicture\twhere\n"


@dataclass(frozen=True)
class SplitRule:
    """How lines are divided.

    Args:
        by: what stays together: ``line`` only labels of the same picture; ``file`` the lines of one picture file;
            ``folder`` those of one folder; ``page`` those of one page (PAGE and ALTO say); ``regex`` those whose
            picture's name has the same match of `pattern`; ``auto`` is ``page`` where the format tells pages, else
            ``line``.
        pattern: for ``regex``; its first group, or the whole match, names the group.
        share: of the lines for validation, above 0 and below 1.
        test_share: of the lines kept apart for a test.
    """

    by: str = "auto"
    pattern: str | None = None
    share: float = 0.1
    test_share: float = 0.0

    def __post_init__(self) -> None:
        if self.by not in KINDS:
            raise ConfigError(f"split.by={self.by}: is unknown; allowed are {', '.join(KINDS)}")
        if (self.by == "regex") != (self.pattern is not None):
            raise ConfigError(
                "split.by=regex and split.pattern=... go together; for example split.pattern='(.+)_[0-9]+'"
            )
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ConfigError(f"split.pattern={self.pattern}: is no regular expression ({error})") from None
        if not (self.share > 0 <= self.test_share and self.share + self.test_share < 1):
            raise ConfigError(
                f"split.share={self.share}, split.test_share={self.test_share}: must be shares of all lines, "
                "the first above 0, together below 1"
            )

    def group(self, entry: LineEntry, position: int) -> str:
        """What the line belongs to.

        Raises:
            DataError: if its format or its name does not tell.
        """
        name = entry.picture.replace("\\", "/")
        by = ("page" if entry.group else "line") if self.by == "auto" else self.by
        if by == "line":  # by name, so that a picture that comes twice is on one side only
            return name or str(position)
        if by == "file":
            return name.partition("#")[0]
        if by == "folder":
            return str(PurePosixPath(name.partition("#")[0]).parent)
        if by == "page":
            if not entry.group:
                raise DataError(
                    f"{entry.where}: its format does not say which page it is from; use split.by=folder, or "
                    "split.by=regex with a split.pattern for the page in a picture's name"
                )
            return entry.group
        match = re.search(self.pattern or "", name)
        if match is None:
            raise DataError(f"{entry.where}: split.pattern={self.pattern} does not match its picture's name {name!r}")
        return match[1] if match.groups() and match[1] is not None else match[0]


TRIED = (SplitRule("regex", "(.+)[-_][0-9]+"), SplitRule("regex", "(.+)[-_ ][^-_ /]+$"), SplitRule("folder"))
"""What is advised for groups of names, the first that suits them."""


@dataclass(frozen=True)
class Split:
    """Positions of the lines of each side, in order."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    def save(self, folder: Path, source: LineSource) -> None:
        """As ``train.tsv``, ``val.tsv`` and ``test.tsv`` in `folder`: position, picture, place of the label."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("train", "val", "test"):
            lines = Selection(source, getattr(self, name))
            columns = zip(lines.positions.tolist(), column(lines, "picture"), column(lines, "where"), strict=True)
            with write_atomic(folder / f"{name}.tsv") as temporary, temporary.open("w", encoding="utf-8") as file:
                file.write(_HEADER)
                for position, picture, where in columns:
                    file.write(f"{position}\t{printable(picture, 10_000)}\t{printable(where, 10_000)}\n")

    @classmethod
    def load(cls, folder: Path, source: LineSource) -> Split:
        """What `save` wrote, for the same lines.

        Raises:
            DataError: if a file is damaged or the lines have changed.
        """
        return cls(*(load_side(folder / f"{name}.tsv", source) for name in ("train", "val", "test")))


def load_side(path: Path, source: LineSource) -> NDArray[np.int64]:
    """Positions of one recorded side of `source`.

    Raises:
        DataError: if the file is not there or damaged, or the lines have changed since.
    """
    positions = []
    try:
        with path.open(encoding="utf-8") as file:
            if file.readline() != _HEADER:
                raise ValueError("its first line is not the header")
            for row in file:
                number, picture, _ = row.rstrip("\n").split("\t")
                position = int(number)
                if not 0 <= position < len(source) or picture not in _names(source, position):
                    raise DataError(
                        f"{path}: line {position} of {source.name} is no longer {picture}; the lines have changed "
                        "since the split was made: bring them back, or start a new run"
                    )
                positions.append(position)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: is no recorded split ({error})") from None
    return np.array(positions, dtype=np.int64)


def _names(source: LineSource, position: int) -> tuple[str, str]:
    """A line's picture as it is recorded; and as it once was, before lines of a page with the same id had a number."""
    name = printable(source.entry(position).picture, 10_000)
    return name, re.sub(r" \(\d+\)$", "", name)


def split_lines(source: LineSource, rule: SplitRule, seed: int) -> Split:
    """Divide the lines of `source`.

    Args:
        source: not endless.
        rule: what stays together, and how much is held out; at least one group for each side that has a share.
        seed: the same seed, rule and lines give the same split.

    Raises:
        DataError: if there are too few groups, or the rule does not suit the lines.
    """
    found = (rule.group(entry, position) for position, entry in enumerate(entries(source)))
    hashes = np.fromiter(map(text_hash, found), np.uint64, len(source))
    # names decide, by their hashes, not their order
    names, groups, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    wanted = 3 if rule.test_share else 2
    if len(names) < wanted:
        raise DataError(
            f"{source.name}: {len(source)} lines in {len(names)} groups (split.by={rule.by}) cannot be split into "
            f"{wanted}; give validation lines of their own (data.val), or another split.by"
        )
    order = np.random.default_rng(seed).permutation(len(names))
    side = np.zeros(len(names), dtype=np.int64)  # 0 training, 1 validation, 2 test
    for number, share in ((1, rule.share), (2, rule.test_share)):
        if share:
            taken = _filling(sizes[order], share * len(source), len(order) - (wanted - number))
            side[order[taken]] = number
            order = order[~taken]
    sides = side[groups]
    return Split(*(np.flatnonzero(sides == number) for number in range(3)))


def _filling(sizes: NDArray[np.int64], room: float, most: int) -> NDArray[np.bool_]:
    """Which groups make up a side of `room` lines: each in turn that still fits, or else the smallest.

    Args:
        sizes: (N,) of the groups, in the order in which they are tried.
        room: lines.
        most: groups that may be taken.
    """
    taken = np.zeros(len(sizes), dtype=bool)
    for place, size in enumerate(sizes.tolist()):
        if size <= room and most > 0:
            taken[place] = True
            room -= size
            most -= 1
        if room < 1 or not most:
            break
    if not taken.any():
        taken[int(np.argmin(sizes))] = True
    return taken


def leaks(train: Sequence[LineSource], val: Sequence[LineSource]) -> str:
    """A warning if lines of one page or writer, as far as groups or names tell, are on both sides; or nothing.

    A random split of lines flatters: on the same data it has reported 92.8 % where a split by pages gave 79.9 %.
    """
    for described, of in (("pages", _pages), ("groups of names", _stems), ("folders of pictures", _folders)):
        same = {source.name for source in train} & {source.name for source in val}
        sides = [[one for one in side if of is not _folders or one.name in same] for side in (train, val)]
        here, there = (Counter(chain.from_iterable(map(of, sources))) for sources in sides)
        both = [name for name in there if name and name in here]
        groups, lines = len(here | there), here.total() + there.total()
        if described != "pages" and not 3 <= groups <= lines / 2:  # names that say nothing about pages
            continue
        if both:
            return (
                f"{len(both)} of {len(there)} validation {described} also have lines in training (such as "
                f"{printable(both[0])!r}), which flatters the figures; {_advice([*train, *val], of)}"
            )
    return ""


def _advice(sources: Sequence[LineSource], of: Callable[[LineSource], Iterator[str]]) -> str:
    """How to keep such groups on one side, tried on these lines."""
    if of is _folders:
        return (
            "where a folder is a page or book, and no validation lines are named, split.by=folder keeps them together"
        )
    if of is _pages:
        told = "split.by=page" if all(chain.from_iterable(map(_pages, sources))) else "split.by=auto"
    else:
        names = [name for source in sources for name in column(source, "picture")]
        stems = list(chain.from_iterable(map(_stems, sources)))
        rule = next((rule for rule in TRIED if _keeps(rule, names, stems)), None)
        if rule is None:
            return "keep them together, by split.by=regex and a split.pattern for the names of these pictures"
        told = f"split.by={rule.by}" + (f" and split.pattern='{rule.pattern}'" if rule.pattern else "")
    return f"where no validation lines are named, {told} keeps them together"


def _keeps(rule: SplitRule, names: Sequence[str], stems: Sequence[str]) -> bool:
    """Whether a rule suits all names, finds three groups or more, and divides none of the stems."""
    found: dict[str, str] = {}
    groups = set()
    for position, (name, stem) in enumerate(zip(names, stems, strict=True)):
        try:
            group = rule.group(LineEntry("", "", name), position)
        except DataError:
            return False
        groups.add(group)
        if stem and found.setdefault(stem, group) != group:
            return False
    return len(groups) >= 3


def _pages(source: LineSource) -> Iterator[str]:
    return column(source, "group")


def _folders(source: LineSource) -> Iterator[str]:
    """Each picture's folder: that of a page, where lines of pages were cut to files. Of other sets it may be called
    alike."""
    for picture in column(source, "picture"):
        yield picture[: max(picture.rfind("/"), picture.rfind("\\"), 0)]


def _stems(source: LineSource) -> Iterator[str]:
    """Each picture's folder and name without its last number: ``a01-000u-03.png`` is of ``a01-000u``; else nothing."""
    for picture in column(source, "picture"):
        folder = max(picture.rfind("/"), picture.rfind("\\")) + 1
        name = picture[folder:].partition(".")[0]
        unnumbered = name.rstrip(digits)
        word = unnumbered.rstrip(ascii_letters)
        shorter = word.rstrip("-_ ")
        found = len(name) > len(unnumbered) <= len(word) + 5 and len(word) > len(shorter) > 0
        yield picture[:folder] + shorter if found else ""
