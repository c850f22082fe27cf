"""All line data of a training, from settings to loaders."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.augment import Augment
from crnn.data.batching import WidthBatches
from crnn.data.check import CheckReport, check_lines
from crnn.data.crops import Trimmed, narrower
from crnn.data.dataset import LineDataset, collate
from crnn.data.facts import Peers, Progress
from crnn.data.join import Joined
from crnn.data.line_cache import CachedLines
from crnn.data.sources import LineSource
from crnn.data.sources.views import Concatenation, Mixture, Selection, Share

EFFORT_LINES = 200
"""That the cost of an epoch is told from."""


@dataclass
class PreparedLines:
    """Checked lines with their sizes."""

    source: LineSource
    sizes: Callable[[int], NDArray[np.int32]]
    """epoch -> (N, 2): width and height of every line, in pixels."""
    reports: list[CheckReport]
    """Of the sources in it; rendered lines have none, they are right by construction."""
    widest: int = 0
    """The first epoch whose lines are as long as they become."""
    trimmed_from: LineSource | None = None
    """Where `source` has lines trimmed: as they lie in their files."""

    @property
    def as_given(self) -> LineSource:
        """The lines as readers are given them, who trim by themselves."""
        return self.source if self.trimmed_from is None else self.trimmed_from


def prepare(
    source: LineSource,
    transform: LineTransform,
    charset: Charset | None,
    decode: bool,
    progress: Progress,
    max_width: int | None = None,
    peers: Peers | None = None,
    trim: bool = False,
    lines: bool = False,
) -> PreparedLines:
    """Check a source, see `check_lines`, and keep what can be used; `peers` prepare the same and share the work."""
    threads = min(8, os.cpu_count() or 1)
    report = check_lines(source, transform, charset, decode, max_width, threads, progress, peers, trim, lines)
    kept = Selection(source, report.kept)
    used = Trimmed(kept, report.sizes, narrower(transform, max_width)) if trim else kept
    return PreparedLines(used, lambda _: report.sizes, [report], trimmed_from=kept if trim else None)


def cached(lines: PreparedLines, transform: LineTransform, limit: int, folder: Path | None) -> PreparedLines:
    """The same lines with a cache of `limit` bytes for scaled pictures: in memory, or on disk in `folder`.

    In memory, too, where the pixels are not known: then nothing tells whether a file is of these pictures.
    """
    if lines.source.endless:
        return lines
    if not all(report.hashes.all() for report in lines.reports):
        folder = None
    fingerprint = " ".join(report.fingerprint for report in lines.reports)
    source = CachedLines(lines.source, lines.sizes(0), transform, limit, folder, fingerprint)
    return PreparedLines(source, lines.sizes, lines.reports, trimmed_from=lines.trimmed_from)


def joined(parts: Sequence[PreparedLines]) -> PreparedLines:
    """Several sources, one after the other."""
    if len(parts) == 1:
        return parts[0]
    sizes = np.concatenate([part.sizes(0) for part in parts])
    reports = [report for part in parts for report in part.reports]
    return PreparedLines(Concatenation([part.source for part in parts]), lambda _: sizes, reports)


def mixed(parts: Sequence[PreparedLines], weights: Sequence[float], seed: int) -> PreparedLines:
    """Several sources, each as often as its weight says (see `Mixture`)."""
    mixture = Mixture([Share(part.source, weight) for part, weight in zip(parts, weights, strict=True)], seed)

    def sizes(epoch: int) -> NDArray[np.int32]:
        found = []
        for which, positions in mixture.positions(epoch):
            part = parts[which]
            if part.source.endless:  # each position is a line of its own, an epoch's worth of them at a time
                turns, places = np.divmod(positions, len(part.source))
                found += [part.sizes(int(turn))[places[turns == turn]] for turn in np.unique(turns)]
            else:
                found.append(part.sizes(0)[positions])
        return np.concatenate(found)

    reports = [report for part in parts for report in part.reports]
    widest = max(ceil(part.widest / weight) for part, weight in zip(parts, weights, strict=True))
    return PreparedLines(mixture, sizes, reports, widest)


def concatenated(lines: PreparedLines, view: Joined) -> PreparedLines:
    """`lines`, some of them side by side, as `view` has them."""
    return PreparedLines(view, lambda epoch: view.sizes(epoch, lines.sizes(epoch)), lines.reports, lines.widest)


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

    def efforts(self) -> list[float]:
        """Mean width of the training lines in each epoch until they are widest, in pixels; of some hundred of them.

        What a step costs goes by it.
        """
        source = self.datasets["train"].source
        some = range(0, len(source), max(1, len(source) // EFFORT_LINES))
        return [
            float(np.mean([self.transform.scaled_width(*source.size(epoch * len(source) + i)) for i in some]))
            for epoch in range(self.lines["train"].widest + 1)
        ]

    def batches(self, split: str, processes: int = 1) -> WidthBatches:
        """Which lines of ``train`` or ``val`` share a batch, on this rank, of so many processes."""
        lines = self.lines[split]

        def widths(epoch: int) -> NDArray[np.int64]:
            return self.transform.scaled_widths(lines.sizes(epoch))

        rank, world = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, processes)
        return WidthBatches(
            widths,
            self.transform.height,
            self.batch_size,
            self.batch_pixels,
            shuffle=split == "train",
            seed=self.seed,
            rank=rank,
            world_size=world,
            widest=lines.widest,
        )

    def _loader(self, split: str) -> DataLoader[Any]:
        workers = self.workers if split == "train" else min(self.workers, 2)
        return DataLoader(
            self.datasets[split],
            batch_sampler=self.batches(split),
            collate_fn=collate,
            num_workers=workers,
            worker_init_fn=_ignore_signals,
            persistent_workers=workers > 0,
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
        )

    def train_dataloader(self) -> DataLoader[Any]:
        loader = self._loader("train")
        assert isinstance(loader.batch_sampler, WidthBatches)  # noqa: S101  # for mypy
        loader.batch_sampler.set_epoch(self._resume_at["epoch"])
        loader.batch_sampler.skip(self._resume_at["batches"])
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        return self._loader("val")

    def state_dict(self) -> dict[str, int]:
        """Where the training is, for its checkpoints: the epoch, and the batches done in it, of how many."""
        assert self.trainer is not None  # noqa: S101  # for mypy
        loop = self.trainer.fit_loop
        epoch: int = loop.epoch_progress.current.processed  # type: ignore[attr-defined]
        batches: int = loop.epoch_loop.batch_progress.current.processed  # type: ignore[attr-defined]
        whole = max(1, int(self.trainer.num_training_batches))
        return {"epoch": epoch, "batches": batches % whole, "of": whole}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self._resume_at = state_dict
