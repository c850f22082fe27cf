"""Bodies of requests: received under a bound, taken apart without a copy on disk, every field checked.

Forms have a file of their own, `forms`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from python_multipart.multipart import parse_options_header

from crnn.serve.errors import Disconnected, Refused
from crnn.serve.forms import PICTURE_FIELD, pictures_of, too_many
from crnn.serve.options import Options, shown, with_option
from crnn.serve.settings import Limits

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
MAX_JSON_PARTS = 16
"""Brackets in a JSON body, and commas beside those between pictures: what is well formed has two or three."""


class Request(NamedTuple):
    """A request, taken apart."""

    pictures: list[bytes]
    options: Options


class Budget:
    """Bytes of all bodies together; lives on the event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def take(self, count: int) -> None:
        """Count `count` bytes more.

        Raises:
            Refused: where that would be over the limit.
        """
        if self.held + count > self.limit:
            raise Refused(
                "queue_full", "too many bytes are being received; send this again later", {"Retry-After": "1"}
            )
        self.held += count

    def give(self, count: int) -> None:
        """They are gone."""
        self.held -= count


class Body:
    """One request's bytes, counted in the budget until `release`."""

    def __init__(self, limits: Limits, budget: Budget) -> None:
        self._limit = limits.body_bytes
        self._patience = limits.client_timeout
        self._budget = budget
        self.data = bytearray()
        self.count = 0
        """Bytes received."""

    async def receive(self, receive: Receive, declared: str | None) -> None:
        """Take the whole body.

        Args:
            receive: of ASGI.
            declared: the header Content-Length.

        Raises:
            Refused: if it is too large or too slow, or too much is being received at once.
            Disconnected: if the client goes away.
        """
        if declared is not None and declared.isdecimal() and int(declared[:20]) > self._limit:
            raise self._too_large()
        more = True
        while more:
            try:
                message = await asyncio.wait_for(receive(), self._patience)
            except asyncio.TimeoutError:  # a name of its own before Python 3.11
                raise Refused(
                    "slow_client", f"no byte of the body came for {self._patience:g} s; send it in one go"
                ) from None
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            if self.count + len(chunk) > self._limit:
                raise self._too_large()
            self._budget.take(len(chunk))
            self.count += len(chunk)
            self.data += chunk
            more = message.get("more_body", False)

    def _too_large(self) -> Refused:
        return Refused(
            "too_large", f"the body is too large; at most {self._limit:,} bytes are taken, send fewer pictures"
        )

    def take(self) -> bytes:
        """The bytes, which are not kept here any more; they still count."""
        data, self.data = bytes(self.data), bytearray()
        return data

    def release(self) -> None:
        """Hand the bytes back to the budget; once."""
        self._budget.give(self.count)
        self.data = bytearray()


async def take_apart(body: Body, content_type: str | None, options: Options, limits: Limits) -> Request:
    """Pictures and options of a body of any of the three kinds; large ones in a thread.

    Raises:
        Refused: for a body that is none of these, or breaks a limit.
    """
    data = body.take()
    if len(data) < 64 * 1024:
        return _take_apart(data, content_type, options, limits)
    return await asyncio.to_thread(_take_apart, data, content_type, options, limits)


def _take_apart(data: bytes, content_type: str | None, options: Options, limits: Limits) -> Request:
    kind, parameters = parse_options_header(content_type or "")
    name = kind.decode("latin-1").strip().lower()
    if name == "application/json":
        pictures, options = _from_json(data, options, limits)
    elif name == "multipart/form-data":
        pictures = pictures_of(data, parameters.get(b"boundary", b""), limits)
    elif name == "application/octet-stream" or name.startswith("image/"):
        pictures = [data]
    else:
        raise Refused(
            "unsupported_media_type",
            f"content type {shown(name)} is not taken; send multipart/form-data, image/*, application/octet-stream or "
            "application/json",
        )
    if not pictures or pictures == [b""]:
        raise Refused("bad_request", f"no picture was sent; put one or more into {PICTURE_FIELD}, or send its bytes")
    return Request(pictures, options)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, of which no name comes twice: one list of pictures would be left out without a word."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise Refused("bad_request", f"{shown(name)} comes twice in the body; send it once")
    return dict(pairs)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _from_json(data: bytes, options: Options, limits: Limits) -> tuple[list[bytes], Options]:
    # counted before they become objects, each of which takes many times its bytes
    if data.count(b"[") + data.count(b"{") > MAX_JSON_PARTS:
        raise Refused("bad_request", 'the body holds lists in lists; send {"images": ["<base64>", ...]}')
    if data.count(b",") > limits.pictures + MAX_JSON_PARTS:
        raise too_many(limits)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refused("bad_request", 'the body is not JSON; send {"images": ["<base64>", ...]}') from None
    if not isinstance(value, Mapping) or not isinstance(value.get("images"), list):
        raise Refused("bad_request", 'the body has no list of images; send {"images": ["<base64>", ...]}')
    for name, wanted in value.items():
        if name != "images":
            options = with_option(name, wanted, options)
    if len(value["images"]) > limits.pictures:
        raise too_many(limits)
    pictures = []
    for position, text in enumerate(value["images"]):
        try:
            if not isinstance(text, str):
                raise ValueError
            pictures.append(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            raise Refused(
                "bad_request",
                f"images[{position}] is not base64 of a picture's bytes; send it without line breaks and without "
                "'data:', as base64 -w0 line.png gives it",
            ) from None
    return pictures, options
