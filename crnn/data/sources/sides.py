"""Training, validation and test lines below one folder, under the names that people give them."""

from __future__ import annotations

import re
from pathlib import Path

from crnn.data.sources.arrow_files import SUFFIXES
from crnn.data.sources.walks import walk

SIDES: dict[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "validation", "valid", "dev", "eval"),
    "test": ("test", "testing"),
}
"""Side -> names of it, the usual one first."""
_SIDE_OF = {name: side for side, names in SIDES.items() for name in names}


def side_of(file: Path, root: Path) -> str | None:
    """The side that a shard's folders below `root`, or the first word of its name, tell; None if they do not."""
    words = [*file.relative_to(root).parent.parts, re.split(r"[-_.]", file.name)[0]]
    return next((_SIDE_OF[word.lower()] for word in words if word.lower() in _SIDE_OF), None)


def side_of_tables(path: Path) -> tuple[Path, str] | None:
    """(folder, side) where `path` is ``FOLDER/train``, which does not exist, but FOLDER has Parquet or Arrow files of
    that side, as data sets on the Hugging Face Hub have: ``data/train-00000-of-00001.parquet``. Else None."""
    side = _SIDE_OF.get(path.name.lower())
    if side is None or path.exists() or not path.parent.is_dir():
        return None
    for folder, names in walk(path.parent):
        for name in names:
            if name.lower().endswith(SUFFIXES) and side_of(folder / name, path.parent) == side:
                return path.parent, side
    return None


def find_side(folder: Path, side: str) -> Path | None:
    """The path of training (``train``), validation (``val``) or test lines (``test``) in `folder`; None if there is
    none."""
    for name in SIDES[side]:
        if (folder / name).is_dir():
            return folder / name
    return folder / side if side_of_tables(folder / side) else None


def sides_in(folder: Path) -> list[Path]:
    """The paths of all sides in `folder`, test lines first, as one would judge by them."""
    found = [find_side(folder, side) for side in ("test", "val", "train")] if folder.is_dir() else []
    return [path for path in found if path]
