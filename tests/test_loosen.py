"""scripts/loosen.py: the same lines with paper around them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tests_support import here, texts_of

from crnn.data.crops import loose_share
from crnn.data.sources import open_source

SCRIPT = Path(__file__).parents[1] / "scripts" / "loosen.py"


def test_lines_get_paper_around_them(line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    done = here([sys.executable, str(SCRIPT), str(line_folder), str(tmp_path / "loose"), "--share", "0.4"])
    assert done.returncode == 0
    assert done.stdout == f"{tmp_path}/loose/train: 48 lines\n{tmp_path}/loose/val: 12 lines\n"
    for side in ("train", "val"):
        close, loose = open_source(line_folder / side), open_source(tmp_path / "loose" / side)
        assert texts_of(loose) == texts_of(close)
        for i in range(len(close)):
            (width, height), picture = close.size(i), np.asarray(loose.picture(i))
            more = round(height / 0.4) - height
            assert picture.shape == (height + more, width + more // 2)
            inner = picture[more // 2 : more // 2 + height, more // 4 : more // 4 + width]
            assert np.array_equal(inner, np.asarray(close.picture(i)))
            assert np.ptp(picture[: more // 2]) == 0  # paper
        assert loose_share(loose) > 0.9


def test_what_is_refused(line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    for words, said in (
        ([str(tmp_path / "none"), str(tmp_path / "a")], "there is no train/ in it"),
        ([str(line_folder), str(tmp_path / "b"), "--share", "1.1"], "--share 1.1: allowed is 0.05..1"),
        ([str(line_folder), str(line_folder)], "error: "),
    ):
        done = here([sys.executable, str(SCRIPT), *words])
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
