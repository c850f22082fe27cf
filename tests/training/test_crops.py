"""Whether a training's lines are closely cropped, and what its model file says then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests_support import settings

import crnn
from crnn.core.prepared import prepare
from crnn.core.transform import LineTransform
from crnn.data.batching import LineKey
from crnn.data.module import LineDataModule
from crnn.data.sources import open_source
from crnn.loader import read_card
from crnn.training.assemble import assemble
from crnn.training.crops import FEW, SOME, choose_trim, loose_share
from crnn.training.run import train
from crnn.training.run_folder import RunFolder


def lines(folder: Path, count: int, loose: int) -> Path:
    """`count` lines of strokes over the full height; around the first `loose` of them there is paper."""
    folder.mkdir(parents=True)
    for i in range(count):
        page = np.full((60 if i < loose else 22, 100), 230, np.uint8)
        top = 20 if i < loose else 1
        page[top : top + 20, 10:90:5] = page[top : top + 20, 11:90:5] = 20
        Image.fromarray(page).save(folder / f"{i:03}.png")
    (folder / "labels.tsv").write_text("".join(f"{i:03}.png\tab\n" for i in range(count)))
    return folder


def test_the_share_of_loosely_cropped_lines(tmp_path: Path) -> None:
    assert loose_share(open_source(lines(tmp_path / "some", 10, 3))) == pytest.approx(0.3)
    assert loose_share(open_source(lines(tmp_path / "one", 1, 1))) == 1
    source = open_source(lines(tmp_path / "many", 2 * SOME, SOME))
    asked: list[int] = []
    picture = source.picture
    source.picture = lambda i: (asked.append(i), picture(i))[1]  # type: ignore[method-assign]
    assert loose_share(source) == pytest.approx(0.5, abs=0.01)
    assert len(asked) == SOME
    assert (asked[0], asked[-1]) == (0, 2 * SOME - 1)
    for i in range(3):
        (tmp_path / "some" / f"{i:03}.png").write_bytes(b"no picture")
    assert loose_share(open_source(tmp_path / "some")) == 0


def test_models_that_have_lines_trimmed(tmp_path: Path) -> None:
    free, fixed = LineTransform(32), LineTransform(32, 96)
    most = int(FEW * 40)
    close, loose = (open_source(lines(tmp_path / str(n), 40, n)) for n in (most, most + 1))
    for rendered, source, how in ((False, close, "are cropped closely"), (True, loose, "come in all crops")):
        trim, why = choose_trim(None, free, rendered, source)
        assert trim
        assert how in why
        assert "export.trim" in why
    for arguments in ((None, free, False, loose), (None, fixed, False, close), (None, fixed, True, close)):
        assert choose_trim(*arguments) == (False, "")
    for asked in (True, False):
        for transform, source in ((free, loose), (fixed, close)):
            assert choose_trim(asked, transform, True, source) == (asked, "")


@pytest.mark.parametrize(("loose", "setting", "trimmed"), [(0, "null", True), (4, "null", False), (0, "false", False)])
def test_the_files_of_a_run_say_so(tmp_path: Path, loose: int, setting: str, trimmed: bool) -> None:
    """The checkpoint, too: what is exported of it later reads as the run's own file does."""
    data = lines(tmp_path / "lines", 8, loose)
    words = [f"data.train={data}", f"data.val={data}", f"runs_dir={tmp_path}", "name=run", f"export.trim={setting}"]
    quick = ["trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.threads=1", "data.workers=0"]
    folder = train(settings("model=crnn_tiny", *words, *quick, "trainer.progress=false")).folder
    assert crnn.load(folder / "model.onnx").trim is trimmed
    assert read_card(folder / "checkpoints" / "best.ckpt").trim is trimmed
    assert ("lines are cropped closely" in (folder / "train.log").read_text()) is trimmed


def test_a_model_of_rendered_lines_has_them_trimmed(tmp_path: Path) -> None:
    rendered = ["data.rendered.lines=8", "data.rendered.val_lines=8", "data.rendered.max_length=8"]
    quick = ["trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.threads=1", "data.workers=0"]
    words = ["model=crnn_tiny", f"runs_dir={tmp_path}", "name=run", "trainer.progress=false", *rendered, *quick]
    folder = train(settings(*words)).folder
    assert crnn.load(folder / "model.onnx").trim
    assert "lines come in all crops" in (folder / "train.log").read_text()


@pytest.mark.parametrize("cache", ["none", "memory"])
@pytest.mark.parametrize("trim", [True, False])
def test_validation_reads_what_readers_read(tmp_path: Path, trim: bool, cache: str) -> None:
    """The same pixels, or the figures of a training would not be those of its model file."""
    folder = lines(tmp_path / "lines", 6, 3)
    words = [f"data.train={folder}", f"data.val={folder}", f"runs_dir={tmp_path}", f"data.cache={cache}"]
    config = settings("model=crnn_tiny", f"export.trim={str(trim).lower()}", *words)
    transform = LineTransform()
    data = assemble(config, transform, RunFolder.create(config))
    assert data.trim is trim
    loaders = LineDataModule(data.train, data.val, data.charset, transform, None, 2, 10**6, 0, 0, trim=data.trim)
    for _ in range(2):  # the second time from the cache, if there is one
        for i in range(6):
            theirs = prepare(folder / f"{i:03}.png", transform, trim).grey
            mine = loaders.datasets["val"][LineKey(0, i, 0)].image
            assert torch.equal(mine, torch.from_numpy(transform.normalize(theirs[None])))
            own = transform.scaled_width(*Image.open(folder / f"{i:03}.png").size)
            assert loaders.datasets["train"][LineKey(0, i, 0)].image.shape[2] == own
            assert (mine.shape[2] > own) is (trim and i < 3)
