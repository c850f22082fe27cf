"""After the last step: the model file, the final figures, and how to use them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import torch
from lightning.pytorch.callbacks import EarlyStopping
from PIL import Image

from crnn.core.recognizer import Recognizer
from crnn.data.module import LineDataModule
from crnn.data.sources import LineSource
from crnn.errors import CrnnError
from crnn.export.export import export_model
from crnn.export.parity import spread_pictures
from crnn.export.torch_backend import TorchBackend, read_network
from crnn.loader import MODEL_SUFFIXES, read_card
from crnn.report.calibration import fit_temperature
from crnn.report.page import report
from crnn.training.checkpoints import reached
from crnn.training.config import TrainConfig
from crnn.training.deadline import Deadline
from crnn.training.run_folder import RunFolder
from crnn.training.start import Began, cer_on

REPORTED = 2000
"""Validation lines, at most, that report.html shows."""


@dataclass(frozen=True)
class Outcome:
    """What a training came to."""

    folder: Path
    result: dict[str, Any]
    """As in result.json: figures, times, model file."""


def finish(
    config: TrainConfig, folder: RunFolder, trainer: L.Trainer, loaders: LineDataModule, times: dict[str, float]
) -> Outcome:
    """Export the best epoch, write result.json and report.html, say how to use them."""
    card, network = read_network(folder.best)
    best = torch.load(folder.best, map_location="cpu", weights_only=True)
    figures: dict[str, float] = best["figures"]
    epochs = reached(folder.last).epochs  # Lightning counts one less where a resumed run stops at once
    result: dict[str, Any] = {
        "best_epoch": int(best["epoch"]) + 1,
        "epochs": epochs,
        "steps": trainer.global_step,
        **figures,
        **times,
        "checkpoint": "checkpoints/best.ckpt",
    }
    before = folder.read_json("result.json") if config.resume else {}
    same = before.get("steps") == trainer.global_step
    if early := _ended_early(config, trainer, epochs):
        folder.say(f"{early[0]}; for more: {folder.again(trainer.world_size, early[1])}")
    elif same:
        more = folder.again(trainer.world_size, f"trainer.max_epochs={2 * epochs}")
        folder.say(f"nothing was left to do, all {epochs} epochs were done before; for more: {more}")
    lines = loaders.lines["val"].as_given
    pictures = spread_pictures(lines)
    temperature = fit_temperature(Recognizer(TorchBackend(card, network, "cpu")), lines)
    card = replace(card, temperature=temperature)
    result["temperature"] = temperature
    kept = False
    if config.export.format != "none":
        path = folder.path / f"model.{config.export.format}"
        if kept := same and path.is_file() and "parity" in before:  # `crnn export` may have written it since
            parity = before["parity"]
        else:
            _say_replaced(path, folder)
            noted = card.with_training(epoch=result["best_epoch"], **figures)
            parity = str(export_model(noted, network, path, config.export.format, pictures))
        result |= {"model": path.name, "parity": parity}
    folder.write_json("result.json", result)
    since = " since it was resumed" if config.resume else ""
    folder.say(
        f"done in {times['seconds'] / 60:.1f} minutes{since}: best epoch {result['best_epoch']}: "
        f"val CER {figures.get('val/cer', float('nan')):.2%}, WER {figures.get('val/wer', float('nan')):.2%}, "
        f"exact lines {figures.get('val/exact', float('nan')):.2%}"
    )
    page = folder.path / "report.html"
    try:
        report(page, Recognizer(TorchBackend(card, network, "cpu")), lines, REPORTED, folder.path.name)
        folder.say(f"what it reads, and where it errs: {page}")
    except CrnnError as error:  # the model is there all the same
        folder.say(f"note: {page.name} could not be written: {error}")
    if "model" in result:
        example = save_example(folder.path / "samples", pictures[0])
        about = "left as it is" if kept else result["parity"]
        folder.say(f"model file: {path} ({path.stat().st_size / 1e6:.1f} MB; {about})")
        opened = path if path.suffix in MODEL_SUFFIXES else folder.path  # an installed format is for other programs
        folder.say(f"read a picture with it:\n  {shlex.join(['crnn', 'recognize', str(opened), str(example)])}")
    return Outcome(folder.path, result)


def _say_replaced(path: Path, folder: RunFolder) -> None:
    """That a model file which `crnn export` wrote with a decoder is written anew."""
    try:
        decoder = read_card(path).decoder if path.suffix in MODEL_SUFFIXES and path.is_file() else {}
    except CrnnError:  # nothing that can be used is lost
        return
    if decoder.get("name", "greedy") != "greedy":
        folder.say(
            f"note: {path.name} had a decoder of its own ({decoder['name']}), and is now written anew without it; "
            f"export it once more: crnn export {folder.path} ..."
        )


def _ended_early(config: TrainConfig, trainer: L.Trainer, epochs: int) -> tuple[str, str] | None:
    """(which limit ended the training after so many epochs, before its last one; a higher limit), or None."""
    if epochs >= (config.trainer.max_epochs or 0):
        return None
    when = f"after epoch {epochs} of {config.trainer.max_epochs}"
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, Deadline) and not (callback.time_remaining() or 0) > 0:
            minutes = config.trainer.max_minutes or 0
            return (
                f"the {minutes:g} minutes of trainer.max_minutes were up {when}",
                f"trainer.max_minutes={2 * minutes:g}",
            )
        if isinstance(callback, EarlyStopping) and callback.stopped_epoch:
            return (
                f"stopped {when}: val CER had not fallen in {config.stop.patience} epochs (stop.patience)",
                f"stop.patience={2 * config.stop.patience}",
            )
    return None


def save_example(samples: Path, picture: Image.Image) -> Path:
    """Write a line to try the model with; the folder may have gone since the run began."""
    samples.mkdir(parents=True, exist_ok=True)
    picture.save(samples / "line.png")
    return samples / "line.png"


def say_compared(began: Began, val: LineSource, folder: RunFolder, outcome: Outcome) -> None:
    """Put on record how the model that the training began from reads, and say if the best epoch reads worse.

    Args:
        began: how it read.
        val: the validation lines.
        folder: of the run; result.json is written anew.
        outcome: gets ``before/cer``; and ``old/cer_before`` and ``old/cer``, of the model's own validation lines.
    """
    best = read_network(folder.best)
    after = cer_on(*best, val)
    outcome.result["before/cer"] = began.cer
    if after > began.cer:
        folder.say(
            f"note: these validation lines were read better before training (CER {began.cer:.2%}, now {after:.2%}): go "
            "on with the model it began from, or train with more lines, more epochs or a lower optimizer.lr"
        )
    if began.lines is not None:
        old = cer_on(*best, began.lines)
        outcome.result.update({"old/cer_before": began.old_cer, "old/cer": old})
        folder.say(
            f"the model's own validation lines ({began.lines.name}): CER {began.old_cer:.2%} before, {old:.2%} now"
        )
    folder.write_json("result.json", outcome.result)
