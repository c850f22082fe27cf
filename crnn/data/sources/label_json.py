"""Labels in JSON: one object per line, a list of objects, or a map from pictures to texts.

What peers write: docTR a map, ``labels.json``, with the pictures in ``images/`` beside it; MMOCR 1.x a list under
``data_list`` whose lines keep their text under ``instances``; MMOCR 0.x objects with ``filename`` and ``text``, one per
line; Hugging Face's image folder ``metadata.jsonl`` with ``file_name`` and any other keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from crnn.data.sources.base import Row
from crnn.data.sources.json_scan import Entry, Repeated, entries, is_json_lines, parse
from crnn.data.sources.label_files import LabelFileReader, read_lines, read_whole
from crnn.data.sources.picture_names import PictureNames
from crnn.data.sources.table_columns import Columns, find_columns, find_picture
from crnn.errors import DataError, printable


class LabelJsonReader(LabelFileReader):
    """Lines of one JSON or JSON Lines file.

    A line of JSON Lines that is not JSON, a text that is no string, and an object without a picture or text are
    unusable lines; a JSON document that is not JSON cannot be read as a whole.
    """

    kind = "json"
    description = 'JSON: {"image": ..., "text": ...} per line or in a list, a map {"a.png": "text"}, or MMOCR\'s'

    def rows(self) -> Iterator[Row]:
        names = self.picture_names()
        self_named: set[str] = set()
        shapes: dict[tuple[str, ...], Columns] = {}
        for line, key, value in self._entries():
            where = f"{self.where}:{line}"
            if isinstance(value, ValueError):
                yield Row("", where, "", f"is not JSON ({printable(value)}); correct it")
            elif key is None:
                yield self._object_row(value, where, names, shapes)
            else:
                text, problem = _text(value)
                picture, lost = names.find(key)
                if key in self_named:
                    problem = f"names the picture {printable(key)!r} a second time; keep one"
                self_named.add(key)
                yield Row(text, where, picture, lost or problem)

    def _entries(self) -> Iterator[Entry]:
        if not is_json_lines(self.head(), PurePosixPath(self.file).suffix.lower()):
            yield from entries(read_whole(self.tree, self.file), self.where)
            return
        for number, line in enumerate(read_lines(self.tree, self.file), start=1):
            if not line.strip():
                continue
            try:
                yield Entry(number, None, parse(line))
            except ValueError as error:
                yield Entry(number, None, error)

    def _object_row(self, value: Any, where: str, names: PictureNames, shapes: dict[tuple[str, ...], Columns]) -> Row:
        """A line from its object.

        Args:
            value: any JSON value.
            where: file and line.
            names: finds the picture.
            shapes: where picture and text stand among the keys, filled as they are met.
        """
        if not isinstance(value, dict):
            return Row("", where, "", f"is {_kind(value)}; a line is an object with a picture and a text")
        if isinstance(value, Repeated):
            return Row("", where, "", f"has a key twice ({printable(', '.join(value))}); keep one of each")
        keys = tuple(value)
        instances = value.get("instances")
        if keys not in shapes:
            try:
                if isinstance(instances, list):  # MMOCR 1.x
                    shapes[keys] = Columns(find_picture(keys, self.options, where), keys.index("instances"))
                else:
                    shapes[keys] = find_columns(keys, self.options, where)
            except DataError as error:
                if not shapes:  # the first line: so are all
                    raise
                return Row("", where, "", str(error).removeprefix(f"{where}: "))
        columns = shapes[keys]
        name, text = value[keys[columns.picture]], value[keys[columns.text]]
        if isinstance(instances, list) and text is instances:
            if len(instances) != 1 or not isinstance(instances[0], dict) or "text" not in instances[0]:
                problem = f"has {len(instances)} instances; a line has one, with a text (cut pages into lines first)"
                return Row("", where, printable(name), problem)
            text = instances[0]["text"]
        if not isinstance(name, str):
            return Row("", where, "", f"has {_kind(name)} for the picture's name")
        picture, lost = names.find(name)
        text, problem = _text(text)
        return Row(text, where, picture, lost or problem)


def _text(value: Any) -> tuple[str, str]:
    """(text, problem)."""
    if isinstance(value, str):
        return value, ""
    return "", f"has {_kind(value)} for a text; write texts in quotes"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return f"the {'number ' if not isinstance(value, bool) else ''}{printable(value, 40)}"
    return "a text" if isinstance(value, str) else "a list" if isinstance(value, list) else "an object"
