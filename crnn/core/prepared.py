"""A picture as the network takes it: decoded, trimmed if so wished, and scaled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.picture import PagesAre, Picture, open_picture, picture_name
from crnn.core.transform import LineTransform
from crnn.core.trim import trimmed

LEAST_CONTRAST = 6
"""Grey values between the darkest and lightest pixel of what may be writing; JPEG makes less of plain paper."""


class Prepared(NamedTuple):
    """A picture, decoded and scaled to the network's height."""

    grey: NDArray[np.uint8]  # (H, W)
    original_width: int

    @property
    def width(self) -> int:
        """W in pixels."""
        return self.grey.shape[1]

    @property
    def is_blank(self) -> bool:
        """Whether it is of one grey throughout, or nearly: no writing can be in it."""
        return int(self.grey.max()) - int(self.grey.min()) < LEAST_CONTRAST


def prepare(
    picture: Picture,
    transform: LineTransform,
    trim: bool = False,
    name: str | None = None,
    max_pixels: int | None = None,
    pages: PagesAre = "noted",
) -> Prepared:
    """Decode a picture and scale it; any number of threads may do so at once.

    Args:
        picture: path, file content, Pillow image, or array (H, W[, 3|4]).
        transform: of the model.
        trim: cut off paper above and below the line first, see `crnn.core.trim`.
        name: of the picture, for messages.
        max_pixels: largest picture that is decoded (80 million).
        pages: what more pages or frames than the one that is read are, see `open_picture`.

    Raises:
        DataError: one line: where, and what is wrong.
    """
    name = name or picture_name(picture)
    grey = open_picture(picture, name, max_pixels, pages)
    return Prepared(np.asarray(scaled(grey, transform, trim, name)), grey.width)


def scaled(grey: Image.Image, transform: LineTransform, trim: bool, name: str) -> Image.Image:
    """A grey picture at the network's height, trimmed before if so wished and if it does not become too wide.

    Raises:
        DataError: naming the picture, if it is too wide as it is.
    """
    width = transform.check_width(grey.size, name)
    if trim:
        line = trimmed(grey)
        wider = transform.scaled_width(*line.size)
        if wider <= transform.max_width:
            grey, width = line, wider
    return transform.resize(grey, width)
