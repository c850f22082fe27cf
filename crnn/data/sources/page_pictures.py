"""Which picture in a tree is the one that a page's XML speaks of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.errors import printable


class MissingPictureError(LookupError):
    """Says what was looked for, and where."""


class PagePictures:
    """Finds pictures by the last part of a name, whatever folder, drive or address stands before it; nothing outside of
    `names` is ever found.

    Args:
        names: of files in the tree; those that are no pictures are passed over.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for name in names:
            path = PurePosixPath(name)
            if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith("."):
                self._by_name[path.name.lower()].append(name)
                self._by_stem[path.stem.lower()].append(name)

    def names(self) -> Iterator[str]:
        """All pictures."""
        for names in self._by_name.values():
            yield from names

    def find(self, xml: str, written: str) -> str:
        """The picture of the page.

        Tried in turn: the name that the XML gives; that name as part of an address (``page%201.png``); that name with
        another ending; the name of the XML file itself.
        Of several pictures with the name, the one whose folders are as written is taken, else the one beside the XML,
        then one folder up (Transkribus), then the nearest.

        Args:
            xml: name of the XML file in the tree.
            written: name of the picture as the XML gives it; empty if it does not.

        Raises:
            MissingPictureError: if there is none, or two are equally near.
        """
        parts = [part for part in re.split(r"[\\/]+", written.strip()) if part not in ("", ".", "..")]
        file = parts[-1].lower() if parts else ""
        own = PurePosixPath(xml).stem.lower()
        stem = PurePosixPath(file).stem if PurePosixPath(file).suffix in PICTURE_SUFFIXES else file
        found = (
            self._by_name.get(file)
            or self._by_name.get(unquote(file).lower())
            or self._by_stem.get(stem)
            or self._by_stem.get(own)
        )
        if not found:
            wanted = dict.fromkeys([*parts[-1:], f"{PurePosixPath(xml).stem}.*"])
            looked = " or ".join(f"{printable(name, 80)!r}" for name in wanted)
            raise MissingPictureError(
                f"has no page picture: looked for {looked} beside {printable(xml, 80)} and in the other folders; "
                "put it there"
            )
        ranked = sorted((self._rank(name, xml, parts[:-1]), name) for name in found)
        if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
            raise MissingPictureError(
                f"has two page pictures: {printable(ranked[0][1], 80)} and {printable(ranked[1][1], 80)}; keep one"
            )
        return ranked[0][1]

    def _rank(self, picture: str, xml: str, written: list[str]) -> tuple[int, int, int, int]:
        """Smaller is better."""
        *folders, _ = picture.split("/")
        *around, _ = xml.split("/")
        as_written = _equal(reversed(folders), reversed(written))
        near = 0 if folders == around else 1 if folders == around[:-1] else 2
        alike = len(set(folders) & set(around))
        return -as_written, near, -_equal(folders, around), -alike


def _equal(one: Iterable[str], other: Iterable[str]) -> int:
    """How many parts are equal before the first that is not."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
