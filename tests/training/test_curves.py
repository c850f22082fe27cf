"""curves.png, and runs side by side."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crnn.cli import main
from crnn.errors import DataError
from crnn.training import compare, curves
from crnn.training.confusions import write_confusions
from crnn.training.curves import Curve, binned, draw, newest_confusions, read_curves

OLD = """epoch,step,train/loss,lr,val/cer,val/wer,val/exact,val/loss,lines_per_second,seconds
0,0,50.5,,,,,,,
0,1,inf,,,,,,,
0,1,,,0.5,0.75,0.25,30.5,,
0,1,,0.002,,,,,40,60
1,2,20,,,,,,,
1,2,,,0.25,0.5,0.5,10,,
1,2,,0.001,,,,,40,90
1,3,12.2"""
"""Of a run before blanks, padding and gradients were recorded, cut off in its last row."""


def run_with(folder: Path, metrics: str = OLD) -> Path:
    folder.mkdir()
    (folder / "metrics.csv").write_text(metrics)
    return folder


def test_what_a_file_holds(tmp_path: Path) -> None:
    found = read_curves(run_with(tmp_path / "a"))
    assert {name: len(curve.steps) for name, curve in found.items()} == {
        "epoch": 8,
        "train/loss": 3,  # not the infinite one
        "lr": 2,
        "val/cer": 2,
        "val/wer": 2,
        "val/exact": 2,
        "val/loss": 2,
        "lines_per_second": 2,
        "seconds": 2,
    }
    assert found["train/loss"].steps.tolist() == [1, 3, 4]  # steps done
    assert found["val/cer"].values.tolist() == [0.5, 0.25]


def test_long_curves_are_averaged() -> None:
    steps = np.arange(1000.0)
    mean, low, high = binned(Curve(steps, steps % 2))
    assert 100 < len(mean.steps) <= curves.BINS
    assert mean.values == pytest.approx(0.5, abs=0.1)
    assert (low == 0).all()
    assert (high == 1).all()
    assert binned(Curve(steps[:7], steps[:7]))[0].values.tolist() == steps[:7].tolist()


def panels_of(monkeypatch: pytest.MonkeyPatch, run: Path) -> list[str]:
    """Titles of what is drawn."""
    from matplotlib.figure import Figure

    titles: list[str] = []

    save = Figure.savefig

    def spy(self: Figure, *args: object, **options: object) -> None:
        titles.extend(axis.get_title() for axis in self.axes if axis.get_title())
        for axis in self.axes:
            if axis.get_title():
                assert axis.get_xlabel()
        save(self, *args, **options)

    monkeypatch.setattr(Figure, "savefig", spy)
    assert draw(run) == run / "curves.png"
    return titles


def test_an_old_run_is_drawn_with_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_with(tmp_path / "old")
    assert panels_of(monkeypatch, run) == ["Loss (CTC)", "Errors on validation lines", "Learning rate"]
    assert {path.name for path in run.iterdir()} == {"metrics.csv", "curves.png"}  # no half-written one beside it
    with Image.open(run / "curves.png") as picture:
        assert min(picture.size) >= 700
        assert len(picture.convert("L").getcolors() or []) > 50


def test_a_new_run_has_all_panels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = OLD.splitlines()[0]
    run = run_with(
        tmp_path / "new",
        f"{head},val/blank,train/padding,train/gradient_norm\n"
        "0,0,50,0.001,,,,,,,,,3.5\n0,1,40,0.002,,,,,,,,,0.5\n0,1,,,0,0,1,3,,,0.9,0.1,\n",
    )
    (run / "samples").mkdir()
    # signs of matplotlib's mathematics, a character that the font lacks, and fewer confusions in an earlier epoch
    write_confusions(run / "samples" / "confusions_999.tsv", {("a", "b"): 1})
    write_confusions(run / "samples" / "confusions_1000.tsv", {("$", "^"): 2, ("京", "宗"): 4, ("_{", "\\frac"): 1})
    assert len(newest_confusions(run)) == 3
    titles = panels_of(monkeypatch, run)
    assert titles[2:] == [
        "Learning rate",
        "Gradient norm",
        "Blanks and padding",
        "Most common confusions, last validation",
    ]
    (run / "samples" / "confusions_1000.tsv").write_text("broken")
    assert newest_confusions(run) == {}


def test_what_cannot_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="is not a run folder"):
        draw(tmp_path)
    run = run_with(tmp_path / "early", OLD.splitlines()[0] + "\n")
    with pytest.raises(DataError, match="holds no figures yet"):
        draw(run)
    good = run_with(tmp_path / "good")
    assert main(["curves", str(good), str(tmp_path / "nothing")]) == 2
    assert "nothing: is not a run folder" in capsys.readouterr().err
    assert not (good / "curves.png").exists()


def test_runs_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "epoch,step,val/cer,seconds\n"
    for name, rows in {"a": "0,9,0.5,\n0,9,,100\n1,19,0.25,\n1,19,,290\n", "b": "0,9,0.125,\n0,9,,200\n"}.items():
        run_with(tmp_path / name, header + rows)
    assert main(["curves", str(tmp_path / "a"), str(tmp_path / "b"), "--every", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[:2] == [str(tmp_path / name / "curves.png") for name in "ab"]
    assert rows[-5:] == [
        "| minutes | a | b |",
        "|---|---|---|",
        "| 2 | 50.00% |  |",
        "| 4 | 50.00% | 12.50% |",
        "| 6 | 25.00% | 12.50% |",
    ]


@pytest.mark.parametrize(
    ("seconds", "rows"),
    [((10, 20), 7), ((18, 36), 6), ((300, 3600), 6), ((1, 599), 10), ((86400, 864000), 8), ((0, 0), 0)],
)
def test_rows_for_runs_of_any_length(
    seconds: tuple[int, int], rows: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = "epoch,step,val/cer,seconds\n"
    for name, end in zip("ab", seconds, strict=True):
        run_with(tmp_path / name, f"{header}0,9,0.5,\n0,9,,{end / 2}\n1,19,0.25,\n1,19,,{end}\n")
    assert main(["curves", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    table = capsys.readouterr().out.partition("|---|---|---|\n")[2].splitlines()
    assert len(table) == rows
    assert all(row.endswith("| 25.00% | 25.00% |") for row in table[-1:])


def test_no_validation_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_with(tmp_path / "early", "epoch,step,train/loss,seconds\n0,9,3.5,12\n")
    assert main(["curves", str(run)]) == 0
    said = capsys.readouterr().out
    assert "no validation is done yet" in said
    assert "|" not in said


def test_a_name_in_other_letters_is_no_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    draw(run_with(tmp_path / "行"))
    assert not list(recwarn)


def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_with(tmp_path / "a")

    def refused(path: Path) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied", str(path / ".curves.png.x"))

    monkeypatch.setattr(compare, "draw", refused)
    assert main(["curves", str(tmp_path / "a")]) == 2
    said = capsys.readouterr().err
    assert (
        f"{tmp_path}/a/curves.png: cannot be written (Permission denied); name a place in which you may write" in said
    )
