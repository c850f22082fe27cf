"""Names for picture files, made of the names that the pictures had: safe on any system, and no two the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.hashes import text_hash
from crnn.data.sources.base import LineSource
from crnn.data.sources.columns import column

NUMBERED = "numbered"
"""Folder of lines whose own name is taken; no other line's name begins with it."""
_IN_A_FOLDER = 1000
_PART_BYTES, _NAME_BYTES = 100, 180
_PLAIN = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*\.png", re.ASCII)
_FORBIDDEN = frozenset('<>:"/\\|?*#')
_DEVICES = frozenset(("CON", "PRN", "AUX", "NUL", *(f"{port}{i}" for port in ("COM", "LPT") for i in range(10))))
_OCROPUS = (".bin", ".nrm")
"""Endings of a stem that readers of texts beside pictures leave out."""


def safe_stem(name: str) -> str:
    """A picture's name without its ending, as a relative path that any system can hold.

    Folders are kept; a line of a page (``page.png#line``) lies in a folder of its page. Characters that cannot be seen,
    or that some system forbids, become ``_``; so does what would make a name hidden or reserved. Parts have at most 100
    bytes in UTF-8; of a path beyond 180, the last part is left.
    """
    if len(name) <= _PART_BYTES and _PLAIN.fullmatch(name) and NUMBERED not in name.lower():
        stem = name.removesuffix(".png")
        if not _DEVICES & set(stem.upper().split("/")):
            return stem
    page, mark, line = name.rpartition("#")
    if mark and _without_ending(page) != page and line.strip("./\\ "):
        name = f"{_without_ending(page)}/{line}"
    *folders, last = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")] or [""]
    last = _without_ending(last)
    if last.lower().endswith(_OCROPUS):
        last = f"{last[:-4]}_{last[-3:]}"
    parts = [*(_safe_folder(folder) for folder in folders), _safe(last)]
    return "/".join(parts if sum(len(part.encode()) + 1 for part in parts) <= _NAME_BYTES else parts[-1:])


def _without_ending(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if stem and f"{dot}{ending}".lower() in PICTURE_SUFFIXES else name


def _safe_folder(part: str) -> str:
    part = _safe(part)
    taken = part.casefold() == NUMBERED or part.lower().endswith((*PICTURE_SUFFIXES, ".txt"))  # else a file's name
    return f"{part}_" if taken else part


def _safe(part: str) -> str:
    part = "".join(c if c.isprintable() and c not in _FORBIDDEN else "_" for c in unicodedata.normalize("NFC", part))
    part = part.encode()[:_PART_BYTES].decode(errors="ignore")
    if part != part.strip(" ") or not part:
        part = f"_{part.strip()}_"
    if part.startswith(".") or part.partition(".")[0].rstrip().upper() in _DEVICES:
        part = f"_{part}"
    return f"{part}_" if part.endswith(".") else part


def folded(stem: str) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", stem).casefold())


def _walked(stem: str) -> list[tuple[bool, str]]:
    """Sorts as readers of folders list texts: those of a folder before the folders in it."""
    *folders, last = stem.split("/")
    return [*((True, folder) for folder in folders), (False, f"{last}.gt.txt")]


class Names:
    """Which name the picture of each line gets; it depends on the source alone, never on what is written already.

    Takes nine bytes a line.

    Args:
        source: the lines.
        folder: all names begin with it; it is not put twice.
        in_order: the names have to sort as the lines come. If their own do not, or are not all different, every line is
            numbered: ``000001/000001234_name``.
    """

    def __init__(self, source: LineSource, folder: str = "", in_order: bool = False) -> None:
        self._prefix = f"{folder}/" if folder else ""
        sorted_so_far = True
        before: list[tuple[bool, str]] = []

        def keys() -> Iterator[int]:
            nonlocal sorted_so_far, before
            for name in column(source, "picture"):
                stem = safe_stem(name)
                if in_order and sorted_so_far:
                    now = _walked(stem)
                    sorted_so_far, before = before <= now, now
                yield text_hash(folded(self._inside(stem)))

        hashes = np.fromiter(keys(), np.uint64, len(source))
        first = np.unique(hashes, return_index=True)[1]
        self._taken: NDArray[np.bool_] = np.ones(len(source), dtype=np.bool_)
        self._taken[first] = False
        self._all = in_order and (not sorted_so_far or bool(self._taken.any()))

    def stem(self, position: int, name: str) -> str:
        """Name of a line's picture, without its ending."""
        stem = safe_stem(name)
        if self._all:
            return f"{position // _IN_A_FOLDER:06d}/{position:09d}_{stem.rpartition('/')[2]}"
        if self._taken[position]:
            return f"{self._prefix}{NUMBERED}/{position:09d}"
        return self._inside(stem)

    def _inside(self, stem: str) -> str:
        return stem if stem.startswith(self._prefix) else self._prefix + stem
