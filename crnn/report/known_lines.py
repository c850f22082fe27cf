"""Labelled lines to settle something on: a temperature, the weights of a language model."""

from __future__ import annotations

from PIL import Image

from crnn.core.charset import Charset
from crnn.data.sources.base import LineSource
from crnn.errors import DataError

MOST = 1000
"""Lines; more make it slower and hardly surer."""


def known_lines(source: LineSource, charset: Charset, most: int = MOST) -> tuple[list[Image.Image], list[str]]:
    """Pictures and labels (normalised) of at most `most` lines, spread over all.

    Lines without a label or a picture that opens are left out.
    """
    pictures, texts = [], []
    count = min(most, len(source))
    for i in range(count):
        position = i * len(source) // count
        entry = source.entry(position)
        text = charset.normalize(entry.text)
        if entry.problem or not text.strip():
            continue
        try:
            pictures.append(source.picture(position))
        except DataError:
            continue
        texts.append(text)
    return pictures, texts
