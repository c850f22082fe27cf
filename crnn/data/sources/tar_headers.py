"""The members of a plain tar archive, one after the other: a million in seconds, and in no memory.

Plain headers are read here. From the first that is not (a name of over 100 characters, a size in another notation ...)
Python's `tarfile` goes on; it takes ten times as long.
"""

from __future__ import annotations

import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from crnn.errors import DataError, printable

MAX_MEMBERS = 20_000_000
"""Most members of an archive."""
_BLOCK = 512
_AHEAD = 4 * _BLOCK  # a header before the header, and a short label, in one read
_ADLER = 65521
_RENAMING = re.compile(rb" (?:path=|size=|GNU\.|hdrcharset=)")


class Member(NamedTuple):
    """A file in a tar archive."""

    name: str
    offset: int
    """Where its bytes begin in the archive."""
    size: int


_DRIVE = re.compile("[A-Za-z]:")


def inside(name: str, root: Path) -> PurePosixPath:
    """`name` as a path that stays within `root`.

    Raises:
        DataError: if it does not.
    """
    relative = PurePosixPath(name.replace("\\", "/"))
    if relative.is_absolute() or ".." in relative.parts or not name or _DRIVE.match(name):
        raise DataError(
            f"{printable(name)!r}: must stay within {root}: no '..', no absolute path, no drive; write names "
            "relative to it"
        )
    return relative


def tar_members(path: Path) -> Iterator[Member]:
    """The files of a plain tar archive, as they come; memory does not grow with their number.

    Raises:
        DataError: for a compressed, cut or foreign file, or a member whose name leads out of the archive.
    """
    for member, _ in tar_members_and_heads(path):
        yield member


def tar_members_and_heads(path: Path) -> Iterator[tuple[Member, bytes]]:
    """As `tar_members`, each with its first bytes as far as they were read anyway: all of most labels."""
    try:
        with path.open("rb", buffering=0) as file:
            for number, (member, head) in enumerate(_members(file, path), start=1):
                if number > MAX_MEMBERS:
                    raise DataError(f"{path}: has more than {MAX_MEMBERS:,} members; divide it")
                name = member.name
                if ".." in name or "\\" in name or name[:1] in "/" or _DRIVE.match(name):
                    inside(name, path)
                yield member, head
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        hint = (
            "unpack it: members of a compressed archive cannot be reached one by one" if _packed(path) else "damaged?"
        )
        raise DataError(f"{path}: is not a readable tar archive ({printable(error)}); {hint}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or printable(error)})") from None


def _members(file: BinaryIO, path: Path) -> Iterator[tuple[Member, bytes]]:
    end = os.fstat(file.fileno()).st_size
    position = 0
    while True:
        file.seek(position)
        ahead = file.read(_AHEAD)
        at = 0
        kind, size = _kind_and_size(ahead)
        if kind == b"x" and size <= _BLOCK:  # notes about the next member; times and owners do not matter
            notes = ahead[_BLOCK : _BLOCK + size]
            at = 2 * _BLOCK
            kind, size = (b"", 0) if _RENAMING.search(notes) else _kind_and_size(ahead[at : at + _BLOCK])
        if kind == b"end":
            return
        name = _name(ahead[at : at + _BLOCK])
        if kind not in (b"0", b"5") or name.endswith("/") is not (kind == b"5"):
            yield from _by_tarfile(file, path, position, end)
            return
        start = position + at + _BLOCK
        position = start + -(-size // _BLOCK) * _BLOCK
        if position > end:
            raise DataError(f"{path}: ends in the middle of a member; copy or download it again")
        if kind == b"0":
            yield Member(name, start, size), ahead[at + _BLOCK : at + _BLOCK + size]


def _kind_and_size(header: bytes) -> tuple[bytes, int]:
    """(``0`` file, ``5`` folder, ``x`` notes, ``end``; empty: not a plain header, bytes of content)."""
    if header[257:262] != b"ustar" or len(header) < _BLOCK:
        whole = len(header) >= _BLOCK and not header[:_BLOCK].strip(b"\0")
        return (b"end", 0) if whole else (b"", 0)
    kind = header[156:157].replace(b"\0", b"0")
    digits = header[124:136].strip(b"\0 ")
    said = header[148:156].strip(b"\0 ")
    if not digits.isdigit() or not said.isdigit():
        return b"", 0
    try:
        # Adler-32 begins with the sum of all bytes, which is what the checksum is, with spaces in its own place
        total = (zlib.adler32(header[:148] + b" " * 8 + header[156:_BLOCK]) & 0xFFFF) - 1
        right = int(said, 8) % _ADLER == total % _ADLER
        return (kind, int(digits, 8)) if right else (b"", 0)
    except ValueError:
        return b"", 0


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0":  # GNU has other things there
        before = header[345:500].partition(b"\0")[0]
        name = before + b"/" + name if before else name
    return name.decode("utf-8", "surrogateescape").removeprefix("./")


def _by_tarfile(file: BinaryIO, path: Path, position: int, end: int) -> Iterator[tuple[Member, bytes]]:
    """The members from a position on."""
    if position >= end > 0:
        raise DataError(
            f"{path}: has no end mark; its writer was stopped, or it was cut: copy or write it again (if it is whole: "
            f"head -c 1024 /dev/zero >> {printable(path.name)})"
        )
    file.seek(position)
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # else it keeps every one
            if member.isfile() and not member.issparse():
                yield Member(member.name.removeprefix("./"), member.offset_data, member.size), b""
        if tar.offset + _BLOCK > end:  # of what was read: a cut archive ends before its last member does
            raise DataError(f"{path}: ends in the middle of a member; copy or download it again")
        file.seek(tar.offset)
        if file.read(_BLOCK).strip(b"\0"):  # where tarfile stops without a word
            raise DataError(f"{path}: is damaged at byte {tar.offset:,}; copy or download it again")


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6).startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"))
