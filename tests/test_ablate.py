"""The ablation trains each row once, with what it says, and shows what is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests_support import here

ROOT = Path(__file__).parents[1]
COMMON = ("model=crnn_tiny", "data.workers=0", "trainer.accelerator=cpu", "trainer.threads=1", "data.batch_size=8")


def ablate(*words: object) -> subprocess.CompletedProcess[str]:
    """The script, and the trainings that it starts, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", here)
        return here([sys.executable, str(ROOT / "scripts" / "ablate.py"), *map(str, words)])


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[object, ...], str]:
    out = tmp_path_factory.mktemp("ablation") / "rows.jsonl"
    parts = ("--parts", "column max", "elastic", COMMON[-1])  # a setting is one wherever it stands
    words = (
        *COMMON[:-1],
        "--data",
        f"sample={ROOT / 'data' / 'sample'}",
        "--lines",
        10,
        "--epochs",
        1,
        *parts,
        "--out",
        out,
    )
    done = ablate(*words)
    assert done.returncode == 0, done.stderr
    return out, words, done.stdout


def test_rows_are_trainings_with_one_part_or_all(made: tuple[Path, tuple[object, ...], str]) -> None:
    out, _, printed = made
    rows = rows_of(out)
    assert [row["variant"] for row in rows] == ["base", "column max", "elastic", "all"]
    runs = [next((out.with_suffix("") / "runs").glob(f"sample-{row['variant'].replace(' ', '-')}-1-*")) for row in rows]
    assert len(set(runs)) == 4
    configs = [(run / "config.yaml").read_text() for run in runs]
    assert ["column_pool: max" in text for text in configs] == [False, True, False, True]
    assert ["elastic: 0.5" in text for text in configs] == [False, False, True, True]
    assert all("init: null" in text for text in configs)  # all begin alike
    for row, run in zip(rows, runs, strict=True):
        result = json.loads((run / "result.json").read_text())
        assert (row["cer"], row["exact"], row["minutes"]) == (
            result["val/cer"],
            result["val/exact"],
            result["seconds"] / 60,
        )
        assert (row["lines"], row["epochs"], row["seed"], result["epochs"]) == (10, 1, 1, 1)
        data = json.loads((run / "data.json").read_text())
        assert data["train"]["lines"] == 10
        assert data["train"] == json.loads((runs[0] / "data.json").read_text())["train"]
        assert data["val"]["lines"] > 10
    assert "sample: 10 lines, 1 epochs, seed 1; base: model=crnn_tiny" in printed
    assert printed.count("\n|") == 6


def test_what_is_there_is_not_trained_again_and_what_was_stopped_goes_on(
    made: tuple[Path, tuple[object, ...], str],
) -> None:
    out, words, printed = made
    before = out.read_text()
    again = ablate(*words)
    assert (again.returncode, again.stdout) == (0, printed)
    assert out.read_text() == before
    out.write_text("".join(line + "\n" for line in before.splitlines()[:-1]) + '{"data": "sam')  # the power went
    resumed = ablate(*words)
    assert (resumed.returncode, resumed.stdout) == (0, printed)
    assert out.read_text() == before  # the training had ended
    out.write_text("".join(line + "\n" for line in before.splitlines()[:-1]))
    run = next((out.with_suffix("") / "runs").glob("sample-all-1-*"))
    (run / "result.json").unlink()
    resumed = ablate(*words)
    assert resumed.returncode == 0, resumed.stderr
    assert (run / "train.log").read_text().count("run: ") == 2  # gone on with, not begun anew
    assert [row["cer"] for row in rows_of(out)] == [json.loads(line)["cer"] for line in before.splitlines()]


def test_bad_words_are_refused_in_one_line(tmp_path: Path) -> None:
    sample = ROOT / "data" / "sample"
    for words, message in (
        (("--data", f"sample={sample}", "--parts", "magic"), "'magic' is unknown; allowed are 'smoothing', "),
        (("--data", sample), "give NAME=FOLDER"),
        (("--data", "x=/nowhere", "--lines", 3), "there is no such file or folder"),
    ):
        done = ablate(*words, "--out", tmp_path / "rows.jsonl")
        assert done.returncode == 1
        assert message in done.stderr.strip()
        assert len(done.stderr.strip().splitlines()) == 1


def test_seeds_are_averaged_and_compared_in_pairs(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    told = {"data": "x", "lines": None, "epochs": 2, "base": [], "exact": 0.5, "minutes": 2.0}
    rows = [("base", 1, 0.10), ("base", 2, 0.20), ("slant", 1, 0.07), ("slant", 2, 0.19), ("jpeg", 2, 0.21)]
    out.write_text(
        "".join(
            json.dumps(
                {**told, "variant": name, "seed": seed, "cer": cer, "settings": [] if name == "base" else ["a=1"]}
            )
            + "\n"
            for name, seed, cer in rows
        )
    )
    printed = ablate("--out", out).stdout
    assert "| base |  | 15.00% |  | 50.00% | 2.0 |" in printed
    assert "| slant | `a=1` | 13.00% | -2.00 | 50.00% | 2.0 |" in printed
    assert "| jpeg | `a=1` | 21.00% | +1.00 | 50.00% | 2.0 |" in printed
    assert "x: all lines, 2 epochs, seed 1, 2; base: as is" in printed
