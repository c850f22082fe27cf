"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crnn.files import write_atomic, write_text


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old\n")
    with pytest.raises(ZeroDivisionError), write_atomic(path) as temporary:
        temporary.write_text("half")
        assert path.read_text() == "old\n"
        assert temporary.suffix == ".txt"
        raise ZeroDivisionError
    assert path.read_text() == "old\n"
    with write_atomic(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
