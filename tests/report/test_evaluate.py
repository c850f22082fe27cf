"""`crnn evaluate`: the figures, their variants, and what is left out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import crnn
from crnn.cli import main
from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode.settings import language_model
from crnn.core.metrics import EditCounts
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.data.sources import open_source
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation
from crnn.report.table import table


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
    assert f"{model}: its run kept no test lines apart; name the lines" in capfd.readouterr().err


def test_bad_arguments(trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(trained / "model.onnx"), str(tmp_path)]) == 2
    assert "holds no labelled lines in a known format" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("rules", "text", "label", "said"),
    [
        ({"case": "lower", "whitespace": "collapse"}, "total 5", " Total  5 ", "whitespace=collapse, case=lower"),
        ({"direction": "rtl", "form": "NFD"}, "(אֵב) é 12", "(אֵב)\u200f é 12", "form=NFD, direction=rtl"),
        ({}, "Total 5", "Total 5", None),
    ],
)
def test_labels_follow_the_text_rules_of_the_model(
    rules: dict, text: str, label: str, said: str | None, tmp_path: Path
) -> None:
    charset = Charset.from_texts([text], **rules)

    class Right:
        """Reads every line as `text`."""

        name = "right"
        card = ModelCard(charset, LineTransform(32), {})

        def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            path = [step for label in charset.encode(text) for step in (label, 0)]
            log_probs = np.full((len(path), len(images), charset.classes), -20.0, dtype=np.float32)
            log_probs[np.arange(len(path)), :, path] = 0.0
            return log_probs, np.full(len(images), len(path))

    Image.new("L", (200, 32), 255).save(tmp_path / "a.png")
    (tmp_path / "labels.tsv").write_text(f"a.png\t{label}\n", encoding="utf-8")
    evaluation = evaluate(Recognizer(Right()), open_source(tmp_path))
    assert evaluation.counts.exact == evaluation.counts.lines == 1
    assert evaluation.to_dict()["text_rules"] == charset.rules.differences()
    assert evaluation.to_dict()["confidence_is"] == evaluation.confidence_is == ""
    assert "confidence is" not in table([evaluation])
    line = f"  labels by the model's text rules: {said}"
    assert table([evaluation]).count("text rules") == (1 if said else 0)
    assert said is None or line in table([evaluation]).splitlines()


def test_confidences_say_what_they_leave_aside(tmp_path: Path) -> None:
    charset = Charset.from_texts(["ab"])
    lm = language_model(["ab"], charset).to_dict()

    class Half:
        device = "cpu"
        name = "half"

        def __init__(self, **decoder: object) -> None:
            self.card = replace(ModelCard(charset, LineTransform(32), {}), decoder=decoder or {"name": "greedy"})

        def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.full((9, len(images), 3), np.log(1 / 3), dtype=np.float32), np.full(len(images), 9)

    Image.new("L", (200, 32), 255).save(tmp_path / "a.png")
    (tmp_path / "labels.tsv").write_text("a.png\tab\n", encoding="utf-8")
    beam = {"name": "beam", "width": 3}
    for recognizer, fitted in (
        (Recognizer(Half(**beam)), True),
        (Recognizer(Half(**beam, lm=lm)), True),
        (Recognizer(Half(), decoder=beam), False),
        (Recognizer(Half(), decoder={**beam, "lm": lm}), False),
    ):
        evaluation = evaluate(recognizer, open_source(tmp_path))
        said = evaluation.confidence_is
        assert ("not fitted with these decoder settings (crnn export fits it)" in said) != fitted
        assert (f"  confidence is {said}" in table([evaluation]).splitlines()) == bool(said)
