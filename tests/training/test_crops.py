"""Whether a training's lines are closely cropped, and what its model file says then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import settings

import crnn
from crnn.core.transform import LineTransform
from crnn.data.sources import open_source
from crnn.loader import read_card
from crnn.training.crops import FEW, SOME, choose_trim, loose_share
from crnn.training.run import train


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


def test_a_model_of_closely_cropped_lines_has_others_trimmed(tmp_path: Path) -> None:
    free, fixed = LineTransform(32), LineTransform(32, 96)
    most = int(FEW * 40)
    close, loose = (open_source(lines(tmp_path / str(n), 40, n)) for n in (most, most + 1))
    assert choose_trim(None, free, True, close)[0]
    assert "export.trim" in choose_trim(None, free, True, close)[1]
    for arguments in ((None, free, True, loose), (None, free, False, close), (None, fixed, True, close)):
        assert choose_trim(*arguments) == (False, "")
    for asked in (True, False):
        for transform, source in ((free, loose), (fixed, close)):
            assert choose_trim(asked, transform, False, source) == (asked, "")


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
