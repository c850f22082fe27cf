"""Where a page is written: looked at before, so that nothing of others is written over; then whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from crnn.errors import DataError, printable, unwritten
from crnn.files import write_text


def check_target(path: Path, start: str) -> None:
    """Refuse a place for a page or a table, before an hour is spent on it.

    Args:
        path: of the file.
        start: what a file of this kind begins with; one that does, or that is empty, may be replaced.

    Raises:
        DataError: if `path` is anything else that exists, there is no such folder, or it may not be written.
    """
    if path.is_dir():
        raise DataError(f"{printable(path)}: is a folder; name a file")
    if not path.parent.is_dir():
        raise DataError(f"{printable(path)}: cannot be written; name a file in a folder that is there")
    if path.exists() and not (path.is_file() and _starts_with(path, start.encode())):
        raise DataError(
            f"{printable(path)}: is there already, and is nothing that this command wrote earlier; name a new file"
        )
    if not os.access(path.parent, os.W_OK):
        raise DataError(f"{printable(path)}: cannot be written; you may not write in this folder, name another")


def _starts_with(path: Path, start: bytes) -> bool:
    """Whether a file does, or is empty; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(start)) in (start, b"")
    except OSError:
        return False


def save(path: Path, page: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        DataError: if it cannot be written.
    """
    try:
        write_text(path, page)
    except OSError as error:
        raise DataError(unwritten(path, error)) from None
