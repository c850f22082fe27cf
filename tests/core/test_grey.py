"""Arrays, every mode of Pillow and transparent pictures, as `open_picture` makes them grey."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from tests_support import encoded, peak_memory

from crnn.core.grey import from_array, to_grey
from crnn.core.picture import open_picture, picture_size
from crnn.errors import DataError

RAMP = np.tile(np.linspace(0, 255, 60, dtype=np.uint8), (20, 1))


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
        "P with transparency": (encoded(palette, transparency=1), [[255] * 5 + [0] * 5] * 10),  # white ink alone
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
        assert open_picture(data).mode == "L", name
        assert picture_size(data) == open_picture(data).size, name
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
        assert picture_size(data) == (60, 20), name


def test_half_transparent_ink_lies_on_white() -> None:
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    for picture in (half, half.convert("RGBa"), half.convert("LA")):
        assert np.asarray(open_picture(picture)).tolist() == [[127] * 4] * 4, picture.mode
    one_bit = Image.new("1", (4, 4), 0)
    assert np.asarray(open_picture(encoded(one_bit))).max() == 0


@pytest.mark.parametrize(("ink", "paper"), [(255, 0), (224, 0), (223, 255), (0, 255)])
def test_light_ink_lies_on_black(ink: int, paper: int) -> None:
    """On white it could not be seen; also with soft edges, and as the transparent colour of other formats."""
    alpha = np.array([[0, 0, 255, 255, 0, 0]], np.uint8)
    rgba = Image.fromarray(np.dstack([np.full_like(alpha, ink)] * 3 + [alpha]))
    for picture in (rgba, rgba.convert("RGBa"), rgba.convert("LA")):
        assert np.asarray(open_picture(picture)).tolist() == [[paper, paper, ink, ink, paper, paper]], picture.mode
    palette = Image.new("P", (4, 1), 0)
    palette.putpalette([9, 9, 9, ink, ink, ink])
    palette.putpixel((1, 0), 1)
    assert np.asarray(open_picture(encoded(palette, "GIF", transparency=0))).tolist() == [[paper, ink, paper, paper]]


def test_nothing_but_paper_is_white() -> None:
    for grey, alpha in ((0, 0), (255, 0), (255, 255), (230, 255)):
        picture = Image.new("LA", (4, 2), (grey, alpha))
        assert np.asarray(open_picture(picture)).tolist() == [[grey if alpha else 255] * 4] * 2


def test_floats_and_deep_greys() -> None:
    """0..1 is stretched, 0..255 is taken as it is, more is made less, and nothing wraps around."""
    for values, wanted in (
        ([[0.0, 0.5, 1.0]], [[0, 128, 255]]),
        ([[0.0, 100.4, 255.0]], [[0, 100, 255]]),
        ([[-5.0, np.nan, 1e9]], [[0, 0, 255]]),
        ([[-np.inf, 0.0, np.inf]], [[0, 0, 255]]),
    ):
        floats = Image.fromarray(np.array(values, dtype=np.float32))
        assert np.asarray(open_picture(encoded(floats, "TIFF"))).tolist() == wanted, values
    for values, wanted in (
        ([[0, 255]], [[0, 255]]),
        ([[0, 256]], [[0, 16]]),
        ([[-7, 65535]], [[0, 255]]),
        ([[0, 2**31 - 1]], [[0, 255]]),
        ([[-7, 255]], [[0, 255]]),
    ):
        deep = Image.fromarray(np.array(values, dtype=np.int32))
        assert np.asarray(open_picture(encoded(deep, "TIFF"))).tolist() == wanted, values
    assert np.asarray(open_picture(Image.fromarray(np.array([[200, 65535]], dtype=np.uint16)))).tolist() == [[0, 255]]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "bool", "float16", "float32", "float64"])
@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_arrays(dtype: str, channels: int | None) -> None:
    stripes = np.zeros((6, 8), dtype=bool)
    stripes[:, ::2] = True
    scale = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    array = (stripes if channels is None else np.stack([stripes] * channels, axis=2)).astype(dtype) * np.array(
        scale, dtype=dtype
    )
    if channels == 4:
        array[..., 3] = scale  # opaque
    if array.dtype == np.uint16 and channels in (3, 4):
        assert array.max() == 65535
    for way in (array, np.asfortranarray(array)):
        assert np.array_equal(np.asarray(open_picture(way)), stripes * np.uint8(255))
        assert picture_size(way) == (8, 6)
    turned = np.swapaxes(array, 0, 1)  # not contiguous
    assert np.array_equal(np.asarray(open_picture(turned)), stripes.T * np.uint8(255))


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


def greys_as_before(picture: Image.Image) -> np.ndarray:
    """The plain formulas, with all their copies."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.int64)
        if picture.mode == "I" and values.max() <= 255:
            return values.clip(0, 255).astype(np.uint8)
        return (values // 257).clip(0, 255).astype(np.uint8)
    if picture.mode == "F":
        floats = np.nan_to_num(np.asarray(picture))
        floats = floats * 255 if floats.max() <= 1 else floats
        return np.rint(floats.clip(0, 255)).astype(np.uint8)
    rgba = picture.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L"))


def odd_pictures() -> dict[str, Image.Image]:
    random = np.random.default_rng(3)
    deep = random.integers(0, 65536, (37, 53)).astype(np.uint16)
    deep[0, :4] = (0, 256, 257, 65535)
    whole = random.integers(-70_000, 70_000, (37, 53)).astype(np.int32)
    unit = random.random((37, 53), dtype=np.float32)
    four = Image.fromarray(random.integers(0, 256, (37, 53, 4)).astype(np.uint8), "RGBA")
    pictures = {
        "I;16": Image.fromarray(deep),
        "I;16B": Image.frombytes("I;16B", (53, 37), deep.astype(">u2").tobytes()),
        "I": Image.fromarray(whole),
        "I of 16 bits": Image.fromarray(deep.astype(np.int32)),
        "I of 8 bits": Image.fromarray(whole % 300 - 44),
        "F": Image.fromarray(unit),
        "F to 255": Image.fromarray(unit * 400 - 50),
        "F with holes": Image.fromarray(np.where(unit > 0.5, np.float32(np.nan), unit)),
        "RGBA": four,
        "RGBa": four.convert("RGBa"),
        "LA": four.convert("LA"),
        "PA": four.convert("RGB").quantize(9).convert("PA"),
    }
    for mode, colour in (("P", bytes(range(9))), ("L", 7), ("RGB", (7, 8, 9))):
        see_through = four.convert("RGB").quantize(9) if mode == "P" else four.convert(mode)
        see_through.putpixel((1, 36), colour if mode != "P" else 2)
        pictures[f"{mode} with transparency"] = Image.open(io.BytesIO(encoded(see_through, transparency=colour)))
    return pictures


@pytest.mark.parametrize("name", sorted(odd_pictures()))
def test_large_pictures_are_read_in_little_memory_to_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.core.grey._STRIP_PIXELS", 53 * 5)  # the last strip has two rows
    wanted = greys_as_before(odd_pictures()[name])
    assert len(np.unique(wanted)) > 3
    assert np.array_equal(np.asarray(open_picture(odd_pictures()[name])), wanted)


def test_16_bits_take_no_8_bytes_a_pixel() -> None:
    picture = Image.fromarray(np.full((1000, 1000), 40_000, np.uint16))
    assert peak_memory(lambda: open_picture(picture)) < 10 * 10**6


def greys(array: np.ndarray) -> list[list[int]]:
    return np.asarray(from_array(array, "x")).tolist()


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (np.array([[0, 1, 254, 255]], np.uint8), [[0, 1, 254, 255]]),
        (np.array([[0, 256, 257, 513, 514, 65534, 65535]], np.uint16), [[0, 0, 1, 1, 2, 254, 255]]),
        (np.array([[False, True]]), [[0, 255]]),
        (np.array([[0.0, 0.25, 0.5, 1.0]]), [[0, 64, 128, 255]]),
        (np.array([[1 / 255, 2.4 / 255, 2.6 / 255, 0.999]]), [[1, 2, 3, 255]]),
        (np.array([[[7], [9]]], np.uint8), [[7, 9]]),
        (np.array([[[7, 8, 9]]], np.uint8), [[[7, 8, 9]]]),
        (np.array([[[7, 8, 9, 10]]], np.uint8), [[[7, 8, 9, 10]]]),
        (np.array([[3]], np.uint8), [[3]]),
        (np.array([[3], [4], [5]], np.uint8), [[3], [4], [5]]),
        (np.array([[1, 2, 3, 4]] * 3, np.uint8), [[1, 2, 3, 4]] * 3),  # as high as there are colours
    ],
)
def test_values_of_arrays(array: np.ndarray, wanted: list) -> None:
    assert greys(array) == wanted


@pytest.mark.parametrize(
    "shape", [(), (3,), (0, 3), (3, 0), (2, 2, 0), (2, 2, 2), (2, 2, 5), (3, 4, 1, 1), (1, 1, 1, 3)]
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_shapes_that_are_no_picture(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(DataError, match=r"^x: an array of shape .* is not a picture; pass \(H, W\[, 3\|4\]\)$"):
        from_array(np.zeros(shape, dtype), "x")


@pytest.mark.parametrize("value", [-0.001, 1.001, np.nan, np.inf, -np.inf])
def test_one_value_out_of_range_is_enough(value: float) -> None:
    array = np.array([[0.0, 0.5, 1.0]])
    assert greys(array) == [[0, 128, 255]]
    for place in range(3):
        array[0] = (0.0, 0.5, 1.0)
        array[0, place] = value
        with pytest.raises(DataError, match=r"^x: a float64 picture must lie in 0\.\.1; scale it or pass uint8$"):
            from_array(array, "x")


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32", "uint64", "complex64"])
def test_types_that_are_no_picture(dtype: str) -> None:
    with pytest.raises(DataError, match=f"^x: an array of {dtype} is not a picture; pass uint8, uint16 or floats"):
        from_array(np.zeros((2, 2), dtype), "x")


def test_grey_stays_what_it_is() -> None:
    grey = Image.fromarray(RAMP)
    assert to_grey(grey) is grey
    grey.info["transparency"] = 0
    assert to_grey(grey) is not grey
    assert np.asarray(to_grey(grey)).min() > 0  # black is transparent: paper


@pytest.mark.parametrize(
    ("top", "wanted"),
    [(255, [0, 100, 255]), (256, [0, 6, 16]), (4095, [0, 6, 255]), (4096, [0, 0, 15]), (65535, [0, 0, 255])],
)
def test_whole_numbers_of_8_12_and_16_bits(top: int, wanted: list[int]) -> None:
    """Of 8 bits kept in 16, no pixel would be left."""
    picture = Image.fromarray(np.array([[0, 100, top]], np.int32))
    assert np.asarray(to_grey(picture)).tolist() == [wanted]
    deep = Image.fromarray(np.array([[0, 100, min(top, 65535)]], np.uint16))
    assert np.asarray(to_grey(deep)).tolist() == [wanted]
    assert np.asarray(from_array(np.array([[0, 100, top]], np.uint16), "x")).tolist() == [wanted]


@pytest.mark.parametrize(
    ("top", "wanted"),
    [
        (1.0, [0, 128, 255]),
        (1.01, [0, 128, 255]),
        (2.0, [0, 128, 255]),
        (2.1, [0, 0, 2]),
        (510.0, [0, 0, 255]),
        (4095.0, [0, 0, 255]),
        (511.0, [0, 0, 32]),
        (65535.0, [0, 0, 255]),
        (8191.0, [0, 0, 32]),
    ],
)
def test_floats_to_1_and_beyond(top: float, wanted: list[int]) -> None:
    """A resampled picture reaches a little beyond its white, which makes it no picture of 0..255."""
    assert np.asarray(to_grey(Image.fromarray(np.array([[0.0, 0.5, top]], np.float32)))).tolist() == [wanted]


def test_colours_and_palettes() -> None:
    red = Image.new("RGB", (2, 1), (255, 0, 0))
    for mode in ("RGB", "P", "HSV", "CMYK", "YCbCr"):
        assert abs(np.asarray(to_grey(red.convert(mode))).astype(int) - 76).max() <= 2, mode
        assert to_grey(red.convert(mode)).mode == "L"
    assert np.asarray(to_grey(Image.new("1", (2, 1), 1))).tolist() == [[255, 255]]


@pytest.mark.parametrize("pixels", [1, 7, 8, 15, 16, 17, 24, 2**20])
def test_strips_of_a_transparent_picture(pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows are laid on paper at once, it is the same picture; no more at once than there is room for."""
    values = np.random.default_rng(0).integers(0, 256, (5, 8, 4)).astype(np.uint8)
    picture = Image.fromarray(values, "RGBA")
    wanted = greys_as_before(picture)
    laid: list[tuple[int, int]] = []
    real = Image.alpha_composite
    monkeypatch.setattr(Image, "alpha_composite", lambda a, b: laid.append(b.size) or real(a, b))
    monkeypatch.setattr("crnn.core.grey._STRIP_PIXELS", pixels)
    assert np.array_equal(np.asarray(to_grey(picture)), wanted)
    rows = max(1, pixels // 8)
    assert laid == [(8, min(rows, 5 - top)) for top in range(0, 5, rows)]
