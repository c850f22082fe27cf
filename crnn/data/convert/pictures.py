"""A picture as the bytes of a file, unchanged where there is one, and the ending that this file deserves."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image

from crnn.core.picture import MAX_BYTES, PICTURE_FORMATS, picture_size
from crnn.data.sources.base import Content
from crnn.errors import DataError, printable

_SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe"),
    "MPO": (".jpg", ".jpeg", ".jpe"),  # a JPEG with further pictures behind it
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "JPEG2000": (".jp2", ".j2k"),
}
"""Format -> its endings, the usual one first."""


def file_of(content: Content, name: str) -> tuple[bytes, str]:
    """(bytes, ending) of a picture; one that is only pixels becomes a PNG.

    Args:
        content: as its source keeps it.
        name: of the picture, whose ending is kept if it is right.

    Raises:
        DataError: if it cannot be read, or is no picture by its first bytes.
    """
    if isinstance(content, Image.Image):
        buffer = io.BytesIO()
        content.save(buffer, "PNG")
        return buffer.getvalue(), ".png"
    where = printable(content if isinstance(content, Path) else name)
    data = read_content(content, where)
    picture_size(data, where)
    with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as picture:
        allowed = _SUFFIXES.get(str(picture.format), (f".{str(picture.format).lower()}",))
    suffix = os.path.splitext(name)[1].lower()
    return data, suffix if suffix in allowed else allowed[0]


def read_content(content: Path | bytes, where: str) -> bytes:
    """The bytes of a picture's file.

    Raises:
        DataError: if it cannot be read, or is larger than a picture may be.
    """
    if isinstance(content, bytes):
        return content
    try:
        size = content.stat().st_size
        if size > MAX_BYTES:
            raise DataError(f"{where}: has {size:,} bytes; allowed are {MAX_BYTES:,}")
        return content.read_bytes()
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from None
