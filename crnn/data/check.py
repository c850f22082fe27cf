"""What is wrong with these lines, found before an hour is spent on them. Runs without torch."""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crnn.core.charset import Charset, describe, required_steps
from crnn.core.image import MAX_HEIGHT, LineTransform
from crnn.data.sources.base import LineSource
from crnn.errors import DataError

UNUSABLE_ROW = "unusable row"
EMPTY_LABEL = "empty label"
CONTROL_CHARACTER = "control character in the label"
UNREADABLE = "unreadable picture"
TOO_WIDE = "line too wide"
UNKNOWN_CHARACTER = "character not in the charset"
CANNOT_FIT = "label cannot fit its width"


class Dropped(NamedTuple):
    """A line that cannot be used."""

    where: str
    picture: str
    reason: str
    """One of the constants of this module."""
    detail: str
    """What exactly, and the remedy."""


@dataclass
class CheckReport:
    """The outcome of `check_lines`."""

    source: str
    kept: list[int] = field(default_factory=list)
    """Positions of usable lines."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """(width, height) in pixels of each kept line."""
    dropped: list[Dropped] = field(default_factory=list)
    fingerprint: str = ""
    """SHA-256 over names, labels and sizes of the kept lines."""

    def __len__(self) -> int:
        return len(self.kept) + len(self.dropped)

    def summary(self) -> str:
        """``labels: 940 of 943 lines kept; dropped: 2 empty label, 1 unreadable picture``."""
        reasons = ", ".join(f"{n} {reason}" for reason, n in Counter(d.reason for d in self.dropped).most_common())
        tail = f"; dropped: {reasons}" if reasons else ""
        return f"{self.source}: {len(self.kept):,} of {len(self):,} lines kept{tail}"

    def write_dropped(self, path: Path) -> None:
        """All dropped lines as a tab-separated table."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(Dropped._fields)
            writer.writerows(self.dropped)

    def refuse_if_too_many(self, share: float) -> None:
        """Stop if nothing is left, or more than `share` (0..1) of the lines is dropped.

        Raises:
            DataError: with the first lines and what to do.
        """
        if self.kept and len(self.dropped) <= share * len(self):
            return
        first = "\n".join(f"  {d.where}: {d.reason}: {d.detail}" for d in self.dropped[:5])
        raise DataError(
            f"{self.summary()}\n{first}\nMend these lines, or allow more losses with data.max_dropped "
            f"(now {share:g}, a share of all lines)"
        )


def label_problem(text: str) -> tuple[str, str] | None:
    """(reason, detail) of a label that no model can learn, or None."""
    if not text.strip():
        return EMPTY_LABEL, "write what the picture says, or remove the line"
    for character in text:
        if unicodedata.category(character) == "Cc":
            return CONTROL_CHARACTER, f"U+{ord(character):04X} at position {text.index(character) + 1}; remove it"
    return None


def fit_problem(text: str, charset: Charset, size: tuple[int, int], transform: LineTransform) -> tuple[str, str] | None:
    """(reason, detail) of a label with unknown characters or more of them than CTC can place, or None."""
    unknown = charset.unknown(text)
    if unknown:
        named = ", ".join(describe(symbol) for symbol in unknown[:3])
        return UNKNOWN_CHARACTER, (
            f"{named} not among {len(charset)}; add with charset.extra={''.join(unknown)} or set data.unknown=drop"
        )
    needed = required_steps(charset.encode(text))
    width = transform.scaled_width(*size)
    if needed > width // transform.multiple:
        scaled = f"height {transform.height}" if transform.width is None else f"image.width {transform.width}"
        return CANNOT_FIT, (
            f"{text!r} needs {needed} time steps, {size[0]} x {size[1]} pixels at {scaled} give "
            f"{width // transform.multiple}; is the label right? {_room_for(needed, size, transform)}"
        )
    return None


def _room_for(needed: int, size: tuple[int, int], transform: LineTransform) -> str:
    """The setting with which a picture of `size` has `needed` time steps, as a remedy."""
    if transform.width is not None:
        return f"else raise image.width to {needed * transform.multiple}"
    height = -(-needed * transform.multiple * size[1] // size[0] // 16) * 16
    if height > MAX_HEIGHT:
        return f"no image.height up to {MAX_HEIGHT} gives as many; correct or remove the line"
    return f"else raise image.height to {height}"


def check_lines(
    source: LineSource,
    transform: LineTransform,
    charset: Charset | None = None,
    decode: bool = True,
    max_width: int | None = None,
    threads: int = 2,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
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
    """
    report = CheckReport(source.name)
    digest = hashlib.sha256()

    def look(position: int) -> tuple[tuple[int, int] | None, Dropped | None]:
        entry = source.entry(position)

        def drop(reason: str, detail: str) -> tuple[None, Dropped]:
            return None, Dropped(entry.where, entry.picture, reason, detail)

        if entry.problem:
            return drop(UNUSABLE_ROW, entry.problem)
        problem = label_problem(entry.text)
        if problem:
            return drop(*problem)
        try:
            size = source.picture(position).size if decode else source.size(position)
        except DataError as error:
            return drop(UNREADABLE, str(error))
        try:
            width = transform.check_width(size)
        except DataError as error:
            return drop(TOO_WIDE, str(error))
        if max_width is not None and width > max_width:
            return drop(TOO_WIDE, f"{width} pixels at height {transform.height}; data.max_width allows {max_width}")
        problem = fit_problem(entry.text, charset, size, transform) if charset else None
        return drop(*problem) if problem else (size, None)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        for position, (size, dropped) in zip(
            progress(range(len(source))), pool.map(look, range(len(source))), strict=True
        ):
            if dropped:
                report.dropped.append(dropped)
            elif size:
                report.kept.append(position)
                report.sizes.append(size)
                entry = source.entry(position)
                digest.update(f"{entry.picture}\0{entry.text}\0{size}\n".encode("utf-8", "surrogatepass"))
    report.fingerprint = digest.hexdigest()
    return report
