"""TensorBoard's files, which a full disk neither damages nor makes the training wait for ever."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from tensorboardX import SummaryWriter
from tensorboardX.record_writer import register_writer_factory

PREFIX = "crnn"
"""Of the folder's name: tells tensorboardX to open its files by `_Files`."""


class TensorBoard(TensorBoardLogger):
    """Lightning's logger, ``tensorboard/`` in the run folder; the first process writes.

    tensorboardX writes in a thread of its own, which dies of a full disk: the training would go on until its queue is
    full, and then hang. Here the thread goes on without writing, and the next figure that is logged raises the error.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), name="", version="tensorboard")
        self._files = _Files()

    @property
    @rank_zero_experiment
    def experiment(self) -> SummaryWriter:
        """Takes pictures, too: ``add_image``."""
        if self._experiment is None:
            register_writer_factory(PREFIX, self._files)
            self._experiment = SummaryWriter(f"{PREFIX}:{self.log_dir}")
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """As Lightning does; raises OSError if something could not be written before."""
        super().log_metrics(metrics, step)
        if self._files.error:
            raise self._files.error

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """As Lightning does; raises OSError after ``success`` if the last figures could not be written."""
        super().finalize(status)
        if self._files.error and status == "success":
            raise self._files.error


class _Files:
    """Where tensorboardX opens its files: see its `register_writer_factory`."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        """The first one of writing."""

    def directory_check(self, path: str) -> None:
        _without_prefix(path).mkdir(parents=True, exist_ok=True)

    def open(self, path: str) -> _File:
        return _File(_without_prefix(path), self)


class _File:
    """A file that keeps its error for others, and takes everything after it without writing."""

    def __init__(self, path: Path, files: _Files) -> None:
        self._path, self._files = path, files
        self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        self._try(self._file.write, data)

    def flush(self) -> None:
        self._try(self._file.flush)

    def close(self) -> None:
        self._try(self._file.flush)
        with suppress(OSError):  # said before, if what it holds back cannot be written
            self._file.close()

    def _try(self, do: Any, *args: Any) -> None:
        if self._files.error:
            return
        try:
            do(*args)
        except OSError as error:
            self._files.error = OSError(error.errno, error.strerror, str(self._path))


def _without_prefix(path: str) -> Path:
    return Path(path.partition(":")[2])
