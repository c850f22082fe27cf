"""What a page's XML says, and how its measures become pixels of the page's picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from crnn.core.picture import PICTURE_FORMATS, picture_size
from crnn.data.sources.outlines import Points, UnusableOutlineError
from crnn.errors import DataError, printable

SHAPE_TOLERANCE = 0.01
"""A page's width to height may differ that much between XML and picture."""


@dataclass
class MarkedLine:
    """A line as the XML describes it, in the XML's units."""

    name: str
    source_line: int
    text: str
    outline: Points | None = None
    """(N, 2); None if there is none."""
    baseline: Points | None = None
    problem: str = ""


def marked(line: MarkedLine, outline: Callable[[], Points | None], baseline: Callable[[], Points | None]) -> None:
    """Say where a line lies, or what is wrong with what the XML says.

    An outline that cannot be read is as good as none where there is a baseline: the line is cut along that.

    Args:
        outline, baseline: read it, or raise `UnusableOutlineError`.
    """
    try:
        line.baseline = baseline()
        line.outline = outline()
    except UnusableOutlineError as error:
        if line.baseline is None or len(line.baseline) < 2:
            line.problem = str(error)


@dataclass
class MarkedPage:
    """A page as the XML describes it."""

    picture: str
    """Name of its picture as written; empty if there is none."""
    width: float
    height: float
    """In the XML's units; 0 if not told."""
    per_inch: float | None
    """The XML's units per inch; None for pixels, 0 for an unknown unit."""
    lines: list[MarkedLine]


class MeasuredPicture(NamedTuple):
    """What is known of a page's picture before it is decoded."""

    name: str
    width: int
    height: int
    scale: tuple[float, float]
    """Pixels per unit of the XML, across and down."""


def measure(page: MarkedPage, name: str, content: Path | bytes) -> MeasuredPicture:
    """A page's picture, from its header.

    Args:
        page: what its XML says.
        name: of the picture.
        content: the picture.

    Raises:
        DataError: if it cannot be opened, has another shape than the XML says, or its scale cannot be told.
    """
    width, height = picture_size(content, printable(name))
    if page.width > 0 and page.height > 0:
        across, down = width / page.width, height / page.height
        if abs(across / down - 1) > SHAPE_TOLERANCE:
            raise DataError(
                f"lies on a page of {page.width:g} x {page.height:g}, but {printable(name)} has another shape, "
                f"{width} x {height}; is it the right picture, and upright?"
            )
        if page.per_inch is None and max(abs(width - page.width), abs(height - page.height)) <= 1:
            across = down = 1.0
        return MeasuredPicture(name, width, height, (across, down))
    if page.per_inch is None:
        return MeasuredPicture(name, width, height, (1.0, 1.0))
    dpi = _dpi(content)
    if not dpi or not page.per_inch:
        raise DataError(
            "is not measured in pixels, and neither WIDTH and HEIGHT of its page nor the resolution of "
            f"{printable(name)} tell how many these are; add them, or export with MeasurementUnit pixel"
        )
    return MeasuredPicture(name, width, height, (dpi[0] / page.per_inch, dpi[1] / page.per_inch))


def _dpi(content: Path | bytes) -> tuple[float, float] | None:
    """Resolution of a picture, across and down, where its header tells."""
    with Image.open(BytesIO(content) if isinstance(content, bytes) else content, formats=PICTURE_FORMATS) as picture:
        found = picture.info.get("dpi")
    try:
        across, down = float(found[0]), float(found[1])
    except (TypeError, IndexError, ValueError):
        return None
    return (across, down) if across > 1 and down > 1 else None
