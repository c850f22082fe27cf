"""A bit that flipped in a PNG is an error, and not another picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crnn.core.picture import open_picture
from crnn.errors import DataError


def png(**options: object) -> bytes:
    """Of grey noise."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 200), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG", **options)
    return file.getvalue()


def flipped(data: bytes, position: int) -> bytes:
    """With one bit of a byte turned."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.parametrize("position", [-200, -300, 1000])
def test_flipped_bits_in_the_pixels(position: int, tmp_path: Path) -> None:
    damaged = flipped(png(), position % len(png()))
    file = tmp_path / "a.png"
    file.write_bytes(damaged)
    for source in (damaged, file, str(file)):
        with pytest.raises(DataError, match=r"is damaged \(the checksum of its IDAT is wrong\)"):
            open_picture(source)


def test_whole_ones_are_read_as_before(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 200), np.uint8)
    assert np.array_equal(np.asarray(open_picture(png())), noise)
    (tmp_path / "a.png").write_bytes(png(compress_level=0) + b"what follows is no part of it")
    assert np.array_equal(np.asarray(open_picture(tmp_path / "a.png")), noise)
    opened = Image.open(io.BytesIO(png()))
    assert np.array_equal(np.asarray(open_picture(opened)), noise)


def test_what_no_pixel_comes_from_may_be_damaged() -> None:
    data, comment = png(), b"\0\0\0\4tEXta\0bc" + b"\0\0\0\0"  # with a wrong checksum
    assert open_picture(data[:-12] + comment + data[-12:]).size == (200, 32)


def test_one_that_is_cut_off_is_said_so() -> None:
    with pytest.raises(DataError, match="is damaged") as error:
        open_picture(png()[:3000])
    assert "checksum" not in str(error.value)
