"""A mended copy of lines: labels repaired where that is safe, unusable lines left out, pictures as they are."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from crnn.core.charset import Charset
from crnn.core.prepared import cropped
from crnn.core.transform import LineTransform
from crnn.data.check import line_problem
from crnn.data.convert.names import safe_stem
from crnn.data.convert.pictures import file_of
from crnn.data.labels import LONE_SURROGATE
from crnn.data.progress import Watch, unwatched
from crnn.data.sources import open_source
from crnn.data.sources.base import Content, LineEntry, LineSource
from crnn.errors import DataError, printable
from crnn.inspect.results import Inspection


class Fixed(NamedTuple):
    """What a copy holds."""

    folder: Path
    lines: int
    changed: int
    dropped: int


def write_fixed(
    folder: Path, sides: Mapping[str, Sequence[LineSource]], inspection: Inspection, watch: Watch = unwatched
) -> list[Fixed]:
    """Write ``labels.tsv``, ``images/``, ``changes.tsv`` and ``dropped.tsv``, whole or not at all, and read them back.

    Args:
        folder: new, or empty; where there are two sides, each has a folder of its name in it.
        sides: ``train`` or ``val`` -> its sources, one after the other; sides without sources are none.
        inspection: their outcome.
        watch: shows progress.

    Returns:
        What was written of each side.

    Raises:
        DataError: if it cannot be written, no line of a side is left, or what was written does not read as it should.
    """
    roles = [role for role, sources in sides.items() if sources]
    parent = folder.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=parent))
        try:
            done = []
            for role in roles:
                inner = "" if len(roles) == 1 else role
                (temporary / inner).mkdir(exist_ok=True)
                fixed = _Copy(temporary / inner, role, inspection).write(sides[role], watch)
                done.append(fixed._replace(folder=folder / inner))
            if folder.is_dir():
                folder.rmdir()
            temporary.chmod(0o755)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{printable(folder)}: cannot be written ({error.strerror}); name another folder") from None
    return done


class _Copy:
    """The files of a copy while it is written."""

    def __init__(self, folder: Path, role: str, inspection: Inspection) -> None:
        assert inspection.text_faults is not None  # noqa: S101  # for mypy
        self.folder = folder
        self.inspection = inspection
        self.settings = inspection.settings
        self.role = role
        self.repair = inspection.text_faults.repair
        self._trims: LineTransform | None = None
        self.lines = self.changed = self.dropped = 0

    def write(self, sources: Sequence[LineSource], watch: Watch) -> Fixed:
        (self.folder / "images").mkdir()
        with (
            (self.folder / "labels.tsv").open("w", encoding="utf-8", newline="\n") as labels,
            (self.folder / "changes.tsv").open("w", encoding="utf-8", newline="") as changes,
            (self.folder / "dropped.tsv").open("w", encoding="utf-8", newline="") as dropped,
        ):
            self._changes = csv.writer(changes, delimiter="\t", lineterminator="\n")
            self._changes.writerow(("picture", "where", "change", "before", "after"))
            self._dropped = csv.writer(dropped, delimiter="\t", lineterminator="\n")
            self._dropped.writerow(("where", "picture", "reason", "detail"))
            for number, source in enumerate(sources):
                self._trims = self.inspection.trims(self.role, number)
                for position in watch(range(len(source)), len(source), "writing"):
                    labels.write(self._line(source, position))
        self._read_back()
        return Fixed(self.folder, self.lines, self.changed, self.dropped)

    def _line(self, source: LineSource, position: int) -> str:
        """The row of a line, its picture written; empty for one that is left out."""
        entry = source.entry(position)
        text, mended = self.repair(entry.text)
        problem = self._problem(source, position, entry._replace(text=text))
        if problem is None:
            try:
                name = self._write_picture(source.content(position), entry.picture, bool(entry.group))
            except DataError as error:
                problem = ("picture cannot be copied", str(error))
        if problem is not None:
            self.dropped += 1
            self._dropped.writerow([printable(cell, 2000) for cell in (entry.where, entry.picture, *problem)])
            return ""
        self.lines += 1
        if mended:
            self.changed += 1
            cells = (name, entry.where, ", ".join(mended), ascii(entry.text), ascii(text))
            self._changes.writerow([printable(cell, 4000) for cell in cells])
        return f"{name}\t{text}\n"

    def _problem(self, source: LineSource, position: int, entry: LineEntry) -> tuple[str, str] | None:
        try:
            entry.text.encode("utf-8")
        except UnicodeEncodeError:
            return LONE_SURROGATE, f"{entry.text!a} cannot be written as UTF-8"
        size, unreadable = (0, 0), None
        charset = None
        if self.role == "train" and entry.text.strip():  # repairs can bring characters that no label held
            charset = self.settings.charset or Charset.from_texts([entry.text])
        if not entry.problem:
            try:
                picture = source.picture(position)
                size = (cropped(picture, self._trims) if self._trims else picture).size
            except DataError as error:
                unreadable = str(error)
        return line_problem(entry, unreadable, size, self.settings.transform, charset, self.settings.max_width)

    def _write_picture(self, content: Content, name: str, of_page: bool) -> str:
        """Copy a picture, byte for byte where it is a file, into a folder of its page if it has one; its name."""
        data, suffix = file_of(content, name)
        page, _, last = safe_stem(name).rpartition("/")
        within = f"images/{page}" if of_page and page else "images"
        target = f"{within}/{self.lines + 1:07d}_{last}{suffix}"
        (self.folder / within).mkdir(parents=True, exist_ok=True)
        (self.folder / target).write_bytes(data)
        return target

    def _read_back(self) -> None:
        """Open the copy as training would, and see every line."""
        if not self.lines:
            raise DataError(f"none of {self.dropped:,} lines of {self.role} can be used; there is nothing to write")
        copy = open_source(self.folder / "labels.tsv")
        readable = sum(1 for i in range(len(copy)) if min(copy.size(i)) > 0 and not copy.entry(i).problem)
        if readable != self.lines:
            raise DataError(
                f"of {self.lines:,} lines written for {self.role} {readable:,} can be read back; is the disk full?"
            )
