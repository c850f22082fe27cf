"""From a grey picture of a line to the network's input: the one preprocessing, for training and for services."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.errors import ConfigError, DataError

MAX_HEIGHT = 1024
"""Largest height that a line is scaled to."""


@dataclass(frozen=True)
class LineTransform:
    """Scale a grey line to (1, H, W) float32, ``(grey / 255 - mean) / std``.

    The aspect ratio is kept (`width` None) and W rounded to a multiple of `multiple`, so that no pixel column is lost
    in the network's pools; or every line is scaled to one `width`.

    Args:
        height: H in pixels.
        width: fixed W in pixels, or None.
        max_width: widest line, in pixels after scaling; wider ones are refused, never cut.
        multiple: W is a multiple of this (the network's columns are this wide).
        mean, std: of the normalisation.
    """

    height: int = 32
    width: int | None = None
    max_width: int = 32_768
    multiple: int = 4
    mean: float = 0.5
    std: float = 0.5

    def __post_init__(self) -> None:
        if not 8 <= self.height <= MAX_HEIGHT:
            raise ConfigError(f"image.height={self.height}: must be 8..{MAX_HEIGHT}")
        if not 1 <= self.multiple <= 64:
            raise ConfigError(f"image multiple {self.multiple}: must be 1..64")
        if not 2 * self.multiple <= self.max_width <= 262_144:
            raise ConfigError(f"max_width {self.max_width}: must be {2 * self.multiple}..262144")
        if self.width is not None and (
            self.width % self.multiple or not self.min_width <= self.width <= self.max_width
        ):
            raise ConfigError(
                f"image.width={self.width}: must be a multiple of {self.multiple} in {self.min_width}..{self.max_width}"
            )
        if not self.std > 0 or not np.isfinite([self.mean, self.std]).all():
            raise ConfigError(f"image.std={self.std}, image.mean={self.mean}: std must be above 0 and both finite")

    @property
    def min_width(self) -> int:
        """Narrowest W in pixels; even a 1-pixel sliver becomes this wide."""
        return 2 * self.multiple

    def scaled_width(self, width: int, height: int) -> int:
        """W in pixels for a picture of `width` x `height`."""
        if self.width is not None:
            return self.width
        columns = int(width * self.height / (height * self.multiple) + 0.5)
        return max(self.min_width, columns * self.multiple)

    def scaled_widths(self, sizes: NDArray[np.int32]) -> NDArray[np.int64]:
        """(N,): `scaled_width` of many sizes (N, 2); pictures without pixels become `min_width`."""
        if self.width is not None:
            return np.full(len(sizes), self.width, dtype=np.int64)
        widths, heights = sizes[:, 0].astype(np.float64), np.maximum(sizes[:, 1], 1)
        columns = (widths * self.height / (heights * self.multiple) + 0.5).astype(np.int64)
        return np.maximum(self.min_width, columns * self.multiple)

    def check_width(self, size: tuple[int, int], where: str = "picture") -> int:
        """W for a picture of `size` (width, height); raises DataError for a line wider than `max_width`."""
        width = self.scaled_width(*size)
        if width > self.max_width:
            raise DataError(
                f"{where}: {size[0]} x {size[1]} pixels become {width} x {self.height}; at most {self.max_width} "
                "wide are read; is it one line?"
            )
        return width

    def resize(self, picture: Image.Image, width: int) -> Image.Image:
        """A grey picture at `width` x `height`."""
        if picture.size == (width, self.height):
            return picture
        return picture.resize((width, self.height), Image.Resampling.BILINEAR)

    def normalize(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values of the network's input, in the shape of `grey`."""
        values = grey.astype(np.float32)
        values *= np.float32(1 / 255)
        values -= np.float32(self.mean)
        values *= np.float32(1 / self.std)
        return values

    def __call__(self, picture: Image.Image, where: str = "picture") -> NDArray[np.float32]:
        """(1, H, W) float32 of a grey picture (mode ``L``).

        Raises:
            DataError: for a line wider than `max_width`.
        """
        return self.normalize(np.asarray(self.resize(picture, self.check_width(picture.size, where))))[None]
