"""Forms: whose files are the pictures, byte for byte, and what is refused before it is kept."""

from __future__ import annotations

import pytest

from crnn.serve.errors import Refused
from crnn.serve.forms import MAX_PART_HEADER, pictures_of
from crnn.serve.settings import Limits

PICTURE = b'content-disposition: form-data; name="images"; filename="a.png"'


def form(*parts: tuple[bytes, bytes], end: bytes = b"--b--\r\n") -> bytes:
    """A body with these parts, each its headers and its content; the boundary is ``b``."""
    return b"".join(b"--b\r\n" + headers + b"\r\n\r\n" + content + b"\r\n" for headers, content in parts) + end


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"\r\n--", b"--b", b"\x00\xff\r\n--c--\r\n", bytes(range(256)) * 300]
)
def test_pictures_come_out_as_they_went_in(content: bytes) -> None:
    other = PICTURE.replace(b"content-disposition", b"Content-DISPOSITION") + b"\r\nContent-Type: image/png"
    assert pictures_of(form((PICTURE, content), (other, b"x")), b"b", Limits()) == [content, b"x"]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (form((PICTURE.replace(b"images", b"image"), b"x")), "bad_request", "the form has a field 'image'; pictures go into 'images'"),
        (form((b"content-type: image/png", b"x")), "bad_request", "a part of the form has no name"),
        (form((PICTURE, b"x"), end=b""), "bad_request", "the form has no end"),
        (form((PICTURE, b"x"))[2:], "bad_request", "the form is damaged"),
        (b"", "bad_request", "the form has no end"),
        (form(*[(PICTURE, b"x")] * 3), "too_large", "more than 2 pictures"),
        (form((b"\r\n".join([b"x-a: " + b"a" * 3000] * 3), b"x")), "bad_request", "more than 8,192 bytes of headers"),
    ],
)  # fmt: skip
def test_what_is_no_form_of_pictures_is_refused(body: bytes, code: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        pictures_of(body, b"b", Limits(pictures=2))
    assert refused.value.code == code


def test_headers_are_counted_for_each_part() -> None:
    long = PICTURE + b"\r\nx-a: " + b"a" * (MAX_PART_HEADER // 2)
    assert pictures_of(form(*[(long, b"x")] * 3), b"b", Limits()) == [b"x"] * 3
