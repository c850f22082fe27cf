"""A contact sheet: many lines on one picture, each with its label under it."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from crnn.data.sources.base import LineSource
from crnn.data.synth.fonts import bundled_folder

COLUMNS, MOST = 3, 48
HEIGHT, WIDTH = 32, 300
"""Of a line on the sheet, in pixels; wider ones are cut."""
MARGIN, LABEL = 8, 14
"""Pixels between lines, and height of a label."""


def contact_sheet(lines: LineSource, most: int = MOST) -> Image.Image:
    """The first `most` lines in rows of three, scaled to the network's usual height: mode ``L``."""
    count = min(most, len(lines))
    rows = -(-count // COLUMNS)
    sheet = Image.new("L", (COLUMNS * (WIDTH + MARGIN) + MARGIN, rows * (HEIGHT + LABEL + MARGIN) + MARGIN), 255)
    pen = ImageDraw.Draw(sheet)
    plain = _label_font()
    for number in range(count):
        row, column = divmod(number, COLUMNS)
        x, y = MARGIN + column * (WIDTH + MARGIN), MARGIN + row * (HEIGHT + LABEL + MARGIN)
        picture = lines.picture(number).convert("L")
        width = max(1, round(picture.width * HEIGHT / picture.height))
        picture = picture.resize((width, HEIGHT), Image.Resampling.BILINEAR)
        sheet.paste(picture.crop((0, 0, min(width, WIDTH), HEIGHT)), (x, y))
        label = lines.entry(number).text
        font = _font_of(lines, label) or plain
        while label and pen.textlength(label, font=font) > WIDTH:
            label = label[:-1]
        pen.text((x, y + HEIGHT + 1), label, fill=110, font=font)
    return sheet


def _font_of(lines: LineSource, label: str) -> ImageFont.FreeTypeFont | None:
    """One of the lines' own fonts for a label of other scripts."""
    if max(label, default="") < "\u2e80":
        return None
    return next((font.at(12) for font in getattr(lines, "fonts", ()) if font.covers(label)), None)


def _label_font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu Sans, which has most letters, or Pillow's own."""
    folder = bundled_folder()
    path = folder / "DejaVuSans.ttf" if folder else None
    return ImageFont.truetype(str(path), 10) if path and path.is_file() else ImageFont.load_default(10)
