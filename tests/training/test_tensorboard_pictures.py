"""What a run's event file holds: pictures among the scalars, few and small ones."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image, ImageDraw
from tests_support import event_values

from crnn.training import pictures
from crnn.training.pictures import CurvesInTensorBoard


def test_a_run_shows_its_figures_samples_confusions_and_curves(trained: Path) -> None:
    found = event_values(trained / "tensorboard")
    count = Counter(value.tag for _, value in found)
    scalars = [
        "train/loss",
        "lr",
        "val/loss",
        "val/cer",
        "val/wer",
        "val/exact",
        "val/blank",
        "train/padding",
        "train/gradient_norm",
    ]
    assert {name: count[name] > 0 for name in scalars} == dict.fromkeys(scalars, True)
    assert count["val/readings"] == 34
    assert sum(count[tag] for tag in count if tag.startswith("val/confusions")) == 34
    curves = [(step, value.image.encoded_image_string) for step, value in found if value.tag == "curves"]
    assert 2 <= len(curves) <= 16
    assert curves[-1][0] == 408  # how it ended
    assert all(len(data) < 250_000 for _, data in curves)
    with Image.open(io.BytesIO(curves[-1][1])) as picture:
        assert picture.width == 1300
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) <= pictures.COLOURS
    assert sum(path.stat().st_size for path in (trained / "tensorboard").iterdir()) < 10_000_000


def test_few_pictures_of_a_long_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Board:
        def __init__(self) -> None:
            self.steps: list[int] = []
            self.experiment = SimpleNamespace(add_image=lambda tag, image, step, dataformats: self.steps.append(step))

    monkeypatch.setattr(pictures, "TensorBoard", Board)
    sheet = Image.new("RGB", (40, 30), "white")
    ImageDraw.Draw(sheet).line((0, 0, 40, 30), "red")
    sheet.save(tmp_path / "curves.png")
    board, shown = Board(), CurvesInTensorBoard()
    for epoch in range(1, 101):
        shown.show(tmp_path / "curves.png", [object(), board], 10 * epoch)
    assert board.steps[:6] == [10, 20, 30, 40, 50, 70]
    assert len(board.steps) == 17
    shown.show(tmp_path / "curves.png", [board], 1001, last=True)
    assert board.steps[-1] == 1001
    shown.show(tmp_path / "nothing.png", [object()], 2000, last=True)  # no TensorBoard, no picture to open
