"""One line of text as a picture: a layout, from which its size is known, and the drawing of it."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from crnn.data.synth.fonts import Font

SIZES = (16, 18, 20, 22, 24, 28, 32, 36, 40)
"""Font sizes in pixels; few, so that opened fonts are used again."""


@dataclass(frozen=True)
class Layout:
    """Where everything goes. Lengths in pixels."""

    text: str
    font: Font
    font_size: int
    origin: tuple[int, int]
    """Left end of the baseline."""
    tracking: int
    """Added between characters."""
    shear: float
    """Pixels to the right per pixel of height."""
    angle: float
    """Radians, counter-clockwise."""
    underline: bool
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
    face = font.at(font_size)
    draws = rng.random(8)
    tracking = 0
    if draws[0] < 0.25 * wear:
        tracking = int(rng.integers(-1 if font_size >= 28 else 0, max(2, font_size // 6)))
    left, top, right, bottom = (int(v) for v in face.getbbox(text, anchor="ls"))
    if tracking:
        right = math.ceil(sum(face.getlength(c) for c in text)) + tracking * (len(text) - 1) + 2
        left = min(left, 0)
    shear = float(rng.uniform(-0.25, 0.25)) if draws[1] < 0.3 * wear else 0.0
    angle = math.radians(float(rng.uniform(-1.2, 1.2))) if draws[2] < 0.4 * wear else 0.0
    margins = rng.integers(1, max(3, round(font_size * (0.15 + 0.35 * wear * draws[3]))), size=4).tolist()
    if wear == 0:
        margins = [max(2, font_size // 6)] * 4
    if tracking:  # a slanted last letter may lean out further than the margin
        last = round(sum(face.getlength(c) for c in text[:-1])) + tracking * (len(text) - 1)
        margins[1] = max(margins[1], math.ceil(last + face.getbbox(text[-1], anchor="ls")[2]) - right)
    underline = bool(draws[4] < 0.04 * wear)
    if underline:
        bottom = max(bottom, 4)
    if draws[5] < 0.08 * wear:
        ink, paper = int(rng.integers(170, 256)), int(rng.integers(0, 90))
    else:
        ink, paper = int(110 * wear * draws[6] ** 2), 255 - int(75 * wear * draws[7] ** 2)
    lean = math.ceil(abs(shear) * (bottom - top))
    rise = math.ceil(abs(math.sin(angle)) * (right - left))
    drift = math.ceil(abs(math.sin(angle)) * (bottom - top))
    width = right - left + margins[0] + margins[1] + lean + drift
    height = bottom - top + margins[2] + margins[3] + rise
    origin = (margins[0] - left + (lean + drift) // 2, margins[2] - top + rise // 2)
    return Layout(text, font, font_size, origin, tracking, shear, angle, underline, ink, paper, (width, height))


def draw(layout: Layout) -> Image.Image:
    """The line without wear: mode ``L``, exactly `layout.size`."""
    picture = Image.new("L", layout.size, 0)  # ink coverage first, colours later
    pen = ImageDraw.Draw(picture)
    face = layout.font.at(layout.font_size)
    x, y = layout.origin
    if layout.tracking:
        position = float(x)
        for character in layout.text:
            pen.text((round(position), y), character, fill=255, font=face, anchor="ls")
            position += face.getlength(character) + layout.tracking
        end = round(position)
    else:
        pen.text((x, y), layout.text, fill=255, font=face, anchor="ls")
        end = x + round(face.getlength(layout.text))
    if layout.underline:
        pen.line((x, y + 3, end, y + 3), fill=255, width=1 + layout.font_size // 24)
    if layout.shear or layout.angle:
        picture = picture.transform(layout.size, Image.Transform.AFFINE, _inverse(layout), Image.Resampling.BILINEAR)
    table = [round(layout.paper + (layout.ink - layout.paper) * value / 255) for value in range(256)]
    return picture.point(table)


def _inverse(layout: Layout) -> tuple[float, float, float, float, float, float]:
    """Pillow's affine coefficients: for each output pixel, where it comes from; about the centre of the picture."""
    cos, sin = math.cos(layout.angle), math.sin(layout.angle)
    # output = shear . rotation . input, so input = rotation^-1 . shear^-1 . output
    a, b = cos, cos * layout.shear - sin
    d, e = sin, sin * layout.shear + cos
    centre_x, centre_y = layout.size[0] / 2, layout.size[1] / 2
    return a, b, centre_x - a * centre_x - b * centre_y, d, e, centre_y - d * centre_x - e * centre_y


def add_wear(picture: Image.Image, rng: np.random.Generator, wear: float) -> Image.Image:
    """What paper, ink and camera do to a line; it stays readable. The size stays the same."""
    if wear == 0:
        return picture
    chance = rng.random(7) / wear
    width, height = picture.size
    if chance[0] < 0.18:  # thinner or thicker strokes
        kernel = ImageFilter.MinFilter(3) if rng.random() < 0.5 else ImageFilter.MaxFilter(3)
        picture = Image.blend(picture, picture.filter(kernel), float(rng.uniform(0.15, 0.5)))
    if chance[1] < 0.25:  # fewer pixels
        scale = max(float(rng.uniform(0.5, 0.9)), 14 / height)
        if scale < 1:
            small = (max(1, round(width * scale)), max(1, round(height * scale)))
            picture = picture.resize(small, Image.Resampling.BILINEAR).resize(picture.size, Image.Resampling.BILINEAR)
    if chance[2] < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.1)) * height / 40))
    pixels: NDArray[np.float32] | None = None
    if chance[3] < 0.2:  # uneven light
        pixels = np.asarray(picture, dtype=np.float32)
        left, right = rng.uniform(0.75, 1.05, size=2)
        pixels = pixels * np.linspace(left, right, width, dtype=np.float32)
    if chance[4] < 0.35:  # grain
        pixels = np.asarray(picture, dtype=np.float32) if pixels is None else pixels
        pixels = pixels + rng.standard_normal((height, width), dtype=np.float32) * np.float32(rng.uniform(2, 14))
    if chance[5] < 0.06:  # specks
        pixels = np.array(picture, dtype=np.float32) if pixels is None else pixels
        specks = rng.random((height, width), dtype=np.float32) < 0.006
        pixels = np.where(specks, np.float32(rng.uniform(0, 255)), pixels)
    if pixels is not None:
        picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if chance[6] < 0.2:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(25, 80)))
        picture = Image.open(buffer)
        picture.load()
    return picture
