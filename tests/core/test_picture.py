"""Any picture to upright grey, and to the network's input; limits before decoding."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from tests_support import encoded

from crnn.core import picture as picture_module
from crnn.core.picture import MAX_BYTES, MAX_PIXELS, open_picture, picture_size
from crnn.core.transform import LineTransform
from crnn.errors import CrnnWarning, DataError

RAMP = np.tile(np.linspace(0, 255, 60, dtype=np.uint8), (20, 1))


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
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(orientation)
    names = ("FLIP_LEFT_RIGHT", "FLIP_TOP_BOTTOM", "ROTATE_90", "ROTATE_180", "ROTATE_270", "TRANSPOSE", "TRANSVERSE")
    wanted = stored if turn is None else stored.transpose(Image.Transpose[names[turn]])
    for format in ("PNG", "TIFF", "JPEG", "WEBP"):  # Pillow turns TIFFs by itself
        options = {"quality": 100} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
        data = encoded(stored, format, exif=exif, **options)
        unopened = Image.open(io.BytesIO(data))
        for way in (data, unopened):
            assert picture_size(way) == wanted.size, format
            upright = open_picture(way)
            assert upright.size == wanted.size, format
            assert np.abs(np.asarray(upright).astype(int) - np.asarray(wanted)).max() <= 6, format
        assert picture_size(unopened) == wanted.size, format  # the same once it is decoded


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_says_nothing(tmp_path: Path) -> None:
    for value in (0, 9, 200):
        exif = Image.Exif()
        exif[0x0112] = value
        data = encoded(Image.fromarray(RAMP), "PNG", exif=exif)
        assert picture_size(data) == open_picture(data).size == (60, 20)
    junk = encoded(Image.fromarray(RAMP), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert picture_size(junk) == open_picture(junk).size == (60, 20)


def test_slivers() -> None:
    for size, width in (((1, 1), 32), ((1, 40), 8), ((400, 1), 12_800), ((1, 10_000), 8)):
        picture = open_picture(encoded(Image.new("L", size, 100)))
        line = LineTransform()(picture)
        assert line.shape == (1, 32, width)
        np.testing.assert_allclose(line, (100 / 255 - 0.5) / 0.5, atol=1e-6)


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
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF; save its pages as pictures, and cut them into lines"),
        (gzip.compress(b"x", mtime=0), r"is a compressed archive \(gzip\), not a picture; unpack it"),
        (bz2.compress(b"x"), r"\(bzip2\)"),
        (lzma.compress(b"x"), r"\(xz\)"),
        (b"7z\xbc\xaf\x27\x1c", r"\(7z\)"),
        (b"Rar!\x1a\x07", r"\(rar\)"),
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
        (tmp_path / "none.png", r"none\.png: cannot be opened \(No such file"),
        ("a\0b", "cannot be opened"),
        (tmp_path / "many bytes.png", "has 256 MiB; at most 256 MiB are opened"),
        (Image.new("L", (0, 5)), r"has no pixels \(0 x 5\)"),
        (Image.new("L", (5, 0)), r"has no pixels \(5 x 0\)"),
    ):
        if "many" in str(source):
            with (tmp_path / "many bytes.png").open("wb") as file:
                file.truncate(MAX_BYTES + 1)  # a hole, not on the disk
        for function in (open_picture, picture_size):
            with pytest.raises(DataError, match=message):
                function(source)


def test_limits_come_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pixel of a picture that is too large is decoded; one at the limit is."""
    decoded: list[int] = []
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: (decoded.append(1), load(self))[1])
    large = encoded(Image.fromarray(RAMP))
    decoded.clear()
    monkeypatch.setattr(picture_module, "MAX_PIXELS", 60 * 20 - 1)
    for function in (open_picture, picture_size):
        with pytest.raises(DataError, match="has 60 x 20 pixels; at most 1,199 are decoded"):
            function(large)
    assert not decoded
    monkeypatch.setattr(picture_module, "MAX_PIXELS", 60 * 20)
    assert picture_size(large) == (60, 20)
    assert open_picture(large).size == (60, 20)
    assert decoded


def test_damage_is_found_by_decoding_and_named() -> None:
    cut = encoded(Image.fromarray(RAMP))[:-30]
    assert picture_size(cut) == (60, 20)  # the header is whole
    with pytest.raises(DataError, match=r"page 7, line 3: is damaged"):
        open_picture(cut, "page 7, line 3")
    with pytest.raises(DataError, match=r"picture \(bytes\): "):
        open_picture(cut)


def test_pictures_of_the_caller_stay_open(tmp_path: Path) -> None:
    Image.fromarray(RAMP).convert("RGB").save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        picture_size(picture)
        assert np.array_equal(np.asarray(open_picture(picture)), RAMP)
        assert picture.getpixel((59, 0)) == (255, 255, 255)
        assert picture.mode == "RGB"


def test_the_largest_picture_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RAMP).save(path)
    for source in (path, path.read_bytes(), Image.fromarray(RAMP), RAMP):
        assert open_picture(source, max_pixels=1200).size == (60, 20)
        with pytest.raises(DataError, match=r"^x: has 60 x 20 pixels; at most 1,199 are decoded$"):
            open_picture(source, "x", 1199)
    for kind in (bytearray, memoryview):
        assert open_picture(kind(path.read_bytes())).size == picture_size(kind(path.read_bytes())) == (60, 20)


def test_files_as_large_as_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = encoded(Image.fromarray(RAMP))
    (tmp_path / "a.png").write_bytes(content)
    for source in (content, tmp_path / "a.png"):
        monkeypatch.setattr(picture_module, "MAX_BYTES", len(content))
        assert open_picture(source).size == (60, 20)
        monkeypatch.setattr(picture_module, "MAX_BYTES", len(content) - 1)
        with pytest.raises(DataError, match="has 0 MiB; at most 0 MiB are opened"):
            open_picture(source)
    monkeypatch.undo()
    assert (MAX_BYTES, MAX_PIXELS) == (256 * 1024**2, 80_000_000)


def test_pictures_are_closed_once_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(ImageFile.ImageFile, "close", lambda self: closed.append(self.mode))
    coloured, grey = (encoded(Image.fromarray(RAMP).convert(mode)) for mode in ("RGB", "L"))
    assert (picture_size(coloured), closed) == ((60, 20), ["RGB"])
    assert (open_picture(coloured).mode, closed) == ("L", ["RGB", "RGB"])
    assert (open_picture(grey).mode, closed) == ("L", ["RGB", "RGB"])  # it is the picture that is given
    own = Image.open(io.BytesIO(coloured))
    picture_size(own)
    open_picture(own)
    assert closed == ["RGB", "RGB"]


def test_names_of_pictures() -> None:
    for source, name in (
        ("a\n", "a\\n"),
        (Path("b.png"), "b.png"),
        (b"", "picture (bytes)"),
        (Image.new("L", (1, 1)), "picture (Image)"),
        (RAMP, "picture (ndarray)"),
    ):
        assert picture_module.picture_name(source) == name


def test_an_upright_grey_picture_is_not_copied() -> None:
    grey = Image.fromarray(RAMP)
    assert open_picture(grey) is grey


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_tiffs_in_which_0_is_white(bits: int) -> None:
    picture = {1: Image.fromarray(RAMP).convert("1"), 8: Image.fromarray(RAMP)}.get(bits)
    data = encoded(picture or Image.fromarray(RAMP.astype(np.uint16) * 257), "TIFF")
    black_is_0, white_is_0 = (struct.pack("<HHIH", 262, 3, 1, value) for value in (1, 0))
    assert data.count(black_is_0) == 1
    upright, negative = open_picture(data), open_picture(data.replace(black_is_0, white_is_0))
    assert np.array_equal(np.asarray(negative), 255 - np.asarray(upright))


def test_what_is_no_picture_at_all() -> None:
    """OpenCV gives None for a file that it cannot read."""
    for thing in (None, 5, io.BytesIO(b"x"), [[0, 255]]):
        with pytest.raises(DataError, match=rf"^picture \({type(thing).__name__}\): is no picture; pass a path, "):
            open_picture(thing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("width", "height", "is_page"),
    [
        (1240, 1754, True),
        (1599, 800, True),
        (1600, 800, False),
        (600, 799, False),
        (20, 800, True),
        (8000, 1000, False),
    ],
)
def test_what_looks_like_a_whole_page_is_read_with_a_note(width: int, height: int, is_page: bool) -> None:
    picture = Image.new("L", (width, height))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for pages in ("noted", "fine", "refused"):  # training and services say nothing
            assert open_picture(picture, "scan", pages=pages).size == (width, height)
    assert [str(one.message) for one in said] == is_page * [
        f"scan: {width} x {height} pixels look like a whole page, and are read as one line; cut its lines out, or name "
        "its PAGE or ALTO file: then each of its lines is read"
    ]


@pytest.mark.parametrize("suffix", [".tif", ".gif", ".png", ".webp"])
def test_of_several_pages_the_first_is_read_with_a_note(suffix: str, tmp_path: Path) -> None:
    first, second = Image.new("L", (60, 20), 10), Image.new("L", (60, 20), 200)
    path, one = tmp_path / f"scan{suffix}", tmp_path / f"one{suffix}"
    first.save(path, save_all=True, append_images=[second], lossless=True)
    first.save(one)
    for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes())):
        with pytest.warns(CrnnWarning, match=r"line: has several pages or frames, and the first alone is read; save"):
            assert open_picture(source, "line", pages="noted").getextrema() == (10, 10)
        with pytest.raises(DataError, match="line: has several pages or frames; send each as a picture of its own"):
            open_picture(source, "line", pages="refused")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for source in (one, first, np.asarray(first)):
            for pages in ("noted", "refused"):
                assert open_picture(source, "line", pages=pages).size == (60, 20)
        grey = open_picture(path, "line")  # while training says nothing each time
        assert (grey.size, grey.getextrema()) == ((60, 20), (10, 10))
        assert not getattr(grey, "fp", None)  # the file is closed
