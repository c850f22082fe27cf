"""Checkpoints of runs that are moved, resumed with other settings, or end at any time."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests_support import settings

from crnn.errors import ConfigError
from crnn.training import callbacks
from crnn.training.checkpoints import KeptCheckpoint, ModelCheckpoint, Reached
from crnn.training.config import to_config
from crnn.training.run import train
from crnn.training.run_folder import RunFolder, config_of_run
from crnn.training.trainer import _refuse_other_batches


def best(folder: Path) -> KeptCheckpoint:
    return KeptCheckpoint(folder, "best", monitor="val/cer", mode="min", save_top_k=1)


def test_a_moved_run_keeps_its_best_score(tmp_path: Path) -> None:
    """Else a worse epoch would be written over the best one."""
    before, after = best(tmp_path / "a"), best(tmp_path / "b")
    path = str(tmp_path / "a" / "best.ckpt")
    before.best_model_path = before.kth_best_model_path = before.last_model_path = path
    before.best_k_models = {path: torch.tensor(0.1)}
    before.best_model_score = before.kth_value = torch.tensor(0.1)
    after.load_state_dict(before.state_dict())
    here = str(tmp_path / "b" / "best.ckpt")
    assert after.best_model_score == torch.tensor(0.1)
    assert after.best_k_models == {here: torch.tensor(0.1)}
    assert (after.best_model_path, after.kth_best_model_path, after.last_model_path) == (here, here, here)
    lightnings = ModelCheckpoint(tmp_path / "a", "best", monitor="val/cer", mode="min", save_top_k=1)
    assert after.state_key == lightnings.state_key  # so that older runs go on


def test_none_is_written_after_the_last_batch_of_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its validation comes next; resumed from there, the epoch would have none."""
    asked: list[int] = []
    monkeypatch.setattr(ModelCheckpoint, "on_train_batch_end", lambda *words: asked.append(words[-1]))
    trainer: Any = SimpleNamespace(num_training_batches=3)
    for batch in range(3):
        best(tmp_path).on_train_batch_end(trainer, None, None, None, batch)  # type: ignore[arg-type]
    assert asked == [0, 1]


def test_other_batches_in_mid_epoch_are_refused(tmp_path: Path) -> None:
    _refuse_other_batches(Reached(12, 1, 4, 8), 8, RunFolder(tmp_path))
    with pytest.raises(ConfigError, match=r"stopped in mid-epoch, 4 of 8 batches done, and an epoch .* has 4; leave"):
        _refuse_other_batches(Reached(12, 1, 4, 8), 4, RunFolder(tmp_path))


def test_a_resumed_run_has_the_optimiser_settings_that_it_is_given(line_folder: Path, tmp_path: Path) -> None:
    words = ("model=crnn_tiny", "init=null", f"data.root={line_folder}", f"runs_dir={tmp_path}", "name=r")
    words += ("data.workers=0", "trainer.threads=1", "trainer.progress=false", "trainer.max_epochs=1")
    words += ("data.batch_size=8", "optimizer.lr=1e-4", "optimizer.warmup=0", "export.format=none")
    folder = train(settings(*words)).folder
    asked = ["trainer.max_epochs=2", "optimizer.lr=0.01", "optimizer.weight_decay=0.5"]
    train(to_config(config_of_run(str(folder), asked)))
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    rates = [(int(row["epoch"]), float(row["lr"])) for row in rows if row["lr"]]
    assert max(rate for epoch, rate in rates if epoch == 0) <= 1e-4
    assert 1e-3 < max(rate for epoch, rate in rates if epoch == 1) <= 0.01
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    groups = last["optimizer_states"][0]["param_groups"]
    assert [(group["weight_decay"], group["initial_lr"]) for group in groups] == [(0.5, 0.01), (0.0, 0.01)]


@pytest.mark.skipif(os.name == "nt", reason="files are not locked there")
def test_a_name_that_a_training_has_now_is_not_to_be_removed(tmp_path: Path) -> None:
    """A lock of this process would not keep it out, so another one trains."""
    config = settings(f"runs_dir={tmp_path}", "name=r")
    folder = RunFolder.create(config)
    with pytest.raises(ConfigError, match=r"r: exists, without a checkpoint to go on from; choose another name"):
        RunFolder.create(config)
    code = (
        "import sys; from pathlib import Path; from crnn.training.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).claimed(): print('trains', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "trains\n"
        with pytest.raises(ConfigError, match=r"r: another process is training here; wait for it, or end it"):
            RunFolder.create(config)
        other.communicate("")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is none")
def test_a_terminal_that_closes_ends_a_run_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    assert callbacks._asked_by() == [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)  # nohup
    assert callbacks._asked_by() == [signal.SIGINT, signal.SIGTERM]


def test_a_training_goes_on_when_nobody_reads_what_it_says(line_folder: Path, tmp_path: Path) -> None:
    """As behind `| head`, or a `tee` that was ended."""
    read, write = os.pipe()
    os.close(read)
    words = ["model=crnn_tiny", "init=null", f"data.root={line_folder}", f"runs_dir={tmp_path}", "name=r"]
    words += ["data.workers=0", "trainer.threads=1", "trainer.max_epochs=2", "export.format=none"]
    command = [sys.executable, "-m", "crnn.cli", "train", *words]
    done = subprocess.run(command, cwd=tmp_path, stdout=write, stderr=write, timeout=240)
    os.close(write)
    assert done.returncode == 0
    assert (tmp_path / "r" / "result.json").is_file()
    assert "done in" in (tmp_path / "r" / "train.log").read_text()


def test_a_resumed_run_is_compared_with_the_model_that_it_began_from(line_folder: Path, tmp_path: Path) -> None:
    words = (f"data.root={line_folder}", "init=bundled", f"runs_dir={tmp_path}", "name=r", "data.workers=0")
    words += ("trainer.threads=1", "trainer.progress=false", "trainer.max_epochs=1", "export.format=none")
    first = train(settings(*words))
    again = train(to_config(config_of_run(str(first.folder), ["trainer.max_epochs=2"])))
    assert again.result["before/cer"] == first.result["before/cer"]
    result = json.loads((first.folder / "result.json").read_text())
    assert result["before/cer"] == first.result["before/cer"]
