"""A conversion from the first line to the result in its place."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from crnn.data.check import UNREADABLE, UNUSABLE_ROW
from crnn.data.convert.base import DIGEST_BYTES, Converted, Sample, Writer
from crnn.data.convert.part import SKIPPED_COLUMNS, Part, State
from crnn.data.convert.pictures import file_of
from crnn.data.convert.read_back import read_back
from crnn.data.convert.registry import WRITERS, choose_format
from crnn.data.progress import Watch, unwatched
from crnn.data.sources.base import LineEntry, LineSource
from crnn.errors import DataError, printable

SHARD_BYTES = 256 * 2**20
"""Largest file of a result of several."""
LABEL_REFUSED = "label the format cannot keep"
_RELEASE_EVERY = 2048


def convert(
    open_lines: Callable[[Path], LineSource],
    target: Path,
    to: str | None = None,
    job: Mapping[str, str] | None = None,
    shard_bytes: int = SHARD_BYTES,
    side: str = "train",
    watch: Watch = unwatched,
) -> Converted:
    """Write lines in another format, read them back, and put the result in its place, whole or not at all.

    Labels and picture files are passed on as they are; pictures without a file (cut from a page, rendered) become PNG.
    A line that cannot be written is named in ``TARGET.skipped.tsv``. Stopped anywhere, the same call goes on from the
    last point that it had made safe, in ``TARGET.part``.

    Args:
        open_lines: gives the lines; takes a folder for the index that may be kept until the conversion is done.
        target: file or folder that is not there yet.
        to: a key of `WRITERS`; None: the ending of `target` tells.
        job: what the lines are, as names and values; a conversion that was stopped with others is not gone on with.
        shard_bytes: largest file of a result of several.
        side: ``train``, ``validation`` or ``test``, for formats whose files are named by it.
        watch: shows progress.

    Raises:
        ConfigError: if the format is not told.
        DataError: if the target is taken, cannot be written, would hold no line, or does not read back as written.
    """
    name = choose_format(target, to)
    options = {"--to": name, "--shard-size": str(shard_bytes), "side": side}
    part = Part(target, {**options, **(job or {})})
    try:
        with part.held() as state:
            return _Conversion(part, state, WRITERS[name](part.result, shard_bytes), side, watch).run(open_lines)
    except OSError as error:
        reason = printable(" ".join((error.strerror or str(error)).split()))
        done = f"; {part.state.next:,} lines are safe, the same command goes on from there" if part.state.next else ""
        raise DataError(
            f"{printable(target)}: cannot be written ({reason}); make room, or name another place{done}"
        ) from None


class _Conversion:
    """A conversion while it runs."""

    def __init__(self, part: Part, state: State, writer: Writer, side: str, watch: Watch) -> None:
        self.part, self.state, self.writer, self.watch = part, state, writer, watch
        self.writer.side = side

    def run(self, open_lines: Callable[[Path], LineSource]) -> Converted:
        resumed_at = self.state.next
        if not self.state.fingerprint:
            self._write(open_lines(self.part.index))
            if not self.state.written:
                self._refuse_empty()
            threads = min(8, os.cpu_count() or 1)
            self.state.fingerprint, unusable = read_back(
                self.part.result, self.part.digests, self.state.written, self.watch, threads
            )
            self.state.unusable = dict(unusable)
            self.part.save()
        self.part.finish()
        return Converted(
            self.part.target,
            self.state.written,
            self.state.fingerprint,
            Counter(self.state.left_out),
            Counter(self.state.unusable),
            self.part.target.with_name(self.part.skipped_target.name) if self.state.left_out else None,
            resumed_at,
        )

    def _write(self, source: LineSource) -> None:
        self.writer.plan(source)
        self.part.result.parent.mkdir(exist_ok=True)
        self._digests = _at(self.part.digests, self.state.written * DIGEST_BYTES)
        self._skipped = _at(self.part.skipped, self.state.skipped_bytes)
        try:
            self.writer.start(self.state.writer)
            start, lines = self.state.next, len(source)
            if not self.state.skipped_bytes:
                self._row(*SKIPPED_COLUMNS)
            for position in self.watch(range(start, lines), lines - start, "writing"):
                self._line(source, position)
                if position % _RELEASE_EVERY == 0:
                    release(source)
            self.writer.finish()
        finally:
            self.writer.close()
            self._digests.close()
            self._skipped.close()
            release(source)

    def _line(self, source: LineSource, position: int) -> None:
        entry = source.entry(position)
        problem = self._problem(entry)
        if problem is None:
            try:
                data, suffix = file_of(source.content(position), entry.picture)
            except DataError as error:
                problem = UNREADABLE, str(error)
        if problem is not None:
            self._row(entry.where, entry.picture, *problem)
            self.state.left_out[problem[0]] = self.state.left_out.get(problem[0], 0) + 1
            return
        sample = Sample(self.state.written, position, entry.picture, entry.text, data, suffix)
        self.state.written += 1
        self._digests.write(sample.digest())
        if self.writer.put(sample):
            self._save(position + 1)

    def _problem(self, entry: LineEntry) -> tuple[str, str] | None:
        if entry.problem:
            return UNUSABLE_ROW, entry.problem
        try:
            refusal = self.writer.refusal(entry.text)
            entry.text.encode("utf-8")
        except UnicodeEncodeError as error:
            refusal = f"holds {entry.text[error.start]!a} at {error.start + 1}, which is no character; correct it"
        return (LABEL_REFUSED, refusal) if refusal else None

    def _row(self, *cells: str) -> None:
        """Name a line that is left out."""
        row = _Row()
        csv.writer(row, delimiter="\t", lineterminator="\n").writerow([printable(cell, 2000) for cell in cells])
        self.state.skipped_bytes += self._skipped.write(row.text.encode("utf-8"))

    def _save(self, following: int) -> None:
        """All lines before `following` are safe."""
        self.state.writer = self.writer.state()
        self._digests.flush()
        self._skipped.flush()
        self.state.next = following
        self.part.save()

    def _refuse_empty(self) -> None:
        table = self.part.skipped.read_text(encoding="utf-8").splitlines()[1:2]
        self.part.remove()
        first = f", the first is: {': '.join(cell for cell in table[0].split(chr(9)))}" if table else ""
        raise DataError(f"{printable(self.part.target)}: none of the lines can be written{first}")


class _Row:
    """Takes what csv writes."""

    text = ""

    def write(self, text: str) -> None:
        self.text += text


def _at(path: Path, size: int) -> BinaryIO:
    """A file to go on with at `size`."""
    file = path.open("r+b" if size else "wb")
    file.truncate(size)
    file.seek(size)
    return file


def release(source: LineSource) -> None:
    """Let the readers of a source let go of what they have open; else all of a database stays mapped."""
    for inner in (source, *getattr(source, "sources", ()), getattr(source, "source", None)):
        reader = getattr(inner, "reader", None)
        if reader is not None:
            reader.release()
        elif inner is not source and inner is not None:
            release(inner)
