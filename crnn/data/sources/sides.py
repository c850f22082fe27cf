"""Training, validation and test lines below one folder, under the names that people give them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
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
    none. A single folder around everything, as most unpacked archives have, is stepped into."""
    folders = _folders_in(folder)
    for name in SIDES[side]:
        same = [found for found in folders if found.name.lower() == name]
        if same:
            return min(same, key=lambda found: found.name != name)
    if side_of_tables(folder / side):
        return folder / side
    if len(folders) == 1 and folders[0].name.lower() not in _SIDE_OF and _is_all(folders[0]):
        return find_side(folders[0], side)
    return None


def sides_in(folder: Path) -> list[Path]:
    """The paths of all sides in `folder`, test lines first, as one would judge by them."""
    found = [find_side(folder, side) for side in ("test", "val", "train")] if folder.is_dir() else []
    return [path for path in found if path]


def sides_among(names: Iterable[str]) -> list[str]:
    """The folders of sides, as `sides_in`, in an archive with files of these names."""
    parts_of = (name.split("/") for name in names)
    folders = {tuple(parts[:-1][:2]) for parts in parts_of if not any(map(_is_note, parts))}
    around = {parts[:1] for parts in folders}
    start = 1 if len(around) == 1 and () not in around and not _side_in(next(iter(folders)), 0) else 0
    found = {side: "/".join(parts[: start + 1]) for parts in sorted(folders) if (side := _side_in(parts, start))}
    return [found[side] for side in ("test", "val", "train") if side in found]


def _side_in(folders: tuple[str, ...], place: int) -> str | None:
    return _SIDE_OF.get(folders[place].lower()) if len(folders) > place else None


def _folders_in(folder: Path) -> list[Path]:
    """Those directly in it, sorted; none where it cannot be read, which is said when it is opened."""
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if entry.is_dir() and not _is_note(entry.name))
    except OSError:
        return []


def _is_all(folder: Path) -> bool:
    """Whether nothing lies beside it but hidden files."""
    try:
        return all(_is_note(name) or name == folder.name for name in os.listdir(folder.parent))
    except OSError:
        return False


def _is_note(name: str) -> bool:
    """Whether a file or folder is hidden, or a Mac's notes."""
    return name.startswith(".") or name == "__MACOSX"
