"""Files appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from crnn.files import natural, sha256_of, write_atomic, write_text


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
        assert os.umask(before) == 0o027  # left as it was found
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_errors_leave_nothing_behind(tmp_path: Path) -> None:
    for error in (OSError, KeyboardInterrupt, SystemExit):  # stopping the program is an error too
        with pytest.raises(error), write_atomic(tmp_path / "new.onnx") as temporary:
            assert temporary.parent == tmp_path  # the same disk, so that replacing is one step
            temporary.write_text("half")
            raise error
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="folder"), write_atomic(tmp_path / "folder"):
        raise AssertionError  # an hour of work begins here
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "none" / "a", "x")


def test_a_temporary_that_went_away_is_an_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_text(path, "old")
    with pytest.raises(FileNotFoundError), write_atomic(path) as temporary:
        temporary.unlink()
    assert path.read_text() == "old"


def test_text_is_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "ï नि\r\nb\n")
    assert (tmp_path / "a").read_bytes() == "ï नि\r\nb\n".encode()
    write_text(tmp_path / "a", "ok")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a", "half \ud800")
    assert (tmp_path / "a").read_text() == "ok"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # more than a block
    (tmp_path / "a.bin").write_bytes(content)
    assert sha256_of(tmp_path / "a.bin") == hashlib.sha256(content).hexdigest()
    with pytest.raises(OSError, match="No such file"):
        sha256_of(tmp_path / "b.bin")


@pytest.mark.skipif(os.name != "posix", reason="pipes with a name")
def test_no_device_is_replaced(tmp_path: Path) -> None:
    """Root may rename a file over ``/dev/null``, and every other program would write into that from then on."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for path in (pipe, tmp_path / "link"):
        with pytest.raises(OSError, match="it is a device or a pipe, not a file"):
            write_text(path, "x")
    assert pipe.is_fifo()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "pipe"]
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "none")
    write_text(tmp_path / "link", "x")  # a link to nothing is a free name
    assert (tmp_path / "link").read_text() == "x"


def test_numbers_in_names_count() -> None:
    names = ["s-10.tar", "s-9.tar", "s-1.tar", "s.tar", "s-01.tar", "a10b2", "a10b10", "a9b3", "10", "9", "x", "²"]
    assert sorted(names, key=natural) == [
        *("9", "10", "a9b3", "a10b2", "a10b10", "s-01.tar", "s-1.tar", "s-9.tar", "s-10.tar", "s.tar", "x", "²"),
    ]


def test_no_two_names_are_alike() -> None:
    for names in (["b10", "b9", "a", "B1", "b09"], ["b09", "b10", "b9", "a", "B1"]):  # however a folder lists them
        assert sorted(names, key=natural) == ["B1", "a", "b09", "b9", "b10"]
