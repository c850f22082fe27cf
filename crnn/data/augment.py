"""Changes that a line survives: the same text, other pixels.

Each works on a grey picture at the network's height, on `torchvision.transforms.v2`, with parameters drawn from the
line's own generator, so that a line looks the same in a repeated or resumed epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from crnn.torchvision_cure import functional as tv

import numpy as np
from PIL import Image, ImageFilter

from crnn.errors import ConfigError


@dataclass
class AugmentConfig:
    """Probability (0..1) of each change, per line and epoch."""

    affine: float = 0.5
    """Rotate up to 1.5 degrees, shear up to 10, scale 0.9..1.05, move up to 5 % of the height."""
    contrast: float = 0.4
    """Brightness and contrast by a factor of 0.6..1.4."""
    blur: float = 0.15
    """Gaussian blur, sigma 0.3..1 pixel."""
    stroke: float = 0.15
    """Thinner or thicker strokes: maximum or minimum of neighbours, mixed with the original."""
    noise: float = 0.2
    """Gaussian noise, sigma up to 12 of 255."""
    invert: float = 0.0
    """Light text on dark ground and back."""


def _affine(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    border = np.asarray(picture)[[0, -1]]
    return tv.affine(
        picture,
        angle=float(rng.uniform(-1.5, 1.5)) * min(1.0, 8 * picture.height / picture.width),
        translate=[int(rng.integers(-3, 4)), round(float(rng.uniform(-0.05, 0.05)) * picture.height)],
        scale=float(rng.uniform(0.9, 1.05)),
        shear=[float(rng.uniform(-10, 10)), 0.0],
        interpolation=tv.InterpolationMode.BILINEAR,
        fill=[float(np.median(border))],
    )


def _contrast(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    picture = tv.adjust_contrast(picture, float(rng.uniform(0.6, 1.4)))
    return tv.adjust_brightness(picture, float(rng.uniform(0.7, 1.3)))


def _blur(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.0))))


def _stroke(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    grown = picture.filter(ImageFilter.MinFilter(3) if rng.random() < 0.5 else ImageFilter.MaxFilter(3))
    return Image.blend(picture, grown, float(rng.uniform(0.2, 0.6)))


def _noise(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float32)
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * rng.uniform(2, 12)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def _invert(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return tv.invert(picture)


CHANGES: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "affine": _affine,
    "contrast": _contrast,
    "blur": _blur,
    "stroke": _stroke,
    "noise": _noise,
    "invert": _invert,
}
"""Name -> change, in the order in which they are applied."""


class Augment:
    """Applies each change with its probability.

    Raises:
        ConfigError: for a probability outside 0..1.
    """

    def __init__(self, config: AugmentConfig) -> None:
        self.config = config
        for item in fields(config):
            if not 0 <= getattr(config, item.name) <= 1:
                raise ConfigError(f"augment.{item.name}={getattr(config, item.name)}: is a probability, 0..1")

    def __call__(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        """A grey picture (mode ``L``) of the same size."""
        for name, change in CHANGES.items():
            if rng.random() < getattr(self.config, name):
                picture = change(picture, rng)
        return picture
