"""One line of text as ink: a layout, from which its size is known, and the drawing of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.data.synth.fonts import Font
from crnn.data.synth.glyphs import Larger, Placed, bounds, paint, placed
from crnn.data.synth.surroundings import Neighbour, Stroke, choose_crop, colours, surround

Ink: TypeAlias = NDArray[np.uint8]
"""(H, W), 0..255."""
SIZES = (16, 19, 23, 28, 34, 40)
"""Font sizes in pixels; few, so that glyphs are used again."""
_HEAVY = ("Bold", "Black", "Heavy")
_SHARES = np.linspace(0, 1, 256)


@dataclass(frozen=True)
class Layout:
    """Where everything goes. Lengths in pixels."""

    text: str
    font: Font
    font_size: int
    origin: tuple[int, int]
    """Left end of the baseline."""
    tracking: float
    """Added between characters, before stretching."""
    word_space: float
    """Added at each space, before stretching."""
    larger: Larger | None
    """Words at one end, of a larger size than `font_size`."""
    dots: float
    """How much ink dots and commas have, of what the font gives them."""
    stretch: float
    """Width of the line, of what the font would give it."""
    bold: float
    """How dark a copy of the ink, one pixel to the right, is: 0 none .. 1 as the ink."""
    wave: tuple[float, float, float]
    """Of the baseline: height, length, and phase in radians at the origin."""
    shear: float
    """Pixels to the right per pixel of height."""
    angle: float
    """Radians, counter-clockwise."""
    cut: tuple[int, int]
    """Rows of the letters that the crop takes away above and below."""
    neighbours: tuple[Neighbour, ...]
    strokes: tuple[Stroke, ...]
    ink: int
    paper: int
    """Grey values, 0 black .. 255 white."""
    size: tuple[int, int]
    """(width, height) of the picture."""


def make_layout(text: str, font: Font, rng: np.random.Generator, wear: float) -> Layout:
    """Decide everything but the wear.

    Args:
        text: one line.
        font: covers it.
        wear: 0 draws black on white, upright, with even margins; 1 varies all.
    """
    font_size = SIZES[int(rng.integers(len(SIZES)))]
    draws = (rng.random(9) / wear).tolist() if wear else [1.0] * 9
    heavy = any(name in font.style for name in _HEAVY)  # their letters would run into each other
    typed = not heavy and is_typed(font)  # receipt printers set narrow letters of one width
    narrowest = 0.85 if heavy else 0.5 if typed else 0.75
    tracking = float(rng.uniform(0.0 if heavy else -0.04, 0.2)) * font_size if draws[0] < 0.2 else 0.0
    spaced = draws[1] < 0.2 and " " in text
    widest = 2.5 if draws[1] < 0.04 else 0.7  # columns of a receipt stand that far apart
    word_space = float(rng.uniform(-0.08, widest)) * font_size if spaced else 0.0
    stretch = math.exp(rng.uniform(math.log(narrowest), math.log(1.35))) if draws[2] < (0.6 if typed else 0.3) else 1.0
    bold = float(rng.uniform(0.3, 1.0)) if draws[3] < 0.12 and not heavy else 0.0
    high, long, phase = rng.uniform((0.02, 5, 0), (0.07, 20, 2 * math.pi)).tolist() if draws[4] < 0.1 else (0, 1, 0)
    shear = float(rng.uniform(-0.25, 0.25)) if draws[5] < 0.2 else 0.0
    angle = math.radians(float(rng.uniform(-1.5, 1.5))) if draws[6] < 0.3 else 0.0
    larger = _choose_larger(text, font_size, rng) if draws[7] < 0.05 and " " in text else None
    dots = float(rng.uniform(0.3, 0.8)) if draws[8] < 0.06 else 1.0

    left, top, right, bottom = bounds(placed(text, font, font_size, tracking, word_space, larger))
    half = 0.5 if stretch != 1 else 0.0  # glyphs are set at whole pixels before they are stretched
    left, right = math.floor((left - half) * stretch), math.ceil((right + math.ceil(bold) + half) * stretch)
    crop = choose_crop(font_size, top, bottom, rng, wear)
    neighbours, strokes, crop = surround(text, font_size, right - left, crop, rng, wear)
    turned = abs(math.sin(angle))
    lean = math.ceil((abs(shear) + turned) * (crop.bottom - crop.top)) + bool(angle or shear)
    rise = math.ceil(turned * (right - left)) + bool(angle) + 2 * math.ceil(high * font_size)
    width = right - left + crop.left_margin + crop.right_margin + lean
    height = crop.bottom - crop.top + crop.top_margin + crop.bottom_margin + rise - sum(crop.cut)
    origin = (crop.left_margin - left + lean // 2, crop.top_margin - crop.cut[0] - crop.top + rise // 2)
    ink, paper = colours(rng, wear)
    return Layout(
        text=text,
        font=font,
        font_size=font_size,
        origin=origin,
        tracking=tracking,
        word_space=word_space,
        larger=larger,
        dots=dots,
        stretch=stretch,
        bold=bold,
        wave=(high * font_size, long * font_size, phase),
        shear=shear,
        angle=angle,
        cut=crop.cut,
        neighbours=neighbours,
        strokes=strokes,
        ink=ink,
        paper=paper,
        size=(max(1, width), max(4, height)),
    )


def _choose_larger(text: str, font_size: int, rng: np.random.Generator) -> Larger | None:
    """The words before or after one of the spaces; none if there is no size that much larger."""
    sizes = [size for size in SIZES if 1.15 < size / font_size < 1.8]
    if not sizes:
        return None
    spaces = [at for at, character in enumerate(text) if character == " "]
    at, size = spaces[int(rng.integers(len(spaces)))], sizes[int(rng.integers(len(sizes)))]
    return Larger(0, at, size) if rng.random() < 0.5 else Larger(at + 1, len(text), size)


@lru_cache(maxsize=1024)
def is_typed(font: Font) -> bool:
    """Whether all letters are as wide, as those of typewriters, terminals and receipt printers are."""
    face = font.at(SIZES[-1])
    measured = [face.getlength(letter) for letter in "IMW1" if font.covers(letter)]
    return len(measured) > 1 and len(set(measured)) == 1


def draw(layout: Layout) -> Image.Image:
    """The line without wear: mode ``L``, exactly `layout.size`."""
    return Image.fromarray(coloured(draw_ink(layout), layout))


def coloured(ink: Ink, layout: Layout) -> Ink:
    """Ink coverage in the layout's ink and paper: (H, W) grey values."""
    greys = np.rint(layout.paper + _SHARES * (layout.ink - layout.paper)).astype(np.uint8)
    return greys.take(ink)


def draw_ink(layout: Layout) -> Ink:
    """How much ink there is at each pixel, 0..255: (H, W), exactly `layout.size`."""
    (width, height), stretch, font, size = layout.size, layout.stretch, layout.font, layout.font_size
    ink = np.zeros((height, math.ceil(width / stretch)), dtype=np.uint8)
    x, y = layout.origin[0] / stretch, layout.origin[1]
    paint(_set(layout), ink, x, y)
    for neighbour in layout.neighbours:
        baseline = neighbour.rows if neighbour.above else height - neighbour.rows + round(0.72 * size)
        paint(placed(neighbour.text, font, size), ink, x + neighbour.shift, baseline)
    if layout.bold:
        ink = _bolder(ink, layout.bold)
    if layout.wave[0]:
        ink = _waved(ink, layout)
    for stroke in layout.strokes:
        _rule(ink, stroke, stroke.line(layout.origin, layout.size), stretch)
    if layout.shear or layout.angle or stretch != 1:
        picture = Image.fromarray(ink)
        picture = picture.transform(layout.size, Image.Transform.AFFINE, _inverse(layout), Image.Resampling.BILINEAR)
        ink = np.asarray(picture)
    return ink


def _set(layout: Layout) -> list[Placed]:
    text, font, size = layout.text, layout.font, layout.font_size
    return placed(text, font, size, layout.tracking, layout.word_space, layout.larger, layout.dots)


def _rule(ink: Ink, stroke: Stroke, ends: tuple[int, int, int, int], stretch: float) -> None:
    """Draw a horizontal or vertical one, in place."""
    x0, x1, before = round(ends[0] / stretch), round(ends[2] / stretch), (stroke.width - 1) // 2
    rows, columns = slice(ends[1], ends[3]), slice(max(0, x0), x1)
    if ends[1] == ends[3]:
        rows = slice(max(0, ends[1] - before), max(0, ends[1] - before + stroke.width))
    else:
        columns = slice(max(0, x0 - before), max(0, x0 - before + stroke.width))
    np.maximum(ink[rows, columns], stroke.darkness, out=ink[rows, columns])


def _bolder(ink: Ink, darkness: float) -> Ink:
    copy = (ink[:, :-1] * np.float32(darkness)).astype(np.uint8)
    np.maximum(ink[:, 1:], copy, out=ink[:, 1:])
    return ink


def _waved(ink: Ink, layout: Layout) -> Ink:
    """Each column moved up or down; between two rows, their mean."""
    pixels = np.pad(ink.astype(np.float32), ((1, 1), (0, 0)))
    rows, columns = len(ink), np.arange(ink.shape[1])
    high, long, phase = layout.wave
    moved = high * np.sin((columns * layout.stretch - layout.origin[0]) * (2 * math.pi / long) + phase)
    source = np.clip(np.arange(rows)[:, None] + moved + 1, 0, rows).astype(np.float32)  # (H, W)
    first = source.astype(np.int32)
    low, high_rows = pixels[first, columns], pixels[first + 1, columns]
    return np.asarray(low + (high_rows - low) * (source - first)).astype(np.uint8)


def _inverse(layout: Layout) -> tuple[float, float, float, float, float, float]:
    """Pillow's affine coefficients: for each output pixel, where it comes from; about the centre of the picture."""
    cos, sin = math.cos(layout.angle), math.sin(layout.angle)
    # output = shear . rotation . stretch . input, so input = stretch^-1 . rotation^-1 . shear^-1 . output
    a, b = cos, cos * layout.shear - sin
    d, e = sin, sin * layout.shear + cos
    centre_x, centre_y = layout.size[0] / 2, layout.size[1] / 2
    c, f = centre_x - a * centre_x - b * centre_y, centre_y - d * centre_x - e * centre_y
    return a / layout.stretch, b / layout.stretch, c / layout.stretch, d, e, f
