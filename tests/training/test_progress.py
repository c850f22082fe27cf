"""The clock of a training."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console
from tests_support import settings

from crnn.training import progress
from crnn.training.progress import TrainingProgress
from crnn.training.run import train


def test_the_clock_goes_on_after_a_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    trainer = SimpleNamespace(global_step=0)
    first, second = (TrainingProgress(None, Console(file=io.StringIO())) for _ in range(2))
    first.on_train_start(trainer, None)  # type: ignore[arg-type]
    now = 1060.0
    stored = first.state_dict()
    now = 5000.0  # the interruption
    assert math.isnan(stored["loss"])
    second.load_state_dict(stored)
    second.on_train_start(trainer, None)  # type: ignore[arg-type]
    now = 5005.0
    assert second.seconds == 65.0


def test_the_loss_that_is_shown_goes_on_after_a_resume() -> None:
    trainer, first = at_step(0, 1)
    _, second = at_step(0, 1)
    _, whole = at_step(0, 1)
    for bar in (first, whole):
        bar.on_train_start(trainer, None)  # type: ignore[arg-type]
    losses = [torch.tensor(value) for value in (8.0, 4.0, 2.0, 1.0)]
    for i, loss in enumerate(losses):
        trainer.callback_metrics["train/loss"] = loss
        if i == 2:
            second.load_state_dict(first.state_dict())
            second.on_train_start(trainer, None)  # type: ignore[arg-type]
        for bar in (first if i < 2 else second, whole):
            bar.on_train_batch_end(trainer, None, None, SimpleNamespace(texts=["a"]), i)  # type: ignore[arg-type]
    assert second._smooth_loss == pytest.approx(whole._smooth_loss)
    second.load_state_dict({"seconds": 1.0})  # of an older version


def at_step(step: int, processes: int) -> tuple[Any, TrainingProgress]:
    """A trainer, and what watches it."""
    trainer = SimpleNamespace(
        global_step=step, world_size=processes, callback_metrics={"train/loss": 1.0}, estimated_stepping_batches=9
    )
    return trainer, TrainingProgress(None, Console(file=io.StringIO()))


def test_lines_per_second_count_the_wait_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the end of one step to that of the next; a validation between epochs does not count."""
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    trainer, shown = at_step(0, 2)
    shown.on_train_start(trainer, None)  # type: ignore[arg-type]
    for _ in range(2):
        shown.on_train_epoch_start(trainer, None)  # type: ignore[arg-type]
        for _ in range(2):
            now += 0.5
            shown.on_train_batch_end(trainer, None, None, SimpleNamespace(texts=["a"] * 10), 0)  # type: ignore[arg-type]
        now += 60.0
    assert shown.lines_per_second == pytest.approx(40)


def test_an_epoch_that_was_begun_before_does_not_count_from_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning starts no epoch where a run goes on in the middle of one."""
    now = 7e6
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    trainer, shown = at_step(3, 1)
    shown.on_train_start(trainer, None)  # type: ignore[arg-type]
    now += 0.5
    shown.on_train_batch_end(trainer, None, None, SimpleNamespace(texts=["a"] * 10), 3)  # type: ignore[arg-type]
    assert shown.lines_per_second == pytest.approx(20)


def test_the_time_left_knows_that_the_first_epochs_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten steps an epoch; those of the first take a second each, later ones two and four."""
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    trainer: Any = SimpleNamespace(global_step=0, estimated_stepping_batches=50, max_epochs=5)
    bar = TrainingProgress(None, Console(file=io.StringIO()), efforts=[50.0, 100.0, 200.0])
    bar.on_train_start(trainer, None)  # type: ignore[arg-type]
    assert bar._left(trainer) == "0:00"  # nothing is known yet
    took = {4: 4, 10: 10, 15: 20, 20: 30, 25: 50, 40: 110, 50: 150}
    for step, seconds in took.items():
        trainer.global_step, now = step, float(seconds)
        assert bar._left(trainer) == f"{(150 - seconds) // 60}:{(150 - seconds) % 60:02d}"
    resumed = TrainingProgress(None, Console(file=io.StringIO()), efforts=[50.0, 100.0, 200.0])
    trainer.global_step = 20
    resumed.on_train_start(trainer, None)  # type: ignore[arg-type]
    trainer.global_step, now = 30, now + 40
    assert resumed._left(trainer) == "1:20"
    even = TrainingProgress(None, Console(file=io.StringIO()))
    trainer.global_step = 0
    even.on_train_start(trainer, None)  # type: ignore[arg-type]
    trainer.global_step, now = 10, now + 5
    assert even._left(trainer) == "0:20"


def test_a_limit_of_time_ends_it_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the epoch in which it is over: ten steps of a second each, or of half, in the first."""
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    trainer: Any = SimpleNamespace(global_step=0, estimated_stepping_batches=50, max_epochs=5)
    bar = TrainingProgress(None, Console(file=io.StringIO()), efforts=[50.0, 100.0], minutes=0.3)
    bar.on_train_start(trainer, None)  # type: ignore[arg-type]
    for step, seconds, left in ((5, 2.5, "0:22"), (10, 5.0, "0:20"), (20, 15.0, "0:10"), (30, 25.0, "0:00")):
        trainer.global_step, now = step, seconds
        assert bar._left(trainer) == left


def test_the_loss_is_ctc_s_own(tmp_path: Path) -> None:
    """What training adds to it, such as the shortcut's, is neither on the screen nor in metrics.csv."""
    sample = Path(__file__).resolve().parents[2] / "data" / "sample"  # 40 lines to train on
    words = ["model=crnn_tiny", f"data.root={sample}", "trainer.max_epochs=1", "export.format=none", "data.workers=0"]
    words += ["trainer.threads=1", "data.batch_size=40", f"runs_dir={tmp_path}"]  # one step: nothing is smoothed
    shown = []
    for shortcut in (0.0, 0.9):
        outcome = train(settings(*words, f"loss.shortcut={shortcut}", f"name=run{len(shown)}"))
        epoch = next(line for line in (outcome.folder / "train.log").read_text().splitlines() if "epoch 1/1: " in line)
        loss = re.search(r"loss ([0-9.]+),", epoch)
        rows = csv.DictReader((outcome.folder / "metrics.csv").open(encoding="utf-8"))
        [kept] = [float(row["train/loss"]) for row in rows if row["train/loss"]]
        assert loss
        assert float(loss[1]) == pytest.approx(kept, abs=1e-3)
        shown.append(kept)
    assert shown[0] == pytest.approx(shown[1], rel=1e-5)
