"""`crnn evaluate`: the figures, their variants, and what is left out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import crnn
from crnn.cli import main
from crnn.core.metrics import EditCounts
from crnn.data.sources import open_source
from crnn.report.evaluate import Evaluation, evaluate


def test_figures_are_those_of_the_readings(trained: Path, line_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = open_source(line_folder / "val")
    reader = crnn.load(trained / "model.onnx")
    readings = reader.recognize([source.picture(i) for i in range(len(source))])
    counts = EditCounts.total((r.text, source.entry(i).text) for i, r in enumerate(readings))
    assert evaluate(reader, source).counts == counts
    result = json.loads((trained / "result.json").read_text())
    assert counts.cer == pytest.approx(result["val/cer"])  # validation and inference agree
    assert main(["evaluate", str(trained / "model.onnx"), str(line_folder / "val"), "--json"]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed[0]["raw"]["cer"] == pytest.approx(counts.cer)
    assert printed[0]["lines"] == 12
    assert main(["evaluate", str(trained / "model.onnx"), str(line_folder / "val"), "--limit", "5"]) == 0
    out = capfd.readouterr().out
    assert f"{EditCounts.total((r.text, source.entry(i).text) for i, r in enumerate(readings[:5])).cer:.2%}" in out
    assert "raw" in out


def test_variants() -> None:
    evaluation = Evaluation("x")
    evaluation.add("Total: 12,50", "TOTAL 12.50")
    assert evaluation.counts.exact == 0
    assert evaluation.counts.character_errors == 6  # four letters, the colon, the comma
    assert evaluation.ignoring_case.character_errors == 2
    assert evaluation.letters_and_digits.exact == 1


def test_lines_that_cannot_be_judged_are_listed(trained: Path, line_folder: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    shutil.copytree(line_folder / "val", lines)
    table = (lines / "labels.tsv").read_text().splitlines()
    table[1] = "no tab here"
    table[2] = table[2].split("\t")[0] + "\t"
    (lines / "images" / "004.png").write_bytes(b"broken")
    (lines / "labels.tsv").write_text("\n".join(table) + "\n")
    evaluation = evaluate(crnn.load(trained / "model.onnx"), open_source(lines))
    assert evaluation.counts.lines == 9
    assert [said.split("labels.tsv:")[1].split(":")[0] for said in evaluation.left_out] == ["2", "3", "5"]


def test_the_lines_of_the_run(trained: Path, line_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = str(trained / "model.onnx")
    for arguments, lines in (([], 12), (["--split", "val"], 12), (["--split", "train"], 48)):
        assert main(["evaluate", model, *arguments, "--json"]) == 0
        assert [part["lines"] for part in json.loads(capfd.readouterr().out)] == [lines]
    assert main(["evaluate", model, str(line_folder / "val"), "--split", "train", "--json"]) == 0
    assert [part["lines"] for part in json.loads(capfd.readouterr().out)] == [12, 48]
    assert main(["evaluate", model, "--split", "test"]) == 2
    assert "its test lines are recorded in its run's folder splits/, which is not beside it" in capfd.readouterr().err


def test_bad_arguments(trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(trained / "model.onnx"), str(tmp_path)]) == 2
    assert "holds no labelled lines in a known format" in capfd.readouterr().err
