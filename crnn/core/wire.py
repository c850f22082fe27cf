"""Protobuf's wire format, as far as a .onnx file needs it: https://protobuf.dev/programming-guides/encoding/"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Bytes: TypeAlias = "memoryview[int]"
MAX_FIELDS = 1_000_000
"""Protobuf fields that are looked at; a model of crnn has some thousands."""


class Reader:
    """Fields of protobuf messages, and how many there may still be."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def fields(self, data: Bytes) -> Iterator[tuple[int, int | Bytes]]:
        """(field number, value) of a message: a number, or the bytes of a text, message, packed list or fixed number.

        Raises:
            ValueError, IndexError: if it is damaged.
        """
        position, end = 0, len(data)
        while position < end:
            self.left -= 1
            if self.left < 0:
                raise ValueError(f"more than {MAX_FIELDS:,} fields")
            key, position = varint(data, position)
            kind = key & 7
            if kind == 0:
                number, position = varint(data, position)
                yield key >> 3, number
                continue
            if kind == 2:
                size, position = varint(data, position)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise ValueError(f"wire type {kind}")
            if size > end - position:
                raise ValueError("a field is longer than what holds it")
            yield key >> 3, data[position : position + size]
            position += size


def varint(data: Bytes, position: int) -> tuple[int, int]:
    """(number, position behind it)."""
    value = data[position]
    if value < 128:
        return value, position + 1
    value &= 127
    for shift in range(7, 70, 7):
        position += 1
        byte = data[position]
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), position + 1
    raise ValueError("a number of more than ten bytes")


def as_bytes(value: int | Bytes) -> Bytes:
    if isinstance(value, int):
        raise ValueError("a number where a text or message belongs")
    return value


def as_number(value: int | Bytes) -> int:
    """As int64."""
    if not isinstance(value, int):
        raise ValueError("a text where a number belongs")
    return value - 2**64 if value >= 2**63 else value


def as_text(value: int | Bytes) -> str:
    return str(as_bytes(value), "utf-8")


def packed(data: Bytes) -> list[int]:
    """Numbers of a packed list."""
    numbers, position = [], 0
    while position < len(data):
        number, position = varint(data, position)
        numbers.append(number)
        if len(numbers) > 64:
            raise ValueError("a tensor of more than 64 dimensions")
    return numbers
