"""What every kind of line data looks like from the inside: the `LineSource` protocol and what it hands out.

A source is random access, knows picture sizes without decoding them, and travels to worker processes by pickling
(open files and databases lazily). This room runs without torch.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from PIL import Image


class LineEntry(NamedTuple):
    """One labelled line, before its picture is opened."""

    text: str
    where: str
    """Where the label stands, for messages: ``labels.tsv:412`` or ``a/b.gt.txt``."""
    picture: str
    """Name of the picture, for messages and reports."""
    problem: str = ""
    """Why the reader found this line unusable; empty if it did not."""


@runtime_checkable
class LineSource(Protocol):
    """Labelled text lines with random access.

    `endless` sources make a line for every position (rendered on the fly): `len` is then only the number of lines
    that count as one epoch, and position ``i + epoch * len`` gives fresh lines in each epoch.
    """

    name: str
    endless: bool

    def __len__(self) -> int: ...

    def entry(self, position: int) -> LineEntry:
        """Label and whereabouts of the line; does not open the picture."""
        ...

    def size(self, position: int) -> tuple[int, int]:
        """(width, height) in pixels, upright, without decoding. Raises DataError for an unreadable picture."""
        ...

    def picture(self, position: int) -> Image.Image:
        """The decoded picture, upright. Raises DataError for an unreadable picture."""
        ...
