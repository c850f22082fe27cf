"""Tables of labels with a picture's name and a text in each row.

What peers write: EasyOCR ``labels.csv`` with the header ``filename,words``, of which its trainer divides each row at
the first comma, so that texts have commas without quotes; PaddleOCR ``path<TAB>text`` in files of any name, or a JSON
list of pictures for one text; Hugging Face's image folder ``metadata.csv`` with ``file_name`` and other columns; the
deep-text-recognition-benchmark ``gt.txt`` with ``path<TAB>text``, elsewhere with a space; MMOCR 0.x ``path text``;
ICDAR ``word_1.png, "text"``; pandas and spreadsheets any delimiter, with CSV's quotes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from crnn.data.sources.base import Row
from crnn.data.sources.label_files import LabelFileReader, read_lines
from crnn.data.sources.table_columns import Columns, find_columns, is_picture_name, known_columns
from crnn.data.sources.table_layout import ICDAR, Layout, find_layout, several_pictures
from crnn.errors import DataError, printable

_MOST_LINES = 100
"""Lines that one quoted cell may go over; more, and a quote was forgotten."""


class _Record(NamedTuple):
    line: int
    """At which it begins."""
    cells: list[str]
    raw: str
    problem: str = ""


class LabelCsvReader(LabelFileReader):
    """Lines of one table: CSV or TSV with a header, or two columns without.

    With a header, and with commas or semicolons, CSV's quoting applies; with tabs and no header, nothing is quoted. A
    row of too few or too many columns is an unusable line; a quote that is never closed makes the table unreadable.
    """

    kind = "table"
    description = "a table: CSV or TSV with columns such as filename and text, or path<TAB>text"

    def rows(self) -> Iterator[Row]:
        layout = find_layout(self.head(), self.options)
        if layout is None:
            next(read_lines(self.tree, self.file), None)  # which says why, if it cannot be read at all
            raise DataError(
                f"{self.where}: is not a table of pictures and texts; allowed are a header such as filename,text, and "
                "rows of path<TAB>text or path,text"
            )
        named = any(known_columns(layout.header)) or self.options.image_column or self.options.text_column
        if layout.problem and not (layout.style == "header" and named):
            raise DataError(f"{self.where}: {layout.problem}")
        if layout.style == "header":
            yield from self._header_rows(layout)
        elif layout.style == "csv":
            yield from self._records_as_rows(layout, Columns(0, 1), 2)
        else:
            yield from self._plain_rows(layout)

    def _plain_rows(self, layout: Layout) -> Iterator[Row]:
        names = self.picture_names()
        for number, line in enumerate(read_lines(self.tree, self.file), start=1):
            row = line.removesuffix("\n").removesuffix("\r")
            if not row:
                continue
            where = f"{self.where}:{number}"
            problem = ""
            if layout.style == "icdar":
                match = ICDAR.fullmatch(row)
                picture, text = (match["picture"], re.sub(r"\\(.)", r"\1", match["text"])) if match else ("", row)
                wanted = 'picture, "text"'
            else:
                picture, found, text = row.partition(layout.delimiter)
                picture, text = (picture, text) if found else ("", row)
                wanted = "path<TAB>text" if layout.style == "tab" else "path text"
                if layout.style == "tab" and "\t" in text:
                    problem = f"has {row.count(layout.delimiter) + 1} columns; a row is {wanted}"
            if not picture:
                problem = f"has no picture name; a row is {wanted}, found {printable(row, 60)!r}"
            for name in several_pictures(picture) or [picture]:
                found_name, lost = names.find(name)
                lost = lost or (self._header_hint(found_name, [picture, text]) if number == 1 else "")
                yield Row(text, where, found_name, problem or lost)

    def _header_rows(self, layout: Layout) -> Iterator[Row]:
        columns = find_columns(layout.header, self.options, f"{self.where}:1")
        yield from self._records_as_rows(layout, columns, len(layout.header))

    def _records_as_rows(self, layout: Layout, columns: Columns, width: int) -> Iterator[Row]:
        names = self.picture_names()
        header = layout.style == "header"
        for record in self._records(layout.delimiter):
            where = f"{self.where}:{record.line}"
            if header:
                header = False
                continue
            problem = record.problem
            cells = record.cells
            if not problem and len(cells) > width == 2 and columns == (0, 1):
                cells = _divided_once(record, layout.delimiter) or cells
            if not problem and len(cells) != width:
                problem = f"has {len(cells)} columns, not {width}; put texts with {layout.delimiter!r} in quotes"
            if problem:
                yield Row("", where, "", f"{problem}; found {printable(record.raw.rstrip(), 60)!r}")
                continue
            picture, lost = names.find(cells[columns.picture])
            if record.line == 1 and layout.style != "header":
                lost = lost or self._header_hint(picture, cells)
            yield Row(cells[columns.text], where, picture, lost)

    def _header_hint(self, picture: str, cells: list[str]) -> str:
        """What is wrong with a first row that names no picture, but perhaps the columns; or nothing."""
        if is_picture_name(picture) or self.tree.has(picture):
            return ""
        image, text = (printable(cell.strip()) for cell in cells)
        return (
            f"names no picture; if this row names the columns, set data.image_column={image} and "
            f"data.text_column={text} (crnn check: --image-column, --text-column); else remove it"
        )

    def _records(self, delimiter: str) -> Iterator[_Record]:
        """Rows by CSV's rules; a quoted cell may go over several lines. Empty lines are none.

        Raises:
            DataError: if a quote is never closed, or closed where other rows have been swallowed.
        """
        lines: list[str] = []

        def feed() -> Iterator[str]:
            for line in read_lines(self.tree, self.file):
                lines.append(line)
                if len(lines) > _MOST_LINES:
                    raise DataError(self._unclosed(start, len(lines)))
                yield line

        reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        start = 1
        while True:
            try:
                cells, problem = next(reader), ""
            except StopIteration:
                return
            except csv.Error as error:
                if len(lines) > 1 or "unexpected end" in str(error):
                    raise DataError(self._unclosed(start, len(lines))) from None
                cells, problem = [], f"breaks the rules of CSV ({printable(error)}); write a quote in a text as two"
            if any(_begins_a_row(line, delimiter) for line in lines[1:]):
                raise DataError(self._unclosed(start, len(lines)))
            if cells or problem:
                yield _Record(start, cells, "".join(lines), problem)
            start += len(lines)
            lines.clear()

    def _unclosed(self, line: int, count: int) -> str:
        return (
            f"{self.where}:{line}: opens a quote that is not closed within its row (looked at {count} lines); "
            "close it, and write a quote in a text as two"
        )


def _begins_a_row(line: str, delimiter: str) -> bool:
    picture, found, _ = line.partition(delimiter)
    return bool(found) and is_picture_name(picture.strip('"'))


def _divided_once(record: _Record, delimiter: str) -> list[str]:
    """Picture and text of a row whose text has delimiters without quotes; empty if quotes say otherwise."""
    picture, _, text = record.raw.removesuffix("\n").removesuffix("\r").partition(delimiter)
    return [] if text.startswith('"') or picture != record.cells[0] else [picture, text]
