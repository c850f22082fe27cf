"""What Lightning trains: the network, its loss, and its figures on validation lines."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import Optimizer

from crnn.core.alignment import Edit
from crnn.core.card import CARD_KEY, ModelCard
from crnn.core.decode import Decoded, GreedyDecoder
from crnn.data.dataset import Batch
from crnn.errors import DataError
from crnn.model.config import NetworkConfig
from crnn.model.crnn import CRNN, Output
from crnn.training.config import LossConfig, OptimizerConfig
from crnn.training.loss import CtcLoss, Shortcut
from crnn.training.schedule import make_optimizer
from crnn.training.tally import Tally


class _Step(NamedTuple):
    """What a step came to."""

    loss: Tensor
    losses: Tensor  # (B,)
    batch: Batch
    epoch: int
    number: int


class Seen(NamedTuple):
    """What a training step read, on its way to `crnn.training.watch.Look`."""

    paths: Tensor
    """(T, B) likeliest classes."""
    lengths: Tensor
    """(B,) true time steps."""
    loss: Tensor
    """Nats per character of the labels."""
    texts: list[str]
    step: int


class CrnnModule(L.LightningModule):
    """Trains a `CRNN`.

    A checkpoint's hyper-parameters are the model card, plain data, so it opens without this class and without pickle.

    Args:
        card: charset, transform and network.
        loss, optimizer: settings.
        seed: of dropout, so that a resumed run draws what an uninterrupted one would.
        channels_last: how weights and pictures lie in memory: faster, the same numbers but for rounding.
        head_first: nothing but the head learns during the warm-up.
    """

    def __init__(
        self,
        card: ModelCard,
        loss: LossConfig | None = None,
        optimizer: OptimizerConfig | None = None,
        seed: int = 0,
        channels_last: bool = True,
        head_first: bool = False,
    ) -> None:
        super().__init__()
        self.save_hyperparameters({CARD_KEY: card.to_dict()})
        self.card = card
        self.network = CRNN(NetworkConfig.from_dict(card.network), card.charset.classes, card.transform.height)
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self.network.to(memory_format=self._format)  # type: ignore[call-overload]
        loss = loss or LossConfig()
        self.loss = CtcLoss(loss.reduction)  # type: ignore[arg-type]  # checked by the config
        self.shortcut_weight = loss.shortcut
        self.smoothing = loss.smoothing
        self.shortcut = Shortcut(self.network.backbone.features, card.charset.classes) if loss.shortcut else None
        self.optimizer_config = optimizer or OptimizerConfig()
        self.seed = seed
        self.head_first = head_first
        self.time_share = 0.0  # of a limited time, 0..1: the schedule is at least so far
        self.decoder = GreedyDecoder()
        self.figures: dict[str, float] = {}  # of the last validation; kept in checkpoints
        self.confusions: Counter[Edit] = Counter()  # of the last validation, all processes
        self.look_every = 0  # steps between those that `seen` holds; 0: none
        self.seen: Seen | None = None
        self._log_every = 0  # steps between rows in the logs; 0: none
        self._unseen: _Step | None = None  # the last one, on a GPU
        self._tally = Tally()
        self._columns = torch.zeros(2, dtype=torch.float64)  # of training pictures in this epoch: all, without padding

    def forward(self, batch: Batch) -> Output:
        """Read a batch: log_probs (T, B, C) and lengths (B,)."""
        return self.network(batch.images, batch.widths)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Pictures and labels move; widths and lengths stay on the CPU, where packing reads them."""
        return batch._replace(
            images=batch.images.to(device, non_blocking=True, memory_format=self._format),
            targets=batch.targets.to(device, non_blocking=True),
        )

    def on_train_start(self) -> None:
        """Ask the trainer how often it logs; give a resumed run the learning rate and weight decay of its settings."""
        self._log_every = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        schedule, decays, peak = *self._planned, self.optimizer_config.peak
        schedule.base_lrs = [peak] * len(decays)
        for group, decay in zip(schedule.optimizer.param_groups, decays, strict=True):
            group.update(weight_decay=decay, initial_lr=peak)
        self.hurry(self.time_share)

    def hurry(self, time_share: float) -> None:
        """Take the learning rate of a schedule of which so much (0..1) is over, or more if more steps are."""
        self.time_share = time_share
        schedule = self._planned[0]
        for group, factor in zip(schedule.optimizer.param_groups, schedule.lr_lambdas, strict=True):
            group["lr"] = group["initial_lr"] * factor(schedule.last_epoch)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed dropout by the step, so that a resumed run draws as an uninterrupted one."""
        torch.manual_seed(self.seed + 1_000_003 * self.global_step + self.global_rank)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch, a number; the logs have CTC's own, without `shortcut` and `smoothing`."""
        columns = self.network.columns(batch.images, batch.widths)  # (B, D, 1, T)
        output = self.network.read(columns, batch.widths // self.network.step)  # log_probs (T, B, C), lengths (B,)
        losses = self.loss.per_line(output.log_probs, output.lengths, batch.targets, batch.target_lengths)  # (B,)
        loss = self.loss.reduce(losses, batch.target_lengths)  # ()
        step = _Step(loss.detach(), losses.detach(), batch, self.current_epoch + 1, self.global_step + 1)
        self._look_at(step)
        self.log("train/loss", loss, batch_size=len(batch.texts))
        self._columns += torch.tensor([batch.images.shape[3] * len(batch.widths), int(batch.widths.sum())])
        if self.look_every and step.number % self.look_every == 0:
            per_character = losses.detach().sum() / batch.target_lengths.sum().clamp(min=1)
            self.seen = Seen(
                output.log_probs.detach().argmax(2), output.lengths, per_character, batch.texts, step.number
            )
        if self.shortcut is not None:
            log_probs = self.shortcut(columns)  # (T, B, C)
            short = self.loss.per_line(log_probs, output.lengths, batch.targets, batch.target_lengths)  # (B,)
            loss = loss + self.shortcut_weight * self.loss.reduce(short, batch.target_lengths)
        if self.smoothing:
            flat = self.loss.from_uniform(output.log_probs, output.lengths)  # (B,)
            loss = loss + self.smoothing * self.loss.reduce(flat, batch.target_lengths)
        return loss

    @property
    def _looks_late(self) -> bool:
        return self.device.type != "cpu"

    def _look_at(self, step: _Step | None) -> None:
        """Refuse a loss that is no number; a GPU's a step later, because looking at once would make it wait."""
        if self._looks_late:
            step, self._unseen = self._unseen, step
        if step is not None and not torch.isfinite(step.loss):
            self._stop_at(step)

    def _stop_at(self, step: _Step) -> None:
        """Name the lines instead of training on."""
        texts, finite = step.batch.texts, torch.isfinite(step.losses)
        bad = [step.batch.where[i] for i in (~finite).nonzero().flatten().tolist()]
        broken = [name for name, p in self.network.named_parameters() if not torch.isfinite(p).all()]
        cause = (
            f"the weights are no longer finite ({broken[0]}): lower optimizer.lr (now {self.optimizer_config.peak:g}) "
            "or optimizer.clip, or use trainer.precision=32-true"
            if broken and not finite.any()
            else "look at these lines' pictures and labels"
        )
        raise DataError(
            f"the loss of {len(bad)} of {len(texts)} lines is not finite in epoch {step.epoch}, step {step.number}: "
            f"{', '.join(bad[:5])}{' ...' if len(bad) > 5 else ''}; {cause}. "
            "A checkpoint, where one was written before, is good: resume=RUN goes on from it"
        )

    def read(self, batch: Batch) -> list[str]:
        """Greedy readings of a batch."""
        return self._texts(self._decode(self(batch)))

    def _texts(self, lines: list[Decoded]) -> list[str]:
        return [self.card.charset.decode(line.labels) for line in lines]

    def _decode(self, output: Output) -> list[Decoded]:
        """The best path of each line, on the CPU."""
        return self.decoder(output.log_probs.detach().cpu().numpy(), output.lengths.numpy())

    def on_validation_epoch_start(self) -> None:
        """Begin a new tally, with the same network on all ranks."""
        if self.trainer.world_size > 1:  # batch norm's statistics differ by rank; validate what rank 0 will save
            for buffer in self.network.buffers():
                torch.distributed.broadcast(buffer, src=0)
        self._tally = Tally()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Read a batch and count."""
        with torch.autocast(self.device.type, enabled=False):  # in float32, as the exported model will read
            output = self(batch)  # log_probs (T, B, C), lengths (B,)
        lines = self._decode(output)
        self._tally.add(lines, output.lengths, self._texts(lines), batch.texts)
        losses = self.loss.per_line(output.log_probs, output.lengths, batch.targets, batch.target_lengths)  # (B,)
        self._tally.add_losses(losses, batch.target_lengths > 0)

    def on_validation_epoch_end(self) -> None:
        """Figures of all lines on all ranks: counts are summed, then divided."""
        mine = torch.cat([self._columns, self._tally.numbers()])
        total = self.trainer.strategy.reduce(mine.to(self.device), reduce_op="sum")
        assert isinstance(total, Tensor)  # noqa: S101  # for mypy
        whole, own = total[:2].tolist()
        self._columns = torch.zeros(2, dtype=torch.float64)
        values = Tally.figures(total[2:].cpu())
        self.log_dict(values | ({"train/padding": 1 - own / whole} if whole else {}))
        self.figures = {name: value for name, value in values.items() if name != "val/blank"}
        self.confusions = self._tally.confusions
        if self.trainer.world_size > 1:
            parts: list[Any] = [None] * self.trainer.world_size
            torch.distributed.all_gather_object(parts, self.confusions)
            self.confusions = sum(parts, Counter())

    def on_train_epoch_end(self) -> None:
        """Look at the last step, which on a GPU nobody has looked at yet."""
        self._look_at(None)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to save a loss that is no number; add the figures, and what the epoch has come to so far."""
        self._look_at(None)  # what is saved is good
        checkpoint["figures"] = self.figures
        checkpoint["columns"] = self._columns.tolist()  # of the first process

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the epoch's padding; an older checkpoint has none."""
        self._columns = torch.tensor(checkpoint.get("columns", [0, 0]), dtype=torch.float64)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW and its schedule, see `make_optimizer`."""
        optimizer, schedule = make_optimizer(
            self,
            self.optimizer_config,
            int(self.trainer.estimated_stepping_batches),
            # scaled gradients have to be unscaled, and then clipped, before a fused step could do it
            fused=self.optimizer_config.fused and self.trainer.precision != "16-mixed",
            head_first=self.head_first,
            time_share=lambda: self.time_share,
        )
        self._planned = schedule, [group["weight_decay"] for group in optimizer.param_groups]
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by norm; here, because Lightning refuses to with a fused optimiser in mixed precision."""
        logs = self._log_every and (self.global_step + 1) % self._log_every == 0
        if gradient_clip_val:
            norm = torch.nn.utils.clip_grad_norm_(self.parameters(), float(gradient_clip_val))
            if logs:
                self.log("train/gradient_norm", norm)
        if logs:
            self.log("lr", optimizer.param_groups[0]["lr"])
