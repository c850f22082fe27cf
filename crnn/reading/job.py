"""What the shares of a large reading have in common: the inputs, the model and the options."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crnn.errors import ConfigError, DataError, printable
from crnn.files import sha256_of
from crnn.reading.inputs import Item, find_pictures
from crnn.reading.outputs import OUTPUTS


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
    try:
        return sha256_of(Path(path))
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read ({error.strerror})") from None


def options_of(format: str, nbest: int, precision: str, decoder: dict[str, Any]) -> dict[str, Any]:
    """What changes a row, as it is written down; texts, or a file of them, as a SHA-256 of what they are.

    Raises:
        DataError: for a file that cannot be read.
    """
    kept = {name: value for name, value in decoder.items() if value is not None}
    for name in ("lm", "lexicon"):
        if isinstance(texts := kept.get(name), str):
            kept[name] = file_digest(texts)
        elif texts is not None:
            kept[name] = hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
    return {"format": format, "nbest": nbest, "precision": precision, **kept}


class Listing:
    """All inputs in their order, none of them opened, and whether they are the same ones another time."""

    def __init__(self, paths: list[str]) -> None:
        self._paths, self._digest = paths, hashlib.sha256()
        self.total = 0
        """Pictures listed so far."""

    def __iter__(self) -> Iterator[Item]:
        for item in find_pictures(self._paths):
            name = item.name.encode("utf-8", "surrogateescape")
            self._digest.update(name + b"\0" + str(item.set_size).encode() + b"\n")
            self.total += 1
            yield item

    def stretch(self, start: int, stop: int) -> Iterator[Item]:
        """Those from `start` to before `stop`; the whole list is gone through, so that it can be compared."""
        for position, item in enumerate(self):
            if start <= position < stop:
                yield item

    @property
    def digest(self) -> str:
        """SHA-256 of what was listed so far, see `Job.inputs`."""
        return self._digest.hexdigest()


def make_job(paths: list[str], model: Path, options: dict[str, Any]) -> Job:
    """Lists all inputs once, opening none.

    Raises:
        ConfigError: for a picture on standard input, or a name behind which nothing is.
    """
    if "-" in paths:
        raise ConfigError("--shard lists its inputs before it reads them; '-' (standard input) cannot be one of them")
    listing, named = Listing(paths), set(paths)
    for item in listing:
        if item.name not in named:
            continue
        wrong = item.source if isinstance(item.source, DataError) else None
        if isinstance(item.source, (str, os.PathLike)) and not os.path.exists(item.source):
            wrong = DataError(f"{printable(item.name)}: there is no such file")
        if wrong:  # one share would fail, and the others not
            raise ConfigError(f"{wrong}; all shares are of one list, so none is read")
    return Job(listing.digest, listing.total, file_digest(model), options)


def read_about(path: Path) -> dict[str, Any]:
    """What is written down of a part: the fields of its `Job`, and ``failed``, see `read_shard`.

    Raises:
        OSError: if it cannot be read.
        DataError: if it is damaged.
    """
    types = {"inputs": str, "total": int, "model": str, "options": dict}
    try:
        about = json.loads(path.read_bytes())
        whole = isinstance(about, dict) and all(isinstance(about.get(name), kind) for name, kind in types.items())
        whole = whole and about["total"] >= 0 and isinstance(about.get("failed", 0), int)
        whole = whole and about["options"].get("format") in list(OUTPUTS)
    except (ValueError, RecursionError):
        whole = False
    if not whole:
        raise DataError(f"{printable(path)}: is damaged; delete it and its part, and read that share again")
    return about
