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
    (tmp_path / "old.html").write_text("old page")
    (tmp_path / "empty.html").write_text("")
    (tmp_path / "labels.tsv").write_text("a.png\told")
    os.mkfifo(tmp_path / "pipe")
    for free in ("new.html", "old.html", "empty.html"):
        check_target(tmp_path / free, "old")
    for taken, why in (
        (tmp_path, "is a folder; name a file"),
        (tmp_path / "none" / "a.html", "cannot be written; name a file in a folder that is there"),
        (tmp_path / "pipe", "is there already, and is nothing that this command wrote earlier; name a new file"),
        (tmp_path / "labels.tsv", "is there already, and is nothing that this command wrote earlier; name a new file"),
    ):
        with pytest.raises(DataError, match=f"{taken}: {why}$"):
            check_target(taken, "old")
    with pytest.raises(DataError, match=r"pipe: cannot be written \(it is a device or a pipe, not a file\)"):
        save(tmp_path / "pipe", "page")
    monkeypatch.setattr(target.os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))
    with pytest.raises(DataError, match="cannot be written; you may not write in this folder, name another"):
        check_target(tmp_path / "new.html", "old")
