"""Label files: UTF-8, not too large; else the line and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from crnn.data.sources import utf8
from crnn.data.sources.utf8 import check_size, decode_text, read_text
from crnn.errors import DataError


def test_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_size(64 * 2**20, "x")
    with pytest.raises(DataError, match=r"x: has 64 MiB; labels of at most 64 MiB are read: divide it .*, or keep"):
        check_size(64 * 2**20 + 1, "x")
    with pytest.raises(DataError, match="x: has 96 MiB"):
        check_size(96 * 2**20, "x")
    (tmp_path / "x").write_bytes(b"abc")
    monkeypatch.setattr(utf8, "MAX_LABEL_BYTES", 3)
    assert read_text(tmp_path / "x") == "abc"
    monkeypatch.setattr(utf8, "MAX_LABEL_BYTES", 2)
    with pytest.raises(DataError, match="has 0 MiB"):
        read_text(tmp_path / "x")
    with pytest.raises(DataError, match=r"none: cannot be read \(No such file"):
        read_text(tmp_path / "none")


def test_a_mark_at_the_start_of_a_file_is_no_text() -> None:
    marked = "\ufeffé\n".encode()
    assert decode_text(marked, "x") == "é\n"
    assert decode_text(marked, "x", 2) == "\ufeffé\n"


@pytest.mark.parametrize(
    ("raw", "line", "said"),
    [
        (b"\xe4", 1, "a/x.txt:1: is not UTF-8 (byte 0xE4)"),
        (b"a\nb\n\xe4\n\xff", 1, "a/x.txt:3: is not UTF-8 (byte 0xE4)"),
        (b"a\n\x80", 7, "a/x.txt:8: is not UTF-8 (byte 0x80)"),
        (b"a\xff\n\n", 7, "a/x.txt:7: is not UTF-8 (byte 0xFF)"),
        (b"\xff\xfea", 2, "a/x.txt:2: is not UTF-8 (byte 0xFF)"),
    ],
)
def test_the_line_that_is_not_utf_8(raw: bytes, line: int, said: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_text(raw, "a/x.txt", line)
    assert str(caught.value) == (
        f"{said}; convert it from the encoding that it has (windows-1252, gbk, shift_jis ...): iconv -f windows-1252 "
        "-t utf-8 x.txt > utf8.txt, and look at the letters"
    )


def test_utf_16() -> None:
    for encoding in ("utf-16", "utf-16-be"):
        raw = "\ufeffä".encode("utf-16-be") if encoding == "utf-16-be" else "ä".encode(encoding)
        with pytest.raises(DataError) as caught:
            decode_text(raw, "a/x.txt")
        assert str(caught.value) == (
            "a/x.txt: is UTF-16; convert it, for example: iconv -f utf-16 -t utf-8 x.txt > utf8.txt"
        )
