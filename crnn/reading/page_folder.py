"""The folder that pages with their readings are written into: new, empty, or begun by a run that was stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crnn.errors import ConfigError, DataError, printable, unwritten
from crnn.files import write_atomic, write_text

_UNFINISHED = ".unfinished.json"
"""In a folder of which not all pages are written: what they are read with."""


class PageFolder:
    """Takes each file once, whole or not at all.

    Args:
        path: of the folder.
        sources: what the pages are read from.
        about: what tells the model and its options from others.

    Raises:
        ConfigError: if the folder holds something, unless this was begun by a run on the same sources, with the same
            model and options, or if it lies in one of the sources.
        DataError: if it cannot be written.
    """

    def __init__(self, path: Path, sources: Sequence[Path], about: dict[str, Any]) -> None:
        self.path = path
        self.before = 0
        """Files that an earlier run wrote."""
        self.written = 0
        self._taken: set[Path] = set()
        about = {"sources": [os.path.abspath(source) for source in sources], **about}
        try:
            if os.path.lexists(path) and not path.is_dir():
                raise ConfigError(f"{printable(path)}: is a file; name a new or empty folder for the pages")
            if path.suffix.lower() == ".xml" and not path.is_dir():
                raise ConfigError(
                    f"{printable(path)}: is called like a file; name a folder, files keep their names in it"
                )
            for source in sources:
                if source.is_dir() and path.resolve().is_relative_to(source.resolve()):
                    raise ConfigError(
                        f"{printable(path)}: lies in {printable(source)}, which is read here; name one outside"
                    )
            path.mkdir(parents=True, exist_ok=True)
            if (path / _UNFINISHED).is_file():
                _refuse_another(path, about)
            elif next(path.iterdir(), None):
                raise ConfigError(f"{printable(path)}: holds files; name a new or empty folder for the pages")
            else:
                write_text(path / _UNFINISHED, json.dumps(about) + "\n")
        except OSError as error:
            raise DataError(unwritten(path, error)) from None

    def wants(self, target: Path) -> bool:
        """Whether a file is still to be written.

        Raises:
            DataError: if it is asked for a second time.
        """
        if target in self._taken:
            raise DataError(f"{printable(target)}: is the name of two pages; read them into folders of their own")
        self._taken.add(target)
        there = target.exists()
        self.before += there
        return not there

    def write(self, target: Path, content: bytes) -> None:
        """Write a file.

        Raises:
            DataError: if it cannot be written.
        """
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with write_atomic(target) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise DataError(unwritten(target, error)) from None
        self.written += 1

    def finish(self) -> None:
        """All is written."""
        (self.path / _UNFINISHED).unlink(missing_ok=True)


def _refuse_another(path: Path, about: dict[str, Any]) -> None:
    try:
        then = json.loads((path / _UNFINISHED).read_bytes())
        changed = [name for name, value in about.items() if then.get(name) != value]
    except (ValueError, AttributeError, RecursionError):
        changed = ["sources"]
    if changed:
        others = " and ".join({"sources": "pages", "model": "model"}.get(name, name) for name in changed)
        raise ConfigError(
            f"{printable(path)}: was begun with other {others}; finish it as it was begun, or name a new or "
            "empty folder"
        )
