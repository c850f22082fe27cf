"""How a training is watched: does it learn to read, what is mistaken for what, and its curves as a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import numpy as np
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only

from crnn.core.charset import BLANK, Charset
from crnn.core.decode.greedy import run_starts
from crnn.data.dataset import Batch
from crnn.training.board import TensorBoard
from crnn.training.confusions import markdown, write_confusions
from crnn.training.curves import draw
from crnn.training.module import CrnnModule, Seen
from crnn.training.pictures import CurvesInTensorBoard
from crnn.training.watch import Look, Watch

DRAWING_SHARE = 0.02
"""Of the time, at most, goes into pictures of the curves."""


def look_at(seen: Seen, charset: Charset) -> Look:
    """Read what the network saw; labels and readings as texts."""
    paths, lengths = seen.paths.T.cpu().numpy(), seen.lengths.numpy()  # (B, T), (B,)
    named = run_starts(paths, lengths) & (paths != BLANK)
    readings = [charset.decode(path[kept].tolist()) for path, kept in zip(paths, named, strict=True)]
    real = np.arange(paths.shape[1]) < lengths[:, None]
    blank = float(((paths == BLANK) & real).sum() / max(1, real.sum()))
    return Look.at(seen.step, float(seen.loss), blank, readings, seen.texts)


class Watching(Callback):
    """Tells `Watch` what the network reads, every few steps on rank 0, and says what it answers.

    Args:
        say: takes a message.
        lines: path of training lines, for the advice; None if they are rendered.
    """

    def __init__(self, say: Callable[[str], None], lines: str | None) -> None:
        self._say = say
        self._lines = lines
        self._stored: dict[str, Any] = {}
        self._watch: Watch | None = None

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints."""
        return self._watch.state_dict() if self._watch else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._stored = state_dict

    @rank_zero_only
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, CrnnModule)  # noqa: S101  # for mypy
        total = int(trainer.estimated_stepping_batches)
        optimizer = pl_module.optimizer_config
        self._watch = Watch(total, round(optimizer.warmup * total), optimizer.peak, self._lines)
        if self._stored:
            self._watch.load_state_dict(self._stored)
        pl_module.look_every = self._watch.every

    @rank_zero_only
    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Look at the step before: on a GPU it is done by now, so that nothing waits."""
        assert isinstance(pl_module, CrnnModule)  # noqa: S101  # for mypy
        if pl_module.seen is None or self._watch is None:
            return
        seen, pl_module.seen = pl_module.seen, None
        self._tell(self._watch.look(look_at(seen, pl_module.card.charset)))
        pl_module.look_every = self._watch.every

    @rank_zero_only
    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, CrnnModule)  # noqa: S101  # for mypy
        if self._watch and not trainer.sanity_checking:
            self._tell(self._watch.validated(trainer.global_step, pl_module.figures["val/cer"]))

    @rank_zero_only
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._watch:
            self._tell(self._watch.ended(trainer.global_step))

    def _tell(self, message: str | None) -> None:
        if message:
            self._say(message)


class Confusions(Callback):
    """After each validation, the most common confusions: a table in `folder`, and in TensorBoard."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @rank_zero_only
    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, CrnnModule)  # noqa: S101  # for mypy
        if trainer.sanity_checking:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        write_confusions(self._folder / f"confusions_{trainer.current_epoch + 1:03d}.tsv", pl_module.confusions)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoard):
                logger.experiment.add_text("val/confusions", markdown(pl_module.confusions), trainer.global_step)


class CurvesPicture(Callback):
    """Draws ``curves.png`` of a run folder after each epoch, unless drawing would cost a short one too much time, and
    shows it in TensorBoard.

    Whatever goes wrong is said once and never ends the run.
    """

    def __init__(self, run: Path, say: Callable[[str], None]) -> None:
        self._run = run
        self._say = say
        self._next = 0.0  # when it may be drawn again
        self._board = CurvesInTensorBoard()
        self._failed = False

    @rank_zero_only
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if time.monotonic() >= self._next:
            self._draw(trainer)

    @rank_zero_only
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._draw(trainer, last=True)

    def _draw(self, trainer: L.Trainer, last: bool = False) -> None:
        started = time.monotonic()
        try:
            self._board.show(draw(self._run), trainer.loggers, trainer.global_step, last)
        except Exception as error:
            if not self._failed:
                self._say(f"note: curves.png cannot be drawn ({type(error).__name__}: {error}); the training goes on")
            self._failed = True
        self._next = time.monotonic() + (time.monotonic() - started) / DRAWING_SHARE
