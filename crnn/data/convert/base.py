"""What every format that is written looks like from the inside."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

from crnn.data.sources.base import LineSource
from crnn.data.sources.extra import MAX_TEXT_BYTES

SAVE_EVERY = 500
"""After that many lines what is written is made safe, so that a conversion that is stopped goes on from there."""
DIGEST_BYTES = 16


class Sample(NamedTuple):
    """A line as it is written."""

    number: int
    """From 0, among the lines that are written."""
    position: int
    """From 0, among all lines of the source."""
    name: str
    """The picture's name in its source; may hold anything."""
    text: str
    data: bytes
    """The picture's file."""
    suffix: str
    """Of that file's true format, with its dot."""

    def digest(self) -> bytes:
        """What the line has to be when it is read back."""
        return digest(self.text, self.data)


def digest(text: str, data: bytes) -> bytes:
    """(DIGEST_BYTES,) of a label and a picture's file."""
    label = text.encode("utf-8", "surrogatepass")
    start = hashlib.blake2b(b"%d\0" % len(label), digest_size=DIGEST_BYTES)
    start.update(label)
    start.update(data)
    return start.digest()


@dataclass
class Converted:
    """The outcome of a conversion."""

    target: Path
    lines: int
    fingerprint: str
    """As `crnn.data.check.check_lines` gives it for what was read back."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Lines that are not in the result, by reason; each is named in `skipped`."""
    unusable: Counter[str] = field(default_factory=Counter)
    """Lines of the result that a training drops, by reason; they are as they were in the source."""
    skipped: Path | None = None
    """The table of lines that were left out."""
    resumed_at: int = 0
    """The position at which an earlier conversion had stopped; 0 if there was none."""


class Writer(ABC):
    """One format while it is written.

    Args:
        path: the file or folder to write; its parent exists, itself it may not.
        shard_bytes: a file of several is closed before it grows beyond this; one file alone grows on.

    Raises:
        OSError: from every method, if it cannot be written.
    """

    description: ClassVar[str]
    suffix: ClassVar[str] = ""
    """A target of this name ending is one file; empty if the result is always a folder."""
    needs: ClassVar[str] = ""
    """An optional package."""

    def __init__(self, path: Path, shard_bytes: int) -> None:
        self.path = path
        self.single = bool(self.suffix) and path.name.lower().endswith(self.suffix)
        self.shard_bytes = shard_bytes
        self.side = "train"
        """Of the lines, where the format says one."""

    def plan(self, source: LineSource) -> None:
        """Look at all entries once, before the first line.

        Raises:
            DataError: if the format cannot hold so many.
        """
        return

    @abstractmethod
    def start(self, state: dict[str, int] | None) -> None:
        """Begin; or go on where `state` was taken, whatever was written since."""

    def refusal(self, text: str) -> str:
        """Why a label cannot be kept in this format, with the remedy; empty if it can."""
        size = len(text.encode("utf-8"))
        return f"has {size:,} bytes; at most {MAX_TEXT_BYTES:,} are read" if size > MAX_TEXT_BYTES else ""

    @abstractmethod
    def put(self, sample: Sample) -> bool:
        """Write a line; whether this is a good moment to take the `state`."""

    @abstractmethod
    def state(self) -> dict[str, int]:
        """From where to go on, once all lines so far are with the system; called when `put` said so."""

    @abstractmethod
    def finish(self) -> None:
        """Complete the result. May be called again after `start` with the last state."""

    @abstractmethod
    def close(self) -> None:
        """Let go of open files, whether it is finished or not. Never raises."""
