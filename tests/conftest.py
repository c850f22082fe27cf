"""Fixtures that several rooms share: labelled lines that the project renders itself, and a model trained on them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # before torch loads
SHARED = Path(os.environ.get("CRNN_DATA", Path(__file__).parents[2] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """A folder of real lines, or a skipped test where there is none."""
    if not (SHARED / name).is_dir():
        pytest.skip("skipped: shared data not found")
    return SHARED / name


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The suite's networks are tiny; threads would only wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def line_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train/ (48) and val/ (12) with labels.tsv: clean digits and letters in the bundled fonts."""
    from crnn.data.synth.source import synthetic_pair

    root = tmp_path_factory.mktemp("lines")
    pair = synthetic_pair(48, 12, seed=3, characters="0123456789 abc", fonts="bundled", max_length=6, wear=0.0)
    for name, source in zip(("train", "val"), pair, strict=True):
        (root / name / "images").mkdir(parents=True)
        rows = []
        for i in range(len(source)):
            source.picture(i).save(root / name / "images" / f"{i:03d}.png")
            rows.append(f"images/{i:03d}.png\t{source.entry(i).text}\n")
        (root / name / "labels.tsv").write_text("".join(rows), encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def trained(line_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a short training of crnn_tiny on `line_folder`."""
    from tests_support import settings

    from crnn.training.run import train

    runs = tmp_path_factory.mktemp("runs")
    config = settings(
        f"data.root={line_folder}",
        f"runs_dir={runs}",
        "name=tiny",
        "model=crnn_tiny",
        "trainer.max_epochs=24",
        "data.batch_size=4",
        "optimizer.lr=0.01",
        "data.workers=0",
        "trainer.accelerator=cpu",
        "trainer.progress=false",
    )
    return train(config).folder
