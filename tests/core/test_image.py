"""Any picture to upright grey, and to the network's input; limits before decoding."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crnn.core.image import MAX_PIXELS, LineTransform, open_picture, picture_size, printable
from crnn.errors import ConfigError, DataError

RAMP = np.tile(np.linspace(0, 255, 60, dtype=np.uint8), (20, 1))


def encoded(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IEND", b"")
    )


def test_every_way_in_gives_the_same(tmp_path: Path) -> None:
    picture = Image.fromarray(RAMP)
    path = tmp_path / "a.png"
    picture.save(path)
    ways = (path, str(path), path.read_bytes(), picture, RAMP, RAMP[:, :, None], np.stack([RAMP] * 3, 2), RAMP / 255.0)
    for way in (*ways, RAMP.astype(np.uint16) * 257):
        assert np.array_equal(np.asarray(open_picture(way)), RAMP), type(way)
        assert picture_size(way) == (60, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int) -> None:
    stored = Image.fromarray(RAMP)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, "PNG", exif=exif)
    upright = open_picture(data)
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(orientation)
    names = ("FLIP_LEFT_RIGHT", "FLIP_TOP_BOTTOM", "ROTATE_90", "ROTATE_180", "ROTATE_270", "TRANSPOSE", "TRANSVERSE")
    wanted = stored if turn is None else stored.transpose(Image.Transpose[names[turn]])
    assert np.array_equal(np.asarray(upright), np.asarray(wanted))
    assert picture_size(data) == upright.size


def test_modes() -> None:
    grey = Image.fromarray(RAMP)
    alpha = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    alpha.paste((0, 0, 0, 255), (0, 0, 5, 10))
    palette = Image.new("P", (10, 10), 1)
    palette.putpalette([255, 255, 255, 0, 0, 0])
    palette.paste(0, (0, 0, 5, 10))
    sixteen = Image.fromarray(RAMP.astype(np.uint16) * 257)
    cases = {
        "RGBA": (encoded(alpha), [[0] * 5 + [255] * 5] * 10),
        "LA": (encoded(alpha.convert("LA")), [[0] * 5 + [255] * 5] * 10),
        "P": (encoded(palette), [[255] * 5 + [0] * 5] * 10),
        "P with transparency": (encoded(palette, transparency=1), [[255] * 10] * 10),
        "L with transparency": (encoded(Image.new("L", (4, 4), 9), transparency=9), [[255] * 4] * 4),
        "1": (encoded(Image.new("1", (4, 4), 1)), [[255] * 4] * 4),
        "I;16": (encoded(sixteen), RAMP),
        "I;16 TIFF": (encoded(sixteen, "TIFF"), RAMP),
        "I": (encoded(Image.fromarray(RAMP.astype(np.int32) * 257), "TIFF"), RAMP),
        "I of 8 bits": (encoded(Image.fromarray(RAMP.astype(np.int32)), "TIFF"), RAMP),
        "F": (encoded(Image.fromarray(RAMP.astype(np.float32) / 255), "TIFF"), RAMP),
        "RGB": (encoded(grey.convert("RGB")), RAMP),
    }
    for name, (data, wanted) in cases.items():
        assert np.array_equal(np.asarray(open_picture(data)), np.asarray(wanted)), name
    for name, data in {
        "CMYK": encoded(grey.convert("RGB").convert("CMYK"), "JPEG", quality=100),
        "YCbCr": encoded(grey.convert("RGB"), "JPEG", quality=100),
        "WEBP": encoded(grey.convert("RGB"), "WEBP", lossless=True),
        "JPEG2000": encoded(grey, "JPEG2000"),
        "BMP": encoded(grey, "BMP"),
        "PPM": encoded(grey, "PPM"),
        "GIF": encoded(grey, "GIF", save_all=True, append_images=[Image.new("L", (60, 20))]),
    }.items():
        assert np.abs(np.asarray(open_picture(data)).astype(int) - RAMP).max() <= 6, name


def test_slivers() -> None:
    for size in ((1, 1), (1, 40), (400, 1), (1, 10_000)):
        picture = open_picture(encoded(Image.new("L", size, 100)))
        line = LineTransform()(picture)
        assert line.shape[:2] == (1, 32)
        assert line.shape[2] >= 8


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"this is text", "is not a picture that can be read"),
        (encoded(Image.fromarray(RAMP))[:60], "is damaged"),
        (
            encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)), "JPEG")[:900],
            "is damaged",
        ),
        (png_header(60_000, 60_000), "too many pixels|at most"),
        (png_header(9_100, 9_000), f"at most {MAX_PIXELS:,} are decoded"),
        (png_header(10, 10), "is damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a picture"),
    ],
)
def test_bad_bytes_are_one_line(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad\nname.png"
    path.write_bytes(data)
    for source in (data, path):
        with pytest.raises(DataError, match=message) as caught:
            open_picture(source)
        assert "\n" not in str(caught.value)
    assert "bad\\nname.png" in str(caught.value)


def test_bad_places(tmp_path: Path) -> None:
    for source, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.png", "No such file"),
        ("a\0b", "cannot be opened"),
    ):
        with pytest.raises(DataError, match=message):
            open_picture(source)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 4, 2)), "is not a picture"),
        (np.zeros((0, 5), np.uint8), "is not a picture"),
        (np.zeros(5), "is not a picture"),
        (np.full((3, 4), 2.0), r"must lie in 0\.\.1"),
        (np.full((3, 4), np.nan), r"must lie in 0\.\.1"),
        (np.zeros((3, 4), np.int64), "int64 is not a picture"),
        (np.zeros((3, 4), complex), "complex128 is not a picture"),
    ],
)
def test_bad_arrays(array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_picture(array)


@given(st.integers(1, 3000), st.integers(1, 300), st.sampled_from([32, 48, 64, 96]), st.sampled_from([1, 4, 8]))
def test_widths(width: int, height: int, target: int, multiple: int) -> None:
    transform = LineTransform(target, multiple=multiple)
    scaled = transform.scaled_width(width, height)
    assert scaled % multiple == 0
    assert scaled >= 2 * multiple
    exact = width * target / height
    assert abs(scaled - exact) <= multiple / 2 or scaled == 2 * multiple
    assert LineTransform(target, 128).scaled_width(width, height) == 128


def test_transform() -> None:
    picture = Image.fromarray(RAMP)
    line = LineTransform()(picture)
    assert (line.shape, line.dtype) == ((1, 32, 96), np.float32)
    assert line.min() >= -1
    assert line.max() <= 1
    assert line[0, :, 0].max() < -0.9 < 0.9 < line[0, :, -1].min()  # dark left, light right
    other = LineTransform(mean=0.0, std=1.0)(picture)
    np.testing.assert_allclose(other, line * 0.5 + 0.5, atol=1e-6)
    with pytest.raises(DataError, match=r"x\.png: 60 x 20 pixels become 96 x 32; at most 64 wide are read"):
        LineTransform(max_width=64)(picture, "x.png")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"height": 4}, "image.height=4"),
        ({"width": 30}, "multiple of 4"),
        ({"width": 4}, "multiple of 4 in 8"),
        ({"max_width": 4}, "max_width"),
        ({"multiple": 0}, "multiple"),
        ({"std": 0.0}, "std must be above 0"),
        ({"mean": float("nan")}, "finite"),
    ],
)
def test_bad_transforms(changes: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LineTransform(**changes)


def test_printable() -> None:
    assert printable("a\nb\t\x1b[31m") == "a\\nb\\t\\x1b[31m"
    assert printable("bad\udcff") == "bad\\udcff"
    assert printable("x" * 300).endswith("…")
    assert printable("öä ß中") == "öä ß中"
