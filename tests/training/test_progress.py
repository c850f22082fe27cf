"""The clock of a training, and learning curves from it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from crnn.training import progress
from crnn.training.progress import TrainingProgress

SCRIPT = Path(__file__).parents[2] / "scripts" / "learning_curve.py"


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


def test_learning_curves_side_by_side(tmp_path: Path) -> None:
    header = "epoch,step,val/cer,seconds\n"
    for name, rows in {"a": "0,9,0.5,\n0,9,,100\n1,19,0.25,\n1,19,,290\n", "b": "0,9,0.125,\n0,9,,200\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.csv").write_text(header + rows)
    command = [sys.executable, str(SCRIPT), str(tmp_path / "a"), str(tmp_path / "b"), "--every", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[2:] == ["| 2 | 50.00% |  |", "| 4 | 50.00% | 12.50% |", "| 6 | 25.00% | 12.50% |"]
