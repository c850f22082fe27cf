"""Two processes against one: the same validation, much the same training, and no rendered line twice."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from tests_support import settings, write_sides

from crnn.core.transform import LineTransform
from crnn.data.module import LineDataModule
from crnn.data.synth.source import synthetic_pair
from crnn.training.assemble import assemble
from crnn.training.run_folder import RunFolder

COUNTED = ("val/cer", "val/wer", "val/exact", "val/blank")
"""Figures that are a sum of whole numbers, divided once; `val/loss` is a sum of fractions, and depends on its order."""
PROGRAM = """
from torch import nn
from crnn.training.main import main
from crnn.training.module import CrnnModule

original = CrnnModule.training_step

def step(self, batch, batch_idx):
    for part in self.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()
    return original(self, batch, batch_idx) * (self.current_epoch > 0)

CrnnModule.training_step = step
main()
"""
"""A training whose first epoch changes nothing, so that its first validation is one of the weights it began with.

Batch normalisation keeps its averages: those of a batch are of half as many lines in each of two processes.
"""


def lines_of_one_width(root: Path) -> None:
    """48 and 24 lines that are read with some errors; in batches of any size, none is stretched or padded."""
    write_sides(root, synthetic_pair(48, 24, 3, fonts="bundled", min_length=4, max_length=12))
    for path in root.rglob("*.png"):
        with Image.open(path) as line:
            line.convert("L").resize((192, 32)).save(path)


def run(folder: Path, processes: int, seed: int = 1) -> tuple[dict[str, str], dict[str, str]]:
    """Validations before and after a training by `processes` processes of 8 lines together: rows of its metrics.csv."""
    name = f"p{processes}-{seed}"
    words = (
        *(f"name={name}", "runs_dir=.", "data.root=lines", f"data.batch_size={8 // processes}", "init=bundled"),
        "data.trim=false",  # it would make them of many widths
        *(f"trainer.devices={processes}", "data.workers=0", "trainer.accelerator=cpu", "trainer.threads=1"),
        *("trainer.max_epochs=3", "optimizer.lr=0.001", "optimizer.weight_decay=0", "loss.shortcut=0", f"seed={seed}"),
    )
    done = subprocess.run(
        [sys.executable, "program.py", *words, "export.format=none"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / name / "env.json").read_text())["processes"] == processes
    with (folder / name / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["val/loss"]]
    assert len(rows) == 3
    return rows[0], rows[-1]


@pytest.mark.slow
def test_two_processes_validate_and_train_as_one_does(tmp_path: Path) -> None:
    """Of the same weights all counts are the same; after 12 steps they differ by rounding alone, not as seeds do."""
    lines_of_one_width(tmp_path / "lines")
    (tmp_path / "program.py").write_text(PROGRAM)
    (before, after), (_, other) = (run(tmp_path, 1, seed) for seed in (1, 2))
    before_2, after_2 = run(tmp_path, 2)
    assert {name: before_2[name] for name in COUNTED} == {name: before[name] for name in COUNTED}
    assert 0 < float(before["val/cer"]) < 0.5
    assert float(before_2["val/loss"]) == pytest.approx(float(before["val/loss"]), rel=1e-5)
    assert after_2["step"] == after["step"]
    learnt, noise, apart = (float(one["val/loss"]) / float(after["val/loss"]) - 1 for one in (before, other, after_2))
    assert learnt > 0.05
    assert abs(apart) < 1e-3 < abs(noise)


def rendered_on(rank: int, folder: Path) -> list[list[tuple[str, bytes]]]:
    """Of two epochs the (text, pixels) of the lines that one of two processes trains on, which knows its rank alone."""
    config = settings(
        "model=crnn_tiny",
        "seed=5",
        "data.rendered.lines=21",
        "data.rendered.val_lines=2",
        "data.rendered.fonts=bundled",
    )
    folder.mkdir()
    transform = LineTransform(32)
    lines = assemble(config, transform, RunFolder(folder))
    module = LineDataModule(lines.train, lines.val, lines.charset, transform, None, 4, 2**20, 0, config.seed)
    module.trainer = SimpleNamespace(global_rank=rank, world_size=2)  # type: ignore[assignment]
    batches = module.batches("train")
    epochs = []
    for epoch in range(2):
        batches.set_epoch(epoch)
        made = [module.datasets["train"][key] for batch in batches for key in batch]
        epochs.append([(line.text, line.image.numpy().tobytes()) for line in made])
    return epochs


def test_a_rendered_line_comes_once_on_all_processes_and_in_all_epochs(tmp_path: Path) -> None:
    ranks = [rendered_on(rank, tmp_path / str(rank)) for rank in range(2)]
    for epoch in range(2):
        assert len(ranks[0][epoch]) + len(ranks[1][epoch]) == 21
        assert min(len(ranks[rank][epoch]) for rank in range(2)) > 6
    together = [line for rank in ranks for epoch in rank for line in epoch]
    assert len({pixels for _, pixels in together}) == len(together) == 42
    assert ranks == [rendered_on(rank, tmp_path / f"again-{rank}") for rank in range(2)]
