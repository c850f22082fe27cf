"""The models of a service, by name and version; each can be replaced while requests are in flight."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from crnn.core.file_kind import file_kind
from crnn.core.recognizer import Recognizer
from crnn.errors import ConfigError, CrnnError, ModelFileError, printable
from crnn.files import sha256_of
from crnn.loader import chosen_file, load
from crnn.models import NAME, NAMES
from crnn.serve.errors import Refused
from crnn.serve.worker import Worker

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Spec:
    """A model as the command line names it."""

    name: str
    path: str


def parse_spec(word: str) -> Spec:
    """``NAME=PATH``, or a path that is called after its run folder or file.

    Raises:
        ConfigError: for a name that cannot stand in a URL or in front of ``@VERSION``.
    """
    name, equals, path = word.partition("=")
    if not equals or os.path.lexists(word):
        path = word
        name = NAME if word in NAMES else _called(Path(word))
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"model name {printable(name)!r} is not allowed; letters, digits, '.', '_' and '-' are: NAME={path}"
        )
    return Spec(name, path)


def parse_specs(words: Sequence[str]) -> list[Spec]:
    """`parse_spec` of each.

    Raises:
        ConfigError: also where two are called alike only for want of what a name can hold, as 车牌 and 手写.
    """
    specs = [parse_spec(word) for word in words]
    for word, spec in zip(words, specs, strict=True):
        own = _own_name(Path(word))
        alike = [one.path for one in specs if one.name == spec.name and _own_name(Path(one.path)) != own]
        if spec.path == word and word not in NAMES and own != spec.name and alike:
            raise ConfigError(
                f"{printable(word)} and {printable(alike[0])} would both be called {spec.name!r}, for want of letters "
                f"that a name can hold; give names: NAME={printable(word)}"
            )
    return specs


def _called(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", _own_name(path)).lstrip("._-")[:64] or "model"


def _own_name(path: Path) -> str:
    """Of the run folder, or the file if that has a name of its own."""
    if path.is_dir():
        return path.resolve().name
    if path.stem in ("model", "best", "last"):
        parent = path.resolve().parent
        return parent.parent.name if parent.name == "checkpoints" else parent.name
    return path.stem


@dataclass(frozen=True)
class Loaded:
    """A model file that is ready to read."""

    recognizer: Recognizer
    version: str
    """First 12 digits of the file's SHA-256."""
    format: str
    stamp: Stamp


def _file(path: str, options: Mapping[str, Any]) -> Path:
    return chosen_file(path, options.get("device"), options.get("precision", "float32"))


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def open_model(path: str, **options: Any) -> Loaded:
    """Load a model and read one blank line with it, so that what is swapped in is known to work.

    Args:
        path: as for `crnn.load`.
        options: of `crnn.load`.

    Raises:
        CrnnError: for a file that is not a usable model, or changes meanwhile.
    """
    file = _file(path, options)
    try:
        before = _stamp(file)
        kind = file_kind(file)
        digest = sha256_of(file)
        recognizer = load(path, **options)
        after = _stamp(file)
    except OSError as error:
        raise ModelFileError(f"{file}: cannot be read ({error.strerror})") from None
    if before != after:
        raise ModelFileError(f"{file}: changed while it was read; write it beside and rename it")
    try:
        recognizer.recognize(np.full((recognizer.card.transform.height, 64), 255, np.uint8))
    except CrnnError:
        raise
    except Exception as error:  # the backends have no common base class
        raise ModelFileError(f"{file}: cannot read a line ({printable(error, 200)})") from None
    return Loaded(recognizer, digest[:12], kind, before)


@dataclass
class Slot:
    """One place on the shelf: a name, what is served under it now, and its queue.

    `held` counts accepted pictures that are not answered yet; it changes on the event loop only.
    """

    spec: Spec
    loaded: Loaded
    worker: Worker
    held: int = 0
    refused: Stamp | None = field(default=None)
    """Of a new file that could not be used; it is not tried again until it changes."""
    pending: Stamp | None = field(default=None)
    """Of a new file at the last look; it is opened when it has stayed the same for one look."""
    missed: int = 0
    """Looks in a row at which there was no file."""


class Shelf:
    """All models of a service.

    Args:
        specs: at least one; the first is the default. A name may come several times, for versions side by side; the
            last of them is what the bare name means.
        on_batch: told (name, lines, seconds) of each batch.
        options: of `crnn.load`, for all models.

    Raises:
        CrnnError: for a model that cannot be loaded.
    """

    def __init__(
        self, specs: Sequence[Spec], on_batch: Callable[[str, int, float], None] = lambda *_: None, **options: Any
    ) -> None:
        self._options = options
        self._reloading = threading.Lock()
        opened = [(spec, open_model(spec.path, **options)) for spec in specs]
        self.slots = [Slot(spec, loaded, Worker(spec.name, partial(on_batch, spec.name))) for spec, loaded in opened]

    def find(self, name: str | None) -> Slot:
        """The slot of ``NAME`` or ``NAME@VERSION``; None: the default.

        Raises:
            Refused: if there is none.
        """
        wanted, _, version = (name or self.default.spec.name).partition("@")
        for slot in reversed(self.slots):
            if slot.spec.name == wanted and version in ("", slot.loaded.version):
                return slot
        served = ", ".join(f"{slot.spec.name}@{slot.loaded.version}" for slot in self.slots)
        raise Refused("not_found", f"model {printable(name or '', 80)!r} is not served; served are {served}")

    @property
    def default(self) -> Slot:
        """What a request without a model is read with."""
        first = self.slots[0].spec.name
        return next(slot for slot in reversed(self.slots) if slot.spec.name == first)

    def described(self) -> list[dict[str, Any]]:
        """As ``GET /models`` gives it."""
        return [
            {
                "name": slot.spec.name,
                "version": slot.loaded.version,
                "default": slot is self.default,
                "characters": len(slot.loaded.recognizer.card.charset),
                "height": slot.loaded.recognizer.card.transform.height,
                "format": slot.loaded.format,
                "decoder": slot.loaded.recognizer.card.decoder["name"],
            }
            for slot in self.slots
        ]

    def reload(self, force: bool = False) -> Iterable[tuple[str, str]]:
        """Open files that were replaced; a file that cannot be used leaves the old model in its place.

        Args:
            force: open them at once, also those that were refused before; else a file is opened when it has stayed the
                same since the last call.

        Yields:
            (name, what happened) of each that was tried.
        """
        with self._reloading:
            for slot in self.slots:
                try:
                    stamp = _stamp(_file(slot.spec.path, self._options))
                except (OSError, CrnnError) as error:
                    slot.missed += 1
                    if force or slot.missed == 2:  # once: it may be being replaced
                        stays = f"not reloaded, {slot.loaded.version} stays: {printable(error, 300)}"
                        yield slot.spec.name, stays
                    continue
                slot.missed = 0
                if stamp == slot.loaded.stamp or (not force and stamp == slot.refused):
                    slot.pending = None
                elif not force and stamp != slot.pending:
                    slot.pending = stamp
                else:
                    yield slot.spec.name, self._replace(slot, stamp)

    def _replace(self, slot: Slot, stamp: Stamp) -> str:
        slot.pending = None
        old = slot.loaded.version
        try:
            slot.loaded = open_model(slot.spec.path, **self._options)
        except Exception as error:  # whatever a file can raise: the old model goes on
            slot.refused = stamp
            return f"not reloaded, {old} stays: {printable(error, 300)}"
        return f"reloaded: {old} -> {slot.loaded.version}"

    def close(self) -> None:
        """Stop the workers."""
        for slot in self.slots:
            slot.worker.stop()
