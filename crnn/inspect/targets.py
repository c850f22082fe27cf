"""Where a check may write a copy of the lines, settled before an hour is spent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from crnn.errors import DataError, printable


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
