"""One of N shares of a large reading: a working file that grows row by row and goes on where a killed process ended.

Share I of N is the I-th of N stretches of the inputs in their order (not every N-th picture, nor by a hash): a stretch
reads a table's row groups one after the other, and the parts one after the other are the whole, in order. In the
output folder a share is ``part-00002-of-00008.jsonl``, while it grows ``.jsonl.part``, and ``.about.json`` beside it
says of which inputs, model and options it is.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from crnn.core.recognizer import Recognizer
from crnn.errors import ConfigError, DataError, printable, unwritten
from crnn.files import write_text
from crnn.reading.job import Job, Listing, read_about
from crnn.reading.outputs import OUTPUTS
from crnn.reading.recognize import read_items

MAX_SHARDS = 99_999
_FLUSH = 64
"""So many rows are lost at most when a process is killed; they are read again."""


@dataclass(frozen=True)
class Shard:
    """Share `number` (from 1) of `count`."""

    number: int
    count: int

    @staticmethod
    def parse(text: str) -> Shard:
        """From ``I/N``.

        Raises:
            ConfigError: if it is none.
        """
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if match and 1 <= int(match[1]) <= int(match[2]) <= MAX_SHARDS:
            return Shard(int(match[1]), int(match[2]))
        raise ConfigError(f"--shard {printable(text)!r} is no share; 1/8 to 8/8 are the eight shares of 8")

    @property
    def name(self) -> str:
        """``part-00002-of-00008``."""
        return f"part-{self.number:05d}-of-{self.count:05d}"

    def range(self, total: int) -> tuple[int, int]:
        """First position and the one after the last; shares differ by one picture at most."""
        return (self.number - 1) * total // self.count, self.number * total // self.count


def read_shard(recognizer: Recognizer, paths: list[str], shard: Shard, job: Job, folder: Path) -> int:
    """Write one share; what an earlier process left of it is kept.

    The first row whose picture could not be read is written down in ``.about.json`` as ``failed`` (counted from 0),
    before the row itself.

    Returns:
        The exit code: 0, or 1 if a picture of the share could not be read, now or earlier.

    Raises:
        ConfigError: if the folder has this share of another job, or another process is writing it.
        DataError: if it cannot be written, or the inputs are no longer those of the job.
    """
    format = job.options["format"]
    final = folder / f"{shard.name}.{format}"
    path = folder / f"{shard.name}.about.json"
    start, stop = shard.range(job.total)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        about = _same_job(path, job, shard)
        if final.exists():
            working(final).unlink(missing_ok=True)  # of a process that was killed when it saw that all was done
            _say(f"{printable(final)}: is finished already")
            return int("failed" in about)
        with _working_file(final) as file:
            about, there = read_about(path), whole_rows(file)
            if there > stop - start:
                raise DataError(
                    f"{printable(working(final))}: has {there} rows of {stop - start}; delete it and start anew"
                )
            if about.get("failed", -1) >= there:  # that row was lost, and is read again
                del about["failed"]
                _write(path, about)
            listing = Listing(paths)
            done = 0
            for done, (name, outcome) in enumerate(read_items(recognizer, listing.stretch(start + there, stop)), 1):
                if isinstance(outcome, DataError):
                    if "failed" not in about:
                        about["failed"] = there + done - 1
                        _write(path, about)
                    _say(printable(outcome, 1000))
                file.write((OUTPUTS[format](name, outcome) + "\n").encode("utf-8", "backslashreplace"))
                if done % _FLUSH == 0:
                    file.flush()
            file.flush()
            if (listing.digest, listing.total, there + done) != (job.inputs, job.total, stop - start):
                file.truncate(0)  # its rows may be of other pictures
                raise DataError(
                    f"{printable(final)}: the inputs changed while they were read; start this share again, and if "
                    "they stay changed all shares, in another folder"
                )
            os.fsync(file.fileno())
            if os.name == "nt":
                file.close()  # an open one cannot be renamed there
            os.replace(working(final), final)
    except OSError as error:
        raise DataError(unwritten(error.filename or final, error)) from None
    _say(f"{printable(final)}: {stop - start} rows{f', {there} of them from before' if there else ''}")
    return int("failed" in about)


def whole_rows(file: BinaryIO) -> int:
    """Number of whole rows from the start of a file open for reading and writing; half a row at its end is cut off."""
    rows = end = position = 0
    file.seek(0)
    while block := file.read(2**20):
        rows += block.count(b"\n")
        last = block.rfind(b"\n")
        if last >= 0:
            end = position + last + 1
        position += len(block)
    file.truncate(end)
    file.seek(end)
    return rows


def working(final: Path) -> Path:
    """What a part is called while it grows."""
    return final.with_name(f"{final.name}.part")


@contextmanager
def _working_file(final: Path) -> Iterator[BinaryIO]:
    """The file that becomes `final`; for one process at a time."""
    path = working(final)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{printable(path)}: another process is writing it; wait for it, or end it") from None
        except (ImportError, OSError):  # Windows, and file systems without locks
            pass
        if final.exists():  # the other process has just finished
            path.unlink(missing_ok=True)
            raise ConfigError(f"{printable(final)}: another process has just finished it")
        yield file


def _same_job(path: Path, job: Job, shard: Shard) -> dict[str, Any]:
    """What is written down of the share; written now, or compared with the job."""
    if not path.exists():
        _write(path, {**asdict(job), "shard": shard.number, "of": shard.count})
    about = read_about(path)
    if difference := job.difference(about):
        raise ConfigError(
            f"{printable(path.parent)}: part {shard.number} was begun with something else: {difference} changed; "
            "finish it as it was begun, or write to another folder"
        )
    return about


def _write(path: Path, about: dict[str, Any]) -> None:
    write_text(path, json.dumps(about) + "\n")


def _say(text: str) -> None:
    print(f"crnn: {text}", file=sys.stderr)
