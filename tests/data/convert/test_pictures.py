"""Picture files pass through as they are; what is only pixels becomes a PNG."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from given_lines import noise
from PIL import Image

from crnn.core.picture import MAX_BYTES, PICTURE_FORMATS
from crnn.data.convert.pictures import file_of, read_content
from crnn.errors import DataError

ENDINGS = {
    **{"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif", "BMP": ".bmp", "GIF": ".gif", "WEBP": ".webp", "PPM": ".ppm"},
    "JPEG2000": ".jp2",
}


def test_every_format_gets_its_ending(tmp_path: Path) -> None:
    assert set(ENDINGS) == set(PICTURE_FORMATS)
    for kind, ending in ENDINGS.items():
        data = noise(1, kind)
        (tmp_path / "x").write_bytes(data)
        for name in ("x", "x.txt", "x.gif" if kind != "GIF" else "x.png", "\udcff"):
            assert file_of(data, name) == (data, ending)
            assert file_of(tmp_path / "x", name) == (data, ending)
    assert file_of(noise(1, "JPEG"), "X.JPEG")[1] == ".jpeg"
    assert file_of(noise(1, "TIFF"), "a/x.tiff")[1] == ".tiff"
    assert file_of(noise(1, "PPM"), "x.pgm")[1] == ".pgm"


def test_a_jpeg_with_pictures_behind_it() -> None:
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(noise(1)))
    picture.save(buffer, "MPO", save_all=True, append_images=[picture])
    assert file_of(buffer.getvalue(), "x.png") == (buffer.getvalue(), ".jpg")


def test_pixels_become_png() -> None:
    picture = Image.open(io.BytesIO(noise(3)))
    data, ending = file_of(picture, "page.jpg#l1")
    assert ending == ".png"
    assert Image.open(io.BytesIO(data)).tobytes() == picture.tobytes()


@pytest.mark.parametrize("data", [b"", b"text", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n"])
def test_no_picture(data: bytes) -> None:
    with pytest.raises(DataError, match=r"^x\.png: "):
        file_of(data, "x.png")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: cannot be read \(No such file or directory\)"):
        file_of(tmp_path / "gone", "x.png")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(DataError, match="here: has 268,435,457 bytes; allowed are 268,435,456"):
        read_content(tmp_path / "huge", "here")


def test_a_file_at_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    monkeypatch.setattr("crnn.data.convert.pictures.MAX_BYTES", 5)
    assert read_content(tmp_path / "x", "x") == b"12345"
    monkeypatch.setattr("crnn.data.convert.pictures.MAX_BYTES", 4)
    with pytest.raises(DataError, match="x: has 5 bytes; allowed are 4"):
        read_content(tmp_path / "x", "x")
