"""What each change does to a line, what it costs others, and when it ends."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tests_support import settings

from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.augment import CHANGES, Augment, AugmentConfig
from crnn.data.batching import LineKey
from crnn.data.dataset import LineDataset
from crnn.data.sources import open_source
from crnn.errors import ConfigError

OFF = dict.fromkeys(CHANGES, 0.0)


def only(name: str) -> Augment:
    return Augment(AugmentConfig(**{**OFF, name: 1.0}))


def bars(width: int = 200, height: int = 32, every: int = 20) -> Image.Image:
    """Dark upright bars on light paper, which ends at all sides."""
    picture = Image.new("L", (width, height), 220)
    draw = ImageDraw.Draw(picture)
    for x in range(every // 2, width - 4, every):
        draw.rectangle((x, height // 4, x + 2, 3 * height // 4), fill=20)
    return picture


def changed(name: str, picture: Image.Image, seed: int) -> NDArray[np.uint8]:
    return np.asarray(only(name)(picture, np.random.default_rng(seed)))


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize("size", [(8, 8), (8, 96), (9, 32), (1201, 33)])
def test_any_size_stays(name: str, size: tuple[int, int]) -> None:
    for seed in range(10):
        result = only(name)(Image.new("L", size, 255), np.random.default_rng(seed))
        assert (result.size, result.mode) == (size, "L")


@pytest.mark.parametrize("name", ["slant", "perspective", "elastic", "downscale", "jpeg"])
def test_ink_stays_and_paper_is_no_other_grey(name: str) -> None:
    picture = bars()
    ink = (220 - np.asarray(picture, dtype=float)).sum()
    seen = set()
    for seed in range(20):
        pixels = changed(name, picture, seed)
        seen.add(pixels.tobytes())
        assert pixels[[0, -1]].min() > 170, seed  # no dark corners
        assert 0.6 < (220 - pixels.astype(float)).sum() / ink < 1.25, seed
    assert len(seen) > 10


@pytest.mark.parametrize("width", [24, 60, 300])
def test_the_ends_of_a_slanted_line_stay_in_the_picture(width: int) -> None:
    picture = Image.new("L", (width, 32), 220)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 2, 31), fill=0)
    draw.rectangle((width - 3, 0, width - 1, 31), fill=0)
    sides = set()
    for seed in range(20):
        pixels = changed("slant", picture, seed)
        ends = [np.flatnonzero(row < 150) for row in pixels[1:-1]]
        assert all(len(end) for end in ends)
        assert all(end.min() < width / 2 < end.max() for end in ends), seed
        moved = int(ends[0].min()) - int(ends[-1].min())
        assert abs(moved) >= 3
        sides.add(moved > 0)
    assert sides == {True, False}


def test_elastic_moves_a_little_and_not_all_alike() -> None:
    picture = bars(every=16)
    middles = []
    for seed in range(20):
        pixels = 220 - changed("elastic", picture, seed).astype(float).clip(0, 220)
        for left in range(0, 192, 16):
            cell = pixels[:, left : left + 16]
            middles.append(float((cell.sum(0) * np.arange(16)).sum() / cell.sum()))
    before = 9.0
    assert max(abs(middle - before) for middle in middles) < 4
    assert np.std(middles) > 0.3


def test_cutout_leaves_paper_in_some_columns_and_the_rest_as_it_is() -> None:
    before = np.full((32, 200), 220, dtype=np.uint8)
    before[8:24] = 20
    picture, spans = Image.fromarray(before), []
    for seed in range(50):
        after = changed("cutout", picture, seed)
        columns = (after != before).any(0)
        assert (after[:, columns] == 220).all()
        assert columns.sum() <= 3 * 16
        spans.append(int(columns.sum()))
    assert min(spans) < 10
    assert max(spans) > 25


def test_what_is_off_draws_nothing() -> None:
    picture = bars()
    config = AugmentConfig(**{**OFF, "affine": 0.5, "noise": 0.7})
    rng = np.random.default_rng(4)
    expected = picture
    for name, probability in (("affine", 0.5), ("noise", 0.7)):
        if rng.random() < probability:
            expected = CHANGES[name](expected, rng)
    assert np.array_equal(Augment(config)(picture, np.random.default_rng(4)), expected)


def test_every_change_has_a_probability_and_is_in_the_settings() -> None:
    names = [item.name for item in fields(AugmentConfig) if item.name != "extra"]
    assert set(CHANGES) <= set(names)
    given, default = settings(*(f"augment.{name}={i / 32}" for i, name in enumerate(names))).augment, settings().augment
    for i, name in enumerate(names):
        assert getattr(given, name) == i / 32
        assert getattr(default, name) == getattr(AugmentConfig(), name)
        with pytest.raises(ConfigError, match=rf"augment\.{name}=1\.25: "):
            Augment(AugmentConfig(**{name: 1.25}))


def test_what_a_training_does_to_its_lines_unless_told_otherwise() -> None:
    on = {"affine": 0.5, "contrast": 0.4, "blur": 0.15, "stroke": 0.15, "noise": 0.2, "until": 1.0}
    assert {item.name: getattr(AugmentConfig(), item.name) for item in fields(AugmentConfig)} == {
        **OFF,
        "concat": 0.0,
        "extra": {},
        **on,
    }


def test_cutouts_are_as_many_and_as_wide_as_said() -> None:
    """One to three spans, each up to half a height wide."""
    picture = Image.new("L", (4000, 32), 220)
    ImageDraw.Draw(picture).rectangle((0, 8, 4000, 23), fill=20)
    spans, widths = set(), set()
    for seed in range(150):
        paper = (changed("cutout", picture, seed) == 220).all(0).astype(int)
        edges = np.flatnonzero(np.diff(paper, prepend=0, append=0))
        spans.add(len(edges) // 2)
        widths |= set((edges[1::2] - edges[::2]).tolist()) if len(edges) == 2 else set()
    assert spans == {1, 2, 3}
    assert (min(widths), max(widths)) == (1, 16)


def test_paper_is_the_middle_of_both_edges() -> None:
    """What comes into the picture from outside is as light as the first and last row."""
    pixels = np.full((16, 64), 90, dtype=np.uint8)
    pixels[0], pixels[-1] = 250, 150
    after = np.asarray(only("cutout")(Image.fromarray(pixels), np.random.default_rng(0)))
    assert set(after[5].tolist()) == {90, 200}
    after = np.asarray(only("noise")(Image.new("L", (99, 32), 0), np.random.default_rng(0)))
    assert (after == 0).mean() > 0.4  # cut off at black
    after = np.asarray(only("noise")(Image.new("L", (99, 32), 255), np.random.default_rng(0)))
    assert (after == 255).mean() > 0.4


def test_lines_are_left_as_they_are_in_the_last_epochs(line_folder: Path) -> None:
    charset = Charset.from_texts(["0123456789 abc"])
    source = open_source(line_folder / "train")
    config = AugmentConfig(**{**OFF, "noise": 1.0, "until": 0.7})
    plain = LineDataset(source, charset, LineTransform())[LineKey(0, 3, 0)].image

    def changed_in(epochs: int | None) -> list[bool]:
        lines = LineDataset(source, charset, LineTransform(), Augment(config, epochs))
        return [not torch.equal(lines[LineKey(epoch, 3, 0)].image, plain) for epoch in range(10)]

    assert changed_in(10) == [True] * 7 + [False] * 3
    assert changed_in(4) == [True] * 3 + [False] * 7
    assert changed_in(None) == [True] * 10
    config.until = 1.0
    assert changed_in(10) == [True] * 10
