"""What is wrong with these lines, found before an hour is spent on them. Runs without torch."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.crops import narrower, trimmed_sizes
from crnn.data.facts import Look, Peers, Progress, picture_facts
from crnn.data.labels import UNKNOWN_CHARACTER, fit_problem, label_problem
from crnn.data.sources.base import LineEntry, LineSource
from crnn.data.sources.columns import entries
from crnn.data.sources.views import with_format
from crnn.errors import DataError

UNUSABLE_ROW = "unusable row"
UNREADABLE = "unreadable picture"
TOO_WIDE = "line too wide"


class Dropped(NamedTuple):
    """A line that cannot be used."""

    where: str
    picture: str
    reason: str
    """One of the constants of this module or of `crnn.data.labels`."""
    detail: str
    """What exactly, and the remedy."""


@dataclass
class CheckReport:
    """The outcome of `check_lines`."""

    source: str
    """Its name, and its format; see `with_format`."""
    kept: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """(K,): positions of usable lines."""
    sizes: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    """(K, 2): width and height in pixels of each kept line, as it is trained on."""
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    """(K,): of their pixels; 0 where they were not decoded."""
    dropped: list[Dropped] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    """Characters outside the charset -> how many of the lines dropped for such hold them."""
    fingerprint: str = ""
    """SHA-256 over labels, sizes and pixels of the kept lines in order; the same in every format."""

    def __len__(self) -> int:
        return len(self.kept) + len(self.dropped)

    def summary(self) -> str:
        """``lines (labels.tsv): 940 of 943 lines kept; dropped: 2 x empty label, 1 x unreadable picture``."""
        reasons = ", ".join(f"{n} x {reason}" for reason, n in Counter(d.reason for d in self.dropped).most_common())
        tail = f"; dropped: {reasons}" if reasons else ""
        return f"{self.source}: {len(self.kept):,} of {len(self):,} lines kept{tail}"

    def write_dropped(self, path: Path) -> None:
        """All dropped lines as a tab-separated table."""
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(Dropped._fields)
            writer.writerows(self.dropped)

    def refuse_if_too_many(self, share: float) -> None:
        """Stop if nothing is left, or more than `share` (0..1) of the lines is dropped.

        Raises:
            DataError: with the first lines and what to do.
        """
        if not too_many_dropped(len(self.kept), len(self), share):
            return
        first = "\n".join(f"  {d.where}: {d.reason}: {d.detail}" for d in self.dropped[:5])
        raise DataError(
            f"{self.summary()}\n{first}\nMend these lines (crnn check names all of them), or allow more losses with "
            f"data.max_dropped (now {share:g}, a share of all lines)"
        )


def too_many_dropped(kept: int, lines: int, share: float) -> bool:
    """Whether training refuses a source: nothing is left of it, or more than `share` (0..1) of its lines is dropped."""
    return not kept or lines - kept > share * lines


def check_lines(
    source: LineSource,
    transform: LineTransform,
    charset: Charset | None = None,
    decode: bool = True,
    max_width: int | None = None,
    threads: int = 2,
    progress: Progress = iter,
    peers: Peers | None = None,
    trim: bool = False,
    lines: bool = False,
) -> CheckReport:
    """Look at every line once.

    Args:
        source: the lines.
        transform: gives the width, and so the time steps, of each.
        charset: if given, labels must be written in it and fit; a line that does not is dropped.
        max_width: in pixels after scaling, if narrower than what `transform` takes; wider lines are dropped.
        decode: decode every picture (finds damaged ones); False reads headers only.
        threads: that many pictures are decoded at once.
        progress: wraps the positions, for a progress bar.
        peers: processes that check the same lines and share the work.
        trim: sizes, and what fits, are those of the trimmed lines, see `crnn.data.crops`; every picture is decoded.
        lines: look for the rows that lines fill, too; what is found is kept for others of the same source.
    """
    look: Look = "lines" if trim or lines else "decoded" if decode else "headers"
    facts = picture_facts(source, look, threads, progress, peers)
    sizes = trimmed_sizes(facts.sizes, facts.lines, narrower(transform, max_width)) if trim else facts.sizes
    report = CheckReport(with_format(source))
    kept: list[int] = []
    digest = hashlib.sha256()
    for position, entry in enumerate(entries(source)):
        size = (int(sizes[position, 0]), int(sizes[position, 1]))
        problem = line_problem(entry, facts.problems.get(position), size, transform, charset, max_width)
        if problem:
            report.dropped.append(Dropped(entry.where, entry.picture, *problem))
            if charset and problem[0] == UNKNOWN_CHARACTER:
                report.unknown.update(charset.unknown(entry.text))
        else:
            kept.append(position)
            digest.update(entry.text.encode("utf-8", "surrogatepass") + b"\0")
    report.kept = np.array(kept, dtype=np.int64)
    report.sizes = sizes[report.kept]
    report.hashes = facts.hashes[report.kept]
    digest.update(facts.sizes[report.kept].tobytes() + report.hashes.tobytes())
    report.fingerprint = digest.hexdigest()
    return report


def line_problem(
    entry: LineEntry,
    unreadable: str | None,
    size: tuple[int, int],
    transform: LineTransform,
    charset: Charset | None = None,
    max_width: int | None = None,
) -> tuple[str, str] | None:
    """(reason, detail) of a line that cannot be used, or None.

    Args:
        entry: the line.
        unreadable: why its picture cannot be read; None if it can.
        size: (width, height) of the picture in pixels.
        transform, charset, max_width: as in `check_lines`.
    """
    if entry.problem:
        return UNUSABLE_ROW, entry.problem
    problem = label_problem(entry.text)
    if problem:
        return problem
    if unreadable is not None:
        return UNREADABLE, unreadable
    try:
        width = transform.check_width(size)
    except DataError as error:
        return TOO_WIDE, str(error)
    if max_width is not None and width > max_width:
        return TOO_WIDE, f"{width} pixels at height {transform.height}; data.max_width allows {max_width}"
    return fit_problem(entry.text, charset, size, transform) if charset else None
