"""What a training shows of itself while it runs."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests_support import settings

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode import Decoded
from crnn.core.transform import LineTransform
from crnn.training import watch, watching
from crnn.training.confusions import read_confusions
from crnn.training.module import CrnnModule, Seen
from crnn.training.run import train
from crnn.training.watching import CurvesPicture, look_at


def test_a_look_reads_what_the_network_saw() -> None:
    charset = Charset.from_texts(["abc"])
    a, b, c = charset.encode("abc")
    paths = torch.tensor([[a, a, 0, a, b], [0, c, c, 0, b]]).T  # (T, B); the second line has four steps
    seen = Seen(paths, torch.tensor([5, 4]), torch.tensor(2.5), ["aab", "b"], 40)
    look = look_at(seen, charset)
    assert (look.step, look.loss, look.errors, look.characters) == (40, 2.5, 1, 4)  # aab, and c for b
    assert look.chance == 2 + 3  # aab against b, c against aab
    assert look.blank == pytest.approx(3 / 9)
    assert look.text is None
    same = look_at(seen._replace(paths=torch.tensor([[a], [a]]).T, lengths=torch.tensor([1, 1])), charset)
    assert same.text == "a"


def rows(run: Path, column: str) -> list[float]:
    with (run / "metrics.csv").open(newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


def test_a_normal_training_says_when_it_reads(trained: Path) -> None:
    """Also with trainer.progress=false, as this one."""
    log = (trained / "train.log").read_text()
    assert log.count("normal for CTC") == 1
    assert log.count("reads its first characters (CER") == 1
    assert log.index("normal for CTC") < log.index("reads its first characters (CER")
    assert "stuck" not in log
    assert "before it read" not in log


def test_a_run_holds_curves_confusions_and_their_figures(trained: Path) -> None:
    assert (trained / "curves.png").stat().st_size > 20_000
    names = sorted(path.name for path in (trained / "samples").glob("confusions_*.tsv"))
    assert (names[0], names[-1], len(names)) == ("confusions_001.tsv", "confusions_034.tsv", 34)
    assert all(count > 0 for count in read_confusions(trained / "samples" / names[-1]).values())
    assert len(rows(trained, "lr")) == len(rows(trained, "train/gradient_norm")) == 408  # each step
    assert max(rows(trained, "lr")) == pytest.approx(0.01, rel=0.01)
    assert min(rows(trained, "train/gradient_norm")) > 0
    blank, padding = rows(trained, "val/blank"), rows(trained, "train/padding")
    assert len(blank) == len(padding) == 34
    assert all(0.3 < share <= 1 for share in blank)
    assert all(0 <= share < 0.5 for share in padding)
    assert sum(padding) > 0


def test_shuffled_labels_get_advice(line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EXPECTED", 50)
    rng = random.Random(5)
    for side in ("train", "val"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "images").symlink_to(line_folder / side / "images")
        pairs = [row.split("\t") for row in (line_folder / side / "labels.tsv").read_text().splitlines()]
        texts = [text for _, text in pairs]
        rng.shuffle(texts)
        (tmp_path / side / "labels.tsv").write_text(
            "".join(f"{name}\t{text}\n" for (name, _), text in zip(pairs, texts, strict=True))
        )
    outcome = train(
        settings(
            f"data.root={tmp_path}",
            f"runs_dir={tmp_path}",
            "name=shuffled",
            "model=crnn_tiny",
            "trainer.max_epochs=16",
            "data.batch_size=8",
            "data.max_dropped=0.9",  # a long label does not fit a narrow picture
            "data.workers=0",
            "trainer.accelerator=cpu",
            "trainer.threads=1",
            "trainer.progress=false",
            "export.format=none",
        )
    )
    log = (outcome.folder / "train.log").read_text()
    assert log.count("stuck: reads") == 1
    assert "shuffled" in log
    assert f"crnn check {tmp_path / 'train'} --html" in log
    assert "first characters (CER" not in log


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_drawing_costs_little_time_and_its_failure_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, drawn, said = Clock(), [], []

    def slow(run: Path) -> Path:
        drawn.append(clock.now)
        clock.now += 1.0
        return run / "curves.png"

    monkeypatch.setattr(watching, "time", clock)
    monkeypatch.setattr(watching, "draw", slow)
    nothing: Any = SimpleNamespace(loggers=[], global_step=1)
    picture = CurvesPicture(tmp_path, said.append)
    for second in (10, 20, 60, 62, 70, 113):  # a second of drawing in fifty
        clock.now = float(second)
        picture.on_train_epoch_end(nothing, nothing)
    assert drawn == [10.0, 62.0, 113.0]
    picture.on_train_end(nothing, nothing)  # in any case
    assert len(drawn) == 4

    def broken(run: Path) -> None:
        raise RuntimeError("no font")

    monkeypatch.setattr(watching, "draw", broken)
    picture.on_train_end(nothing, nothing)
    picture.on_train_end(nothing, nothing)
    assert said == ["note: curves.png cannot be drawn (RuntimeError: no font); the training goes on"]


def test_confusions_and_blanks_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that saw the same lines: twice as many confusions, the same shares."""
    charset = Charset.from_texts(["abc"])
    module = CrnnModule(ModelCard(charset, LineTransform(32), settings("model=crnn_tiny").model.to_dict()))
    logged: dict[str, float] = {}
    monkeypatch.setattr(module, "log_dict", logged.update)
    strategy = SimpleNamespace(reduce=lambda numbers, reduce_op: 2 * numbers)
    monkeypatch.setattr(module, "_trainer", SimpleNamespace(world_size=2, strategy=strategy))

    def gather(parts: list[Any], mine: Any) -> None:
        parts[:] = [mine, mine]

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    module._columns = torch.tensor([100.0, 80.0], dtype=torch.float64)
    line = Decoded([1, 2], [(0, 2), (3, 5)], [1.0, 1.0], 1.0)
    module._tally.add([line], torch.tensor([10]), ["ab"], ["ac"])
    module.on_validation_epoch_end()
    assert module.confusions == {("c", "b"): 2}
    assert logged["val/blank"] == pytest.approx(0.6)
    assert logged["train/padding"] == pytest.approx(0.2)
    assert logged["val/cer"] == 0.5
    assert "val/blank" not in module.figures  # they go into the model file
