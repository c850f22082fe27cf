"""What messages are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from crnn.errors import printable


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
