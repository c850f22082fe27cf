"""Lines that cannot be judged never pass for lines that were read well; what is no text never stops a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_reader import Lines, reader
from PIL import Image

from crnn.cli import main
from crnn.errors import DataError
from crnn.report import command
from crnn.report.compare import compare
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Two lines, and a folder of readings of them."""
    (tmp_path / "images").mkdir()
    for name in "ab":
        Image.new("L", (64, 32), 255).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "labels.tsv").write_text("images/a.png\tone\nimages/b.png\ttwo\n")
    return tmp_path


def readings(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / f"readings{len(list(folder.glob('*.jsonl')))}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_no_line_at_all_is_an_error(lines: Path, capfd: pytest.CaptureFixture[str]) -> None:
    none = readings(lines, {"path": "a.png", "error": "is broken"}, {"path": "b.png", "error": "is broken"})
    page = lines / "page.html"
    for words in (["evaluate", none, "--reference", lines], ["compare", none, none, lines]):
        assert main([*map(str, words), "--json", "--html", str(page)]) == 2
        said, error = capfd.readouterr()
        assert said == ""
        assert "labels.tsv:1: is broken" in error
        assert "no line could be judged; the first of " in error
        assert error.count("\n") == 1
    assert not page.exists()
    one, two = ({"path": f"{name}.png", "text": name} for name in "ab")
    assert main(["compare", str(readings(lines, one)), str(readings(lines, two)), str(lines)]) == 2
    assert "A and B have read no line in common" in capfd.readouterr().err


def test_one_source_of_two_without_lines(
    lines: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    read = Evaluation("good", pictures=Lines(["a"]))  # type: ignore[arg-type]
    read.add("a", "a")
    lost = Evaluation("lost", left_out=["labels.tsv:1: is broken"])
    monkeypatch.setattr(command, "_by_model", lambda *_: [read, lost])
    page = lines / "page.html"
    assert main(["evaluate", "x", "--html", str(page)]) == 1
    said = capfd.readouterr().out
    assert said.count(" raw ") == 1
    assert said.partition("\nlost\n")[2] == "  1 line could not be judged, the first: labels.tsv:1: is broken\n"
    by_source = page.read_text().partition("<h2>By source</h2>")[2].partition("</table>")[0]
    assert ("good" in by_source, "lost" in by_source) == (True, False)
    assert main(["evaluate", "x", "--json"]) == 1
    good, none = json.loads(capfd.readouterr().out)
    assert (good["raw"]["cer"], good["raw"]["exact"]) == (0, 1)
    assert none["raw"] == dict.fromkeys(("cer", "cer_95", "wer", "wer_95", "exact", "exact_95"))


def test_a_label_of_white_space_is_empty(lines: Path) -> None:
    found = evaluate(reader(["a", "b", "c"]), Lines(["a", " ", "\u3000"]))  # type: ignore[arg-type]
    assert len(found.lines) == 1
    assert found.left_out == ["labels.tsv:2: empty label", "labels.tsv:3: empty label"]
    (lines / "labels.tsv").write_text("images/a.png\tone\nimages/b.png\t \n")
    both = readings(lines, {"path": "a.png", "text": "one"}, {"path": "b.png", "text": " "})
    found = command.judge_output(both, command.open_source(lines))
    assert [line.reading for line in found.lines] == ["one"]
    assert found.left_out == [f"{lines / 'labels.tsv'}:2: empty label"]


def test_a_comparison_says_what_it_leaves_out(lines: Path, capfd: pytest.CaptureFixture[str]) -> None:
    one = readings(lines, {"path": "a.png", "text": "one"}, {"path": "a.png", "text": "on"})
    assert main(["compare", str(one), str(one), str(lines)]) == 1
    said = capfd.readouterr().out
    assert f"rows of {one}: 1 missing, 1 twice, 0 unknown" in said
    assert "1 lines could be judged by neither: " in said
    assert main(["compare", str(one), str(one), str(lines), "--limit", "1"]) == 1
    assert "by neither" not in capfd.readouterr().out
    source = Lines(["", "b", "c"])
    model = evaluate(reader(["a", "b", "c"]), source)  # type: ignore[arg-type]
    other = Evaluation("lines", left_out=["x.jsonl:7: is a row of no line"], unmatched={"unknown": 1}, pictures=source)  # type: ignore[arg-type]
    other.lines = model.lines[:1]
    found = compare(other, model)
    assert found.notes[0] == "1 lines could be judged by neither: labels.tsv:1: empty label"


def test_half_a_character_is_printed_as_its_escape(lines: Path, capfd: pytest.CaptureFixture[str]) -> None:
    half = readings(lines, {"path": "a.png", "text": "o\ud800"}, {"path": "b.png", "text": "two"})
    for words in (["evaluate", half, "--reference", lines], ["compare", half, half, lines]):
        assert main([*map(str, words), "--json", "--html", str(lines / "page.html")]) == 0
        found = json.loads(capfd.readouterr().out)
        listed = found[0]["worst"][0]["reading"] if isinstance(found, list) else "o\ud800"
        assert listed == "o\ud800"
    assert (
        main(["compare", str(half), str(readings(lines, {"path": "a.png", "text": "one"})), str(lines), "--json"]) == 1
    )
    assert json.loads(capfd.readouterr().out)["most_different"][0]["reading_a"] == "o\ud800"


def test_figures_are_printed_although_the_page_cannot_be_written(
    lines: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise DataError("page.html: cannot be written (No space left on device)")

    monkeypatch.setattr(command, "write_page", full)
    monkeypatch.setattr(command, "save", full)
    both = readings(lines, {"path": "a.png", "text": "one"}, {"path": "b.png", "text": "too"})
    for words in (["evaluate", both, "--reference", lines], ["compare", both, both, lines]):
        assert main([*map(str, words), "--html", str(lines / "page.html")]) == 2
        said, error = capfd.readouterr()
        assert "16.67%" in said
        assert error == "crnn: page.html: cannot be written (No space left on device)\n"


def test_readings_are_not_taken_for_labels_unsaid(lines: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without --reference the model would be judged by its own readings, and found perfect."""
    row = {"path": "images/a.png", "text": "one"}
    sure, plain = readings(lines, {**row, "confidence": 0.9}), readings(lines, row)
    for file in (plain, lines):
        assert main(["evaluate", "bundled", str(file)]) == 0
        assert not capfd.readouterr().err
    for more, reference in (([], "my_lines"), ([str(lines)], lines)):
        assert main(["evaluate", str(sure), *more]) == 2
        said, error = capfd.readouterr()
        assert not said
        assert f"to judge them by labels: crnn evaluate {sure} --reference {reference};" in error


def test_a_picture_that_cannot_be_read_is_in_the_exit_code(lines: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = (["evaluate", "bundled", str(lines)], ["compare", "bundled", "bundled", str(lines)])
    assert [main(one) for one in words] == [0, 0]
    (lines / "images" / "b.png").write_bytes(b"no picture")
    assert [main(one) for one in words] == [1, 1]
    assert capfd.readouterr().out.count("labels.tsv:2: ") == 2
