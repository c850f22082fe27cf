"""A folder with ``labels.tsv``: ``path<TAB>text`` per line, UTF-8, no header, no quoting.

Pictures lie at their path, relative to the table, or in an ``images.zip`` beside it.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from crnn.core.image import printable
from crnn.data.sources.base import LineEntry
from crnn.data.sources.files import PictureStore, read_text
from crnn.errors import DataError


class LabelTableSource:
    """Lines of one label table.

    Args:
        path: the folder, or the table itself.

    Raises:
        DataError: for a table that cannot be read or has no rows. A row without a tab is an unusable line.
    """

    description = "a folder with labels.tsv: path<TAB>text per line"
    endless = False

    def __init__(self, path: Path) -> None:
        table = path / "labels.tsv" if path.is_dir() else path
        self.name = str(path)
        self._file = str(table)
        self._store = PictureStore(table.parent)
        self._rows: list[tuple[str, str, int]] = []  # picture, text, line number
        for number, row in enumerate(read_text(table).split("\n"), start=1):
            row = row.removesuffix("\r")
            if not row:
                continue
            picture, tab, text = row.partition("\t")
            self._rows.append((picture if tab else "", text if tab else row, number))
        if not self._rows:
            raise DataError(f"{table}: has no lines; each line must be path<TAB>text")

    @staticmethod
    def matches(path: Path) -> bool:
        return (path / "labels.tsv").is_file() or (path.suffix == ".tsv" and path.is_file())

    def __len__(self) -> int:
        return len(self._rows)

    def entry(self, position: int) -> LineEntry:
        picture, text, number = self._rows[position]
        problem = "" if picture else f"has no picture name; a row is path<TAB>text, found {printable(text, 60)!r}"
        return LineEntry(text, f"{self._file}:{number}", picture, problem)

    def size(self, position: int) -> tuple[int, int]:
        return self._store.size(self._rows[position][0])

    def picture(self, position: int) -> Image.Image:
        return self._store.picture(self._rows[position][0])
