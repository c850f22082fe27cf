"""Rows of figures, printed as tables or as JSON."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.table import Table

Value = str | float | int | None


@dataclass
class Figures:
    """One table."""

    title: str
    columns: list[str]
    rows: list[list[Value]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *values: Value) -> None:
        assert len(values) == len(self.columns), (values, self.columns)
        self.rows.append(list(values))

    def print(self) -> None:
        table = Table(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="left" if number == 0 else "right")
        for row in self.rows:
            table.add_row(*(shown(value) for value in row))
        console = Console(width=150 if not sys.stdout.isatty() else None)
        console.print(table)
        for note in self.notes:
            console.print(note, soft_wrap=True)


def shown(value: Value) -> str:
    """Three digits that matter."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median and range: ``1.31 (1.28..1.35)``."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}..{max(values):.{digits}f})"


def give(tables: Sequence[Figures], machine: dict[str, Value], as_json: bool) -> None:
    """Print all of it."""
    if as_json:
        print(json.dumps({"machine": machine, "tables": [asdict(table) for table in tables]}, indent=1))
        return
    print(", ".join(f"{name} {shown(value)}" for name, value in machine.items()))
    for table in tables:
        print()
        table.print()
