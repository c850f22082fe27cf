"""LMDB, as the programs that train on it open it."""

from __future__ import annotations

from pathlib import Path

import lmdb
import pytest
from given_lines import given, into, noise, of_texts, save_often

from crnn.data.sources import open_source


def test_read_as_parseq_does(tmp_path: Path) -> None:
    into(given(6), tmp_path / "out", "lmdb")
    base = lmdb.open(
        str(tmp_path / "out"), max_readers=1, readonly=True, create=False, readahead=False, meminit=False, lock=False
    )
    with base.begin() as transaction:
        assert int(transaction.get(b"num-samples")) == 6
        for i in range(1, 7):
            assert transaction.get(b"label-%09d" % i).decode() == f"text {i - 1} "
            assert transaction.get(b"image-%09d" % i) == noise(i - 1)
        assert transaction.stat()["entries"] == 13
    base.close()


def test_numbers_have_no_gaps(tmp_path: Path) -> None:
    assert into(given(30), tmp_path / "out", "lmdb").lines == 28
    source = open_source(tmp_path / "out")
    assert [source.entry(i).picture for i in (0, 27)] == ["image-000000001", "image-000000028"]


def test_the_file_is_as_large_as_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The map begins too small and grows; nothing is reserved."""
    monkeypatch.setattr("crnn.data.convert.lmdb_writer._FIRST_MAP", 2**16)
    monkeypatch.setattr("crnn.data.convert.lmdb_writer.SAVE_EVERY", 20)
    lines = of_texts(["t"] * 400)
    assert into(lines, tmp_path / "out", "lmdb").lines == 400
    size = (tmp_path / "out" / "data.mdb").stat().st_size
    assert 400 * 1000 < size < 2_000_000
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["data.mdb"]


def test_a_line_larger_than_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.lmdb_writer._FIRST_MAP", 2**16)
    lines = of_texts(["t"] * 3)
    lines.lines[1] = (lines.lines[1][0], noise(1) + bytes(5_000_000))
    assert into(lines, tmp_path / "out", "lmdb").lines == 3


def test_a_map_that_has_grown_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the first half is larger than the map that a new database begins with."""
    monkeypatch.setattr("crnn.data.convert.lmdb_writer._FIRST_MAP", 2**16)
    save_often(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        into(given(400, stop_at=300), tmp_path / "out", "lmdb")
    assert (tmp_path / "out.part" / "result" / "out" / "data.mdb").stat().st_size > 2**18
    assert into(given(400), tmp_path / "out", "lmdb").resumed_at == 297
    assert len(open_source(tmp_path / "out")) == 398
