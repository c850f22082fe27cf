"""Counting findings: how many of each kind, the first of them, and all of them in a file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crnn.errors import DataError, printable, unwritten
from crnn.files import write_atomic
from crnn.inspect.kinds import KINDS, Finding, Kind

COLUMNS = ("role", "where", "picture", "level", "kind", "detail", "remedy")


class Tally:
    """Counts findings and keeps the first of each kind.

    Args:
        keep: so many of each kind.
        writer: of a table that gets all of them, see `findings_table`.
    """

    def __init__(self, keep: int = 20, writer: Any = None) -> None:
        self.counts: Counter[str] = Counter()
        self.first: dict[str, list[Finding]] = {}
        self._keep = keep
        self._writer = writer

    def add(self, finding: Finding) -> None:
        """Count a finding; keep it if it is one of the first of its kind, and write it to the table."""
        kind = KINDS[finding.kind]
        self.counts[kind.name] += 1
        first = self.first.setdefault(kind.name, [])
        if len(first) < self._keep:
            first.append(finding)
        if self._writer is not None:
            self._writer.writerow(row_of(finding))

    def found(self) -> list[Kind]:
        """The kinds that were found, errors first, in the order of the registry."""
        return [kind for kind in KINDS.values() if self.counts[kind.name]]

    def of_level(self, level: str) -> int:
        """Number of findings of a level."""
        return sum(count for name, count in self.counts.items() if KINDS[name].level == level)


def row_of(finding: Finding) -> tuple[str, ...]:
    """A finding as `COLUMNS`, safe for terminals and tables."""
    kind = KINDS[finding.kind]
    return (
        finding.role,
        printable(finding.where, 1000),
        printable(finding.picture, 1000),
        kind.level,
        kind.name,
        printable(finding.detail, 2000),
        kind.remedy,
    )


@contextmanager
def findings_table(path: Path | None) -> Iterator[Any]:
    """A csv writer of a tab-separated file with `COLUMNS`, which appears whole at the end; None for no path.

    Raises:
        DataError: if it cannot be written.
    """
    if path is None:
        yield None
        return
    try:
        with write_atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(COLUMNS)
            yield writer
    except OSError as error:
        raise DataError(unwritten(path, error)) from None
