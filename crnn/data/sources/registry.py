"""The registry of formats: a folder or file is recognised by looking at it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from crnn.core.plugins import Registry
from crnn.data.sources.alto import AltoReader
from crnn.data.sources.arrow import ArrowReader
from crnn.data.sources.base import Reader, ReadOptions
from crnn.data.sources.file_names import DEFAULT_PATTERN, FileNameReader, compiled, has_only_pictures
from crnn.data.sources.gt_text import GtTextReader
from crnn.data.sources.indexed import IndexedSource, Watch, make_source
from crnn.data.sources.label_csv import LabelCsvReader
from crnn.data.sources.label_files import LabelFileReader
from crnn.data.sources.label_json import LabelJsonReader
from crnn.data.sources.label_table import LabelTableReader
from crnn.data.sources.lmdb_base import LmdbReader
from crnn.data.sources.page_xml import PageXmlReader
from crnn.data.sources.place import Place
from crnn.data.sources.sides import side_of_tables, sides_among, sides_in
from crnn.data.sources.tar_shards import TarShardsReader
from crnn.errors import DataError, printable


class Format(Protocol):
    """A reader class (see `crnn.data.sources.base.Reader`) that knows its format by looking.

    Other packages add one in the entry-point group ``crnn.formats``; it is asked where none of ours matches.
    """

    description: str
    """What the format looks like, for messages."""

    @staticmethod
    def matches(place: Place) -> bool:
        """Whether it looks like this format; cheap, never raises. `place.path` exists."""
        ...

    def __call__(self, path: Path, options: ReadOptions) -> Reader: ...


FORMATS: Registry[Format] = Registry(
    "format",
    {
        "labels.tsv": LabelTableReader,
        "lmdb": LmdbReader,
        "webdataset": TarShardsReader,
        "arrow": ArrowReader,
        "PAGE": PageXmlReader,
        "ALTO": AltoReader,
        "table": LabelCsvReader,
        "json": LabelJsonReader,
        "gt.txt": GtTextReader,
        "file names": FileNameReader,
    },
    "crnn.data.sources.registry.Format",
    lambda part: isinstance(part, type) and issubclass(part, Reader) and hasattr(part, "matches"),
)
"""Name -> reader, in the order in which they are tried: one file that names its pictures says more than files that
happen to lie beside them, and any label says more than the name of a picture."""
LABEL_FILES = ("labels.tsv", "table", "json")
"""Formats that are known by one file of all labels."""


def find_reader(path: str | os.PathLike[str], options: ReadOptions | None = None) -> tuple[str, Reader]:
    """(format, reader) of labelled lines, whatever their format.

    Raises:
        DataError: if there is nothing there, or no format matches (all are named).
        PluginError: if none of ours matches, and one that an installed package adds cannot be loaded.
        ConfigError: for a `ReadOptions.name_pattern` that cannot be used.
    """
    options = options or ReadOptions()
    if options.name_pattern is not None:
        compiled(options.name_pattern)  # refused even where it is not needed
    where = Path(path)
    if side_of_tables(where):
        return "arrow", ArrowReader(where, options)
    if not where.exists():
        raise DataError(f"{where}: there is no such file or folder")
    if (where / "config.yaml").is_file() and (where / "train.log").is_file():
        raise DataError(
            f"{where}: is the folder of a training, not lines; for its validation lines: crnn evaluate {where}"
        )
    place = Place(where, options)
    for name, reader in FORMATS.items():
        if reader.matches(place):
            return name, reader(where, options)
    if options.name_pattern is not None and place.tree is not None and place.pictures:
        return "file names", FileNameReader(where, options)
    added = FORMATS.added()
    for name, reader in added.items():
        if reader.matches(place):
            return name, reader(where, options)
    for name, label_reader in (("table", LabelCsvReader), ("json", LabelJsonReader)):
        if label_reader.may_match(place):  # it says what is missing
            return name, label_reader(where, options)
    hint = ""
    if has_only_pictures(place):
        hint = (
            "; these are pictures without labels; if their names are the labels, set "
            f"data.name_pattern='{DEFAULT_PATTERN}'"
        )
    names = place.names if place.is_folder else [where.name]
    if xml := [name for name in names if name.lower().endswith(".xml")]:
        hint += f"; {printable(xml[0])} begins with neither PcGts (PAGE) nor alto (ALTO)"
    if sides := sides_in(where):
        raise DataError(f"{where}: holds no labelled lines itself; name a set in it, such as {sides[0]}")
    allowed = "; ".join(f"{name} ({reader.description})" for name, reader in {**FORMATS, **added}.items())
    raise DataError(f"{where}: holds no labelled lines in a known format; allowed are: {allowed}{hint}")


def refuse_several_sets(path: str | os.PathLike[str], options: ReadOptions | None = None) -> None:
    """Refuse a folder or archive of training, validation and test lines that would be read as one set.

    A label file at its top, which may name pictures in these folders, makes it one.

    Raises:
        DataError: naming one of them; and as `find_reader`.
    """
    where = Path(path)
    sides = sides_in(where)
    names = [side.name for side in sides]
    if where.is_file() and (place := Place(where)).is_archive and place.tree is not None:
        names = [name.rpartition("/")[2] for name in sides_among(place.tree.names())]
    if len(names) > 1 and find_reader(path, options)[0] not in LABEL_FILES:
        remedy = f"name one, as in {sides[0]}" if sides else "unpack it, and name one of these folders"
        listed = ", ".join(f"{name}/" for name in reversed(names))
        raise DataError(f"{path}: holds several sets, {listed}, which are not taken together; {remedy}")


def open_source(
    path: str | os.PathLike[str],
    options: ReadOptions | None = None,
    cache: Path | None = None,
    watch: Watch = iter,
) -> IndexedSource:
    """Open labelled lines, whatever their format.

    Args:
        path: file or folder.
        options: for files whose looks do not tell.
        cache: folder in which the index waits for the next time; None keeps it in memory.
        watch: wraps the rows while they are listed, for a progress display.

    Raises:
        DataError: if there is nothing there, no format matches, or the data cannot be read.
    """
    name, reader = find_reader(path, options)
    source = make_source(reader, cache, watch)
    source.format = _said(name, reader)
    return source


def _said(name: str, reader: Reader) -> str:
    """A format for messages: of a folder with one label file that file, else its name here."""
    if isinstance(reader, FileNameReader):
        return "labels are the file names"
    if isinstance(reader, LabelFileReader) and reader.file != reader.path.name:
        return printable(reader.file)
    return name
