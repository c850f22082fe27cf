"""Labelled lines to settle something on: a temperature, the weights of a language model."""

from __future__ import annotations

from PIL import Image

from crnn.core.charset import Charset
from crnn.data.sources.base import LineSource
from crnn.errors import DataError

MOST = 1000
"""Lines; more make it slower and hardly surer."""


def known_lines(source: LineSource, charset: Charset, most: int | None = None) -> tuple[list[Image.Image], list[str]]:
    """Pictures and labels (normalised) of at most `most` lines (`MOST`), spread over all.

    Lines without a label or a picture that opens are left out.
    """
    pictures, texts = [], []
    count = min(MOST if most is None else most, len(source))
    for i in range(count):
        position = i * len(source) // count
        entry = source.entry(position)
        if entry.problem or not entry.text:
            continue
        try:
            pictures.append(source.picture(position))
        except DataError:
            continue
        texts.append(charset.normalize(entry.text))
    return pictures, texts
