"""How long a training is where the settings leave it open."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf
from tests_support import settings

from crnn.errors import ConfigError
from crnn.training.length import Length, length_for
from crnn.training.run import train


@pytest.mark.parametrize(
    ("lines", "words", "expected"),
    [
        (354, [], Length(8, 89)),  # 45 steps an epoch
        (354, ["init=bundled"], Length(8, 89)),  # whatever it starts from
        (50, [], Length(8, 100)),  # never more epochs
        (1000, [], Length(16, 64)),
        (2000, ["init=bundled"], Length(16, 32)),
        (16127, [], Length(32, 16)),  # never fewer
        (354, ["trainer.max_epochs=3"], Length(8, 3)),
        (354, ["data.batch_size=64"], Length(64, 100)),
        (1, [], Length(8, 100)),
    ],
)
def test_few_lines_are_seen_more_often(lines: int, words: list[str], expected: Length) -> None:
    assert length_for(settings(*words), lines) == expected


def test_processes_share_the_lines() -> None:
    assert length_for(settings(), 8000) == Length(32, 16)
    assert length_for(settings(), 8000, processes=4) == Length(16, 32)


@pytest.mark.parametrize(
    ("lines", "words", "expected"),
    [
        (4096, [], Length(8, 8)),
        (7999, [], Length(8, 8)),
        (8000, [], Length(16, 8)),
        (16000, [], Length(32, 8)),
        (64, [], Length(8, 8)),
        (4096, ["init=bundled"], Length(8, 8)),
        (4096, ["data.batch_size=64", "trainer.max_epochs=3"], Length(64, 3)),
    ],
)
def test_rendered_lines_are_new_in_every_epoch(lines: int, words: list[str], expected: Length) -> None:
    assert length_for(settings(*words), lines, endless=True) == expected


@pytest.mark.parametrize("word", ["trainer.max_epochs=0", "data.batch_size=-1"])
def test_numbers_below_one_are_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=word.split("=")[0]):
        settings(word)


def test_the_run_folder_keeps_what_was_chosen(tmp_path: Path) -> None:
    sample = Path(__file__).resolve().parents[2] / "data" / "sample"  # 40 lines to train on
    words = ["model=crnn_tiny", f"data.root={sample}", f"runs_dir={tmp_path}", "name=run", "export.format=none"]
    outcome = train(settings(*words, "trainer.max_epochs=1", "trainer.threads=1", "data.workers=0"))
    kept = OmegaConf.load(outcome.folder / "config.yaml")
    assert (kept.data.batch_size, kept.trainer.max_epochs) == (8, 1)
    assert "1 epochs of them, 5 steps" in (outcome.folder / "train.log").read_text()
