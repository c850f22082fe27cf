"""The benches run, say what they compare, and name what is not installed; how fast it is here is no matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


def script(name: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / name), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)


def tables(*words: object) -> list[dict[str, Any]]:
    done = script("benchmark.py", words[0], "--rounds", 1, "--json", *words[1:])
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["machine"]["cores"] >= 1
    return printed["tables"]


@pytest.mark.slow
def test_training(line_folder: Path) -> None:
    options = ["--models", "crnn_tiny", "--widths", "32,64", "--threads", "1", "--batch", "2"]
    found = tables("train", *options, "--data", line_folder / "train", "--lines", 40, "--workers", 0)
    assert [table["title"] for table in found[:2]] == [
        "Training step, 2 lines of 32 x 32, 96 classes, threads 1",
        "Training step, 2 lines of 32 x 64, 96 classes, threads 1",
    ]
    for table in found:
        assert table["rows"][0][0] == "plain loop, classic CRNN"
        assert table["rows"][1][0] == "model=crnn_tiny 32-true"
        assert all(row[1] > 0 for row in table["rows"])
    assert float(found[2]["rows"][1][2].rstrip("%")) <= float(found[2]["rows"][0][2].rstrip("%"))  # padding


@pytest.mark.slow
def test_waiting_threads() -> None:
    (table,) = tables("train", "--spin", "--models", "crnn_tiny", "--threads", "2", "--rounds", "1")
    assert table["rows"][0][0] == "one thread"
    assert all(row[1] > 0 and row[2] > 0 for row in table["rows"])


def test_reading(trained: Path, line_folder: Path) -> None:
    model = trained / "model.onnx"
    (table,) = tables("recognize", model, "--data", line_folder / "val", "--lines", 12, "--against", "pylaia")
    assert [row[:2] for row in table["rows"]] == [["tiny/model.onnx", 1], ["tiny/model.onnx", 8], ["plain loop", 1]]
    assert table["rows"][0][8] == table["rows"][1][8]  # CER does not depend on the batch
    assert table["rows"][0][6] < 500
    assert "pylaia: cannot be used here" in table["notes"][1]
    assert "an environment of its own" in table["notes"][1]


@pytest.mark.slow
def test_reading_at_each_width(trained: Path, line_folder: Path) -> None:
    model = trained / "model.onnx"
    _, scaling = tables("recognize", model, "--data", line_folder / "val", "--lines", 2, "--scaling")
    assert [row[:2] for row in scaling["rows"]][:2] == [[1, 64], [1, 128]]


def test_a_stream_of_files(trained: Path, line_folder: Path) -> None:
    (table,) = tables("recognize", trained / "model.onnx", "--data", line_folder / "val", "--stream", 30)
    assert [row[0] for row in table["rows"]] == list(range(3, 31, 3))


@pytest.mark.slow
def test_start_up(trained: Path) -> None:
    processes, step = tables("startup", "--model", trained / "model.onnx")
    assert "torch is not imported" in processes["notes"][0]
    assert step["rows"][0][1] > 0


def test_render_gives_each_turn() -> None:
    (table,) = tables("render", "--lines", 20, "--rounds", 2)
    assert [row[0] for row in table["rows"]] == [1, 2]
    assert all(row[1] > 0 for row in table["rows"])


def test_loading(line_folder: Path) -> None:
    loading, counts = tables("data", line_folder / "train", "--scaling")
    assert [row[0] for row in loading["rows"]][:2] == ["decoding alone", "data.cache=none data.workers=0"]
    assert [row[0] for row in counts["rows"]] == [6, 12, 24, 48]


def test_tables_for_people(line_folder: Path) -> None:
    done = script("benchmark.py", "data", line_folder / "train", "--rounds", 1)
    assert "decoding alone" in done.stdout
    assert "Loading 48 lines" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["recognize", "gone.onnx", "--data", "gone"], "gone: "),
        (["train", "--models", "crnn_tiny", "--against", "ocropus", "--widths", "32"], "'ocropus' is no network"),
        (["train", "--models", "crnn_tiny", "--against", "doctr", "--widths", "32"], ".[peer-doctr]"),
    ],
)
def test_errors_are_one_line(words: list[str], said: str) -> None:
    done = script("benchmark.py", *words)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


@pytest.mark.slow
def test_the_curve(line_folder: Path, tmp_path: Path) -> None:
    rows, picture = tmp_path / "rows.jsonl", tmp_path / "curve.svg"
    done = script("network_curve.py", "train", "crnn_tiny", "--data", line_folder, "--epochs", 1, "--out", rows)
    assert done.returncode == 0, done.stderr
    row = json.loads(rows.read_text())
    assert (row["network"], row["lines"]) == ("crnn_tiny", 48)
    assert row["lines_per_cpu_second"] > 0
    rows.write_text(rows.read_text() + json.dumps({**row, "network": "doctr", "cer": 0.5}) + "\n")
    done = script("network_curve.py", "plot", rows, "--out", picture)
    assert f"| lines | crnn_tiny | {row['parameters'] / 1e6:.2f} M |".replace("lines", line_folder.name) in done.stdout
    assert picture.read_text().startswith("<?xml")
    done = script("network_curve.py", "plot", tmp_path / "none", "--out", picture)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
