"""Readings that somebody else made, as ``crnn recognize --format jsonl`` or ``tsv`` prints them."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crnn.core.text import TextRules
from crnn.data.labels import EMPTY_LABEL
from crnn.data.sources.base import LineSource
from crnn.errors import DataError, printable
from crnn.report.evaluation import Evaluation

WANTED = "wanted are rows as 'crnn recognize --format jsonl' (or tsv) prints them: path and text"
OUTDONE = "is of another set: a row with a path nearer to that line is there, too"
_ESCAPE = re.compile(r"\\([\\tnr])")
_ESCAPED = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}

_PART = re.compile(r"[/:]")
"""Between folders, and between a set (an archive, a folder of pages) and the line in it."""


class OutputRow(NamedTuple):
    """One picture's reading."""

    number: int
    """Of the row, from 1."""
    path: str
    text: str
    confidence: float | None = None
    error: str = ""
    """Why the picture could not be read; there is no text then."""


def read_output(path: Path) -> Iterator[OutputRow]:
    """Rows of JSON Lines or of tab-separated values, whichever the first row is.

    Raises:
        DataError: if the file cannot be read, naming the first row that is none.
    """
    where = printable(path)
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            parse = None
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                parse = parse or (_from_json if line.lstrip().startswith("{") else _from_tsv)
                row = parse(number, line.rstrip("\r\n"))
                if row is None:
                    raise DataError(f"{where}:{number}: {printable(line.strip(), 60)!r} is no reading; {WANTED}")
                yield row
            if parse is None:
                raise DataError(f"{where}: holds no readings; {WANTED}")
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{where}: is not UTF-8 text; {WANTED}") from None


def _from_json(number: int, line: str) -> OutputRow | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not isinstance(row.get("path"), str):
        return None
    if isinstance(row.get("error"), str):
        return OutputRow(number, row["path"], "", error=row["error"])
    text, confidence = row.get("text"), row.get("confidence")
    if not isinstance(text, str):
        return None
    return OutputRow(number, row["path"], text, _confidence(confidence))


def _from_tsv(number: int, line: str) -> OutputRow | None:
    fields = [_ESCAPE.sub(lambda found: _ESCAPED[found[1]], field) for field in line.split("\t")]
    if not 2 <= len(fields) <= 3 or not fields[0]:
        return None
    if len(fields) == 3 and not fields[2]:  # how 'crnn recognize' writes a picture that it could not read
        return OutputRow(number, fields[0], "", error="could not be read")
    return OutputRow(number, fields[0], fields[1], _confidence(fields[2] if len(fields) == 3 else None))


def _confidence(value: object) -> float | None:
    """A number of 0..1, or None."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if 0 <= number <= 1 else None


def has_confidences(path: Path) -> bool:
    """Whether a file begins as ``crnn recognize --format jsonl`` writes it, and not as labels do; never raises."""
    if path.suffix.lower() != ".jsonl" or not os.path.isfile(path):
        return False
    try:
        return next(read_output(path)).confidence is not None
    except (DataError, StopIteration):
        return False


class Match(NamedTuple):
    """The line that a path names."""

    position: int
    closeness: int
    """0: by the file's name alone; 1: with its folders; 2: as the path stands; 3: in the folder of the lines."""


class PictureNames:
    """Finds the line that a path names: by the picture's name in its source, with folders before it or without.

    Args:
        source: the labelled lines.
    """

    def __init__(self, source: LineSource) -> None:
        names = [_tidy(source.entry(position).picture) for position in range(len(source))]
        self._positions = {name: position for position, name in enumerate(names)}
        self._twice = {name for name, count in Counter(names).items() if count > 1}
        files = Counter(name.rsplit("/", 1)[-1] for name in names)
        self._files = {name.rsplit("/", 1)[-1]: i for i, name in enumerate(names)}
        self._files = {name: position for name, position in self._files.items() if files[name] == 1}
        own = _tidy(source.name)
        self._homes = [own, *([own.rpartition("/")[0]] if os.path.isfile(own) else [])]

    def find(self, path: str) -> Match | None:
        """The line, or None if no line is meant, or more than one could be."""
        whole = rest = _tidy(path)
        while rest:
            if rest in self._positions:
                return None if rest in self._twice else Match(self._positions[rest], self._closeness(whole, rest))
            _, *below = _PART.split(rest, maxsplit=1)
            rest = below[0] if below else ""
        position = self._files.get(_PART.split(whole)[-1])
        return None if position is None else Match(position, 0)

    def _closeness(self, whole: str, name: str) -> int:
        before = whole[: -len(name)].rstrip("/:")
        if not before:
            return 2
        return 3 if any(_ends(home, before) or _ends(before, home) for home in self._homes if home) else 1


def _ends(path: str, end: str) -> bool:
    return f"/{path}".endswith(f"/{end}")


def _tidy(path: str) -> str:
    return os.path.normpath(path.replace("\\", "/")) if path else ""


def judge_output(path: Path, source: LineSource, limit: int | None = None) -> Evaluation:
    """Compare the readings in a file with the labels of `source`, both in Unicode's form NFC.

    Of two rows for a line the one counts whose path is nearer to the line's: the other may be of another set, with
    files of the same names. Lines without a row, further rows of the same line and rows of no line are counted in
    `Evaluation.unmatched` and named in `left_out`.

    Raises:
        DataError: if the file cannot be read, or no row names a picture of `source`.
    """
    rules, names, where = TextRules(), PictureNames(source), printable(path)
    result = Evaluation(source.name, reader=str(path), pictures=source)
    result.unmatched = {"missing": 0, "twice": 0, "unknown": 0}
    found: dict[int, OutputRow] = {}
    closeness: dict[int, int] = {}
    first_path = ""

    def unknown(row: OutputRow, why: str = "names no single picture of the lines") -> None:
        result.unmatched["unknown"] += 1
        result.left_out.append(f"{where}:{row.number}: {printable(row.path)} {why}")

    for row in read_output(path):
        first_path = first_path or row.path
        match = names.find(row.path)
        if match is None:
            unknown(row)
            continue
        position = match.position
        before = closeness.get(position, -1)
        if match.closeness == before:
            result.unmatched["twice"] += 1
            result.left_out.append(f"{where}:{row.number}: a second row for {printable(row.path)}; the first counts")
        elif match.closeness < before:
            unknown(row, OUTDONE)
        else:
            if position in found:
                unknown(found[position], OUTDONE)
            found[position], closeness[position] = row, match.closeness
    if not found:
        picture = source.entry(0).picture if len(source) else "(none)"
        raise DataError(
            f"{where}: no row names a picture of {printable(source.name)}; rows have paths like "
            f"{printable(first_path)}, pictures are called like {printable(picture)}"
        )
    for position in range(len(source) if limit is None else min(limit, len(source))):
        entry = source.entry(position)
        label = rules.normalize(entry.text)
        if entry.problem or not label.strip():
            result.left_out.append(f"{entry.where}: {entry.problem or EMPTY_LABEL}")
        elif position not in found:
            result.unmatched["missing"] += 1
            result.left_out.append(f"{entry.where}: {where} has no row for {printable(entry.picture)}")
        elif found[position].error:
            result.left_out.append(f"{entry.where}: {printable(found[position].error, 400)}")
        else:
            row = found[position]
            known = {"position": position, "where": entry.where, "picture": entry.picture}
            result.add(rules.normalize(row.text), label, row.confidence, **known)
    return result
