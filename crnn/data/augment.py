"""Changes that a line survives: the same text, other pixels.

Each works on a grey picture at the network's height, on `torchvision.transforms.v2` and Pillow, with parameters drawn
from the line's own generator, so that a line looks the same in a repeated or resumed epoch.
"""

from __future__ import annotations

from dataclasses import fields
from io import BytesIO
from math import radians, tan
from typing import Protocol

from crnn.torchvision_cure import functional as tv

import numpy as np
from PIL import Image, ImageFilter

from crnn.core.plugins import Registry
from crnn.data.augment_config import AugmentConfig
from crnn.errors import ConfigError


class Change(Protocol):
    """An augmentation: a function of a module (other processes call it, too).

    Other packages add one in the entry-point group ``crnn.augmentations``; `AugmentConfig.extra` turns it on.
    """

    def __call__(self, picture: Image.Image, rng: np.random.Generator, /) -> Image.Image:
        """The same text in other pixels.

        Args:
            picture: grey (mode ``L``), H pixels high as the network wants it, dark on light or light on dark.
            rng: the line's own generator; whatever is drawn is drawn from it, so that a resumed run sees the same.

        Returns:
            A grey picture of the same size.
        """
        ...


def _paper(picture: Image.Image) -> float:
    """The median grey of the first and last row."""
    return float(np.median(np.asarray(picture)[[0, -1]]))


def _affine(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return tv.affine(
        picture,
        angle=float(rng.uniform(-1.5, 1.5)) * min(1.0, 8 * picture.height / picture.width),
        translate=[int(rng.integers(-3, 4)), round(float(rng.uniform(-0.05, 0.05)) * picture.height)],
        scale=float(rng.uniform(0.9, 1.05)),
        shear=[float(rng.uniform(-10, 10)), 0.0],
        interpolation=tv.InterpolationMode.BILINEAR,
        fill=[_paper(picture)],
    )


def _slant(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = picture.size
    lean = tan(radians(rng.uniform(10, 30))) * (1 if rng.random() < 0.5 else -1)
    lean = float(np.clip(lean * height, -width / 4, width / 4)) / height  # pixels per row
    squeeze = (width + abs(lean) * height) / width
    shift = width / 2 * (1 - squeeze) - lean * height / 2
    matrix = (squeeze, lean, shift, 0.0, 1.0, 0.0)  # x in the old picture of x, y, 1 in the new one
    bilinear = Image.Resampling.BILINEAR
    return picture.transform(picture.size, Image.Transform.AFFINE, matrix, bilinear, fillcolor=int(_paper(picture)))


def _perspective(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    right, bottom = picture.width - 1, picture.height - 1
    corners = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]])
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    most = np.array([min(0.3 * picture.height, picture.width / 8), 0.12 * picture.height])
    moved = corners + inwards * rng.uniform(0, 1, (4, 2)) * most
    bilinear = tv.InterpolationMode.BILINEAR
    return tv.perspective(picture, corners.tolist(), moved.tolist(), bilinear, fill=[_paper(picture)])


def _loose(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor, (width, height) = rng.uniform(0.45, 0.9), picture.size
    small = picture.resize((max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.BILINEAR)
    left = int(rng.integers(0, min(width - small.width, height) + 1))
    top = int(rng.integers(0, height - small.height + 1))
    loose = Image.new("L", picture.size, int(_paper(picture)))
    loose.paste(small, (left, top))
    return loose


def _elastic(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = picture.size
    across = np.linspace(0, width, max(2, round(2 * width / height) + 1)).round().astype(int)
    down = np.linspace(0, height, 3).round().astype(int)
    moves = rng.uniform(-0.08, 0.08, (2, len(down), len(across))) * height
    x, y = across + moves[0], down[:, None] + moves[1]  # where each point comes from
    cells = []
    for row in range(len(down) - 1):
        for column in range(len(across) - 1):
            box = (int(across[column]), int(down[row]), int(across[column + 1]), int(down[row + 1]))
            around = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
            cells.append((box, tuple(float(value) for at in around for value in (x[at], y[at]))))
    bilinear = Image.Resampling.BILINEAR
    return picture.transform(picture.size, Image.Transform.MESH, cells, bilinear, fillcolor=int(_paper(picture)))


def _contrast(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    picture = tv.adjust_contrast(picture, float(rng.uniform(0.6, 1.4)))
    return tv.adjust_brightness(picture, float(rng.uniform(0.7, 1.3)))


def _blur(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.0))))


def _downscale(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor = rng.uniform(0.4, 0.8)
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BILINEAR).resize(picture.size, Image.Resampling.BILINEAR)


def _stroke(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    grown = picture.filter(ImageFilter.MinFilter(3) if rng.random() < 0.5 else ImageFilter.MaxFilter(3))
    return Image.blend(picture, grown, float(rng.uniform(0.2, 0.6)))


def _noise(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float32)
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * rng.uniform(2, 12)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def _jpeg(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    file = BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(20, 71)))
    with Image.open(file, formats=["JPEG"]) as read:
        return read.convert("L")


def _cutout(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels, paper = np.array(picture), _paper(picture)
    for _ in range(rng.integers(1, 4)):
        start = int(rng.integers(0, picture.width))
        pixels[:, start : start + int(rng.integers(1, max(1, picture.height // 2) + 1))] = round(paper)
    return Image.fromarray(pixels)


def _invert(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return tv.invert(picture)


CHANGES: Registry[Change] = Registry(
    "augmentation",
    {
        "affine": _affine,
        "slant": _slant,
        "perspective": _perspective,
        "loose": _loose,
        "elastic": _elastic,
        "contrast": _contrast,
        "blur": _blur,
        "downscale": _downscale,
        "stroke": _stroke,
        "noise": _noise,
        "jpeg": _jpeg,
        "invert": _invert,
        "cutout": _cutout,
    },
    "crnn.data.augment.Change",
)
"""Name -> change, in the order in which they are applied."""


def chosen_changes(config: AugmentConfig) -> list[tuple[str, Change, float]]:
    """Name, change and probability of each, ours first.

    Raises:
        ConfigError: for a probability outside 0..1, or an extra change that nobody has.
    """
    given = {item.name: getattr(config, item.name) for item in fields(config) if item.name != "extra"}
    named = given | {f"extra.{name}": probability for name, probability in config.extra.items()}
    for name, probability in named.items():
        if not 0 <= probability <= 1:
            raise ConfigError(f"augment.{name}={probability}: is a probability, 0..1")
    for name in config.extra:
        if name in given:
            raise ConfigError(f"augment.extra.{name}: is one of ours; set augment.{name}")
    extra = {name: CHANGES.find(name, f"augment.extra.{name}:") for name in config.extra}
    changes: dict[str, Change] = {**CHANGES, **extra}
    return [(name, change, (given | config.extra)[name]) for name, change in changes.items()]


class Augment:
    """Applies each change with its probability.

    Args:
        config: probabilities.
        epochs: of the training, which `config.until` is a share of; None changes lines in every epoch.

    Raises:
        ConfigError: for a probability outside 0..1, or an extra change that nobody has.
    """

    def __init__(self, config: AugmentConfig, epochs: int | None = None) -> None:
        self.changes = chosen_changes(config)
        """Name, change and probability of each, in the order in which they are applied."""
        self.epochs = epochs and first_plain_epoch(config, epochs)
        """In the first so many epochs lines are changed."""

    def __call__(self, picture: Image.Image, rng: np.random.Generator, epoch: int = 0) -> Image.Image:
        """A grey picture (mode ``L``) of the same size.

        Raises:
            ConfigError: for an extra change that returns anything else.
        """
        if self.epochs is not None and epoch >= self.epochs:
            return picture
        size = picture.size
        for name, change, probability in self.changes:
            if probability and rng.random() < probability:  # what is off draws nothing: the others stay as they are
                picture = change(picture, rng)
                if (picture.mode, picture.size) != ("L", size):
                    raise ConfigError(
                        f"augmentation {name!r} made a picture of mode {picture.mode} and {picture.size} pixels; it "
                        f"must stay grey (L) and {size}"
                    )
        return picture


def first_plain_epoch(config: AugmentConfig, epochs: int) -> int:
    """The first epoch (from 0) in which lines are left as they are, in a training of `epochs`."""
    return round(config.until * epochs)
