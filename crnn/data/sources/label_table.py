"""A folder with ``labels.tsv``: ``path<TAB>text`` per line, UTF-8, no header, no quoting.

Pictures lie at their path, relative to the table, or in an ``images.zip`` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crnn.data.sources.base import ReadOptions, Row
from crnn.data.sources.folder_reader import FolderReader
from crnn.data.sources.label_files import has_header, read_lines
from crnn.data.sources.place import Place
from crnn.errors import printable


class LabelTableReader(FolderReader):
    """Lines of one label table. A row that is not a path, a tab and a text is an unusable line.

    Args:
        path: the folder or archive, or the table itself.
    """

    description = "a folder with labels.tsv: path<TAB>text per line"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        is_table = path.suffix.lower() == ".tsv" and not path.is_dir()
        super().__init__(path.parent if is_table else path, options)
        self.path = path
        self.table = path.name if is_table else "labels.tsv"

    @staticmethod
    def matches(place: Place) -> bool:
        """Whether there is a ``labels.tsv``, or it is a table itself; one with a header is read by others."""
        if place.tree:
            return place.has("labels.tsv") is not None
        return place.suffix == ".tsv" and (place.path.name == "labels.tsv" or not has_header(place.head, place.options))

    def rows(self) -> Iterator[Row]:
        table = printable(self.tree.root / self.table)
        for number, line in enumerate(read_lines(self.tree, self.table), start=1):
            row = line.removesuffix("\n").removesuffix("\r")
            if not row:
                continue
            picture, tab, text = row.partition("\t")
            yield Row(text if tab else row, f"{table}:{number}", picture if tab else "", _problem(row))


def _problem(row: str) -> str:
    """Why a row is no path and text; empty if it is."""
    picture, tab, text = row.partition("\t")
    found = f"a row is path<TAB>text, found '{printable(row, 60)}'"
    if not tab or not picture:
        return f"has no picture name; {found}"
    if "\t" in text.rstrip("\t"):
        return f"has {row.count(chr(9)) + 1} columns; {found}; leave the others out, or give them names in a first row"
    if len(picture) > 2 and picture[0] == picture[-1] == '"':
        return f"has a name in quotes; {found}, without quotes around either"
    return ""
