"""What messages are made of."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from crnn.errors import printable, unwritten


def test_printable() -> None:
    assert printable("a\nb\t\x1b[31m") == "a\\nb\\t\\x1b[31m"
    assert printable("bad\udcff") == "bad\\udcff"
    assert printable("x" * 300) == "x" * 199 + "…"
    assert printable("x" * 200) == "x" * 200
    assert printable("a\u202eb\u2028") == "a\\u202eb\\u2028"  # nothing turns the message round
    assert printable(Path("a") / "b.png") == str(Path("a") / "b.png")
    assert printable("öä ß中") == "öä ß中"


@pytest.mark.parametrize(
    ("name", "limit", "wanted"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("a\n", 3, "a\\n"), ("a\n", 2, "a…"), (12345, 4, "123…"), ("", 1, "")],
)
def test_printable_names_have_a_limit(name: object, limit: int, wanted: str) -> None:
    assert printable(name, limit) == wanted


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room, or name another place"),
        (errno.EDQUOT, "make room, or name another place"),
        (errno.EACCES, "name a place in which you may write"),
        (errno.EROFS, "name a place in which you may write"),
        (errno.ENOENT, "name a file in a folder that is there"),
        (errno.ENOTDIR, "name a file in a folder that is there"),
        (errno.EIO, ""),
    ],
)
def test_what_to_do_about_a_file_that_cannot_be_written(number: int, remedy: str) -> None:
    said = unwritten("a\n.html", OSError(number, os.strerror(number)))
    assert said == f"a\\n.html: cannot be written ({os.strerror(number)})" + (f"; {remedy}" if remedy else "")


def test_errors_without_a_number_are_said_as_they_are() -> None:
    assert unwritten("x", OSError("cut\n off")) == "x: cannot be written (cut off)"
