"""Where a page is written: looked at before, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from crnn.core.image import printable
from crnn.errors import DataError
from crnn.files import write_text


def check_target(path: Path) -> None:
    """Refuse a page that cannot be written, before an hour is spent on it.

    Raises:
        DataError: if there is no such folder, it may not be written, or `path` is there and is no file.
    """
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise DataError(f"{printable(path)}: cannot be written; name a file in a folder that is there")
    if not os.access(path.parent, os.W_OK):
        raise DataError(f"{printable(path)}: cannot be written; you may not write in this folder, name another")


def save(path: Path, page: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        DataError: if it cannot be written.
    """
    try:
        write_text(path, page)
    except OSError as error:
        raise DataError(
            f"{printable(path)}: cannot be written ({error.strerror}); name a file in a folder that is there"
        ) from None
