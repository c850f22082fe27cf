"""Which lines of a training are trimmed, and what its model file says then."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests_support import loose_lines, settings

import crnn
from crnn.core.prepared import prepare
from crnn.core.transform import LineTransform
from crnn.data.batching import LineKey
from crnn.data.module import LineDataModule
from crnn.data.sources import open_source
from crnn.loader import read_card
from crnn.training.assemble import assemble
from crnn.training.crops import choose_crops
from crnn.training.run import train
from crnn.training.run_folder import RunFolder

QUICK = ["trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.threads=1", "data.workers=0"]


def test_loosely_cropped_lines_are_trimmed_in_training_and_others_where_they_are_read(tmp_path: Path) -> None:
    free, fixed = LineTransform(32), LineTransform(32, 96)
    close, loose = (open_source(loose_lines(tmp_path / name, 10, n)) for name, n in (("close", 1), ("loose", 2)))
    for sources, trimmed, said in (
        ([], [], "lines come in all crops"),
        ([close], [False], "lines are cropped closely"),
        ([close, loose], [False, True], "loose: 20%): paper above and below is cut off"),
        ([loose, loose], [True, True], "20%, "),
    ):
        crops = choose_crops(None, free, sources)
        assert crops.trim
        assert crops.training == trimmed
        assert said in crops.why
        assert "data.trim" in crops.why
        assert choose_crops(None, fixed, sources) == (False, [False] * len(sources), "")
        for asked in (True, False):
            assert choose_crops(asked, free, sources) == (asked, [asked] * len(sources), "")
            assert choose_crops(asked, fixed, sources) == (asked, [asked] * len(sources), "")


@pytest.mark.parametrize(
    ("loose", "setting", "trimmed", "said"),
    [
        (0, "null", True, "lines are cropped closely"),
        (4, "null", True, "lines are cropped loosely"),
        (4, "false", False, ""),
        (0, "true", True, ""),
    ],
)
def test_the_files_of_a_run_say_so(tmp_path: Path, loose: int, setting: str, trimmed: bool, said: str) -> None:
    """The checkpoint, too: what is exported of it later reads as the run's own file does."""
    data = loose_lines(tmp_path / "lines", 8, loose)
    words = [f"data.train={data}", f"data.val={data}", f"runs_dir={tmp_path}", "name=run", f"data.trim={setting}"]
    folder = train(settings("model=crnn_tiny", *words, *QUICK, "trainer.progress=false")).folder
    assert crnn.load(folder / "model.onnx").trim is trimmed
    assert read_card(folder / "checkpoints" / "best.ckpt").trim is trimmed
    log = (folder / "train.log").read_text()
    assert ("lines are cropped" in log) is bool(said)
    assert said in log


def test_a_model_of_rendered_lines_has_them_trimmed(tmp_path: Path) -> None:
    rendered = ["data.rendered.lines=8", "data.rendered.val_lines=8", "data.rendered.max_length=8"]
    words = ["model=crnn_tiny", f"runs_dir={tmp_path}", "name=run", "trainer.progress=false", *rendered, *QUICK]
    folder = train(settings(*words)).folder
    assert crnn.load(folder / "model.onnx").trim
    assert "lines come in all crops" in (folder / "train.log").read_text()


@pytest.mark.parametrize("cache", ["none", "memory"])
@pytest.mark.parametrize(
    ("loose", "setting", "train_too"), [(1, "null", False), (3, "null", True), (3, "false", False)]
)
def test_validation_sees_what_readers_see(
    tmp_path: Path, loose: int, setting: str, train_too: bool, cache: str
) -> None:
    """The same pixels, or the figures of a training would not be those of its model file."""
    folder = loose_lines(tmp_path / "lines", 12, loose)
    words = [f"data.train={folder}", f"data.val={folder}", f"runs_dir={tmp_path}", f"data.cache={cache}"]
    config = settings("model=crnn_tiny", f"data.trim={setting}", *words)
    transform = LineTransform()
    data = assemble(config, transform, RunFolder.create(config))
    assert data.trim is (setting == "null")
    loaders = LineDataModule(data.train, data.val, data.charset, transform, None, 2, 10**6, 0, 0)
    for _ in range(2):  # the second time from the cache, if there is one
        for i in range(12):
            path = folder / f"{i:03}.png"
            for side, trim in (("val", data.trim), ("train", train_too)):
                theirs = torch.from_numpy(transform.normalize(prepare(path, transform, trim).grey[None]))
                assert torch.equal(loaders.datasets[side][LineKey(0, i, 0)].image, theirs)
