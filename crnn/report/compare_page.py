"""A comparison as one page of HTML: the verdict, then the lines with both readings against the label."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby, zip_longest
from typing import Any

from crnn.core.alignment import align
from crnn.core.text import clusters
from crnn.errors import printable
from crnn.report.compare import BothLines, Comparison, Difference, span_of
from crnn.report.page import LEGEND, LIST, frame
from crnn.report.page_data import MOST_LINES, MOST_PICTURES, PICTURE_BYTES, small_picture

FILTERS = {
    "differ": ("A and B differ", "n"),
    "a": ("A better", "a"),
    "b": ("B better", "b"),
    "wrong": ("both wrong", "w"),
    "all": ("all lines", "l"),
}
"""Value -> its words and key."""


def render_comparison(comparison: Comparison) -> str:
    """The page as text. Lines in which A and B differ come first where there are too many lines or pictures."""
    ranked = sorted(comparison.lines, key=_rank)[:MOST_LINES]
    pictures: dict[int, tuple[str, int, int]] = {}
    used = 0
    for line in ranked:
        if len(pictures) >= MOST_PICTURES or used > PICTURE_BYTES:
            break
        found = small_picture(comparison.pictures, line.position)
        if found:
            pictures[line.position] = found
            used += len(found[0])
    ranked.sort(key=lambda line: line.position)
    source, a, b = (escape(printable(name)) for name in (comparison.source, comparison.a, comparison.b))
    return frame(
        f"{printable(comparison.source)}: A against B",
        "Who reads better?",
        f"A: <b>{a}</b><br>B: <b>{b}</b><br>on <b>{source}</b>",
        [_verdict(comparison), _figures(comparison), _list(comparison, len(ranked), len(pictures))],
        "".join(f"<dt><kbd>{key}</kbd><dd>{words}" for words, key in FILTERS.values()),
        {"lines": [_packed(line, pictures.get(line.position)) for line in ranked]},
        "compare.js",
    )


def _rank(line: BothLines) -> tuple[bool, int, int]:
    return line.reading_a == line.reading_b, -abs(line.errors_a - line.errors_b), -line.errors_a - line.errors_b


def _packed(line: BothLines, picture: tuple[str, int, int] | None) -> list[Any]:
    """Place, picture's name, label, readings, errors of both, columns (None where both are right), picture."""
    wrong = line.reading_a != line.label or line.reading_b != line.label
    return [
        printable(line.where, 1000),
        printable(line.picture, 1000),
        *line[2:7],
        columns(line.label, line.reading_a, line.reading_b) if wrong else None,
        picture and picture[:2],
    ]


def columns(label: str, a: str, b: str) -> list[str | list[str]]:
    """Two readings aligned with a label: a text where all are alike, [label, a, b] where they are not."""
    true = clusters(label)
    mine, other = _by_place(a, true), _by_place(b, true)
    rows: list[list[str]] = []
    for place in range(len(true) + 1):
        rows += [["", x, y] for x, y in zip_longest(mine[place][0], other[place][0], fillvalue="")]
        if place < len(true):
            rows.append([true[place], mine[place][1], other[place][1]])
    packed: list[str | list[str]] = []
    for alike, run in groupby(rows, lambda row: row[0] == row[1] == row[2]):
        if alike:
            packed.append("".join(row[0] for row in run))
        else:
            packed.extend(run)
    return packed


def _by_place(reading: str, true: Sequence[str]) -> list[tuple[list[str], str]]:
    """For each character of the label: what is too many before it, and what it was read as; at last what is behind."""
    found: list[tuple[list[str], str]] = []
    extra: list[str] = []
    for pair in align(clusters(reading), true):
        if pair.true:
            found.append((extra, pair.read))
            extra = []
        else:
            extra.append(pair.read)
    return [*found, (extra, "")]


def _verdict(comparison: Comparison) -> str:
    said = comparison.verdict
    notes = [f"{comparison.only_a:,} lines more have no reading by B; they are left out"] if comparison.only_a else []
    notes += [f"{comparison.only_b:,} lines more have no reading by A; they are left out"] if comparison.only_b else []
    rows = "".join(f"<li>{escape(note)}." for note in [*notes, *comparison.notes])
    counts = (("A better", comparison.wins), ("B better", comparison.losses), ("alike", comparison.ties))
    cards = [(name, f"{count:,}", f"of {len(comparison.lines):,} lines") for name, count in counts]
    return (
        f"<p class=verdict><b>{escape(said[:1].upper() + said[1:].partition(' (')[0])}.</b> "
        f"{escape(said.partition(' (')[2].removesuffix(')'))}.</p>"
        "<dl class=cards>" + "".join(f"<div><dt>{x}<dd>{y}<small>{z}</small></div>" for x, y, z in cards) + "</dl>"
        f"{f'<ul class=remarks>{rows}</ul>' if rows else ''}"
    )


def _figures(comparison: Comparison) -> str:
    rows = {"characters wrong (CER)": comparison.cer, "lines without any error": comparison.exact}
    body = "".join(
        f"<tr><th scope=row>{name}<td class=n>{one.a:.2%}<td class=n>{one.b:.2%}<td class=n>{one.difference * 100:+.2f}"
        f"<td class=w aria-hidden=true>{_whisker(one)}<td class=n>{span_of(one)}<td class=n>{one.p:.4f}"
        for name, one in rows.items()
    )
    return (
        "<section><h2>Figures</h2><div class=wide><table><thead><tr><th><th class=n>A<th class=n>B<th class=n>A − B"
        f"<th aria-hidden=true><th class=n>95 %<th class=n>p<tbody>{body}</table></div><p class=note>A − B in points "
        "of per cent. 95 %: bootstrap over pairs of readings of a line; the mark in the middle is no difference. p: "
        "how likely a difference as large would be if it were chance who read which line better.</p></section>"
    )


def _whisker(one: Difference) -> str:
    """The difference with its interval, no difference in the middle."""
    ends = one.difference_95 or (one.difference, one.difference)
    most = max(*map(abs, ends), 1e-9)
    low, high, dot = (50 + 50 * x / most for x in (*ends, one.difference))
    return (
        f"<span class='whisker zero'><s style='left:{low:.1f}%;width:{high - low:.1f}%'></s>"
        f"<b style='left:{dot:.1f}%'></b></span>"
    )


def _list(comparison: Comparison, listed: int, pictures: int) -> str:
    cut = "" if listed == len(comparison.lines) else f" The page lists {listed:,} of {len(comparison.lines):,} lines."
    options = "".join(f"<option value={value}>{words}</option>" for value, (words, _) in FILTERS.items())
    return (
        "<section id=lines aria-labelledby=lines-title><h2 id=lines-title>Lines</h2>"
        f"<p class=note>{pictures:,} lines come with their picture, those first in which A and B differ most.{cut}</p>"
        f"{LEGEND}<div class=bar role=search><label>Show<select id=filter>{options}</select></label>"
        "<label>Order<select id=order><option value=apart>most different first</option><option value=worst>worst first"
        "</option><option value=data>as in the data</option></select></label><label class=grow>Search"
        "<input id=search type=search placeholder='label, reading or place' autocomplete=off spellcheck=false></label>"
        f"<output id=count aria-live=polite></output></div>{LIST}"
    )
