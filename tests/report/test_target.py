"""A place where no page can be written is refused before anything is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crnn.errors import DataError
from crnn.report import target
from crnn.report.target import check_target, save


@pytest.mark.skipif(os.name != "posix", reason="pipes with a name")
def test_places_for_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.html").write_text("old")
    os.mkfifo(tmp_path / "pipe")
    for free in ("new.html", "old.html"):
        check_target(tmp_path / free)
    for taken in (tmp_path, tmp_path / "none" / "a.html", tmp_path / "pipe"):
        with pytest.raises(DataError, match=r"cannot be written; name a file in a folder that is there$"):
            check_target(taken)
    with pytest.raises(DataError, match=r"pipe: cannot be written \(it is a device or a pipe, not a file\)"):
        save(tmp_path / "pipe", "page")
    monkeypatch.setattr(target.os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))
    with pytest.raises(DataError, match="cannot be written; you may not write in this folder, name another"):
        check_target(tmp_path / "new.html")
