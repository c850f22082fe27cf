"""Checkpoints of a training: which are kept, how they are written, and how far one got."""

from __future__ import annotations

import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from crnn.errors import ModelFileError
from crnn.files import write_atomic


class KeptCheckpoint(ModelCheckpoint):
    """Lightning's, for run folders that may be moved, and for runs that may end at any time."""

    @property
    def state_key(self) -> str:
        """As Lightning's own class has it, so that runs go on that were begun with that."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning forgets the best score of another folder, and a worse epoch would take the place of the best."""

        def here(path: str) -> str:
            return str(Path(str(self.dirpath), Path(path).name)) if path else path

        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        moved = {name: here(state_dict[name]) for name in paths if name in state_dict}
        best = {here(path): score for path, score in state_dict.get("best_k_models", {}).items()}
        super().load_state_dict({**state_dict, **moved, "best_k_models": best, "dirpath": self.dirpath})

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Not after the last batch of an epoch: resumed from there, its validation would be left out."""
        if batch_idx + 1 < trainer.num_training_batches:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside the one that it replaces: a full disk or a kill costs the new one, not the old."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """As Lightning asks for it; raises OSError where there is no room."""
        target, content = Path(path), io.BytesIO()
        torch.save(checkpoint, content)
        target.parent.mkdir(parents=True, exist_ok=True)
        with write_atomic(target) as temporary:
            temporary.write_bytes(content.getbuffer())


class Reached(NamedTuple):
    """How far a run was when a checkpoint was written."""

    step: int
    epochs: int
    """Whole ones."""
    batches: int
    """Of the next epoch, on each process."""
    whole: int | None
    """Batches of that epoch; None for a checkpoint that does not tell."""


def reached(checkpoint: Path) -> Reached:
    """How far the run of a checkpoint was.

    Raises:
        ModelFileError: if it is damaged.
    """
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        had = content["LineDataModule"]
        return Reached(int(content["global_step"]), int(had["epoch"]), int(had["batches"]), had.get("of"))
    except (RuntimeError, EOFError, KeyError, TypeError, ValueError, OSError, UnpicklingError) as error:
        why = str(error).split(". ")[0].splitlines()[0] if str(error) else type(error).__name__
        raise ModelFileError(
            f"{checkpoint}: is damaged ({why}); "
            f"start a new run from the best one: init={checkpoint.with_name('best.ckpt')}"
        ) from None
