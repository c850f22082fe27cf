"""What the writers of all formats share."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from crnn.core.image import MAX_BYTES, PICTURE_SUFFIXES, printable
from crnn.data.sources.base import Content
from crnn.errors import DataError

_UNSAFE = re.compile(r"[^\w-]+")
_LONGEST_STEM = 80
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"\0\0\0\x0cjP", ".jp2"),
    (b"\xffO\xffQ", ".j2k"),
)


class Line(NamedTuple):
    """A line on its way."""

    number: int
    """From 1, without gaps."""
    text: str
    picture: bytes
    suffix: str
    """Of the picture's kind: ``.png``."""
    name: str
    """The picture's name at its source."""


class Writer(ABC):
    """Writes one format into a folder that is its own until the end.

    Args:
        folder: empty, or as it was at an earlier `checkpoint`.
        single: where lines lie in files of many, all in one.
    """

    def __init__(self, folder: Path, single: bool = False) -> None:
        self.folder = folder
        self.single = single

    def refusal(self, text: str) -> str:
        """Why the format cannot hold a label; empty if it can."""
        return ""

    @abstractmethod
    def write(self, lines: Sequence[Line]) -> None:
        """Append some lines."""

    @abstractmethod
    def checkpoint(self) -> dict[str, Any] | None:
        """What `restore` needs to go on behind all lines so far, which are on disk; None if not now."""

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `checkpoint` was; what was written later is undone."""

    def finish(self, lines: int) -> None:  # noqa: B027  # some know all before
        """Write what is known at the end, and close.

        Args:
            lines: in all.
        """

    def close(self) -> None:  # noqa: B027  # some hold nothing open
        """Let go of open files; nothing more is written."""


RETURN_AT_END = "a carriage return at its end would be taken for a part of the line end; choose another format"


def text_file(text: str, always: bool) -> bytes:
    """A label as a text file, whose readers take away a byte order mark and one line end.

    Args:
        text: does not end with a carriage return.
        always: end with a line end; else only where one would be taken away.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return f"{mark}{text}{chr(10) * (always or text.endswith(chr(10)))}".encode()


def suffix_of(picture: bytes) -> str:
    """The usual suffix for a picture of this kind, from its first bytes; empty if it is none that is read."""
    for magic, suffix in _MAGIC:
        if picture.startswith(magic):
            return suffix
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return ".webp"
    if picture[:1] == b"P" and picture[1:2] in b"123456" and picture[2:3].isspace():
        return ".ppm"
    return ""


def safe_stem(name: str) -> str:
    """The last part of a picture's name without its ending, as part of a file name on any system."""
    last = re.split(r"[/\\]", name)[-1]
    stem, dot, suffix = last.rpartition(".")
    return _UNSAFE.sub("_", stem if dot and dot + suffix.lower() in PICTURE_SUFFIXES else last)[:_LONGEST_STEM]


def picture_bytes(content: Content) -> bytes:
    """A picture as a file's bytes: as they are, or as PNG where there is no file.

    Raises:
        DataError: if it cannot be read, or is larger than what is read.
    """
    if isinstance(content, bytes):
        return content
    if isinstance(content, Image.Image):
        buffer = io.BytesIO()
        content.save(buffer, "PNG")
        return buffer.getvalue()
    try:
        if content.stat().st_size > MAX_BYTES:
            raise DataError(f"{printable(content)}: has {content.stat().st_size:,} bytes; allowed are {MAX_BYTES:,}")
        return content.read_bytes()
    except OSError as error:
        raise DataError(f"{printable(content)}: cannot be read ({error.strerror})") from None
