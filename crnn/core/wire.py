"""Protobuf's wire format, as far as a .onnx file needs it: https://protobuf.dev/programming-guides/encoding/"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeAlias

Bytes: TypeAlias = "memoryview[int]"
MAX_FIELDS = 1_000_000
"""Protobuf fields that are looked at; a model of crnn has some thousands."""


class Reader:
    """Fields of protobuf messages, and how many there may still be."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def fields(self, data: Bytes, single: Collection[int] = ()) -> Iterator[tuple[int, int | Bytes | None]]:
        """(field number, value) of a message: a number, the bytes of a text, message or packed list, or None for a
        number of fixed size, which nobody here asks for.

        Args:
            data: of the message.
            single: fields that come once at most; another reader would join two of them, or take the last.

        Raises:
            ValueError, IndexError: if it is damaged, or could mean something else to another reader.
        """
        position, end = 0, len(data)
        seen: set[int] = set()
        while position < end:
            self.left -= 1
            if self.left < 0:
                raise ValueError(f"more than {MAX_FIELDS:,} fields")
            key, position = varint(data, position)
            if not 8 <= key < 2**32:  # protobuf's C++ keeps the lower 32 bits of a larger one
                raise ValueError("a field number that there cannot be")
            kind, field = key & 7, key >> 3
            if field in single:
                if field in seen:
                    raise ValueError(f"field {field} twice where it may come once")
                seen.add(field)
            if kind == 0:
                number, position = varint(data, position)
                yield field, number
                continue
            if kind == 2:
                size, position = varint(data, position)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise ValueError(f"wire type {kind}")
            if size > end - position:
                raise ValueError("a field is longer than what holds it")
            yield field, data[position : position + size] if kind == 2 else None
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
            if value >= 2**64:
                break
            return value, position + 1
    raise ValueError("a number of more than 64 bits")


def as_bytes(value: int | Bytes | None) -> Bytes:
    """The bytes of a field that holds a text, a message or a packed list.

    Raises:
        ValueError: for a number.
    """
    if value is None or isinstance(value, int):
        raise ValueError("a number where a text or message belongs")
    return value


def as_number(value: int | Bytes | None) -> int:
    """As int64."""
    if not isinstance(value, int):
        raise ValueError("something else where a whole number belongs")
    return value - 2**64 if value >= 2**63 else value


def as_text(value: int | Bytes | None) -> str:
    """The text of a field.

    Raises:
        ValueError: for a number, or bytes that are no UTF-8.
    """
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
