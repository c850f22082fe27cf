"""Lightning's `Trainer`, as a training needs it: its processes, precision, callbacks, and where it writes."""

from __future__ import annotations

import logging
import warnings
from datetime import timedelta
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.strategies import DDPStrategy

from crnn.data.module import LineDataModule
from crnn.data.recorded import RENDERED
from crnn.errors import ConfigError
from crnn.machine import fast_bfloat16
from crnn.training.assemble import Assembled
from crnn.training.averaging import Averaging
from crnn.training.board import TensorBoard
from crnn.training.callbacks import GracefulStop, SampleReadings, Speed
from crnn.training.checkpoints import KeptCheckpoint, Reached, WholeCheckpoints, reached
from crnn.training.config import TrainConfig
from crnn.training.deadline import Deadline
from crnn.training.launch import follow_launcher, own_environment, process_count
from crnn.training.memory import GiveBackMemory
from crnn.training.metrics_csv import MetricsCsv
from crnn.training.progress import TrainingProgress
from crnn.training.run_folder import RunFolder
from crnn.training.watching import Confusions, CurvesPicture, Watching


def accelerator_for(setting: str) -> str:
    """``auto`` is an NVIDIA or AMD GPU, or the CPU: torch has no CTC loss on Apple's GPUs.

    Raises:
        ConfigError: for a GPU where torch finds none.
    """
    if setting in ("gpu", "cuda") and not torch.cuda.is_available():
        built = "torch is built for CPUs alone" if torch.version.cuda is torch.version.hip is None else "see its driver"
        raise ConfigError(
            f"trainer.accelerator={setting}: torch {torch.__version__} finds no GPU here ({built}); "
            "trainer.accelerator=auto takes what there is"
        )
    if setting != "auto":
        return setting
    return "gpu" if torch.cuda.is_available() else "cpu"


def precision_for(setting: str, accelerator: str) -> str:
    """``auto`` is bfloat16 where the hardware multiplies it faster than float32: newer GPUs, CPUs with AMX."""
    if setting != "auto":
        return setting
    gpu = accelerator in ("gpu", "cuda")
    fast = torch.cuda.is_available() and torch.cuda.is_bf16_supported() if gpu else fast_bfloat16()
    return "bf16-mixed" if fast else "32-true"


def make_trainer(
    config: TrainConfig, folder: RunFolder, loaders: LineDataModule, data: Assembled
) -> tuple[L.Trainer, GracefulStop]:
    """Lightning's trainer, and the callback that knows whether somebody asked it to stop.

    Args:
        config: all settings.
        folder: of the run; checkpoints, tables and pictures go there.
        loaders: what it trains on; the sample readings are of its validation lines.
        data: names the lines in what is said of them.

    Raises:
        ConfigError: for settings that Lightning refuses.
    """
    _quiet()
    settings = config.trainer
    devices, nodes = follow_launcher(settings) or (settings.devices, settings.num_nodes)
    strategy: Any = settings.strategy
    if strategy in ("auto", "ddp") and process_count(settings) > 1:
        strategy = DDPStrategy(timeout=timedelta(minutes=settings.wait_minutes))
    stop = GracefulStop(folder.last)
    callbacks = _callbacks(config, folder, loaders, data, stop)
    accelerator = accelerator_for(settings.accelerator)
    resume_step = None
    if config.resume and folder.first:
        had = reached(folder.last)
        resume_step = had.step
        some = f"{had.epochs} epochs{' and a part' if had.batches else ''}"
        if settings.max_epochs is not None and settings.max_epochs < had.epochs + bool(had.batches):
            raise ConfigError(f"trainer.max_epochs={settings.max_epochs}: the run has had {some}; name more")
        if had.batches and had.whole:
            _refuse_other_batches(had, len(loaders.batches("train", process_count(settings))), folder)
        folder.say(f"goes on where it was: {some} of {settings.max_epochs} done, {had.step:,} steps")
    try:
        trainer = L.Trainer(
            accelerator=accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy=strategy,
            plugins=[*own_environment(), WholeCheckpoints()],
            precision=precision_for(settings.precision, accelerator),  # type: ignore[arg-type]  # checked by the config
            max_epochs=settings.max_epochs,
            gradient_clip_val=config.optimizer.clip,
            logger=[
                MetricsCsv(folder.path, resume_step),
                TensorBoard(folder.path),
            ],
            callbacks=callbacks,
            log_every_n_steps=1 if accelerator == "cpu" else 20,  # a GPU would have to wait for each
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_model_summary=False,
        )
    except (L.fabric.utilities.exceptions.MisconfigurationException, TypeError, ValueError) as error:
        raise ConfigError(f"trainer: {str(error).splitlines()[0]}") from None
    return trainer, stop


def _refuse_other_batches(had: Reached, batches: int, folder: RunFolder) -> None:
    """In mid-epoch, lines would come twice or not at all."""
    if had.whole != batches:
        raise ConfigError(
            f"resume={folder.path}: stopped in mid-epoch, {had.batches} of {had.whole} batches done, and an epoch of "
            f"these settings has {batches}; leave data.batch_size, data.batch_pixels and data.weights as they were "
            "until an epoch ends"
        )


class Patience(EarlyStopping):
    """Lightning's, but a resumed run has the patience of its settings, not the one that its checkpoint had."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Of what was, the best value and the epochs since."""
        super().load_state_dict(state_dict | {"patience": self.patience, "stopped_epoch": 0})

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Of a run that it has ended, and that is resumed as it was, nothing is left to do."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True
            self.stopped_epoch = trainer.current_epoch


def _callbacks(
    config: TrainConfig, folder: RunFolder, loaders: LineDataModule, data: Assembled, stop: GracefulStop
) -> list[Callback]:
    """What happens beside the steps, in the order in which Lightning calls them."""
    settings = config.trainer
    bar = folder.say if settings.progress else None
    progress = TrainingProgress(bar, folder.console, efforts=loaders.efforts(), minutes=settings.max_minutes)
    checkpoints = folder.path / "checkpoints"
    common: dict[str, Any] = {
        "dirpath": checkpoints,
        "enable_version_counter": False,
        "auto_insert_metric_name": False,
        "save_on_train_epoch_end": True,
    }
    callbacks: list[Callback] = [
        progress,
        Speed(progress),
        GiveBackMemory(),
        SampleReadings(loaders.datasets["val"], folder.path / "samples"),
        Confusions(folder.path / "samples"),
        Watching(folder.say, next((path for path in data.paths["train"] or () if path != RENDERED), None)),
        CurvesPicture(folder.path, folder.say),
        KeptCheckpoint(filename="best", monitor="val/cer", mode="min", save_top_k=1, **common),
        KeptCheckpoint(filename="last", save_top_k=1, **common),
    ]
    if settings.checkpoint_every:
        within = common | {"save_on_train_epoch_end": False}
        callbacks.append(KeptCheckpoint(filename="last", every_n_train_steps=settings.checkpoint_every, **within))
    if config.ema.enabled:
        callbacks.append(Averaging(config.ema.decay))  # late: it swaps the weights back after validation
    callbacks.append(stop)  # after the averaging, so that its checkpoint holds the average of the step at hand
    if settings.max_minutes:
        callbacks.append(Deadline(settings.max_minutes))
    if config.stop.patience:
        callbacks.append(
            Patience("val/cer", config.stop.min_delta, config.stop.patience, check_on_train_epoch_end=True)
        )
    return callbacks


def _quiet() -> None:
    """Silence what Lightning says of every training."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # its greetings
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    warnings.filterwarnings("ignore", ".*your dataloader is not resumable.*")  # ours is, see LineDataModule
    warnings.filterwarnings("ignore", ".*have overridden `transfer_batch_to_device`.*")
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", ".*treespec, LeafSpec.*")
    warnings.filterwarnings("ignore", ".*It is recommended to use `self.log.*")  # counts are summed by hand
    warnings.filterwarnings("ignore", ".*Checkpoint directory .* exists.*")
