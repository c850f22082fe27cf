"""Filters of float pixels, each against a plain way to say the same."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from crnn.data.synth.pixels import blurred, clouds, grown, resized, to_bytes, to_picture


def test_values_outside_are_cut_off() -> None:
    pixels = np.array([[-5, 0, 0.9, 1.0], [254.9, 255, 255.5, 999]], dtype=np.float32)
    assert to_bytes(pixels).tolist() == [[0, 0, 0, 1], [254, 255, 255, 255]]
    assert to_bytes(pixels).dtype == np.uint8
    picture = to_picture(pixels)
    assert (picture.mode, picture.size) == ("L", (4, 2))
    assert np.asarray(picture).tolist() == to_bytes(pixels).tolist()


@pytest.mark.parametrize("shape", [(7, 9), (1, 1), (1, 5), (5, 1), (2, 2)])
def test_the_largest_of_nine(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(5).uniform(-255, 255, shape).astype(np.float32)
    before, padded = pixels.copy(), np.pad(pixels, 1, constant_values=-np.inf)
    wanted = [[padded[y : y + 3, x : x + 3].max() for x in range(shape[1])] for y in range(shape[0])]
    assert grown(pixels).tolist() == wanted
    assert np.array_equal(pixels, before)


def test_blur_and_size() -> None:
    pixels = np.zeros((21, 31), dtype=np.float32)
    pixels[10, 15] = 255
    soft = blurred(pixels, 1.5)
    assert (soft.shape, soft.dtype) == ((21, 31), np.float32)
    assert soft[10, 15] == soft.max() < 40
    assert soft[10, 17] > blurred(pixels, 0.8)[10, 17]
    assert np.abs(blurred(pixels, 0) - pixels).max() == 0
    level = resized(np.full((4, 6), -300.5, dtype=np.float32), (3, 8), Image.Resampling.BOX)
    assert (level.shape, level.dtype) == ((8, 3), np.float32)
    assert (level == -300.5).all()
    rows = resized(np.arange(8, dtype=np.float32).reshape(4, 2), (1, 2), Image.Resampling.BOX)
    assert rows.tolist() == [[1.5], [5.5]]


def test_clouds_are_smooth_between_random_values() -> None:
    for shape, grain, few in (
        ((20, 30), 5.0, (5, 7)),
        ((21, 31), 5.0, (6, 8)),
        ((2, 30), 5.0, (2, 7)),
        ((1, 30), 5.0, (1, 7)),
        ((20, 1), 40.0, (2, 2)),
        ((3, 4), 1.5, (3, 4)),
    ):
        drawn = np.random.default_rng(8).standard_normal(few, dtype=np.float32)
        wanted = Image.fromarray(drawn).resize(shape[::-1], Image.Resampling.BILINEAR)
        assert np.array_equal(clouds(np.random.default_rng(8), shape, grain), np.asarray(wanted)), shape
    for grain in (1.0, 0.2):
        plain = clouds(np.random.default_rng(8), (6, 7), grain)
        assert np.array_equal(plain, np.random.default_rng(8).standard_normal((6, 7), dtype=np.float32))
