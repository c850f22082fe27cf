"""Training, validation and test lines below one folder, under the names that people give them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.sources.arrow_files import SUFFIXES
from crnn.data.sources.file_names import has_only_pictures
from crnn.data.sources.label_files import WELL_KNOWN, is_label_file
from crnn.data.sources.place import Place
from crnn.data.sources.walks import walk

SIDES: dict[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "validation", "valid", "dev", "eval"),
    "test": ("test", "testing"),
}
"""Side -> names of it, the usual one first."""
MOST_NAMED = 20
"""Files of a folder that may be the label file of a side; more are something else, and none is opened."""
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
    none. A single folder around everything, as most unpacked archives have, is stepped into. A label file of the side,
    such as ``rec_gt_train.txt``, may have its pictures in a folder of the side (PaddleOCR)."""
    folders, files = _within(folder)
    table = _table_of(side, files)
    for name in SIDES[side]:
        same = [found for found in folders if found.name.lower() == name]
        if same:
            found = min(same, key=lambda found: found.name != name)
            return table if table and has_only_pictures(Place(found)) else found
    if table:
        return table
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


def _within(folder: Path) -> tuple[list[Path], list[Path]]:
    """(folders, files) directly in it, sorted; none where it cannot be read, which is said when it is opened."""
    try:
        with os.scandir(folder) as entries:
            named = sorted((entry.name, entry.is_dir()) for entry in entries if not _is_note(entry.name))
    except OSError:
        return [], []
    paths = [(folder / name, is_folder) for name, is_folder in named]
    return [path for path, is_folder in paths if is_folder], [path for path, is_folder in paths if not is_folder]


def _table_of(side: str, files: list[Path]) -> Path | None:
    """The one label file among them whose name has the side as a word; None where others are of everything."""
    if any(file.name.lower() in WELL_KNOWN for file in files):
        return None
    others = [
        file for file in files if file.suffix.lower() not in PICTURE_SUFFIXES and not file.name.endswith(".gt.txt")
    ]
    named = [file for file in others if _sides_named(file.stem) == {side}]
    if len(named) > MOST_NAMED:  # pictures and their texts
        return None
    found = [file for file in named if is_label_file(file)]
    return found[0] if len(found) == 1 else None


def _sides_named(name: str) -> set[str]:
    return {_SIDE_OF[word] for word in re.split(r"[-_. ]", name.lower()) if word in _SIDE_OF}


def _is_all(folder: Path) -> bool:
    """Whether nothing lies beside it but hidden files."""
    try:
        return all(_is_note(name) or name == folder.name for name in os.listdir(folder.parent))
    except OSError:
        return False


def _is_note(name: str) -> bool:
    """Whether a file or folder is hidden, or a Mac's notes."""
    return name.startswith(".") or name == "__MACOSX"
