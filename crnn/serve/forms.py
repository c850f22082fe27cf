"""Forms (multipart/form-data): the pictures in one, every part's header bounded and every field's name checked."""

from __future__ import annotations

import logging
from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from crnn.serve.errors import Refused
from crnn.serve.options import shown
from crnn.serve.settings import Limits

# it warns of every damaged form with bytes of it; the client is told, the log is not
logging.getLogger("python_multipart").addHandler(logging.NullHandler())
logging.getLogger("python_multipart").propagate = False

PICTURE_FIELD = "images"
MAX_PART_HEADER = 8 * 1024
"""Bytes of the headers of one part of a form."""


def too_many(limits: Limits) -> Refused:
    """What is said to a request with more pictures than are taken."""
    return Refused("too_large", f"more than {limits.pictures} pictures; send them in several requests")


def pictures_of(data: bytes, boundary: bytes, limits: Limits) -> list[bytes]:
    """The files of a form; a field of another name is refused, so that no picture is left out without a word.

    Args:
        data: the body.
        boundary: between its parts, as the header Content-Type has it.
        limits: of the service.

    Raises:
        Refused: for a form that is damaged, has no end, or breaks a limit.
    """
    form = _Form(limits)
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
        parser.write(data)
        parser.finalize()
    except (FormParserError, ValueError):
        raise Refused("bad_request", "the form is damaged; send multipart/form-data with its boundary") from None
    if not form.ended:
        raise Refused("bad_request", "the form has no end; send it whole, with its last boundary")
    return form.pictures


class _Form:
    """What the parser of a form tells, part by part."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.pictures: list[bytes] = []
        self.ended = False
        self._data = bytearray()
        self._name = self._value = b""
        self._header_bytes = 0
        self._is_picture = False

    def callbacks(self) -> dict[str, Callable[..., None]]:
        names = (
            "part_begin",
            "part_data",
            "part_end",
            "header_field",
            "header_value",
            "header_end",
            "headers_finished",
        )
        return {f"on_{name}": getattr(self, f"_{name}") for name in names} | {"on_end": self._end}

    def _part_begin(self) -> None:
        if len(self.pictures) >= self._limits.pictures:
            raise too_many(self._limits)
        self._data = bytearray()
        self._header_bytes = 0
        self._name = self._value = b""
        self._is_picture = False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def _count(self, count: int) -> None:
        self._header_bytes += count
        if self._header_bytes > MAX_PART_HEADER:
            raise Refused("bad_request", f"a part of the form has more than {MAX_PART_HEADER:,} bytes of headers")

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, parameters = parse_options_header(self._value)
            name = parameters.get(b"name", b"")
            if name != PICTURE_FIELD.encode():
                named = shown(name.decode("utf-8", "replace"))
                raise Refused(
                    "bad_request",
                    f"the form has a field {named}; pictures go into {PICTURE_FIELD!r}, options into the query string",
                )
            self._is_picture = True
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        if not self._is_picture:
            raise Refused("bad_request", f"a part of the form has no name; pictures go into {PICTURE_FIELD!r}")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _part_end(self) -> None:
        self.pictures.append(bytes(self._data))
        self._data = bytearray()

    def _end(self) -> None:
        self.ended = True
