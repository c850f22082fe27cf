"""What happens beside the steps: sample readings, a stop on request, the speed in the logs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image, ImageDraw, ImageFont

from crnn.core.metrics import EditCounts
from crnn.data.batching import LineKey
from crnn.data.dataset import Batch, LineDataset, collate
from crnn.files import write_atomic
from crnn.training.board import TensorBoard
from crnn.training.module import CrnnModule
from crnn.training.processes import is_lost
from crnn.training.progress import TrainingProgress

OTHERS = 5.0
"""Seconds that the second process waits for the first one's checkpoint, when some process is gone."""


class StoppedBySignal(Exception):
    """The user or the machine asked to stop; a checkpoint is written."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def _asked_by() -> list[int]:
    """Signals that end a run: Ctrl+C, a cluster's or a service's request, and a terminal that closes (not by nohup)."""
    asked: list[int] = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # Windows has none
        asked.append(signal.SIGHUP)
    return asked


class GracefulStop(Callback):
    """SIGINT and SIGTERM end the run after the step at hand, with a checkpoint from which it resumes exactly.

    A second SIGINT ends it at once.

    Args:
        checkpoint: where to write it.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self._number = 0
        self._before: dict[int, Any] = {}  # handlers to give back

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Around `trainer.fit`: what is asked before the first step ends the run after it."""
        if threading.current_thread() is not threading.main_thread():  # elsewhere they are not ours to take
            yield
            return
        self._before = {number: signal.signal(number, self._notice) for number in _asked_by()}
        try:
            yield
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._before = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the signals back from Lightning, whose SIGTERM handler would end the run without a checkpoint."""
        for number in self._before:
            signal.signal(number, self._notice)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        if trainer.world_size > 1 and is_lost(exception):
            for number in self._before:  # torchrun and srun now ask the others to end, which they do anyway
                signal.signal(number, signal.SIG_IGN)
            self._save_what_is_there(trainer, pl_module)

    def _save_what_is_there(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Another process is gone in mid-step: keep the weights of the step before, which all have in common.

        The first process does, or the second should the first be the one that is gone. Not within a validation: the
        averaged weights are in place then, and the epoch's figures are not known.
        """
        done = trainer.fit_loop.epoch_loop.batch_progress.current.processed  # type: ignore[attr-defined]
        if trainer.global_rank > 1 or trainer.validating or not done or self._saved_step() >= trainer.global_step:
            return
        if not all(bool(torch.isfinite(weight).all()) for weight in pl_module.parameters()):
            return
        until = time.monotonic() + OTHERS * trainer.global_rank
        while time.monotonic() < until:
            time.sleep(0.2)
            if self._saved_step() >= trainer.global_step:
                return
        if trainer.global_rank and not self._checkpoint.parents[1].is_dir():
            return
        # Lightning's own save_checkpoint would wait for all processes
        state = trainer._checkpoint_connector.dump_checkpoint(weights_only=False)
        # what it is after a step is over, when Lightning saves: rows of the logs are numbered by it
        state["loops"]["fit_loop"]["epoch_loop.state_dict"]["_batches_that_stepped"] = trainer.global_step - 1
        self._checkpoint.parent.mkdir(exist_ok=True)
        with write_atomic(self._checkpoint) as temporary:
            trainer.strategy.checkpoint_io.save_checkpoint(state, temporary)

    def _saved_step(self) -> int:
        """Of the checkpoint that is there; -1 for none."""
        try:
            return int(torch.load(self._checkpoint, map_location="cpu", weights_only=True)["global_step"])
        except OSError:
            return -1

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self._number and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._number = number

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        last = (
            batch_idx + 1 == trainer.num_training_batches
        )  # its validation comes first, and then `on_train_epoch_end`
        if self._agreed(trainer) and not last:
            trainer._logger_connector.update_train_step_metrics()  # Lightning would after this hook, left by exception
            trainer.save_checkpoint(self._checkpoint)
            raise StoppedBySignal(self._number)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._agreed(trainer):  # asked at the last step or during validation; the epoch's checkpoint follows
            trainer.should_stop = True

    def _agreed(self, trainer: L.Trainer) -> int:
        """The signal that this process, or another rank, was sent; 0 for none."""
        if trainer.world_size > 1:  # all ranks stop, whichever was asked
            asked = torch.tensor(float(self._number), device=trainer.strategy.root_device)
            self._number = int(trainer.strategy.reduce(asked, reduce_op="max"))
        return self._number

    @property
    def asked(self) -> int:
        """Number of the signal, 0 for none."""
        return self._number


class Speed(Callback):
    """Training lines per second and seconds of training so far, for the logs."""

    def __init__(self, progress: TrainingProgress) -> None:
        self._progress = progress

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        pl_module.log_dict({"lines_per_second": self._progress.lines_per_second, "seconds": self._progress.seconds})


class SampleReadings(Callback):
    """After each epoch, some validation lines with what the model reads in them: a text file and a picture.

    Args:
        dataset: validation lines.
        folder: for ``epoch_001.txt`` and ``epoch_001.png``.
        lines: how many, spread over the set.
    """

    def __init__(self, dataset: LineDataset, folder: Path, lines: int = 12) -> None:
        self._dataset = dataset
        self._folder = folder
        self._positions = sorted({int(p) for p in np.linspace(0, len(dataset) - 1, min(lines, len(dataset)))})

    @rank_zero_only
    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        assert isinstance(pl_module, CrnnModule)  # noqa: S101  # for mypy
        batch = collate([self._dataset[LineKey(0, position, 0)] for position in self._positions])
        batch = pl_module.transfer_batch_to_device(batch, pl_module.device, 0)
        readings = pl_module.read(batch)
        name = f"epoch_{trainer.current_epoch + 1:03d}"
        self._folder.mkdir(parents=True, exist_ok=True)
        rows = [
            f"{'ok ' if reading == text else 'bad'}\t{where}\n  label   {text}\n  reading {reading}"
            for reading, text, where in zip(readings, batch.texts, batch.where, strict=True)
        ]
        (self._folder / f"{name}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
        pictures = [self._dataset.source.picture(position) for position in self._positions]
        sheet = readings_sheet(pictures, batch.texts, readings)
        sheet.save(self._folder / f"{name}.png")
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoard):
                logger.experiment.add_image("val/readings", np.asarray(sheet), trainer.global_step, dataformats="HWC")


def readings_sheet(pictures: list[Image.Image], references: list[str], readings: list[str]) -> Image.Image:
    """Each picture with its label and reading under it; wrong readings in red (and marked), right ones in black."""
    font = _label_font()
    width, row = 900, 78
    sheet = Image.new("RGB", (width, row * len(pictures)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (picture, reference, reading) in enumerate(zip(pictures, references, readings, strict=True)):
        top = index * row
        scale = min(32 / picture.height, (width - 20) / picture.width)
        sheet.paste(
            picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))), (10, top + 4)
        )
        errors = EditCounts.of(reading, reference).character_errors
        draw.text((10, top + 38), f"label    {reference}", fill="dimgray", font=font)
        colour = "black" if errors == 0 else "firebrick"
        draw.text(
            (10, top + 55), f"reading  {reading}" + (f"   ({errors} wrong)" if errors else ""), fill=colour, font=font
        )
    return sheet


def _label_font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"), 13)
