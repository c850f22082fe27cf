"""What lies below a folder, without and with what links to folders lead to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from crnn.errors import DataError, printable

MOST_LINKED = 1_000_000
"""Files behind links to folders that are looked at, so that a link to a whole disk costs no more than minutes."""


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """(folder, file names) of a folder and those below, sorted; links to folders are not followed, so that a circle
    cannot trap it.

    Raises:
        DataError: for a folder that cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise DataError(f"{printable(error.filename)}: folder cannot be read ({error.strerror})")

    for here, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        yield Path(here), sorted(names)


def files_and_links(folder: Path) -> Iterator[Path]:
    """A folder, those below, and their files, also behind links to folders that do not lead back above it.

    Raises:
        DataError: for a folder that cannot be read.
    """
    root = os.path.realpath(folder)
    seen, waiting, left = {root}, [folder], MOST_LINKED
    while waiting:
        start = waiting.pop(0)
        for here, names in walk(start):
            yield here
            yield from (here / name for name in names)
            left -= len(names) if start != folder else 0
            if left < 0:
                return
            with os.scandir(here) as entries:
                linked = sorted(entry.path for entry in entries if entry.is_symlink() and os.path.isdir(entry.path))
            for path in linked:
                real = os.path.realpath(path)
                above = root.startswith(os.path.join(real, ""))
                if not above and not any(real == one or real.startswith(os.path.join(one, "")) for one in seen):
                    seen.add(real)
                    waiting.append(Path(path))
