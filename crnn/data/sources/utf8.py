"""Label files are UTF-8 and not too large; of others it is said what to do with them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from crnn.errors import DataError

MAX_LABEL_BYTES = 64 * 2**20
"""Largest label file that is read."""


def check_size(size: int, where: str) -> None:
    """Refuse a label file that is too large.

    Args:
        size: bytes.
        where: its name, for messages.

    Raises:
        DataError: if it is.
    """
    if size > MAX_LABEL_BYTES:
        raise DataError(
            f"{where}: has {size / 2**20:.0f} MiB; labels of at most 64 MiB are read: divide it into several files and "
            "give each by its path, or keep the lines as Parquet or LMDB"
        )


def read_text(path: Path) -> str:
    """A UTF-8 text file, with or without a byte order mark.

    Raises:
        DataError: if it cannot be read, is too large, or is not UTF-8 (naming the line).
    """
    try:
        check_size(path.stat().st_size, str(path))
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    return decode_text(raw, str(path))


def decode_text(raw: bytes, where: str, line: int = 1) -> str:
    """UTF-8 with or without a byte order mark.

    Args:
        raw: a file, or a part of it that begins with a line.
        where: its name, for messages.
        line: number of its first line.

    Raises:
        DataError: naming the line that is not UTF-8, and how to convert the file.
    """
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        if line == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(utf16_refusal(where)) from None
        line += raw.count(b"\n", 0, error.start)
        raise DataError(
            f"{where}:{line}: is not UTF-8 (byte 0x{raw[error.start]:02X}); convert it from the encoding that "
            f"it has (windows-1252, gbk, shift_jis ...): iconv -f windows-1252 -t utf-8 {PurePosixPath(where).name} > "
            "utf8.txt, and look at the letters"
        ) from None


def utf16_refusal(where: str) -> str:
    """What to do with a UTF-16 file."""
    return (
        f"{where}: is UTF-16; convert it, for example: iconv -f utf-16 -t utf-8 {PurePosixPath(where).name} > utf8.txt"
    )
