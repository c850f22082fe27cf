"""The outcome of an inspection for terminals."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from crnn.core.seen import RARE
from crnn.errors import printable
from crnn.inspect.figures import Bin, CharacterRow, bins, character_rows, described, looked_for, verdict
from crnn.inspect.kinds import KINDS
from crnn.inspect.results import Inspection

EXAMPLES = 3
"""Of each kind."""
CHARACTERS = 30
"""So many of the rarest and so many of the most frequent are shown."""
_BAR = 40


def print_inspection(inspection: Inspection, console: Console) -> None:
    """Sets, kinds with examples, characters, histograms, verdict; nothing in it can control the terminal."""
    say = _Printer(console)
    say(looked_for(inspection))
    for one in inspection.sets:
        say(described(one))
    for note in inspection.notes:
        say(f"note: {printable(note, 1000)}")
    if inspection.tally.found():
        say(_kinds(inspection))
    else:
        say("nothing found")
    _characters(inspection, say)
    for one in inspection.sets:
        if one.readable:
            say(_bars(f"{one.role}: widths in pixels, scaled", bins(one.widths, 16)))
            say(_bars(f"{one.role}: characters of a label", bins(one.lengths)))
    say(verdict(inspection))


def print_kinds(console: Console) -> None:
    """The registry."""
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "level", "what it is", "what to do"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "level")
    for kind in KINDS.values():
        table.add_row(*map(Text, (kind.name, kind.level, kind.explanation, kind.remedy)))
    console.print(table)


class _Printer:
    """Prints strings without markup, in one style; each on one line where no person reads along, for ``grep``."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, what: str | RenderableType) -> None:
        line = isinstance(what, str) and not self._console.is_terminal
        self._console.print(Text(what, overflow="fold") if isinstance(what, str) else what, soft_wrap=line)


def _kinds(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("count", justify="right")
    table.add_column("level", no_wrap=True)
    table.add_column("kind and first lines", overflow="fold")
    tally = inspection.tally
    for kind in tally.found():
        style = "red" if kind.level == "error" else ""
        title = Text(f"{kind.name}: {kind.remedy}", style="bold")
        table.add_row(f"{tally.counts[kind.name]:,}", Text(kind.level, style=style), title)
        for finding in tally.first[kind.name][:EXAMPLES]:
            shown = f"{printable(finding.where, 300)}: {printable(finding.detail, 300)}"
            table.add_row("", "", Text(f"  {shown}"))
    return table


def _characters(inspection: Inspection, say: _Printer) -> None:
    rows = character_rows(inspection)
    rare = sorted((row for row in rows if row.rare), key=lambda row: row.train)
    often = sorted((row for row in rows if not row.rare), key=lambda row: -row.train)
    say(f"{len(rows)} characters, {len(rare)} of them fewer than {RARE} times in training")
    shown = rare[:CHARACTERS]
    if rare:
        say(_character_table(shown, inspection))
    if len(rare) > CHARACTERS:
        say(f"... and {len(rare) - CHARACTERS} more rare ones (--json, --html)")
    if often:
        listed = "  ".join(f"{row.symbol!r} {row.train:,}" for row in often[:CHARACTERS])
        say(f"most frequent: {listed}" + (" ..." if len(often) > CHARACTERS else ""))


def _character_table(rows: list[CharacterRow], inspection: Inspection) -> Table:
    both = bool(inspection.characters["val"])
    table = Table(box=None, pad_edge=False)
    for heading in ("rare", "code point", "name", "train", *(["val"] if both else [])):
        table.add_column(heading, justify="right" if heading in ("train", "val") else "left", overflow="fold")
    for row in rows:
        counts = [f"{row.train:,}", *([f"{row.val:,}"] if both else [])]
        table.add_row(*map(Text, (repr(row.symbol), row.points, row.name, *counts)))
    return table


def _bars(title: str, bars: list[Bin]) -> Table:
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column()
    most = max((bar.lines for bar in bars), default=1)
    for bar in bars:
        length = -(-bar.lines * _BAR // max(1, most))
        table.add_row(bar.label, f"{bar.lines:,}", Text("#" * length))
    return table
