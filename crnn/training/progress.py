"""The progress bar: one line for the whole training, with lines/s, loss, val CER and time left."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from torch import Tensor, tensor

from crnn.data.dataset import Batch

SMOOTHING = 0.05
"""Weight of the newest step in the loss that is shown."""


class TrainingProgress(ProgressBar):
    """A bar on a terminal; elsewhere (a log, a pipe) one line per epoch and one every `every` seconds.

    Args:
        say: takes the line per epoch; None keeps quiet.
        console: where the bar is drawn; the one that `say` prints on, so that they do not overwrite each other.
        every: seconds between lines within an epoch, where there is no terminal.
        efforts: what each of the first epochs costs, in any unit; later ones cost as the last of these.
        minutes: the training ends with the epoch in which so many are over; None for no such limit.
    """

    def __init__(
        self,
        say: Callable[[str], None] | None,
        console: Console,
        every: float = 20.0,
        efforts: Sequence[float] = (1.0,),
        minutes: float | None = None,
    ) -> None:
        super().__init__()
        self._say = say
        self._every = every
        self._efforts = efforts
        self._minutes = minutes
        self._enabled = say is not None
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._said = 0.0
        self._lines = 0
        self._seconds = 0.0
        self._counted = 0.0  # until then
        self._began = 0.0
        self._before = 0.0  # until the checkpoint that the training goes on from
        self._first_step = 0
        self._loss: Tensor | None = None  # smoothed

    def disable(self) -> None:  # Lightning calls this on all ranks but the first
        self._enabled = False

    @property
    def lines_per_second(self) -> float:
        """Training lines per second since the start, validation not counted."""
        return self._lines / self._seconds if self._seconds else 0.0

    @property
    def seconds(self) -> float:
        """Of training, validation included, interruptions not."""
        return self._before + time.monotonic() - self._began

    def state_dict(self) -> dict[str, float]:
        """For checkpoints."""
        return {"seconds": self.seconds, "loss": self._smooth_loss}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self._before = state_dict["seconds"]
        loss = state_dict.get("loss", math.nan)  # an older checkpoint has none
        self._loss = None if math.isnan(loss) else tensor(loss)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._began = self._said = self._counted = time.monotonic()  # a resumed epoch does not start again
        self._first_step = trainer.global_step
        if self._enabled and sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=12),
                TextColumn("{task.percentage:3.0f}%"),
                TextColumn("{task.fields[left]} left, {task.fields[figures]}"),
                console=self._console,
            )
            self._bar.start()
            self._task = self._bar.add_task(
                "training",
                total=int(trainer.estimated_stepping_batches),
                completed=trainer.global_step,
                left="?",
                figures="starting",
            )

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._counted = time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        now = time.monotonic()
        self._lines += len(batch.texts) * trainer.world_size
        self._seconds += now - self._counted
        self._counted = now
        loss = trainer.callback_metrics["train/loss"]  # CTC's own, as the logs have it
        self._loss = loss if self._loss is None else self._loss + SMOOTHING * (loss - self._loss)
        if now - self._said < (0.5 if self._bar else self._every):
            return
        self._said = now
        if self._bar:
            hurried = min(1.0, self.seconds / (60 * self._minutes)) if self._minutes else 0.0
            self._bar.update(
                self._task,
                completed=max(trainer.global_step, int(hurried * trainer.estimated_stepping_batches)),
                description=f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}",
                left=self._left(trainer),
                figures=self._figures(trainer),
            )
        elif self._enabled:
            message = f"  step {trainer.global_step}: {self._figures(trainer)}, {self._left(trainer)} left"
            self._console.print(message, highlight=False, markup=False)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self._enabled or self._say is None:
            return
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self._say(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: "
            f"loss {self._smooth_loss:.3f}, val CER {values.get('val/cer', float('nan')):.2%}, "
            f"WER {values.get('val/wer', float('nan')):.2%}, exact {values.get('val/exact', float('nan')):.2%}, "
            f"{self.lines_per_second:.0f} lines/s, {self._left(trainer)} left"
        )
        self._said = time.monotonic()

    @property
    def _smooth_loss(self) -> float:
        return float("nan") if self._loss is None else float(self._loss)

    def _figures(self, trainer: L.Trainer) -> str:
        cer = trainer.callback_metrics.get("val/cer")
        return f"{self.lines_per_second:.0f} lines/s, loss {self._smooth_loss:.3f}" + (
            f", val CER {float(cer):.2%}" if cer is not None else ""
        )

    def _left(self, trainer: L.Trainer) -> str:
        """Minutes and seconds until all epochs are done, or those that there is time for."""
        total, planned = int(trainer.estimated_stepping_batches), trainer.max_epochs or 1
        had = trainer.global_step * planned / total
        first, now = self._effort(self._first_step * planned / total), self._effort(had)
        if now <= first:
            return "0:00"
        pace = (time.monotonic() - self._began) / (now - first)
        epochs = planned
        if self._minutes:
            last = now + max(0.0, 60 * self._minutes - self.seconds) / pace  # the time is up there
            epochs = next((n for n in range(math.ceil(had), planned) if self._effort(n) >= last), planned)
        seconds = int(pace * max(0.0, self._effort(epochs) - now))
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _effort(self, epochs: float) -> float:
        """Of so many epochs from the start, a part of one included."""
        whole = int(epochs)
        given = self._efforts[: whole + 1]
        past = sum(given[:whole]) + max(0, whole - len(given)) * given[-1]
        return past + (epochs - whole) * given[-1]

    def _stop(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._stop()
