"""The figures of an inspection, as the table, the page and JSON show them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from crnn.core.seen import RARE
from crnn.errors import printable
from crnn.inspect.kinds import KINDS, NEED_PIXELS
from crnn.inspect.results import Inspection, SetSummary
from crnn.inspect.tally import COLUMNS, row_of

_BINS = 12


class CharacterRow(NamedTuple):
    """A symbol of the labels."""

    symbol: str
    """Safe to print."""
    points: str
    """``U+00E9``, or several with spaces between."""
    name: str
    train: int
    val: int

    @property
    def rare(self) -> bool:
        """Whether training has too few of them."""
        return self.train < RARE


class Bin(NamedTuple):
    """A bar of a histogram: values ``low`` up to ``high``, both included; `high` None for all that follow."""

    low: int
    high: int | None
    lines: int

    @property
    def label(self) -> str:
        """``6-10``, ``7`` or ``81+``."""
        if self.high is None:
            return f"{self.low}+"
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


def character_rows(inspection: Inspection) -> list[CharacterRow]:
    """Every symbol, in the order of code points."""
    train, val = inspection.characters["train"], inspection.characters["val"]
    return [
        CharacterRow(
            printable(symbol),
            " ".join(f"U+{ord(point):04X}" for point in symbol),
            " + ".join(unicodedata.name(point, "unnamed") for point in symbol),
            train[symbol],
            val[symbol],
        )
        for symbol in sorted(train.keys() | val.keys())
    ]


def bins(counts: Mapping[int, int], least_step: int = 1) -> list[Bin]:
    """A histogram of about a dozen bars; the highest half per cent, where it is far away, is in the last one.

    Args:
        counts: value -> how often, values 0 or more.
        least_step: width of a bar at least; bars are as wide as it times 1, 2, 5, 10 ...
    """
    total, seen, last = sum(counts.values()), 0, 0
    for value in sorted(counts):
        seen += counts[value]
        last = value
        if seen >= 0.995 * total:
            break
    nice = (least_step * factor * 10**power for power in range(9) for factor in (1, 2, 5))
    step = next(width for width in nice if last // width < _BINS)
    edges = range(0, last + 1, step)
    found = [Bin(low, low + step - 1, sum(n for v, n in counts.items() if low <= v < low + step)) for low in edges]
    beyond = sum(n for v, n in counts.items() if v >= edges[-1] + step) if found else 0
    return [*found, *([Bin(edges[-1] + step, None, beyond)] if beyond else [])]


def described(one: SetSummary) -> str:
    """``train  my_lines (labels.tsv): 940 of 943 lines kept, 942 pictures readable; dropped: 2 x empty label``."""
    reasons = ", ".join(f"{count:,} x {reason}" for reason, count in one.dropped.most_common())
    return (
        f"{one.role}  {printable(one.shown)}: {one.kept:,} of {one.lines:,} lines kept, {one.readable:,} pictures "
        f"readable{'; dropped: ' if reasons else ''}{reasons}"
    )


def verdict(inspection: Inspection) -> str:
    """What training would do, in a line or some."""
    if not inspection.refusals:
        return "training would accept these lines"
    return "training would refuse these lines:\n" + "\n".join(f"  {printable(r, 1000)}" for r in inspection.refusals)


def looked_for(inspection: Inspection) -> str:
    """What labels and pictures were checked against."""
    transform, charset = inspection.settings.transform, inspection.charset
    scaled = f"height {transform.height}" + (f", width {transform.width}" if transform.width else "")
    origin = "given characters" if inspection.settings.charset else "characters of the training labels"
    known = f"{len(charset)} {origin}" if charset else "no characters"
    rules = ", ".join(f"{k}={v}" for k, v in charset.rules.differences().items()) if charset else ""
    left = (
        "" if inspection.settings.decode else f"; headers only: {len(NEED_PIXELS)} kinds need pixels and are left out"
    )
    return f"checked for {len(KINDS)} kinds at {scaled} with {known}{f' ({rules})' if rules else ''}{left}"


def as_dict(inspection: Inspection) -> dict[str, Any]:
    """Everything, as plain numbers, strings, lists and dicts; strings are safe to print."""
    transform, tally = inspection.settings.transform, inspection.tally
    return {
        "accepted": not inspection.refusals,
        "refusals": [printable(reason, 1000) for reason in inspection.refusals],
        "errors": tally.of_level("error"),
        "warnings": tally.of_level("warning"),
        "settings": {
            "height": transform.height,
            "width": transform.width,
            "max_width": inspection.settings.max_width,
            "max_dropped": inspection.settings.max_dropped,
            "decoded": inspection.settings.decode,
            "characters": len(inspection.charset) if inspection.charset else 0,
            "characters_given": inspection.settings.charset is not None,
        },
        "sets": [
            {
                "role": one.role,
                "name": printable(one.name, 1000),
                "lines": one.lines,
                "trimmed": one.trimmed,
                "readable": one.readable,
                "kept": one.kept,
                "dropped": dict(one.dropped),
                "widths": [bar._asdict() for bar in bins(one.widths, 16)],
                "label_lengths": [bar._asdict() for bar in bins(one.lengths)],
            }
            for one in inspection.sets
        ],
        "kinds": [
            {
                **kind._asdict(),
                "count": tally.counts[kind.name],
                "first": [dict(zip(COLUMNS, row_of(finding), strict=True)) for finding in tally.first[kind.name]],
            }
            for kind in tally.found()
        ],
        "characters": [{**row._asdict(), "rare": row.rare} for row in character_rows(inspection)],
        "notes": [printable(note, 1000) for note in inspection.notes],
    }
