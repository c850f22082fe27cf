"""All line data of a training, from settings to loaders."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.augment import Augment
from crnn.data.batching import WidthBatches
from crnn.data.check import CheckReport, check_lines
from crnn.data.dataset import LineDataset, collate
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.views import Concatenation, Selection
from crnn.data.split import SplitBy, split_lines
from crnn.errors import DataError

Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass
class PreparedLines:
    """Checked lines with their sizes."""

    source: LineSource
    sizes: Callable[[int], list[tuple[int, int]]]
    """epoch -> (width, height) of every line."""
    report: CheckReport | None
    """None for rendered lines, which are right by construction."""


def open_all(paths: str | Sequence[str]) -> LineSource:
    """One source of one or several paths."""
    sources = [open_source(path) for path in ([paths] if isinstance(paths, str) else list(paths))]
    if not sources:
        raise DataError("data.train=[]: names no folder")
    return sources[0] if len(sources) == 1 else Concatenation(sources)


def find_splits(root: str) -> tuple[str, str | None]:
    """(training path, validation path or None) of a folder with train/ and val/ in it, or with lines of its own."""
    folder = Path(root)
    if not folder.exists():
        raise DataError(
            f"data.root={root}: there is no such folder. Give the folder that holds train/ and val/, or the lines "
            "themselves; experiments look in $CRNN_DATA, else in data/"
        )
    if (folder / "train").is_dir():
        return str(folder / "train"), str(folder / "val") if (folder / "val").is_dir() else None
    return str(folder), None


def prepare(
    source: LineSource,
    transform: LineTransform,
    charset: Charset | None,
    decode: bool,
    progress: Progress,
    max_width: int | None = None,
) -> PreparedLines:
    """Check a source and keep what can be used."""
    threads = min(8, os.cpu_count() or 1)
    report = check_lines(source, transform, charset, decode, max_width, threads, progress)
    return PreparedLines(Selection(source, report.kept), lambda _: report.sizes, report)


def split_source(source: LineSource, share: float, seed: int, by: SplitBy) -> tuple[Selection, Selection]:
    """Training and validation lines of one source."""
    train, val = split_lines([source.entry(i).picture for i in range(len(source))], share, seed, by)
    return Selection(source, train), Selection(source, val)


def _ignore_signals(worker: int) -> None:
    """SIGINT and SIGTERM, which reach the whole group, are the main process's to answer; workers end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class LineDataModule(L.LightningDataModule):
    """Loaders of training and validation lines.

    Args:
        train, val: checked lines.
        charset, transform: of the model.
        augment: for training lines.
        batch_size, batch_pixels: bounds of a batch, see `WidthBatches`.
        workers: processes that prepare lines.
        seed: of order and augmentation.
    """

    def __init__(
        self,
        train: PreparedLines,
        val: PreparedLines,
        charset: Charset,
        transform: LineTransform,
        augment: Augment | None,
        batch_size: int,
        batch_pixels: int,
        workers: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.lines = {"train": train, "val": val}
        self.datasets = {
            "train": LineDataset(train.source, charset, transform, augment, seed),
            "val": LineDataset(val.source, charset, transform),
        }
        self.transform = transform
        self.batch_size = batch_size
        self.batch_pixels = batch_pixels
        self.workers = workers
        self.seed = seed
        self._resume_at = {"epoch": 0, "batches": 0}

    def _batches(self, split: str) -> WidthBatches:
        lines = self.lines[split]

        def widths(epoch: int) -> NDArray[np.int64]:
            return np.array([self.transform.scaled_width(*size) for size in lines.sizes(epoch)], dtype=np.int64)

        rank, world = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        return WidthBatches(
            widths, self.transform.height, self.batch_size, self.batch_pixels, split == "train", self.seed, rank, world
        )

    def _loader(self, split: str) -> DataLoader[Any]:
        workers = self.workers if split == "train" else min(self.workers, 2)
        return DataLoader(
            self.datasets[split],
            batch_sampler=self._batches(split),
            collate_fn=collate,
            num_workers=workers,
            worker_init_fn=_ignore_signals,
            persistent_workers=workers > 0,
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
        )

    def train_dataloader(self) -> DataLoader[Any]:
        loader = self._loader("train")
        assert isinstance(loader.batch_sampler, WidthBatches)
        loader.batch_sampler.set_epoch(self._resume_at["epoch"])
        loader.batch_sampler.skip(self._resume_at["batches"])
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        return self._loader("val")

    def state_dict(self) -> dict[str, int]:
        """Where the training is, for its checkpoints: the epoch, and the batches done in it."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        epoch: int = loop.epoch_progress.current.processed  # type: ignore[attr-defined]
        batches: int = loop.epoch_loop.batch_progress.current.processed  # type: ignore[attr-defined]
        return {"epoch": epoch, "batches": batches % max(1, int(self.trainer.num_training_batches))}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self._resume_at = state_dict
