"""Which characters are mistaken for which: a table per validation. Runs without torch."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from crnn.core.alignment import Edit
from crnn.files import write_text

SHOWN = 100
"""Most rows of a table."""


def visible(character: str) -> str:
    """A character as it is named in a table: a space as ␣, nothing as an empty string."""
    return "".join("␣" if c == " " else f"U+{ord(c):04X}" if not c.isprintable() else c for c in character)


def named(edit: Edit) -> str:
    """In words."""
    label, reading = map(visible, edit)
    if not label:
        return f"{reading} too many"
    return f"{label} read as {reading}" if reading else f"{label} missed"


def most_common(confusions: Mapping[Edit, int], limit: int = SHOWN) -> list[tuple[Edit, int]]:
    """The most frequent edits first, in a fixed order where they are equally frequent."""
    return sorted(confusions.items(), key=lambda item: (-item[1], item[0]))[:limit]


def write_confusions(path: Path, confusions: Mapping[Edit, int]) -> None:
    """A tab-separated table: count, what it is, character of the label, what was read."""
    text = StringIO()
    writer = csv.writer(text, "excel-tab", lineterminator="\n")
    writer.writerow(("count", "confusion", "label", "reading"))
    writer.writerows((count, named(edit), *edit) for edit, count in most_common(confusions))
    write_text(path, text.getvalue())


def read_confusions(path: Path) -> dict[Edit, int]:
    """What `write_confusions` wrote.

    Raises:
        OSError, ValueError: if it is no such file.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    try:
        return {(row["label"], row["reading"]): int(row["count"]) for row in rows}
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: is no table of confusions ({error})") from None


def markdown(confusions: Mapping[Edit, int]) -> str:
    """A table for TensorBoard."""
    rows = [f"| {count} | {_plain(named(edit))} |" for edit, count in most_common(confusions, 30)]
    return "\n".join(["| count | confusion |", "|---|---|", *rows])


def _plain(text: str) -> str:
    """Text in which Markdown finds no sign of its own."""
    return "".join(f"&#{ord(c)};" if c in "|\\`*_{}[]<>()#+-.!~$&" else c for c in text)
