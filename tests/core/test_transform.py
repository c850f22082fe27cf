"""From a grey picture to the network's input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crnn.core.transform import LineTransform
from crnn.errors import ConfigError, DataError


@given(st.integers(1, 3000), st.integers(1, 300), st.sampled_from([32, 48, 64, 96]), st.sampled_from([1, 4, 8]))
def test_widths(width: int, height: int, target: int, multiple: int) -> None:
    transform = LineTransform(target, multiple=multiple)
    scaled = transform.scaled_width(width, height)
    assert scaled % multiple == 0
    assert scaled >= 2 * multiple
    exact = width * target / height
    assert abs(scaled - exact) <= multiple / 2 or scaled == 2 * multiple
    assert LineTransform(target, 128).scaled_width(width, height) == 128
    sizes = np.array([(width, height), (7, 0), (height, width)], dtype=np.int32)
    found = transform.scaled_widths(sizes)
    assert (found[[0, 2]].tolist(), found.dtype) == ([scaled, transform.scaled_width(height, width)], np.int64)
    assert LineTransform(target, 128).scaled_widths(sizes).tolist() == [128] * 3


def test_transform() -> None:
    picture = Image.fromarray(RAMP)
    line = LineTransform()(picture)
    assert (line.shape, line.dtype) == ((1, 32, 96), np.float32)
    assert line.min() >= -1
    assert line.max() <= 1
    assert line[0, :, 0].max() < -0.9 < 0.9 < line[0, :, -1].min()  # dark left, light right
    other = LineTransform(mean=0.0, std=1.0)(picture)
    np.testing.assert_allclose(other, line * 0.5 + 0.5, atol=1e-6)
    with pytest.raises(DataError, match=r"x\.png: 60 x 20 pixels become 96 x 32; at most 92 wide are read"):
        LineTransform(max_width=92)(picture, "x.png")
    assert LineTransform(max_width=96)(picture).shape == (1, 32, 96)  # the limit itself is read
    fixed = LineTransform(width=64)
    assert fixed(picture).shape == fixed(Image.new("L", (9000, 2))).shape == (1, 32, 64)
    assert picture.size == (60, 20)  # untouched
    ready = Image.fromarray(np.arange(32 * 8, dtype=np.uint8).reshape(32, 8))
    np.testing.assert_allclose(LineTransform()(ready)[0], (np.asarray(ready) / 255 - 0.5) / 0.5, atol=1e-6)
    for grey, value in ((0, -1.0), (255, 1.0)):  # the ends of the range
        np.testing.assert_allclose(LineTransform()(Image.new("L", (60, 20), grey)), value, atol=1e-6)


RAMP = np.tile(np.linspace(0, 255, 60, dtype=np.uint8), (20, 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"height": 7}, r"image.height=7: must be 8\.\.1024"),
        ({"height": 1025}, "image.height=1025"),
        ({"width": 72, "max_width": 64}, r"multiple of 4 in 8\.\.64"),
        ({"multiple": 65}, "multiple 65"),
        ({"max_width": 262_145}, "max_width 262145"),
        ({"std": float("inf")}, "finite"),
        ({"std": -1.0}, "std must be above 0"),
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


def test_the_limits_themselves_are_allowed() -> None:
    for allowed in ({"height": 8}, {"height": 1024}, {"width": 8}, {"width": 64, "max_width": 64}, {"multiple": 1}):
        LineTransform(**allowed)
    LineTransform(multiple=64, max_width=128)
    LineTransform(max_width=262_144)


@pytest.mark.parametrize(
    ("size", "width"),
    [
        ((1, 32), 8),
        ((9, 32), 8),
        ((10, 32), 12),  # half of a multiple goes up
        ((13, 32), 12),
        ((14, 32), 16),
        ((60, 20), 96),
        ((100, 64), 52),
        ((97, 64), 48),
        ((1, 1), 32),
        ((1000, 33), 968),
    ],
)
def test_width_of_a_line(size: tuple[int, int], width: int) -> None:
    assert LineTransform().scaled_width(*size) == width
    assert LineTransform().check_width(size) == width
    found = LineTransform().scaled_widths(np.array([size, size], np.int32))
    assert (found.tolist(), found.dtype) == ([width, width], np.int64)


def test_widths_of_pictures_without_pixels() -> None:
    sizes = np.array([(0, 0), (5, 0), (0, 5), (600, 0)], np.int32)
    assert LineTransform().scaled_widths(sizes)[[0, 2]].tolist() == [8, 8]
    assert LineTransform().scaled_widths(sizes[:0]).tolist() == []
    fixed = LineTransform(width=64).scaled_widths(sizes)
    assert (fixed.tolist(), fixed.dtype) == ([64] * 4, np.int64)
    assert (LineTransform().min_width, LineTransform(multiple=8).min_width) == (8, 16)


def test_lines_as_wide_as_allowed() -> None:
    transform = LineTransform(max_width=16)
    assert transform.check_width((17, 32)) == 16
    with pytest.raises(DataError, match=r"^picture: 18 x 32 pixels become 20 x 32; at most 16 wide are read"):
        transform.check_width((18, 32))
    assert LineTransform().check_width((32_768, 32)) == 32_768
    with pytest.raises(DataError, match="become 32772 x 32; at most 32768 wide"):
        LineTransform().check_width((32_772, 32))


def test_resizing_and_values() -> None:
    picture = Image.fromarray(RAMP)
    assert LineTransform(20).resize(picture, 60) is picture
    assert LineTransform(20).resize(picture, 64).size == (64, 20)
    assert LineTransform(24).resize(picture, 60).size == (60, 24)
    grey = np.array([[0, 51, 255]], np.uint8)
    for transform, wanted in (
        (LineTransform(), [-1, -0.6, 1]),
        (LineTransform(mean=0.2, std=0.1), [-2, 0, 8]),
        (LineTransform(mean=0.0, std=2.0), [0, 0.1, 0.5]),
    ):
        found = transform.normalize(grey)
        assert found[0].tolist() == pytest.approx(wanted, abs=1e-5)
        assert (found.dtype, found.shape) == (np.float32, (1, 3))
    assert grey.tolist() == [[0, 51, 255]]
