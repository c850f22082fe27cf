"""Hashes that are written down, and so must stay what they are."""

from __future__ import annotations

import pytest

from crnn.data import hashes
from crnn.data.hashes import pixel_hash, text_hash


def test_hashes_of_texts() -> None:
    assert text_hash("") == 0xB4B2797457A0A6E4
    assert text_hash("é") != text_hash("e\u0301")
    assert 0 <= text_hash("a\udcff") < 2**64


def test_hashes_of_pixels() -> None:
    found = {pixel_hash(b"\1\2\3\4", size) for size in ((2, 2), (4, 1), (1, 4))}
    assert len(found) == 3
    assert pixel_hash(b"\1\2\3\4", (2, 2)) == 0x41E00A801D9B151E
    assert max(found) < 2**64


def test_the_hash_of_pixels_is_never_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Zeros:
        def digest(self) -> bytes:
            return bytes(8)

    monkeypatch.setattr(hashes.hashlib, "blake2b", lambda *_, **__: Zeros())
    assert pixel_hash(b"x", (1, 1)) == 1
