"""A training on a CPU that does not grow."""

from __future__ import annotations

from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
from lightning.pytorch.callbacks import Callback

from crnn.machine import give_back_memory

EVERY = 50
"""Steps; it takes some milliseconds."""


class GiveBackMemory(Callback):
    """Hands freed memory back every few steps, see `crnn.machine.give_back_memory`. On a CPU: GPUs keep their own."""

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if pl_module.device.type == "cpu" and trainer.global_step % EVERY == 0:
            give_back_memory()
