"""`train`: one function behind ``python scripts/train.py`` and ``crnn train``."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import numpy as np
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from crnn.core.card import ModelCard
from crnn.core.seen import NOTE
from crnn.core.transform import LineTransform
from crnn.data.augment import Augment, chosen_changes
from crnn.data.module import LineDataModule
from crnn.data.recorded import BEGAN_IN, RENDERED
from crnn.errors import ConfigError, CrnnError, DataError
from crnn.libraries import require
from crnn.loader import read_card
from crnn.model.crnn import CRNN
from crnn.training.assemble import Assembled, assemble, workers_for
from crnn.training.callbacks import GracefulStop, StoppedBySignal
from crnn.training.config import TrainConfig, settled
from crnn.training.finish import Outcome, finish, say_compared
from crnn.training.launch import process_count
from crnn.training.length import Length
from crnn.training.module import CrnnModule
from crnn.training.processes import Peers, is_lost
from crnn.training.resumed import began_before, refuse_missing_lines, refuse_other_data, refuse_other_processes
from crnn.training.run_folder import RunFolder, unusable
from crnn.training.start import OLD_LINES, Began, Start, cer_on
from crnn.training.threads import choose, fastest_threads
from crnn.training.trainer import accelerator_for, make_trainer, precision_for


def train(config: TrainConfig, why_model: str = "", peers: Peers | None = None) -> Outcome:
    """Train, export, and leave a run folder that explains itself.

    Args:
        config: all settings; `config.resume` names a run folder to go on with.
        why_model: why this network was chosen, for the log.
        peers: the processes of this training.

    Raises:
        CrnnError: one clear message, before the first step where possible.
        StoppedBySignal: after writing a checkpoint.
    """
    peers, config = peers or Peers(), settled(config)
    if config.export.format == "onnx":
        require("onnx", "onnxruntime")  # now, not after the last step
    if config.trainer.threads:
        torch.set_num_threads(config.trainer.threads)
    L.seed_everything(config.seed, verbose=False)
    accelerator_for(config.trainer.accelerator)  # refused before a line is looked at
    start = Start.read(config.init) if config.init and not config.resume else None
    if start:
        config = start.settle(config)
    elif config.init and config.charset.grow:  # the run's own checkpoint has all the characters
        own = replace(config.charset, source=str(RunFolder(Path(config.resume or "")).last))
        config = replace(config, charset=own)
    network = CRNN(config.model, 2, config.image.height)  # bad settings show before a file is read
    transform = LineTransform(config.image.height, config.image.width, multiple=network.step)
    chosen_changes(config.augment)  # so do unknown augmentations

    folder = RunFolder(Path(config.resume)) if config.resume else RunFolder.create(config, peers)
    peers.run = folder.path
    with folder.claimed():
        if config.resume:
            refuse_other_processes(folder, process_count(config.trainer))
            refuse_missing_lines(config)
        return _train_in(folder, config, peers, start, transform, why_model)


def _train_in(
    folder: RunFolder,
    config: TrainConfig,
    peers: Peers,
    start: Start | None,
    transform: LineTransform,
    why_model: str,
) -> Outcome:
    """Look at the lines, take the steps, export."""
    started, cpu_started = time.monotonic(), time.process_time()
    folder.say(f"run: {folder.path}")
    with _taken_away_unless_begun(folder, bool(config.resume)):
        data = assemble(config, transform, folder, peers)
        if config.resume:
            refuse_other_data(folder, data)
        config = data.length.into(config)
        real = any(path != RENDERED for path in data.paths["train"] or ())
        augment = Augment(config.augment, data.length.epochs) if real else None

        note = _note(config, data, start, folder)
        card = ModelCard(data.charset, transform, config.model.to_dict(), trim=data.crops.readers, training=note)
        module = _make_module(config, card, folder, why_model)
        loaders = LineDataModule(
            data.train,
            data.val,
            data.charset,
            transform,
            augment,
            data.length.batch_size,
            config.data.batch_pixels,
            workers_for(config.data.workers, peers.local_world),
            config.seed,
        )
        began = _begin_from(start, card, module, data, folder) if start else began_before(config, folder)
        _settle_threads(config, folder, module, data)
        trainer, stop = make_trainer(config, folder, loaders, data)
    with _ended_well(trainer, stop, folder, peers):
        if config.resume:
            folder.write_config(config)
        else:
            folder.write_start(config, trainer.world_size)
        here = {BEGAN_IN: str(Path.cwd())}
        before = {"before": began.figures()} if began and not config.resume else {}
        folder.write_json(
            "data.json", folder.read_json("data.json") | data.record() | here | before
        )  # lines may have moved
        _say_batches(data.length, folder, loaders, trainer.world_size)
        trainer.fit(module, loaders, ckpt_path=str(folder.last) if config.resume else None)
    if not trainer.is_global_zero:
        return Outcome(folder.path, {})
    times = {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(time.process_time() - cpu_started, 1),
    }
    try:
        outcome = finish(config, folder, trainer, loaders, times)
    except KeyboardInterrupt:
        again = folder.again(trainer.world_size)
        folder.say(f"stopped after the last step, before the model file was there; write it with: {again}")
        raise
    if began:
        say_compared(began, data.val.as_given, folder, outcome)
    return outcome


@contextmanager
def _taken_away_unless_begun(folder: RunFolder, resumed: bool) -> Iterator[None]:
    """A new run folder goes away again if what comes before the first step fails or is interrupted.

    Raises:
        DataError: for lines that cannot be looked at.
    """
    try:
        yield
    except (CrnnError, ImportError):
        folder.remove_if_unused()
        raise
    except KeyboardInterrupt:
        folder.say("stopped before the first step; " + ("the run is as it was" if resumed else "no run was begun"))
        folder.remove_if_unused()
        raise
    except OSError as error:
        if error.filename is None or Path(error.filename).is_relative_to(folder.path):
            raise
        folder.remove_if_unused()
        raise DataError(unusable(error)) from None


def _make_module(config: TrainConfig, card: ModelCard, folder: RunFolder, why: str) -> CrnnModule:
    """With weights at random; says what it is, and why."""
    head_first = bool(config.init) and config.finetune == "head_first"
    module = CrnnModule(card, config.loss, config.optimizer, config.seed, config.trainer.channels_last, head_first)
    parameters = sum(p.numel() for p in module.network.parameters())
    backbone = config.model.backbone.name
    named = config.model.name + (f" with the backbone {backbone}" if backbone != "conv" else "")
    folder.say(f"model: {named}, {parameters:,} parameters, {card.charset.classes} classes{why}")
    return module


@contextmanager
def _ended_well(trainer: L.Trainer, stop: GracefulStop, folder: RunFolder, peers: Peers) -> Iterator[None]:
    """Around the steps: what ends them early is said, with the command that goes on.

    Raises:
        StoppedBySignal: if they were asked to stop; a checkpoint is written.
        KeyboardInterrupt: if they were asked twice.
        CrnnError: if another process is lost.
    """
    try:
        with stop.listening():
            yield
        peers.end_watch()
        if stop.asked:  # during a validation
            raise StoppedBySignal(stop.asked)
    except StoppedBySignal as stopped:
        again = folder.again(trainer.world_size)
        folder.say(f"stopped by {stopped}; a checkpoint is written. Go on with: {again}")
        raise
    except MisconfigurationException as error:
        raise ConfigError(f"trainer: {str(error).splitlines()[0]}") from None
    except RuntimeError as error:
        if trainer.world_size > 1 and is_lost(error):
            raise peers.why_lost(error) from None
        raise
    except SystemExit:  # how Lightning ends after a KeyboardInterrupt
        if stop.asked:
            folder.say(f"stopped at once; {folder.go_on(trainer.world_size)}")
            raise KeyboardInterrupt from None
        raise


def _begin_from(start: Start, card: ModelCard, module: CrnnModule, data: Assembled, folder: RunFolder) -> Began | None:
    """Take the weights over; say how well they read."""
    folder.say(start.carry_over(module.network, card.charset))
    if not folder.first:
        return None
    as_before = replace(card, trim=start.card.trim)
    before = cer_on(as_before, copy.deepcopy(module.network), data.val.as_given)
    many = len(data.val.source) > OLD_LINES
    some = f"the first {OLD_LINES:,} validation lines" if many else "the validation lines"
    folder.say(f"before training: CER {before:.2%} on {some}")
    lines = start.old_lines()
    if lines is None:
        folder.say("the model's own validation lines are not there: what it forgets is not measured")
    return Began(before, lines, cer_on(start.card, start.network, lines) if lines else 0.0)


def _settle_threads(config: TrainConfig, folder: RunFolder, module: CrnnModule, data: Assembled) -> None:
    """Unless set, as many threads as are fastest, measured; a resumed run takes as many as before.

    Other numbers of threads add up in another order, so the last digits of the losses depend on it.
    """
    settings, most = config.trainer, torch.get_num_threads()
    accelerator = accelerator_for(settings.accelerator)
    if settings.threads or most == 1 or accelerator != "cpu" or process_count(settings) > 1:
        return
    if config.resume:
        before = folder.read_json("env.json").get("torch_threads")
        torch.set_num_threads(before if isinstance(before, int) and 0 < before <= most else most)
        return
    if RENDERED in (data.paths["train"] or ()):  # rendering keeps a core busy for each worker
        most = max(1, most - workers_for(config.data.workers))
    widths = module.card.transform.scaled_widths(data.train.sizes(data.train.widest))
    bfloat16 = precision_for(settings.precision, accelerator) == "bf16-mixed"
    width = min(int(np.median(widths)), config.data.max_width)
    lines = max(1, min(16, data.length.batch_size, config.data.batch_pixels // (config.image.height * width)))
    speeds = fastest_threads(module.network, lines, width, bfloat16, most)
    torch.set_num_threads(choose(speeds))
    measured = ", ".join(f"{threads}: {speed:.0f} lines/s" for threads, speed in speeds.items())
    folder.say(f"threads: {choose(speeds)} (measured {measured}); trainer.threads sets them")


def _note(config: TrainConfig, data: Assembled, start: Start | None, folder: RunFolder) -> dict[str, Any]:
    note = {"data": data.record(), "seed": config.seed, "date": time.strftime("%Y-%m-%d")}
    if config.init and config.resume:  # what came before is in the run's own checkpoint
        return note | {"init": config.init, NOTE: read_card(folder.last).training.get(NOTE)}
    seen = data.seen.after(start.card.training, str(config.init)) if start else data.seen
    return note | {NOTE: seen.note()} | ({"init": config.init} if config.init else {})


def _say_batches(length: Length, folder: RunFolder, loaders: LineDataModule, processes: int) -> None:
    batches, most = loaders.batches("train", processes), length.batch_size
    together = f", in each of {processes} processes ({processes * most} lines a step)" if processes > 1 else ""
    folder.say(
        f"batches: {len(batches):,} of up to {most} lines{together}, padding {batches.padding():.1%} of pixels; "
        f"{length.epochs} epochs of them, {length.epochs * len(batches):,} steps"
    )
