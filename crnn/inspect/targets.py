"""Where a check may write, settled before an hour is spent: nothing is written over but what a check wrote earlier."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from crnn.core.image import printable
from crnn.errors import DataError


def check_file(path: Path, start: str) -> None:
    """Refuse a place for a page or a table.

    Args:
        path: of the file.
        start: what a file of this kind begins with; one that does, or that is empty, may be replaced.

    Raises:
        DataError: if `path` is anything else that exists, or its folder is missing or cannot be written to.
    """
    if path.is_dir():
        raise DataError(f"{printable(path)}: is a folder; name a file")
    if path.exists() and not (path.is_file() and _starts_with(path, start.encode())):
        raise DataError(f"{printable(path)}: is there already, and not from an earlier check; name a new file")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise DataError(f"{printable(path)}: cannot be written; name a file in a folder that is there")


def _starts_with(path: Path, start: bytes) -> bool:
    """Whether a file does, or is empty; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(start)) in (start, b"")
    except OSError:
        return False


def check_copy(folder: Path, data: Sequence[str]) -> None:
    """Refuse a place for a copy.

    Raises:
        DataError: if `folder` holds something, lies in the data that are copied, or cannot be made.
    """
    if os.path.lexists(folder) and (not folder.is_dir() or folder.is_symlink() or any(folder.iterdir())):
        raise DataError(f"{printable(folder)}: is there already and not empty; --fix writes to a new folder")
    for path in data:
        if Path(path).resolve() in (folder.resolve(), *folder.resolve().parents):
            raise DataError(f"{printable(folder)}: lies in {printable(path)}, which is copied; name a folder elsewhere")
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir():
        raise DataError(f"{printable(folder)}: cannot be written, {printable(above)} is no folder; name another folder")
    if not os.access(above, os.W_OK):
        why = f"you may not write to {printable(above)}"
        raise DataError(f"{printable(folder)}: cannot be written, {why}; name another folder")
