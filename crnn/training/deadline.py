"""A limit of time: a training ends with the epoch in which it is over, and its learning rate has fallen by then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
from lightning.pytorch.callbacks import Timer


class Deadline(Timer):
    """Lightning's timer, which also tells the schedule how much of the time is over.

    Args:
        minutes: of training, validation included, interruptions not.
    """

    def __init__(self, minutes: float) -> None:
        super().__init__(timedelta(minutes=minutes), interval="epoch", verbose=False)
        self._seconds = 60 * minutes

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Before each step; processes have clocks of their own, and go by that of the first."""
        share = min(1.0, self.time_elapsed() / self._seconds)
        if trainer.world_size > 1:
            share = trainer.strategy.broadcast(share)
        module: Any = pl_module  # ours
        module.hurry(share)
