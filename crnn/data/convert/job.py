"""What is converted: lines at some paths, and what their files look like, so that they are known again."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crnn.data.sources.base import LineSource, Reader, ReadOptions
from crnn.data.sources.indexed import Watch, make_source
from crnn.data.sources.registry import find_reader, refuse_several_sets
from crnn.data.sources.sides import side_of_tables
from crnn.data.sources.views import Selection, together
from crnn.data.split import load_side
from crnn.errors import DataError, printable
from crnn.files import sha256_of

_SIDES = {"train": "train", "val": "validation", "test": "test"}
"""Name of a recorded side -> what Hugging Face calls it."""


@dataclass
class Job:
    """Lines to convert.

    Args:
        readers: of each path.
        split: a recorded side of the lines, such as ``runs/NAME/splits/val.tsv``; None takes all.
        names: what tells this job from others, with words for messages.
    """

    readers: list[Reader]
    split: Path | None
    names: dict[str, str]

    @property
    def side(self) -> str:
        """``train``, ``validation`` or ``test``."""
        return _SIDES.get(self.split.stem, "train") if self.split else "train"

    def open(self, cache: Path | None, watch: Watch = iter) -> LineSource:
        """The lines.

        Args:
            cache: folder for their indexes.
            watch: wraps the rows while they are listed.

        Raises:
            DataError: if they cannot be read, or the split is none of theirs.
        """
        whole = together([make_source(reader, cache, watch) for reader in self.readers])
        if self.split is None:
            return whole
        positions = load_side(self.split, whole)
        if not len(positions):
            raise DataError(f"{printable(self.split)}: names no lines")
        return Selection(whole, positions)


def make_job(paths: Sequence[str], target: Path, options: ReadOptions, split: Path | None = None) -> Job:
    """Look at the sources, without reading them.

    Args:
        paths: files and folders of lines.
        target: what will be written, which must not lie in any of them.
        options: for files whose looks do not tell.
        split: see `Job`.

    Raises:
        DataError: if a path holds no lines, several sets without a split, or `target`; or the split cannot be read.
    """
    here = target.resolve()
    for path in map(Path, paths):
        side = side_of_tables(path)  # FOLDER/train, which may stand for files all over FOLDER
        read = side[0] if side else path
        if read.exists() and read.resolve() in (here, *here.parents):
            raise DataError(f"{printable(target)}: lies in {printable(read)}, which is read; name a place elsewhere")
        if split is None:
            refuse_several_sets(path, options)
    readers = [find_reader(path, options)[1] for path in paths]
    names = {
        "source files": _files(readers, os.path.abspath(target)),
        "reading options": repr(options),
        "--split": "",
    }
    if split is not None:
        try:
            names["--split"] = sha256_of(split)
        except OSError as error:
            raise DataError(f"{printable(split)}: cannot be read ({error.strerror})") from None
    return Job(readers, split, names)


def _files(readers: Sequence[Reader], target: str) -> str:
    """SHA-256 over name, size and time of change of all files that are read.

    A label file may lie beside the target, so that its folder changes while we write: folders do not count, nor does
    what we write.
    """
    ours = (target, f"{target}.part", f"{target}.skipped.tsv")
    digest = hashlib.sha256()
    for reader in readers:
        digest.update(f"{type(reader).__name__}\n".encode())
        for part in reader.parts():
            name = os.path.abspath(part)
            if name in ours or name.startswith((ours[0] + os.sep, ours[1] + os.sep)):
                continue
            try:
                status = os.stat(name)
            except OSError as error:  # a link to nowhere does no harm unless a line needs it
                digest.update(f"{name}\0{error.errno}\n".encode("utf-8", "surrogatepass"))
                continue
            if not stat.S_ISDIR(status.st_mode):
                stamp = f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n"
                digest.update(stamp.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
