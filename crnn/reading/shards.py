"""One of N shares of a large reading: a working file that grows row by row and goes on where a killed process ended.

Share I of N is the I-th of N stretches of the inputs in their order (not every N-th picture, nor by a hash): a stretch
reads a table's row groups one after the other, and the parts one after the other are the whole, in order. In the
output folder a share is ``part-00002-of-00008.jsonl``, while it grows ``.jsonl.part``, and ``.about.json`` beside it
says of which inputs, model and options it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from crnn.core.image import printable
from crnn.core.recognizer import Recognizer
from crnn.errors import ConfigError, DataError
from crnn.files import write_text
from crnn.reading.inputs import Item, find_pictures
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
        return f"part-{self.number:05d}-of-{self.count:05d}"

    def range(self, total: int) -> tuple[int, int]:
        """First position and the one after the last; shares differ by one picture at most."""
        return (self.number - 1) * total // self.count, self.number * total // self.count


@dataclass(frozen=True)
class Job:
    """What all shares have in common; parts of different jobs are not merged."""

    inputs: str
    """SHA-256 of the names of all pictures in order, and of the sizes of the sets that they are in."""
    total: int
    """Pictures."""
    model: str
    """SHA-256 of the model file."""
    options: dict[str, Any]
    """Format, decoder and what else changes a row."""

    def difference(self, other: dict[str, Any]) -> str:
        """What another job, as it was written down, has different; empty if nothing."""
        mine = asdict(self)
        if mine["inputs"] != other.get("inputs") or self.total != other.get("total"):
            return f"the inputs ({other.get('total')} pictures then, {self.total} now, or other names)"
        if self.model != other.get("model"):
            return "the model"
        theirs = other.get("options") or {}
        names = sorted(name for name in {*theirs, *self.options} if theirs.get(name) != self.options.get(name))
        return f"the options ({', '.join(names)})" if names else ""


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file.

    Raises:
        DataError: if it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read ({error.strerror})") from None
    return digest.hexdigest()


def options_of(format: str, nbest: int, precision: str, decoder: dict[str, Any]) -> dict[str, Any]:
    """What changes a row, as it is written down; files of texts by what they hold.

    Raises:
        DataError: for a file that cannot be read.
    """
    kept = {name: value for name, value in decoder.items() if value is not None}
    for name in ("lm", "lexicon"):
        if isinstance(kept.get(name), str):
            kept[name] = file_digest(kept[name])
    return {"format": format, "nbest": nbest, "precision": precision, **kept}


def make_job(paths: list[str], model: Path, options: dict[str, Any]) -> Job:
    """Lists all inputs once, opening none.

    Raises:
        ConfigError: for a picture on standard input.
    """
    if "-" in paths:
        raise ConfigError("--shard lists its inputs before it reads them; '-' (standard input) cannot be one of them")
    digest, total = hashlib.sha256(), 0
    for item in find_pictures(paths):
        digest.update(item.name.encode("utf-8", "surrogateescape") + b"\0" + str(item.set_size).encode() + b"\n")
        total += 1
    return Job(digest.hexdigest(), total, file_digest(model), options)


def read_shard(recognizer: Recognizer, paths: list[str], shard: Shard, job: Job, folder: Path) -> int:
    """Write one share; what an earlier process left of it is kept.

    Returns:
        The exit code: 0, or 1 if a picture that was read now could not be.

    Raises:
        ConfigError: if the folder has this share of another job, or another process is writing it.
        DataError: if it cannot be written.
    """
    format = job.options["format"]
    final = folder / f"{shard.name}.{format}"
    start, stop = shard.range(job.total)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _same_job(folder / f"{shard.name}.about.json", job, shard)
        if final.exists():
            _say(f"{printable(final)}: is finished already")
            return 0
        failed = 0
        with _working_file(final) as file:
            there = whole_rows(file)
            if there > stop - start:
                raise DataError(
                    f"{printable(working(final))}: has {there} rows of {stop - start}; delete it and start anew"
                )
            items = islice(find_pictures(paths), start + there, stop)
            done, failed = _append(file, recognizer, items, format)
            if there + done != stop - start:
                raise DataError(f"{printable(final)}: the inputs changed while they were read; start it again")
            os.fsync(file.fileno())
            if os.name == "nt":
                file.close()  # an open one cannot be renamed there
            os.replace(working(final), final)
    except OSError as error:
        raise DataError(f"{printable(error.filename or final)}: cannot be written ({error.strerror})") from None
    _say(f"{printable(final)}: {stop - start} rows{f', {there} of them from before' if there else ''}")
    return 1 if failed else 0


def _append(file: BinaryIO, recognizer: Recognizer, items: Iterable[Item], format: str) -> tuple[int, int]:
    """(rows written, pictures failed)."""
    done = failed = 0
    for name, outcome in read_items(recognizer, items):
        file.write((OUTPUTS[format](name, outcome) + "\n").encode("utf-8", "backslashreplace"))
        done += 1
        if isinstance(outcome, DataError):
            failed += 1
            _say(printable(outcome, 1000))
        if done % _FLUSH == 0:
            file.flush()
    file.flush()
    return done, failed


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


def _same_job(about: Path, job: Job, shard: Shard) -> None:
    """Writes down what the share is of, or compares it with what stands there."""
    if about.exists():
        try:
            there = json.loads(about.read_bytes())
            difference = job.difference(there)
        except (ValueError, AttributeError):
            raise DataError(f"{printable(about)}: is damaged; delete it and its part") from None
        if difference:
            raise ConfigError(
                f"{printable(about.parent)}: part {shard.number} was begun with something else: {difference} changed; "
                "finish it as it was begun, or write to another folder"
            )
    else:
        write_text(about, json.dumps({**asdict(job), "shard": shard.number, "of": shard.count}) + "\n")


def _say(text: str) -> None:
    print(f"crnn: {text}", file=sys.stderr)
