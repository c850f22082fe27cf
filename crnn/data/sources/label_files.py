"""Formats that keep all labels in one file beside the pictures: which file it is, and how it is opened.

The file may be given itself; in a folder or archive it is looked for at the top. A single folder around everything, as
most zip archives have, is stepped into.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, ClassVar, Literal, NamedTuple, TypeAlias

from crnn.data.sources.base import ReadOptions
from crnn.data.sources.folder_reader import FolderReader
from crnn.data.sources.gt_text import stem_of
from crnn.data.sources.json_scan import names_pictures
from crnn.data.sources.picture_names import PictureNames
from crnn.data.sources.place import HEAD, Place
from crnn.data.sources.table_layout import find_layout
from crnn.data.sources.trees import Tree
from crnn.data.sources.utf8 import check_size, decode_text, utf16_refusal
from crnn.errors import DataError, printable

Kind: TypeAlias = Literal["table", "json"]

WELL_KNOWN = [
    *("labels.tsv", "labels.csv", "metadata.csv", "metadata.tsv", "metadata.jsonl", "labels.json", "labels.jsonl"),
    *("labels.txt", "rec_gt.txt", "gt.txt", "gt.csv", "gt.tsv", "gt.json", "gt.jsonl"),
]
"""Names of label files; they win over others, and the first wins."""
_TABLES = (".csv", ".tsv", ".tab", ".txt")
_JSONS = (".json", ".jsonl", ".ndjson", ".txt")
_MOST = 50
"""More files than this that may be label files are something else, such as one for each page."""
_UNDERSTOOD, _PARTLY, _BY_NAME = 2, 1, 0


class LabelFile(NamedTuple):
    """A file that may hold the labels."""

    name: str
    kind: Kind
    grade: int
    """2: understood; 1: names pictures, but something is missing; 0: only its own name speaks for it."""


class LabelFileReader(FolderReader):
    """Reads one label file.

    Args:
        path: the folder or archive, or the label file itself.
        options: see `ReadOptions`.

    Raises:
        DataError: if several files of a folder may be the one.
    """

    kind: ClassVar[Kind]

    def __init__(self, path: Path, options: ReadOptions) -> None:
        place = Place(path, options)
        super().__init__(path if place.tree else path.parent, options)
        self.path = path
        found = find_label_files(place)
        if len(found) != 1:
            names = printable(", ".join(one.name for one in found)) or "none"
            advice = "give one of them by its path" if place.is_folder else "keep one, or name it labels.csv"
            raise DataError(f"{path}: has {len(found)} files that may hold the labels ({names}); {advice}")
        self.file = found[0].name

    @classmethod
    def matches(cls, place: Place) -> bool:
        found = find_label_files(place)
        return bool(found) and found[0].kind == cls.kind and found[0].grade == _UNDERSTOOD

    @classmethod
    def may_match(cls, place: Place) -> bool:
        """Whether there is a file that may be one of labels, although something is missing."""
        found = find_label_files(place)
        return bool(found) and found[0].kind == cls.kind

    @property
    def where(self) -> str:
        """The label file, for messages."""
        return printable(self.tree.root / self.file)

    def head(self) -> str:
        """How the label file begins; of a table, whole lines."""
        return _decode_head(_file_head(self.tree, self.file), whole_lines=self.kind == "table")

    def picture_names(self) -> PictureNames:
        """Finds the pictures of the label file."""
        return PictureNames(self.tree, self.file[: self.file.rfind("/") + 1])


def find_label_files(place: Place) -> list[LabelFile]:
    """The file of labels; several if nothing tells which; empty if there is none."""
    if place.tree is None:
        look = _look(place.path.name, place.head, place.options)
        return [look] if look and (look.grade > _BY_NAME or not look.name.lower().endswith(".txt")) else []
    tree = place.tree
    looks = [look for name in _candidates(place) if (look := _look(name, _file_head(tree, name), place.options))]
    known = sorted((look for look in looks if _rank(look.name) is not None), key=lambda look: _rank(look.name) or 0)
    understood = [look for look in looks if look.grade == _UNDERSTOOD]
    return (
        [look for look in known if look.grade == _UNDERSTOOD][:1]
        or understood
        or known[:1]
        or [look for look in looks if look.grade == _PARTLY]
    )


def is_label_file(path: Path) -> bool:
    """Whether a file, by its ending and how it begins, names pictures and their texts."""
    if path.suffix.lower() not in (*_TABLES, *_JSONS):
        return False
    return any(found.grade == _UNDERSTOOD for found in find_label_files(Place(path)))


def _rank(name: str) -> int | None:
    file = PurePosixPath(name).name.lower()
    return WELL_KNOWN.index(file) if file in WELL_KNOWN else None


def _candidates(place: Place) -> list[str]:
    """Names of the right endings at the top, without those that belong to one picture each."""
    base = base_folder(place)
    pictures = {stem_of(name) for name in place.pictures}
    found = [
        name
        for name in place.labels
        if name.startswith(base)
        and "/" not in name[len(base) :]
        and PurePosixPath(name).suffix.lower() in (*_TABLES, *_JSONS)
        and not name.endswith(".gt.txt")
        and name.removesuffix(PurePosixPath(name).suffix) not in pictures
    ]
    return found if len(found) <= _MOST else [name for name in found if _rank(name) is not None]


def base_folder(place: Place) -> str:
    """The one folder around everything, empty or ending in ``/``; hidden files and a Mac's archive notes aside."""
    names = [name for name in place.names if not name.startswith(("__MACOSX/", ".")) and "/." not in name]
    base = ""
    while names:
        first = {name[len(base) :].partition("/")[:2] for name in names}
        if len(first) > 1 or not all(slash for _, slash in first):
            break
        base += f"{first.pop()[0]}/"
    return base


def _look(name: str, head: bytes, options: ReadOptions) -> LabelFile | None:
    suffix = PurePosixPath(name).suffix.lower()
    looks: list[LabelFile] = []
    if suffix in _TABLES:
        layout = find_layout(_decode_head(head), options)
        looks.append(LabelFile(name, "table", layout.grade if layout else _BY_NAME))
    if suffix in _JSONS:
        found = names_pictures(_decode_head(head, whole_lines=False), suffix)
        looks.append(LabelFile(name, "json", _UNDERSTOOD if found else _BY_NAME))
    return max(looks, key=lambda look: look.grade, default=None)


def has_header(head: bytes, options: ReadOptions) -> bool:
    """Whether a table that begins like this names its columns."""
    layout = find_layout(_decode_head(head), options)
    return layout is not None and layout.style == "header"


def _file_head(tree: Tree, name: str) -> bytes:
    """The first bytes of a file; empty if it cannot be read."""
    try:
        content = tree.content(name)
        if isinstance(content, bytes):
            return content[:HEAD]
        with content.open("rb") as file:
            return file.read(HEAD)
    except (DataError, OSError):
        return b""


def _decode_head(head: bytes, whole_lines: bool = True) -> str:
    """Good enough to recognise a file, whatever its encoding; with `whole_lines`, one that was cut is left out.

    JSON may have a line end and then all of its entries in one line, of which the first ones tell enough.
    """
    if whole_lines and len(head) == HEAD and b"\n" in head:
        head = head[: head.rfind(b"\n") + 1]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8-sig", "replace").replace("\0", "")


def open_labels(tree: Tree, name: str) -> BinaryIO:
    """A label file, opened.

    Raises:
        DataError: if it cannot be read, is too large, or is UTF-16.
    """
    where = printable(tree.root / name)
    content = tree.content(name)
    try:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        check_size(size, where)
        file: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from None
    start = file.read(4096)
    if start.count(0) > len(start) // 4:
        file.close()
        raise DataError(utf16_refusal(where))
    file.seek(0)
    return file


def read_lines(tree: Tree, name: str) -> Iterator[str]:
    """The lines of a UTF-8 file, one after the other, each with its line end.

    Raises:
        DataError: see `open_labels`; or naming the line that is not UTF-8.
    """
    where = printable(tree.root / name)
    with open_labels(tree, name) as file:
        for number, raw in enumerate(file, start=1):
            yield decode_text(raw, where, number)


def read_whole(tree: Tree, name: str) -> str:
    """A UTF-8 file as one text.

    Raises:
        DataError: see `read_lines`.
    """
    with open_labels(tree, name) as file:
        return decode_text(file.read(), printable(tree.root / name))
