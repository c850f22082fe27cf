"""A picture as the network takes it: decoded, trimmed if so wished, and scaled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.picture import PagesAre, Picture, open_picture, picture_name
from crnn.core.transform import LineTransform
from crnn.core.trim import Box, line_box

LEAST_CONTRAST = 6
"""Grey values between the darkest and lightest pixel of what may be writing; JPEG makes less of plain paper."""


class Prepared(NamedTuple):
    """A picture, decoded and scaled to the network's height."""

    grey: NDArray[np.uint8]  # (H, W)
    left: int
    """Pixels of the original left of what was scaled."""
    line_width: int
    """Of what was scaled, in pixels of the original."""

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
        trim: cut off paper around the line first, see `crnn.core.trim`.
        name: of the picture, for messages.
        max_pixels: largest picture that is decoded (80 million).
        pages: what more pages or frames than the one that is read are, see `open_picture`.

    Raises:
        DataError: one line: where, and what is wrong.
    """
    name = name or picture_name(picture)
    grey = open_picture(picture, name, max_pixels, pages)
    transform.check_width(grey.size, name)
    box = kept_box(grey, transform) if trim else None
    line = grey if box is None else grey.crop(box)
    scaled = np.asarray(transform.resize(line, transform.scaled_width(*line.size)))
    return Prepared(scaled, box.left if box else 0, line.width)


def kept_box(grey: Image.Image, transform: LineTransform) -> Box | None:
    """What is kept of a grey picture; None for all, also where the line would be too wide for the network."""
    box = line_box(np.asarray(grey))
    fits = box and transform.scaled_width(box.right - box.left, box.bottom - box.top) <= transform.max_width
    return box if fits else None


def cropped(grey: Image.Image, transform: LineTransform) -> Image.Image:
    """A grey picture trimmed, or as it is where the line would be too wide for the network."""
    box = kept_box(grey, transform)
    return grey if box is None else grey.crop(box)
