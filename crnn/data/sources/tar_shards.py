"""WebDataset shards: tar archives in which the members of one sample share a name up to its first dot,
``000123.png`` and ``000123.txt``."""

from __future__ import annotations

import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from crnn.core.picture import MAX_BYTES, PICTURE_SUFFIXES
from crnn.data.sources.base import Content, Reader, ReadOptions, Row
from crnn.data.sources.extra import MAX_TEXT_BYTES, label_text
from crnn.data.sources.place import LOOK_AT, Place
from crnn.data.sources.sample_names import Seen, split_name
from crnn.data.sources.table_columns import find_text
from crnn.data.sources.tar_headers import Member, tar_members_and_heads
from crnn.data.sources.trees import is_tar
from crnn.data.sources.walks import walk
from crnn.errors import DataError, printable
from crnn.files import natural

LABELS = ("gt.txt", "txt", "json")
"""The first wins where a sample has several."""
_PICTURES = frozenset(suffix[1:] for suffix in PICTURE_SUFFIXES)
_PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
_MAX_JSON_BYTES = 2**20
_OPEN_SHARDS = 16
_KEY = re.compile(r"([0-9]{1,9}):([0-9]{1,18}):([0-9]{1,18}):(.*)", re.DOTALL)


class _Part(NamedTuple):
    """A member that matters, with the bytes of a label."""

    ending: str
    member: Member
    label: bytes


class TarShardsReader(Reader):
    """Samples of one archive, or of all of a folder: shards in natural order, members as they come.

    A picture's key is ``shard:offset:size:name``, the number of its shard and where it lies there.

    Args:
        path: archive or folder.
        options: `text_column` for labels in JSON.
    """

    description = "WebDataset shards: .tar with 000123.png and 000123.txt or .json"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        super().__init__(path, options)
        self._shards: list[Path] = []
        self._open = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "options": self.options, "shards": self._shards}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"], state["options"])  # type: ignore[misc]
        self._shards = state["shards"]

    @staticmethod
    def matches(place: Place) -> bool:
        if not place.is_folder:
            return _is_packed(place.path) or (is_tar(place.path) and _looks_like_samples(place.path))
        shards = [place.path / name for name in place.names if _is_shard(name)]
        if not shards or place.pictures:
            return False
        return _is_packed(shards[0]) or _looks_like_samples(shards[0])

    def parts(self) -> Iterator[Path]:
        self._shards = self._find_shards()
        yield from self._shards

    def _find_shards(self) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        found = [folder / name for folder, names in walk(self.path) for name in names if _is_shard(name)]
        return sorted(found, key=lambda file: natural(file.relative_to(self.path).as_posix()))

    def rows(self) -> Iterator[Row]:
        for number, shard in enumerate(list(self.parts())):
            prefix = f"{shard.relative_to(self.path).as_posix()}/" if self.path.is_dir() else ""
            try:
                file = shard.open("rb", buffering=0)
            except OSError as error:
                raise DataError(f"{shard}: cannot be read ({error.strerror})") from None
            with file:
                yield from _Shard(number, shard, prefix, file, self.options).rows()

    def content(self, key: str) -> Content:
        self._shards = self._shards or self._find_shards()
        match = _KEY.fullmatch(key)
        if match is None or int(match[1]) >= len(self._shards):
            raise DataError(f"{self.path}: has no member {printable(key)!r}")
        shard, offset, size = self._shards[int(match[1])], int(match[2]), int(match[3])
        if size > MAX_BYTES:
            raise DataError(f"{self._name(key)}: has {size:,} bytes; allowed are {MAX_BYTES:,}")
        try:
            file = self._file(shard)
            file.seek(offset)
            data = file.read(size)
        except OSError as error:
            raise DataError(f"{self._name(key)}: cannot be read ({error.strerror})") from None
        if len(data) < size:
            raise DataError(f"{self._name(key)}: the archive ends before it does; copy or download it again")
        return data

    def _file(self, shard: Path) -> BinaryIO:
        """An open shard; each thread of each process has its own, and the last few stay open."""
        if getattr(self._open, "pid", None) != os.getpid():
            self._open.files, self._open.pid = OrderedDict(), os.getpid()
        files: OrderedDict[Path, BinaryIO] = self._open.files
        if shard not in files:
            files[shard] = shard.open("rb", buffering=0)
            if len(files) > _OPEN_SHARDS:
                files.popitem(last=False)[1].close()
        files.move_to_end(shard)
        return files[shard]

    def _name(self, key: str) -> str:
        match = _KEY.fullmatch(key)
        if match is None or int(match[1]) >= len(self._shards):
            return printable(f"{self.path}:{key}")
        return printable(f"{self._shards[int(match[1])]}:{match[4]}")


class _Shard:
    """One archive while it is listed."""

    def __init__(self, number: int, path: Path, prefix: str, file: BinaryIO, options: ReadOptions) -> None:
        self._number, self._path, self._prefix, self._file, self._options = number, path, prefix, file, options
        self._complete = Seen()
        self._halves: dict[str, list[_Part]] = {}

    def rows(self) -> Iterator[Row]:
        """A sample whose members lie apart comes where its last one lies; what stays incomplete, at the end."""
        parts = (
            (key, ending, member, head)
            for member, head in tar_members_and_heads(self._path)
            for key, ending in [split_name(member.name)]
            if ending in _PICTURES or ending in LABELS
        )
        for key, group in groupby(parts, key=lambda part: part[0]):
            found = self._halves.pop(key, [])
            found += (_Part(ending, member, self._label(ending, member, head)) for _, ending, member, head in group)
            if len({part.ending in _PICTURES for part in found}) < 2:
                self._halves[key] = found
            else:
                yield self._row(found, "" if self._complete.add(key) else "occurs again in this shard")
        for key, found in self._halves.items():
            missing = "text (.txt, .gt.txt or .json)" if found[0].ending in _PICTURES else "picture"
            twice = "; another sample has its name" if not self._complete.add(key) else ""
            yield self._row(found, f"has no {missing} in this shard{twice}")

    def _label(self, ending: str, member: Member, head: bytes) -> bytes:
        if ending in _PICTURES or member.size > _largest(ending):
            return b""
        if len(head) < member.size:
            self._file.seek(member.offset)
            head = self._file.read(member.size)
        return head

    def _row(self, parts: list[_Part], problem: str) -> Row:
        pictures = [part for part in parts if part.ending in _PICTURES]
        labels = sorted((part for part in parts if part.ending in LABELS), key=lambda part: LABELS.index(part.ending))
        text, wrong = self._text(labels[0]) if labels else ("", "")
        names = [part.member.name for part in parts]
        if not problem and len(set(names)) < len(names):
            problem = f"has {next(printable(name) for name in names if names.count(name) > 1)} twice"
        elif not problem and len(pictures) > 1:
            problem = f"has {len(pictures)} pictures: {printable(', '.join(part.member.name for part in pictures))}"
        name = (labels or pictures)[0].member.name
        where = f"{self._path}:{name if name.isprintable() else printable(name)}"
        if not pictures:
            return Row(text, where, "", problem)
        name, offset, size = pictures[0].member
        return Row(text, where, self._prefix + name, problem or wrong, f"{self._number}:{offset}:{size}:{name}")

    def _text(self, part: _Part) -> tuple[str, str]:
        """(text, problem) of a label."""
        limit = _largest(part.ending)
        if part.member.size > limit:
            return "", f"has a label of {part.member.size:,} bytes; at most {limit:,} are read"
        if part.ending != "json":
            text, problem = label_text(part.label.removeprefix(b"\xef\xbb\xbf"))
            return text.removesuffix("\n").removesuffix("\r"), problem
        try:
            value = json.loads(part.label)
        except (ValueError, RecursionError) as error:
            return "", f"is not readable JSON ({printable(error)})"
        if isinstance(value, str):
            value = {"text": value}
        if not isinstance(value, dict):
            return "", f"is JSON of a {type(value).__name__}; an object with a key such as text is read"
        strings = [name for name in value if isinstance(value[name], str)]
        try:
            text = value[strings[find_text(strings, self._options, "the JSON")]]
        except DataError as error:
            return "", str(error)
        return label_text(text.encode("utf-8", "surrogatepass"))


def _largest(ending: str) -> int:
    return _MAX_JSON_BYTES if ending == "json" else MAX_TEXT_BYTES


def _is_shard(name: str) -> bool:
    return name.lower().endswith((".tar", *_PACKED)) and not name.rpartition("/")[2].startswith(".")


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(_PACKED)


def _looks_like_samples(path: Path) -> bool:
    """Whether most labels have a picture of the same key; an unreadable archive too, whose error is then seen."""
    pictures, labels = set(), set()
    try:
        for member, _ in islice(tar_members_and_heads(path), LOOK_AT):
            key, ending = split_name(member.name)
            if ending in _PICTURES:
                pictures.add(key)
            elif ending in LABELS:
                labels.add(key)
    except DataError:
        if not labels:
            return path.suffix.lower() == ".tar"
    return 2 * len(pictures & labels) > len(labels)
