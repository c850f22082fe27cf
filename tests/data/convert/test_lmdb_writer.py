"""LMDB, as the programs that train on it open it."""

from __future__ import annotations

from pathlib import Path

import lmdb
import pytest
from given_lines import given, into, noise, of_texts, save_often

from crnn.data.convert import lmdb_writer
from crnn.data.convert.base import Sample
from crnn.data.convert.lmdb_writer import LmdbWriter
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


def put(writer: LmdbWriter, number: int, size: int = 49) -> bool:
    return writer.put(Sample(number, number, "x", "t", bytes([number]) * size, ".png"))


def keys_of(folder: Path) -> list[bytes]:
    with lmdb.open(str(folder), readonly=True, lock=False) as base, base.begin() as transaction:
        return list(transaction.cursor().iternext(values=False))


def test_lines_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until they have so many bytes (a line here has 50), or are so many; each time anew."""
    for number, (most_bytes, most_lines, moments) in enumerate(
        ((100, 9, "01" * 3), (101, 9, "001" * 2), (10**6, 3, "001" * 2), (10**6, 2, "01" * 3), (1, 9, "1" * 6))
    ):
        monkeypatch.setattr(lmdb_writer, "_BATCH_BYTES", most_bytes)
        monkeypatch.setattr(lmdb_writer, "SAVE_EVERY", most_lines)
        writer = LmdbWriter(tmp_path / str(number), 0)
        writer.start(None)
        assert "".join(str(int(put(writer, i))) for i in range(6)) == moments
        writer.close()
        assert len(keys_of(tmp_path / str(number))) == 12  # the last moment was a good one


def test_only_what_was_safe_is_there_after_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_writer, "SAVE_EVERY", 2)
    writer = LmdbWriter(tmp_path / "out", 0)
    assert not writer.single
    writer.close()  # before it was started, which lets go of nothing
    writer.start(None)
    assert writer.state() == {"lines": 0}
    assert [put(writer, i) for i in range(2)] == [False, True]
    assert writer.state() == {"lines": 2}
    put(writer, 2)
    writer.close()
    writer.close()
    names = [b"image-000000001", b"image-000000002", b"label-000000001", b"label-000000002"]
    assert keys_of(tmp_path / "out") == names  # it can be opened again, so it was closed
    writer = LmdbWriter(tmp_path / "out", 0)
    writer.start({"lines": 2})
    writer.finish()
    writer.close()
    assert keys_of(tmp_path / "out") == [*names, b"num-samples"]
    assert len(open_source(tmp_path / "out")) == 2


def test_a_database_of_no_lines_says_so(tmp_path: Path) -> None:
    writer = LmdbWriter(tmp_path / "out", 0)
    writer.start(None)
    writer.finish()
    writer.close()
    with lmdb.open(str(tmp_path / "out"), readonly=True, lock=False) as base, base.begin() as transaction:
        assert list(transaction.cursor()) == [(b"num-samples", b"0")]


def test_a_folder_with_something_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"none" * 4000)
    with pytest.raises(OSError, match="MDB_INVALID") as caught:
        LmdbWriter(tmp_path, 0).start(None)
    assert caught.value.strerror
    assert "\n" not in caught.value.strerror


def test_what_the_database_refuses_is_told(tmp_path: Path) -> None:
    writer = LmdbWriter(tmp_path / "out", 0)
    writer.start(None)
    writer._waiting.append((b"k" * 600, b""))
    with pytest.raises(OSError, match="MDB_BAD_VALSIZE"):
        writer.finish()
    writer.close()


@pytest.mark.parametrize("zeros", [1000, 70_000])
@pytest.mark.parametrize("lines", [1, 2, 13])
def test_a_picture_that_ends_in_zeros(zeros: int, lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a black one that is not packed does; a file that ends so is taken for one that was cut."""
    monkeypatch.setattr(lmdb_writer, "SAVE_EVERY", 1)
    given_lines = of_texts(["t"] * lines)
    given_lines.lines = [(entry, noise(1) + bytes(zeros)) for entry, _ in given_lines.lines]
    assert into(given_lines, tmp_path / "out", "lmdb").lines == lines
    assert (tmp_path / "out" / "data.mdb").stat().st_size < lines * (zeros + 5000) + 2 * 2**16
    assert b"num-samples" in keys_of(tmp_path / "out")
