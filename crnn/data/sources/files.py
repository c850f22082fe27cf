"""What readers of files on disk share."""

from __future__ import annotations

import os
import threading
import zipfile
from pathlib import Path, PurePosixPath

from PIL import Image

from crnn.core.image import MAX_BYTES, open_picture, picture_size, printable
from crnn.errors import DataError

MAX_LABEL_BYTES = 64 * 2**20
"""Largest label file that is read."""


def read_text(path: Path) -> str:
    """A UTF-8 text file, with or without a byte order mark.

    Raises:
        DataError: if it cannot be read, is too large, or is not UTF-8 (naming the line).
    """
    try:
        if path.stat().st_size > MAX_LABEL_BYTES:
            raise DataError(f"{path}: has {path.stat().st_size / 2**20:.0f} MiB; labels of at most 64 MiB are read")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{line}: is not UTF-8 (byte 0x{raw[error.start]:02X}); convert it, for example: "
            f"iconv -f latin1 -t utf-8 {path.name} > utf8.txt"
        ) from None


class PictureStore:
    """Pictures by relative name, from a folder or from the ``images.zip`` in it. Opened lazily, once per process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        archive = folder / "images.zip"
        self._archive = archive if archive.is_file() else None
        self._local = threading.local()

    def __getstate__(self) -> dict[str, object]:
        return {"folder": self.folder, "_archive": self._archive}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._local = threading.local()

    def _zip(self) -> zipfile.ZipFile:
        """This thread's and process's handle; a forked worker must not share a file position."""
        if getattr(self._local, "pid", None) != os.getpid():
            assert self._archive is not None
            try:
                self._local.zip = zipfile.ZipFile(self._archive)
            except (OSError, zipfile.BadZipFile) as error:
                raise DataError(f"{self._archive}: is not a readable zip archive ({error})") from None
            self._local.pid = os.getpid()
        return self._local.zip

    def _inside(self, name: str) -> Path | None:
        """The file `name` if it lies within the folder and exists."""
        relative = PurePosixPath(name.replace("\\", "/"))
        if relative.is_absolute() or ".." in relative.parts or not name:
            raise DataError(f"{printable(name)!r}: must stay within {self.folder}: no '..', no absolute path")
        try:
            path = self.folder / relative
            return path if path.is_file() else None
        except (OSError, ValueError):
            return None

    def source(self, name: str) -> Path | bytes:
        """What `crnn.core.image` can open: a path, or the bytes of a member of images.zip."""
        path = self._inside(name)
        if path is not None:
            return path
        if self._archive is None:
            raise DataError(f"{printable(self.folder / name)}: there is no such picture")
        try:
            info = self._zip().getinfo(name)
            if info.file_size > MAX_BYTES:
                raise DataError(
                    f"{self._archive}:{printable(name)}: has {info.file_size:,} bytes; allowed are {MAX_BYTES:,}"
                )
            return self._zip().read(info)
        except KeyError:
            raise DataError(f"{printable(name)}: there is no such picture in {self.folder} or its images.zip") from None
        except DataError:
            raise
        except Exception as error:  # each compression method has its own errors for damaged data
            reason = printable(error) or type(error).__name__
            raise DataError(f"{self._archive}:{printable(name)}: cannot be read ({reason})") from None

    def size(self, name: str) -> tuple[int, int]:
        return picture_size(self.source(name), printable(self.folder / name))

    def picture(self, name: str) -> Image.Image:
        return open_picture(self.source(name), printable(self.folder / name))
