"""`crnn evaluate` and `crnn compare` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crnn.cli import main


def printed(capfd: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) in (0, 1)
    return capfd.readouterr().out


def test_pages_json_and_readings(
    trained: Path, line_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model, lines, page = trained / "model.onnx", line_folder / "val", tmp_path / "r.html"
    (one,) = json.loads(printed(capfd, "evaluate", model, lines, "--html", page, "--json"))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    low, high = one["raw"]["cer_95"]
    assert low <= one["raw"]["cer"] <= high
    assert one["spaces"].keys() == {"precision", "recall"}
    assert sum(group["lines"] for group in one["by_length"].values()) == 12
    assert sum(bin["lines"] for bin in one["reliability"]) == 12
    assert sum(c["count"] for c in one["confusions"]) == round(one["raw"]["cer"] * one["characters"])
    assert len(one["worst"]) == round((1 - one["raw"]["exact"]) * 12)
    for format in ("jsonl", "tsv"):
        readings = tmp_path / f"readings.{format}"
        assert main(["recognize", str(model), str(lines / "images"), "--format", format, "-o", str(readings)]) == 0
        assert main(["evaluate", str(readings), "--reference", str(lines), "--json", "--html", str(page)]) == 0
        (other,) = json.loads(capfd.readouterr().out)
        for name in ("raw", "ignoring_case", "letters_and_digits", "confusions", "by_class", "reliability"):
            assert other[name] == one[name], name
        found = json.loads(printed(capfd, "compare", model, readings, lines, "--json"))
        assert (found["ties"], found["wins"], found["losses"], found["cer"]["p"]) == (12, 0, 0, 1.0)
    assert f"\n{lines} (labels.tsv)\n" in printed(capfd, "evaluate", readings, "--reference", lines)
    for option in (["--beam", "3"], ["--lm", "nofile"], ["--threads", "2"], ["--precision", "float16"], ["--no-trim"]):
        assert main(["evaluate", str(readings), "--reference", str(lines), *option]) == 2
        assert f"no model reads here, so {option[0].replace('no-', '')} would" in capfd.readouterr().err
    rows = readings.read_text().splitlines()
    readings.write_text("\n".join(["elsewhere.png\tx\t0.5", *rows[1:]]))
    assert main(["evaluate", str(readings), "--reference", str(lines)]) == 1
    assert f"rows of {readings}: 1 missing, 0 twice, 1 unknown" in capfd.readouterr().out
    assert main(["compare", str(readings), str(model), str(lines), "--limit", "6"]) == 1
    said = capfd.readouterr().out
    assert "5 lines: A better in 0, B in 0, alike in 5" in said
    assert "1 lines more have no reading by A" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.jsonl", "b.jsonl", "--reference", "{lines}"], "--reference goes with one file of readings"),
        (["a.jsonl", "--reference", "{lines}"], "a.jsonl: cannot be read (No such file or directory)"),
        (["{lines}", "--html", "none/a.html"], "none/a.html: cannot be written; name a file in a folder"),
    ],
)
def test_bad_words(words: list[str], said: str, line_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *(word.format(lines=line_folder / "val") for word in words)]) == 2
    error = capfd.readouterr().err
    assert said in error
    assert error.count("\n") == 1
