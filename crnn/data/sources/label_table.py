"""A folder with ``labels.tsv``: ``path<TAB>text`` per line, UTF-8, no header, no quoting.

Pictures lie at their path, relative to the table, or in an ``images.zip`` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crnn.core.image import printable
from crnn.data.sources.base import ReadOptions, Row
from crnn.data.sources.folder_reader import FolderReader
from crnn.data.sources.place import Place


class LabelTableReader(FolderReader):
    """Lines of one label table. A row without a tab is an unusable line.

    Args:
        path: the folder or archive, or the table itself.
    """

    description = "a folder with labels.tsv: path<TAB>text per line"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        is_table = path.suffix.lower() == ".tsv"
        super().__init__(path.parent if is_table else path, options)
        self.path = path
        self.table = path.name if is_table else "labels.tsv"

    @staticmethod
    def matches(place: Place) -> bool:
        return place.has("labels.tsv") is not None if place.tree else place.suffix == ".tsv"

    def rows(self) -> Iterator[Row]:
        table = printable(self.tree.root / self.table)
        for number, row in enumerate(self.tree.text(self.table).split("\n"), start=1):
            row = row.removesuffix("\r")
            if not row:
                continue
            picture, tab, text = row.partition("\t")
            problem = (
                "" if tab and picture else f"has no picture name; a row is path<TAB>text, found {printable(row, 60)!r}"
            )
            yield Row(text if tab else row, f"{table}:{number}", picture if tab else "", problem)
