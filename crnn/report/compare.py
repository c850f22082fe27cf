"""Two readers on the same lines: who reads which line better, and whether the difference means anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.core.text import TextRules
from crnn.data.sources.base import LineSource
from crnn.errors import printable
from crnn.report.bootstrap import Interval, interval, ratio, resampled_sums, sign_test
from crnn.report.evaluation import Evaluation
from crnn.report.figures import CountTable
from crnn.report.table import unmatched

LISTED = 100
SHOWN = 10
SIGNIFICANT = 0.05
"""A difference whose p is below, and whose interval leaves 0 out, is told as one."""


class BothLines(NamedTuple):
    """A line, and what both made of it."""

    where: str
    picture: str
    label: str
    reading_a: str
    reading_b: str
    errors_a: int
    errors_b: int
    position: int
    """In the source."""


class Difference(NamedTuple):
    """A figure of A and of B. The difference is A less B; the interval holds it with 95 % (bootstrap over lines).

    It is None where all lines differ alike, or there is only one: nothing is known of it then.
    """

    a: float
    b: float
    difference: float
    difference_95: Interval | None
    p: float
    """Probability of a difference at least as large if it were chance who read which line better (random signs)."""


@dataclass
class Comparison:
    """A and B on the lines that both have read."""

    source: str
    a: str
    b: str
    lines: list[BothLines]
    cer: Difference
    exact: Difference
    only_a: int
    """Lines that B has no reading of."""
    only_b: int
    notes: list[str] = field(default_factory=list)
    pictures: LineSource | None = None
    """Where the pictures are, for a page."""

    @property
    def verdict(self) -> str:
        """Who reads better, by the characters, or that it cannot be told."""
        one = self.cer
        apart = f"A less B {span_of(one)} points with 95 %, " if one.difference_95 else ""
        said = f"CER {one.a:.2%} and {one.b:.2%}, {apart}p = {one.p:.4f}"
        if one.p >= SIGNIFICANT or (one.difference_95 and one.difference_95.low <= 0 <= one.difference_95.high):
            return f"these lines do not tell who reads better ({said})"
        return f"{'A' if one.difference < 0 else 'B'} reads better ({said})"

    @property
    def wins(self) -> int:
        """Lines in which A has fewer errors."""
        return sum(line.errors_a < line.errors_b for line in self.lines)

    @property
    def losses(self) -> int:
        """Lines in which B has fewer errors."""
        return sum(line.errors_a > line.errors_b for line in self.lines)

    @property
    def ties(self) -> int:
        """Lines in which both have as many."""
        return len(self.lines) - self.wins - self.losses

    def most_different(self) -> list[BothLines]:
        """Lines in which one has fewer errors, those with the largest difference first."""
        told = [line for line in self.lines if line.errors_a != line.errors_b]
        return sorted(told, key=lambda line: -abs(line.errors_a - line.errors_b))

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain data; rates are 0..1."""
        counts = {name: getattr(self, name) for name in ("wins", "losses", "ties", "only_a", "only_b")}
        return {
            "source": self.source,
            "a": self.a,
            "b": self.b,
            "lines": len(self.lines),
            **counts,
            "notes": self.notes,
            "verdict": self.verdict,
            "cer": self.cer._asdict(),
            "exact": self.exact._asdict(),
            "most_different": [
                {name: value for name, value in line._asdict().items() if name != "position"}
                for line in self.most_different()[:LISTED]
            ],
        }


def compare(a: Evaluation, b: Evaluation, limit: int | None = None) -> Comparison:
    """Hold two evaluations of the same source against each other.

    Args:
        a, b: what both made of it.
        limit: only so many of its lines were asked for.

    If the text rules of the two differ, both are judged by the labels as they are (in Unicode's form NFC).
    """
    assert a.pictures is not None  # noqa: S101  # for mypy
    others = {line.position: line for line in b.lines}
    notes = []
    if a.rules != b.rules:
        notes.append("A and B have different text rules; both are judged by the labels as they stand")
    both: list[BothLines] = []
    table = {"a": CountTable(), "b": CountTable()}
    for mine in a.lines:
        other = others.get(mine.position)
        if other is None:
            continue
        label = mine.reference
        if a.rules != b.rules:
            label = TextRules().normalize(a.pictures.entry(mine.position).text)
        a_wrong, b_wrong = table["a"].add(mine.reading, label), table["b"].add(other.reading, label)
        both.append(
            BothLines(mine.where, mine.picture, label, mine.reading, other.reading, a_wrong, b_wrong, mine.position)
        )
    only_a, only_b = len(a.lines) - len(both), len(b.lines) - len(both)
    neither = min(len(a.pictures), limit or len(a.pictures)) - len(both) - only_a - only_b
    if neither:
        why = [line for one in sorted((a, b), key=lambda one: bool(one.unmatched)) for line in one.left_out]
        first = printable(next(iter(why), ""), 400)
        notes.append(f"{neither:,} lines could be judged by neither: {first}{' ...' if neither > 1 else ''}")
    notes += [note for one in (a, b) for note in unmatched(one)]
    raw = [table[name].rows()[:, 1:4].astype(np.float64) for name in ("a", "b")]  # exact, errors, characters
    cer, exact = _differences(raw[0], raw[1])
    return Comparison(
        a.source,
        a.reader,
        b.reader,
        both,
        cer,
        exact,
        only_a,
        only_b,
        notes,
        a.pictures,
    )


def _differences(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[Difference, Difference]:
    """CER and exact match; a and b are (N, 3): exact, errors, characters."""
    lines = np.ones((len(a), 1))
    together = np.concatenate((lines, a, b), axis=1)
    samples = resampled_sums(together)
    found = []
    for above, below in ((2, 3), (1, 0)):  # errors per character, exact lines per line
        of_b = above + 3
        observed = together.sum(axis=0, keepdims=True)
        rates = [ratio(part[:, above], part[:, below]) for part in (observed, samples)]
        others = [ratio(part[:, of_b], part[:, below]) for part in (observed, samples)]
        found.append(
            Difference(
                float(rates[0][0]),
                float(others[0][0]),
                float(rates[0][0] - others[0][0]),
                interval(rates[1] - others[1]),
                sign_test(together[:, above] - together[:, of_b]),
            )
        )
    return found[0], found[1]


def span_of(one: Difference) -> str:
    """``-0.12 .. +0.41``, in per cent."""
    if one.difference_95 is None:
        return "unknown"
    low, high = one.difference_95
    return f"{low * 100:+.2f} .. {high * 100:+.2f}"


def compare_table(comparison: Comparison) -> str:
    """For terminals."""
    rows = [
        printable(comparison.source),
        f"  A: {printable(comparison.a)}",
        f"  B: {printable(comparison.b)}",
        f"  {len(comparison.lines)} lines: A better in {comparison.wins}, B in {comparison.losses}, "
        f"alike in {comparison.ties}",
    ]
    for what, count in (("B", comparison.only_a), ("A", comparison.only_b)):
        if count:
            rows.append(f"  {count} lines more have no reading by {what}; they are left out")
    rows += [f"  {note}" for note in comparison.notes]
    rows.append(f"  {'':8}{'A':>9}{'B':>9}{'A - B':>9}  {'(95 %)':18}{'p':>8}")
    for name, one in (("CER", comparison.cer), ("exact", comparison.exact)):
        rows.append(f"  {name:8}{one.a:>9.2%}{one.b:>9.2%}{one.difference:>+9.2%}  {span_of(one):18}{one.p:>8.4f}")
    rows.append(f"  {comparison.verdict}")
    for line in comparison.most_different()[:SHOWN]:
        rows.append(f"  {printable(line.where)}: {line.errors_a} and {line.errors_b} errors")
        rows += [f"    {name:6}{printable(text)}" for name, text in zip(("label", "A", "B"), line[2:5], strict=True)]
    return "\n".join(rows)
