"""Parquet and Arrow files as Hugging Face data sets keep them, and kraken's compiled data sets."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

from crnn.core.picture import MAX_BYTES
from crnn.data.sources.arrow_columns import Layout, find_layout
from crnn.data.sources.arrow_files import SUFFIXES, Blocks, Steps, TableFile, is_table, open_table, reading
from crnn.data.sources.base import Content, Reader, ReadOptions, Row
from crnn.data.sources.extra import label_text, need
from crnn.data.sources.place import Place
from crnn.data.sources.sides import side_of, side_of_tables
from crnn.data.sources.trees import inside
from crnn.data.sources.utf8 import read_text
from crnn.data.sources.walks import files_and_links, walk
from crnn.errors import DataError, printable
from crnn.files import natural

_SHARD = re.compile(r"(.*)-([0-9]{5,})-of-([0-9]{5,})\.\w+")
_KEY = re.compile(r"(?:(.*):)?([0-9]{1,10}):([0-9]{1,18})", re.DOTALL)


class ArrowReader(Reader):
    """Lines of one file, or of all Parquet and Arrow files of a folder.

    A picture's key is ``file:group:row``, counted from 0 (a group is a row group or record batch), without the file
    where there is but one; where a column only names pictures, it is that name, relative to the file's folder.

    Args:
        path: file or folder, or ``FOLDER/train`` for the files of that side in FOLDER.
        options: `text_column` and `image_column`.
        labelled: False for the pictures alone: no column of text is looked for, and texts are empty.
    """

    description = "Parquet or Arrow: a column of pictures and one of text; Hugging Face data sets, ketos compile"

    def __init__(self, path: Path, options: ReadOptions, labelled: bool = True) -> None:
        super().__init__(path, options)
        self._labelled = labelled
        self._root, self._side = side_of_tables(path) or (path, "")
        self._blocks = Blocks()
        self._layouts: dict[Path, Layout] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "options": self.options, "labelled": self._labelled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @staticmethod
    def matches(place: Place) -> bool:
        if not place.is_folder:
            return is_table(place.head, place.path.name)
        return any(name.lower().endswith(SUFFIXES) and is_table(_head(place.path / name), name) for name in place.names)

    def parts(self) -> Iterator[Path]:
        yield from self._tables()
        if self._root.is_dir():  # pictures that rows name
            yield from files_and_links(self._root)
        elif not self._layout(self._root).data:
            yield from files_and_links(self._root.parent)

    def _tables(self) -> Iterator[Path]:
        if not self._root.is_dir():
            yield self._root
            return
        found: list[Path] = []
        for folder, names in walk(self._root):
            if "dataset_dict.json" in names and folder == self.path:
                raise DataError(f"{folder}: holds several splits; give the folder of one, such as {folder / 'train'}")
            tables = [name for name in names if name.lower().endswith(SUFFIXES) and not name.startswith(".")]
            if "state.json" in names:  # beside the data there may be what datasets.map has left
                tables = _saved(folder / "state.json", tables)
            files = [folder / name for name in sorted(tables, key=natural)]
            found += [file for file in files if not self._side or side_of(file, self._root) == self._side]
        self._require_all(found)
        yield from found

    def _require_all(self, files: list[Path]) -> None:
        """No shard is missing, and all are of one split."""
        shards: dict[tuple[Path, str, str], set[int]] = defaultdict(set)
        sides = {side for file in files if (side := side_of(file, self._root))}
        for file in files:
            match = _SHARD.fullmatch(file.name)
            if match:
                shards[file.parent, match[1], match[3]].add(int(match[2]))
        if len(sides) > 1:
            raise DataError(
                f"{self.path}: holds {', '.join(sorted(sides))} lines; give those of one, such as "
                f"{self.path / min(sides)}; a training takes both with data.root={self.path}"
            )
        for (folder, name, count), present in shards.items():
            if len(present) < int(count):
                missing = next(i for i in range(int(count)) if i not in present)
                raise DataError(
                    f"{folder}: has {len(present)} of {int(count)} shards of {printable(name)!r}; "
                    f"number {missing:05d} is missing: copy or download it"
                )

    def rows(self) -> Iterator[Row]:
        for file in self._tables():
            name = file.relative_to(self._root).as_posix() if self._root.is_dir() else ""
            prefix = f"{name}:" if name else ""
            folder = name.rpartition("/")[0]
            with reading(file):
                table = open_table(file)
                layout = find_layout(table.schema, self.options, str(file), self._labelled)
                number = 0
                for group in range(table.groups()):
                    for place, (text, picture) in enumerate(_cells(table, group, layout)):
                        number += 1
                        where = f"{file}:row {number}"
                        if layout.data:
                            read, problem = _label(text)
                            yield Row(read, where, f"{prefix}{group}:{place}", problem)
                        else:
                            yield _with_file(text, picture, where, f"{folder}/" if folder else "")

    def content(self, key: str) -> Content:
        match = _KEY.fullmatch(key)
        if match is None:
            return self._file(key, self._root if self._root.is_dir() else self._root.parent)
        file = self._root / inside(match[1], self._root) if match[1] else self._root
        if self._blocks.pid != os.getpid():  # a forked worker has its own
            self._blocks = Blocks()
        layout = self._layout(file)
        columns = [steps for steps in (layout.data, layout.path) if steps]
        table, place = self._blocks.row(file, int(match[2]), int(match[3]), columns)
        data = _scalar(table, layout.data, place)
        if data is not None:
            found = data.as_buffer()
            if found.size > MAX_BYTES:
                raise DataError(f"{self._name(key)}: has {found.size:,} bytes; allowed are {MAX_BYTES:,}")
            return found.to_pybytes()
        path = _scalar(table, layout.path, place) if layout.path else None
        if path is None:
            raise DataError(f"{self._name(key)}: has no picture (null)")
        return self._file(path.as_py(), file.parent)

    def _layout(self, file: Path) -> Layout:
        if file not in self._layouts:
            with reading(file):
                self._layouts[file] = find_layout(open_table(file).schema, self.options, str(file), self._labelled)
        return self._layouts[file]

    def _file(self, name: str, folder: Path) -> Path:
        try:
            path = folder / inside(name, folder)
            if path.is_file():
                return path
        except (OSError, ValueError):
            pass
        raise DataError(f"{printable(folder / name)}: there is no such picture")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8)
    except OSError:
        return b""


def _saved(state: Path, tables: list[str]) -> list[str]:
    """The files that a saved data set consists of."""
    try:
        names = [entry["filename"] for entry in json.loads(read_text(state))["_data_files"]]
    except (ValueError, KeyError, TypeError):
        return tables  # some other state
    missing = [name for name in names if name not in tables]
    if missing:
        raise DataError(f"{state}: names {printable(missing[0])!r}, which is not beside it; copy or download it")
    return names


def _cells(table: TableFile, group: int, layout: Layout) -> Iterator[tuple[bytes | None, bytes | None]]:
    """(text, name of the picture) of each row; the text is empty, and the name None, where no column is for it."""
    path = () if layout.data else layout.path
    columns = [steps for steps in (layout.text, path) if steps]
    if not columns:
        yield from repeat((b"", None), table.rows(group))
        return
    for some in table.tables(group, columns):
        texts = _values(some, layout.text) if layout.text else [b""] * some.num_rows
        yield from zip(texts, _values(some, path) if path else [None] * some.num_rows, strict=True)


def _values(table: Any, steps: Steps) -> list[bytes | None]:
    """A column of strings, as bytes: they may be no UTF-8."""
    pyarrow = need("pyarrow")
    values: list[bytes | None] = []
    for chunk in table.column(steps[0]).chunks:
        for step in steps[1:]:
            chunk = chunk.flatten()[chunk.type.get_field_index(step)]
        if pyarrow.types.is_dictionary(chunk.type):
            raw = pyarrow.DictionaryArray.from_arrays(chunk.indices, _raw(chunk.dictionary), safe=False)
        else:
            raw = _raw(chunk)
        raw.validate(full=True)  # a damaged offset would be read far outside
        values += raw.to_pylist()
    return values


def _raw(strings: Any) -> Any:
    """An array of strings as one of bytes; nothing is copied, nothing looked at."""
    pyarrow = need("pyarrow")
    if str(strings.type) == "string_view":
        return strings.view(pyarrow.binary_view())
    return strings.view(pyarrow.large_binary() if pyarrow.types.is_large_string(strings.type) else pyarrow.binary())


def _label(value: bytes | None) -> tuple[str, str]:
    return label_text(value) if value is not None else ("", "has no text (null)")


def _with_file(text: bytes | None, picture: bytes | None, where: str, folder: str) -> Row:
    read, problem = _label(text)
    name, wrong = label_text(picture or b"")
    if not name:
        return Row(read, where, "", problem or "has no picture name")
    return Row(read, where, folder + name, problem or (f"picture name {wrong}" if wrong else ""))


def _scalar(table: Any, steps: Steps, place: int) -> Any:
    """The value of a row; None for null."""
    value = table.column(steps[0])[place]
    for step in steps[1:]:
        value = value[step]
    return value if value.is_valid else None
