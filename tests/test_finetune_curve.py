"""scripts/finetune_curve.py: both trainings have the same lines, and each row's figures are those of its own run."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import editdistance
import pytest
from tests_support import script, settings

import crnn
from crnn.data.sources import open_source
from crnn.errors import CrnnError, DataError
from crnn.training.run import train

QUICK = ("trainer.max_epochs=1", "data.batch_size=8", "data.workers=0", "trainer.accelerator=cpu", "trainer.threads=1")


def wanted_cer(run: Path, lines: Path) -> float:
    """Of all lines together, by hand."""
    source = open_source(lines)
    readings = crnn.load(run).recognize([source.picture(i) for i in range(len(source))])
    pairs = [(reading.text, source.entry(i).text) for i, reading in enumerate(readings)]
    return sum(editdistance.eval(*pair) for pair in pairs) / sum(len(text) for _, text in pairs)


def test_settings_may_stand_anywhere() -> None:
    curve = script("finetune_curve")
    words = [
        "--data",
        "a=b",
        "c",
        "x.y=1",
        "--lines",
        "100",
        "500",
        "+t.f=1",
        "o@g=2",
        "a.e.my-thing=0.3",
        "--work",
        "w=1",
    ]
    settings, rest = curve.apart(words)
    assert settings == ["x.y=1", "+t.f=1", "o@g=2", "a.e.my-thing=0.3"]
    assert rest == ["--data", "a=b", "c", "--lines", "100", "500", "--work", "w=1"]


def test_rows_are_their_runs(
    trained: Path,
    line_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    curve, begun = script("finetune_curve"), []
    data, out, work = tmp_path / "mine", tmp_path / "rows.jsonl", tmp_path / "work"
    shutil.copytree(line_folder, data)
    shutil.copytree(line_folder / "train", data / "test")  # other lines than val/

    def run(words: list[str]) -> SimpleNamespace:
        """The training, here instead of in a process of its own."""
        assert words[:2] == [sys.executable, str(Path(curve.__file__).with_name("train.py"))]
        begun.append(words[2:])
        train(settings(*words[2:], "trainer.progress=false"))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(curve.subprocess, "run", run)
    words = [
        "curve",
        QUICK[0],
        "--data",
        data,
        "--lines",
        16,
        *QUICK[1:],
        "--out",
        out,
        "--work",
        work,
        "--init",
        trained,
    ]

    def called(*more: str) -> str:
        monkeypatch.setattr("sys.argv", [*map(str, words), "--model", "crnn_tiny", *more])
        assert curve.main() == 0
        return capsys.readouterr().out

    printed = called("--plot", str(tmp_path / "curve.svg"))
    assert [given[0] for given in begun] == ["model=crnn_tiny", f"init={trained}"]
    assert begun[0].pop(1) == "init=null"
    assert begun[0][1:3] == begun[1][1:3]  # the same lines
    assert all(given[-len(QUICK) - 1 :] == ["seed=1", *QUICK] for given in begun)
    rows = [json.loads(row) for row in out.read_text().splitlines()]
    runs = [work / "runs" / given[4].removeprefix("name=") for given in begun]
    cer = [wanted_cer(folder, data / "val") for folder in runs]
    assert [row["cer"] for row in rows] == pytest.approx(cer)
    assert cer[0] > cer[1]  # one epoch from nothing, and from a model that knows these lines
    assert f"| mine | 16 | {cer[0]:.2%} | {cer[1]:.2%} |" in printed
    for row, folder in zip(rows, runs, strict=True):
        result = json.loads((folder / "result.json").read_text())
        record = json.loads((folder / "data.json").read_text())
        assert (row["epochs"], row["seconds"], row["judged_lines"]) == (1, result["seconds"], 12)
        assert (record["train"]["lines"], record["val"]["lines"]) == (16, 12)
    assert (tmp_path / "curve.svg").read_text().startswith("<?xml")

    assert called() == printed  # what is there is not trained again
    tested = called("--test")  # judged by other lines, the runs are there
    assert len(begun) == 2
    cer = [wanted_cer(folder, data / "test") for folder in runs]
    assert f"| mine | 16 | {cer[0]:.2%} | {cer[1]:.2%} |" in tested
    assert [json.loads(row)["judged_lines"] for row in out.read_text().splitlines()] == [12, 12, 48, 48]


def test_a_subset_is_usable_lines_with_their_own_pictures(line_folder: Path, tmp_path: Path) -> None:
    curve, lines = script("finetune_curve"), tmp_path / "lines"
    shutil.copytree(line_folder / "train", lines)
    (lines / "images" / "000.png").write_bytes(b"no picture")
    table = (lines / "labels.tsv").read_text().splitlines()
    table[1] = "images/001.png\t"
    (lines / "labels.tsv").write_text("\n".join(table) + "\n")
    source = open_source(lines)
    subsets = [tmp_path / name for name in ("all", "again", "other", "few")]
    for seed, lines_wanted, folder in zip((1, 1, 2, 1), (46, 46, 46, 5), subsets, strict=True):
        curve.write_subset(source, lines_wanted, seed, folder)
    texts = [(folder / "labels.tsv").read_text().splitlines() for folder in subsets]
    assert texts[0] == texts[1] != texts[2]
    assert texts[3] == texts[0][:5]
    written = open_source(subsets[0])
    for i in range(46):
        position = int(Path(written.entry(i).picture).stem)
        assert position not in (0, 1)
        assert written.entry(i).text == source.entry(position).text
        assert written.picture(i).convert("L").tobytes() == source.picture(position).convert("L").tobytes()
    with pytest.raises(DataError, match=r"has 46 usable lines; ask for at most so many with --lines"):
        curve.write_subset(source, 47, 1, tmp_path / "more")


def test_a_failed_training_leaves_no_row(line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curve, out = script("finetune_curve"), tmp_path / "rows.jsonl"
    monkeypatch.setattr(curve.subprocess, "run", lambda words: SimpleNamespace(returncode=2))
    words = ["curve", "--lines", "4", "--out", str(out), "--work", str(tmp_path / "work"), "--data"]
    monkeypatch.setattr("sys.argv", [*words, str(line_folder)])
    with pytest.raises(CrnnError, match=r"lines-4-1-scratch-\w{8}: the training failed; its messages are above"):
        curve.main()
    monkeypatch.setattr("sys.argv", [*words, str(line_folder / "val")])
    with pytest.raises(DataError, match="has no train/; name a folder with train/, val/"):
        curve.main()
    assert not out.exists()


def test_what_tells_the_trainings_apart_cannot_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curve = script("finetune_curve")
    monkeypatch.setattr(sys, "argv", ["curve", "runs_dir=elsewhere", "--data", str(tmp_path)])
    with pytest.raises(CrnnError, match=r"^runs_dir=elsewhere: this script sets .* itself; leave it out"):
        curve.main()
