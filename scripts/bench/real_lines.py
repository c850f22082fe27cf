"""``benchmark.py train --data``: whole trainings on real lines, ours against a plain loop."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.augment import Augment
from crnn.data.batching import WidthBatches
from crnn.data.module import LineDataModule, prepare
from crnn.data.sources import open_source
from crnn.data.sources.views import Selection
from crnn.training.assemble import workers_for
from crnn.training.length import length_for
from crnn.training.module import CrnnModule

from .machine import peak_memory
from .networks import ClassicCrnn
from .tables import Figures, spread
from .training import HEIGHT, precisions, settings


class _Clock(L.Callback):
    """Lines and seconds of a training, from the end of its first batch."""

    def __init__(self) -> None:
        self.lines = 0
        self.started = self.ended = 0.0

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        self.ended = time.perf_counter()
        if self.started:
            self.lines += len(batch.texts)
        else:
            self.started = self.ended

    @property
    def speed(self) -> float:
        """Lines per second."""
        return self.lines / (self.ended - self.started)


class RealLines:
    """Trainings on real lines: the plain loop, and ours through Lightning."""

    def __init__(self, path: str, model: str, batch: int, threads: int, workers: int | None, lines: int) -> None:
        torch.set_num_threads(threads)
        self.config = settings(f"model={model}")
        source = open_source(path)
        self.transform = LineTransform(HEIGHT)
        self.charset = Charset.from_texts(source.entry(i).text for i in range(len(source)))
        self.prepared = prepare(source, self.transform, self.charset, False, iter, self.config.data.max_width)
        self.lines = min(lines, len(self.prepared.source))
        self.batch_size = length_for(self.config, len(self.prepared.source)).batch_size
        self.batch = max(1, min(batch, self.lines // 2))
        self.workers = workers_for(workers)
        self.widths = self.transform.scaled_widths(self.prepared.sizes(0))
        self.classic = ClassicCrnn(self.charset.classes)
        self.classic_optimizer = torch.optim.Adam(self.classic.parameters())
        card = ModelCard(self.charset, self.transform, self.config.model.to_dict())
        self.module = CrnnModule(card, self.config.loss, self.config.optimizer)
        self.turn = 0

    def random_padding(self) -> float:
        """Share of padding where random lines share a batch as wide as its widest."""
        order = np.random.default_rng(0).permutation(len(self.widths))
        whole = len(order) // self.batch * self.batch
        rows = self.widths[order[:whole]].reshape(-1, self.batch)
        return 1 - float(rows.sum() / (rows.max(1) * self.batch).sum())

    def our_padding(self) -> float:
        """The same of our batches; a line that is stretched to its batch's width has none."""
        data = self.config.data
        return WidthBatches(lambda _: self.widths, HEIGHT, self.batch_size, data.batch_pixels, True, 1).padding()

    def plain(self) -> float:
        """Lines per second of the plain loop: random batches, padded to their widest, loaded in the same process."""
        rng = np.random.default_rng(self.turn)
        order = rng.permutation(len(self.widths))[: self.lines]
        done, started = 0, 0.0
        for first in range(0, len(order) - self.batch + 1, self.batch):
            some = order[first : first + self.batch].tolist()
            pictures = [self.transform(self.prepared.source.picture(i)) for i in some]
            labels = [self.charset.encode(self.prepared.source.entry(i).text) for i in some]
            images = torch.zeros(len(some), 1, HEIGHT, max(p.shape[2] for p in pictures))
            for row, picture in zip(images, pictures, strict=True):
                row[:, :, : picture.shape[2]] = torch.from_numpy(picture)
            log_probs = self.classic(images).log_softmax(2)
            loss = F.ctc_loss(
                log_probs,
                torch.tensor([label for line in labels for label in line]),
                torch.full((len(some),), len(log_probs)),
                torch.tensor([len(line) for line in labels]),
            )
            self.classic_optimizer.zero_grad()
            loss.backward()
            self.classic_optimizer.step()
            if started:
                done += len(some)
            else:
                started = time.perf_counter()
        return done / (time.perf_counter() - started)

    def ours(self, precision: str) -> float:
        """Lines per second of `crnn train`'s own loop and loader, augmentation included."""
        few = np.sort(np.random.default_rng(self.turn).permutation(len(self.widths))[: self.lines])
        source = Selection(self.prepared.source, few)
        sizes = self.prepared.sizes(0)[few]
        lines = type(self.prepared)(source, lambda _: sizes, self.prepared.reports)
        data = self.config.data
        loaders = LineDataModule(
            lines,
            lines,
            self.charset,
            self.transform,
            Augment(self.config.augment),
            self.batch_size,
            data.batch_pixels,
            self.workers,
            self.turn,
        )
        clock = _Clock()
        trainer = L.Trainer(
            accelerator="cpu",
            precision=precision,  # type: ignore[arg-type]
            max_epochs=1,
            gradient_clip_val=self.config.optimizer.clip,
            limit_val_batches=0,
            logger=False,
            callbacks=[clock],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        trainer.fit(self.module, loaders)
        return clock.speed


def real(path: str, models: Sequence[str], threads: int, workers: int | None, lines: int, rounds: int) -> Figures:
    """Our training against the plain loop on the same real lines, in turns."""
    import logging
    import warnings

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    runs = {model: RealLines(path, model, 64, threads, workers, lines) for model in models}
    first = next(iter(runs.values()))
    base: list[float] = []
    speeds: dict[str, list[float]] = {}
    for _ in range(rounds):
        base.append(first.plain())
        for model, run in runs.items():
            run.turn = first.turn
            for precision in precisions("auto"):
                speeds.setdefault(f"model={model} {precision}", []).append(run.ours(precision))
        first.turn += 1
    table = Figures(
        f"Training on {len(first.widths):,} lines of {Path(path).name}, {first.lines:,} a turn, "
        f"threads {threads}, workers {first.workers}",
        ["", "lines/s", "padding", "against the plain loop"],
    )
    table.add("plain loop, classic CRNN", statistics.median(base), f"{first.random_padding():.1%}", spread([1.0]))
    for name, values in speeds.items():
        against = [ours / theirs for ours, theirs in zip(values, base, strict=True)]
        table.add(name, statistics.median(values), f"{first.our_padding():.1%}", spread(against))
    table.notes.append(f"most memory of this process: {peak_memory():,.0f} MB")
    return table
