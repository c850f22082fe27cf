"""Files: written so that nobody ever sees half of one, and known again by what is in them."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Raises:
        OSError: if it cannot be written, or is a folder, a device or a pipe: a file in the place of ``/dev/null`` would
            take it from every other program.
    """
    if path.is_dir():  # now, and not when hours of work are to take its place
        raise OSError(errno.EISDIR, "it is a folder; name a file in it", str(path))
    if path.exists() and (path.parent == Path("/dev") or not path.is_file()):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", str(path))
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """`text` as UTF-8, whole or not at all."""
    with write_atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal; takes no more memory for a large one.

    Raises:
        OSError: if it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def natural(name: str) -> tuple[list[tuple[int, int | str]], str]:
    """Sorting key in which ``line_9`` comes before ``line_10``; no two names are alike (``line_01``, ``line_1``)."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts], name
