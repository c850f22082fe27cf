"""Protobuf's wire format, part by part; whole files are in tests/export/test_hostile_files.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import protobuf_number as number

from crnn.core import wire
from crnn.core.wire import Reader, as_bytes, as_number, as_text, packed, varint


def fields(data: bytes, *single: int) -> list[tuple[int, object]]:
    return [
        (field, bytes(value) if isinstance(value, memoryview) else value)
        for field, value in Reader().fields(memoryview(data), single)
    ]


@given(st.integers(0, 2**64 - 1) | st.sampled_from([0, 127, 128, 2**63, 2**64 - 1]), st.binary(max_size=3))
def test_numbers(value: int, behind: bytes) -> None:
    data = memoryview(b"\xff" + number(value) + behind)
    assert varint(data, 1) == (value, 1 + len(number(value)))
    assert fields(b"\x08" + number(value)) == [(1, value)]
    assert packed(memoryview(number(value) * 3)) == [value] * 3
    assert as_number(value) == int.from_bytes(value.to_bytes(8, "little"), "little", signed=True)


def test_numbers_of_more_than_64_bits() -> None:
    for more in (2**64, 2**70 - 1, 2**70, 2**90):
        with pytest.raises(ValueError, match="a number of more than 64 bits"):
            varint(memoryview(number(more)), 0)
    assert varint(memoryview(b"\x80" * 9 + b"\x00"), 0) == (0, 10)  # written longer than it has to be
    for cut in (b"", b"\x80", b"\xff" * 9):
        with pytest.raises(IndexError):
            varint(memoryview(cut), 0)


def test_kinds_of_fields() -> None:
    data = b"\x08\x07" + b"\x12\x03abc" + b"\x19" + bytes(8) + b"\x25" + bytes(4) + b"\x1a\x00"
    assert fields(data) == [(1, 7), (2, b"abc"), (3, None), (4, None), (3, b"")]
    assert fields(number((2**29 - 1) << 3) + b"\1") == [(2**29 - 1, 1)]
    for length, kind in ((8, 1), (4, 5), (3, 2)):
        start = bytes([8 | kind]) + (b"\x03" if kind == 2 else b"")
        assert len(fields(start + bytes(length))) == 1
        with pytest.raises(ValueError, match="a field is longer than what holds it"):
            fields(start + bytes(length - 1))
    for kind in (3, 4, 6, 7):
        with pytest.raises(ValueError, match=f"^wire type {kind}$"):
            fields(bytes([8 | kind]) + bytes(9))
    for key in (b"\x00", b"\x07", number(2**32), number(2**32 + 8)):
        with pytest.raises(ValueError, match="a field number that there cannot be"):
            fields(key + bytes(9))
        with pytest.raises(ValueError, match="a field number that there cannot be"):  # not only what is behind it
            fields(key + b"\1")


def test_fields_that_come_once() -> None:
    assert fields(b"\x08\x01\x10\x02\x08\x03", 2) == [(1, 1), (2, 2), (1, 3)]
    with pytest.raises(ValueError, match="field 1 twice where it may come once"):
        fields(b"\x08\x01\x10\x02\x08\x03", 2, 1)


def test_there_are_so_many_fields_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wire.MAX_FIELDS == 1_000_000
    monkeypatch.setattr(wire, "MAX_FIELDS", 3)
    assert len(fields(b"\x08\x01" * 3)) == 3
    reader = Reader()
    list(reader.fields(memoryview(b"\x08\x01" * 2)))
    with pytest.raises(ValueError, match="more than 3 fields"):  # of all messages together
        list(reader.fields(memoryview(b"\x08\x01" * 2)))


def test_what_a_value_is_taken_for() -> None:
    assert as_text(memoryview("ä".encode())) == "ä"
    assert [as_number(value) for value in (2**63 - 1, 2**63, 2**64 - 1)] == [2**63 - 1, -(2**63), -1]
    for value in (None, 3):
        with pytest.raises(ValueError, match="a number where a text or message belongs"):
            as_bytes(value)
    for odd in (None, memoryview(b"a")):
        with pytest.raises(ValueError, match="something else where a whole number belongs"):
            as_number(odd)


def test_a_list_has_64_numbers_at_most() -> None:
    assert packed(memoryview(b"\x01" * 64)) == [1] * 64
    assert packed(memoryview(b"")) == []
    with pytest.raises(ValueError, match="more than 64 dimensions"):
        packed(memoryview(b"\x01" * 65))
