"""The clock of a training."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from crnn.training import progress
from crnn.training.progress import TrainingProgress


def test_the_clock_goes_on_after_a_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    trainer = SimpleNamespace(global_step=0)
    first, second = (TrainingProgress(None, Console(file=io.StringIO())) for _ in range(2))
    first.on_train_start(trainer, None)  # type: ignore[arg-type]
    now = 1060.0
    stored = first.state_dict()
    now = 5000.0  # the interruption
    second.load_state_dict(stored)
    second.on_train_start(trainer, None)  # type: ignore[arg-type]
    now = 5005.0
    assert second.seconds == 65.0
