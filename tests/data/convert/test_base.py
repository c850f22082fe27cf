"""What tells one line from another."""

from __future__ import annotations

from crnn.data.convert.base import DIGEST_BYTES, Sample, digest


def test_digests_tell_lines_apart() -> None:
    lines = [
        ("", b""),
        ("a", b""),
        ("", b"a"),
        ("ab", b"c"),
        ("a", b"bc"),
        ("1", b"\0x"),
        ("1\0x", b""),
        ("\udcff", b""),
    ]
    found = {digest(text, data) for text, data in lines}
    assert len(found) == len(lines)
    assert {len(one) for one in found} == {DIGEST_BYTES}
    assert Sample(3, 5, "x", "ab", b"c", ".png").digest() == digest("ab", b"c")
