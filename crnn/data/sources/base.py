"""What every kind of line data looks like from the inside.

A `Reader` knows one format: it lists the lines once, and finds the picture of each again. `IndexedSource` puts an index
between the two, so that a million lines cost no more memory than their labels; together they are a `LineSource`, which
is all that the rest of the project sees. This room runs without torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from PIL import Image

from crnn.core.picture import open_picture, picture_size
from crnn.errors import printable

SPARE = 2**40
"""In an endless source, position ``i + n * SPARE`` is the n-th spare of line i: another line of the same epoch."""

Content: TypeAlias = Path | bytes | Image.Image
"""A picture as it is kept: a file, the bytes of one, or (cut from a page) a grey Pillow image."""


class LineEntry(NamedTuple):
    """One labelled line, before its picture is opened."""

    text: str
    where: str
    """Where the label stands, for messages: ``labels.tsv:412`` or ``a/b.gt.txt``."""
    picture: str
    """Name of the picture, for messages and reports; a name with ``/`` within its source."""
    problem: str = ""
    """Why the reader found this line unusable; empty if it did not."""
    group: str = ""
    """The page that the line was cut from, where the format tells; lines of a page stay on one side of a split."""


@runtime_checkable
class LineSource(Protocol):
    """Labelled text lines with random access; knows picture sizes without decoding; can be pickled.

    `endless` sources make a line for every position (rendered on the fly, or mixed): `len` is then only the number of
    lines that count as one epoch, and position ``i + epoch * len`` gives the lines of each epoch (see `SPARE`, too).
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

    def content(self, position: int) -> Content:
        """The picture as it is kept, for copying. Raises DataError if it is not there."""
        ...

    def picture(self, position: int) -> Image.Image:
        """The decoded picture, upright and grey. Raises DataError for an unreadable picture."""
        ...


class Row(NamedTuple):
    """A line as its reader lists it."""

    text: str
    where: str
    picture: str
    problem: str = ""
    locator: str = ""
    """What the reader needs to find the picture again; empty: its name is enough."""
    group: str = ""

    @property
    def key(self) -> str:
        """What `Reader.content` takes."""
        return self.locator or self.picture


@dataclass(frozen=True)
class ReadOptions:
    """What a user can say about files whose looks do not tell.

    Args:
        name_pattern: the label is in the file name; a regular expression with a group ``text``.
        text_column, image_column: of tables with several columns that would do.
    """

    name_pattern: str | None = None
    text_column: str | None = None
    image_column: str | None = None


class Reader(ABC):
    """One format at one place.

    It is made in a moment, holds no open files when pickled, and may be used by many processes and threads at once.

    Args:
        path: file or folder.
        options: see `ReadOptions`.
    """

    description: str
    """What the format looks like, for messages."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path = path
        self.options = options
        self.notes: list[str] = []
        """What there is to say about the place, once `rows` has been read to its end."""

    @abstractmethod
    def parts(self) -> Iterator[Path]:
        """The files and folders that `rows` depends on; when one of them changes, the index is made anew."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Every line, in an order that is always the same. Streams.

        Raises:
            DataError: for data that cannot be read as a whole (a damaged table, a cut database). A single bad line is a
                row with a `problem` instead.
        """

    @abstractmethod
    def content(self, key: str) -> Content:
        """The picture of a row by its `Row.key`.

        Raises:
            DataError: if it is not there.
        """

    def size(self, key: str) -> tuple[int, int]:
        """(width, height) of the upright picture; reads its header."""
        return picture_size(self.content(key), self._name(key))

    def picture(self, key: str) -> Image.Image:
        """The upright grey picture."""
        return open_picture(self.content(key), self._name(key))

    def release(self) -> None:  # noqa: B027  # most have nothing open
        """Let go of open files and mapped pages; what is needed is opened again. Not while other threads read."""

    def _name(self, key: str) -> str:
        """A picture's name in messages."""
        return printable(self.path / key if self.path.is_dir() else f"{self.path}:{key}")
