"""From any source to any writer: in steps that a later attempt goes on from, and read back at the end."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from crnn.core.image import printable
from crnn.data.convert.base import Line, Writer, picture_bytes, suffix_of
from crnn.data.convert.folders import GtTextWriter, TsvWriter
from crnn.data.convert.lmdb_base import LmdbWriter
from crnn.data.convert.parquet import ParquetWriter
from crnn.data.convert.tar_shards import TarWriter
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.columns import entries
from crnn.data.sources.extra import MAX_TEXT_BYTES
from crnn.errors import DataError
from crnn.files import write_text

WRITERS: dict[str, type[Writer]] = {
    "lmdb": LmdbWriter,
    "parquet": ParquetWriter,
    "tar": TarWriter,
    "tsv": TsvWriter,
    "gt": GtTextWriter,
}
"""Formats by name."""
SINGLE = {".tar": "tar", ".parquet": "parquet"}
"""Endings of a target that is one file."""
_BLOCK_LINES = 1000
_BLOCK_BYTES = 64 * 2**20
_SKIPPED_HEADER = ("where", "picture", "reason")
Watch = Callable[[Iterable[int], int, str], Iterable[int]]
"""Wraps positions for a progress display: (positions, how many, what is done)."""


class Converted(NamedTuple):
    """What came of it."""

    target: Path
    lines: int
    skipped: int
    resumed_at: int
    """Lines of the source that an earlier attempt had done."""


def convert(
    source: LineSource, identity: str, target: Path, kind: str, watch: Watch = lambda positions, *_: positions
) -> Converted:
    """Write all lines of `source` to `target`, and read them back.

    Until all is written and compared it lies in ``TARGET.part``. An attempt that was interrupted is gone on with; the
    result is the same. Lines that cannot be written are named in ``TARGET.skipped.tsv``, with the reason.

    Args:
        source: not endless.
        identity: of the source and what it was selected by; an attempt with another one is not gone on with.
        target: a folder that is not there yet; or, with an ending in `SINGLE`, a file.
        kind: a name in `WRITERS`.
        watch: shows progress.

    Raises:
        DataError: for a target that is there, an attempt with other lines, a disk that cannot be written, no line
            that can be, or one that reads differently.
    """
    if target.exists() or target.is_symlink():
        raise DataError(f"{printable(target)}: is there already; name a new folder, or remove it")
    work = target.with_name(f"{target.name}.part")
    try:
        single = SINGLE.get(target.suffix.lower()) == kind
        attempt = _Attempt(work, kind, single, hashlib.sha256(f"{kind}\0{identity}".encode()).hexdigest())
        try:
            attempt.write(source, watch)
            _compare(attempt, watch)
            attempt.end(target)
        finally:
            attempt.writer.close()
    except OSError as error:
        raise DataError(
            f"{printable(error.filename or work)}: cannot be written ({error.strerror}); make room or name another "
            f"place; the same command goes on where it stopped"
        ) from None
    return Converted(target, attempt.lines, attempt.skipped, attempt.resumed_at)


class _Attempt:
    """The folder ``TARGET.part``: ``data/``, ``skipped.tsv``, and how far they are (``state.json``)."""

    def __init__(self, work: Path, kind: str, single: bool, job: str) -> None:
        self.work, self.job = work, job
        self.data = work / "data"
        self._state = work / "state.json"
        state: dict[str, Any] = {}
        if work.exists():
            state = self._known_state()
        if state.get("writer") is None:  # nothing yet to go on with
            shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self.writer = WRITERS[kind](self.data, single)
        self.position: int = state.get("position", 0)
        self.lines: int = state.get("lines", 0)
        self.skipped: int = state.get("skipped", 0)
        self.digest: str = state.get("digest", "")
        self.resumed_at = self.position
        if state.get("writer") is not None:
            self.writer.restore(state["writer"])
        self._skipped_table = (work / "skipped.tsv").open("ab")
        self._skipped_table.truncate(state.get("skipped_bytes", 0))
        self._skipped_table.seek(0, os.SEEK_END)

    def _known_state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            state = {"job": self.job} if not (self.work / "skipped.tsv").exists() else {"job": None}
        except ValueError:
            state = {"job": None}
        if state["job"] != self.job:
            raise DataError(
                f"{printable(self.work)}: is of a conversion of other lines, or of lines that have changed since; "
                "remove it, or name another target"
            )
        return state

    def write(self, source: LineSource, watch: Watch) -> None:
        """All lines from where the attempt before came to."""
        self._save()
        positions = watch(range(self.position, len(source)), len(source) - self.position, "writing lines")
        rest = zip(positions, islice(entries(source), self.position, None), strict=True)
        block: list[Line] = []
        size = 0
        for position, entry in rest:
            found = self._line(source, position, entry.text, entry.problem, entry.picture)
            if isinstance(found, Line):
                self.lines += 1
                block.append(found)
                size += len(found.picture)
                self.digest = chained(self.digest, found.text, found.picture)
            else:
                self.skipped += 1
                cells = [printable(cell, 2000) for cell in (entry.where, entry.picture, found)]
                self._skipped_table.write(_row(cells))
            if len(block) == _BLOCK_LINES or size >= _BLOCK_BYTES:
                self._flush(block, position + 1)
                block, size = [], 0
        self._flush(block, len(source))
        if not self.lines:
            raise DataError(f"{source.name}: none of {len(source):,} lines can be written; see {self.work}/skipped.tsv")
        self.writer.finish(self.lines)

    def _line(self, source: LineSource, position: int, text: str, problem: str, name: str) -> Line | str:
        """The line, or why it cannot be written."""
        if problem:
            return problem
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            return f"label {text!a} holds half a character, which UTF-8 cannot"
        if size > MAX_TEXT_BYTES:
            return f"label of {size:,} bytes; at most {MAX_TEXT_BYTES:,} are read"
        try:
            picture = picture_bytes(source.content(position))
        except DataError as error:
            return str(error)
        suffix = suffix_of(picture)
        if not suffix:
            return "picture is of no kind that is read (PNG, JPEG, TIFF, WebP ...)"
        return self.writer.refusal(text) or Line(self.lines + 1, text, picture, suffix, name)

    def _flush(self, block: list[Line], position: int) -> None:
        if block:
            self.writer.write(block)
        self.position = position
        self._save()

    def _save(self) -> None:
        state = self.writer.checkpoint() if self.position else {}
        self._skipped_table.flush()
        if state is not None:
            done = {name: getattr(self, name) for name in ("job", "position", "lines", "skipped", "digest")}
            done |= {"writer": state if self.position else None, "skipped_bytes": self._skipped_table.tell()}
            write_text(self._state, json.dumps(done))

    def end(self, target: Path) -> None:
        """Give the result its name."""
        self._skipped_table.close()
        if self.skipped:
            with target.with_name(f"{target.name}.skipped.tsv").open("wb") as table:
                table.write(_row(_SKIPPED_HEADER))
                with (self.work / "skipped.tsv").open("rb") as rows:
                    shutil.copyfileobj(rows, table)
        result = self.data
        if self.writer.single:
            [result] = self.data.iterdir()
        result.rename(target)
        shutil.rmtree(self.work)


def _compare(attempt: _Attempt, watch: Watch) -> None:
    """Read everything back as training would.

    Raises:
        DataError: if a count, a label or a byte of a picture is another.
    """
    written = open_source(attempt.data)
    if len(written) != attempt.lines:
        raise DataError(f"{attempt.data}: {attempt.lines:,} lines were written, {len(written):,} are read")
    digest = ""
    positions: Iterator[int] = iter(watch(range(len(written)), len(written), "reading back"))
    for position, entry in zip(positions, entries(written), strict=True):
        digest = chained(digest, entry.text, picture_bytes(written.content(position)))
    if digest != attempt.digest:
        raise DataError(f"{attempt.data}: what is read differs from what was written; is the disk sound?")


def chained(digest: str, text: str, picture: bytes) -> str:
    """A digest of all lines so far, by that of those before."""
    line = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    line += hashlib.blake2b(picture, digest_size=16).digest()
    return hashlib.blake2b(digest.encode() + line, digest_size=16).hexdigest()


def _row(cells: Iterable[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode()
