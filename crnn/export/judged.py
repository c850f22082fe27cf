"""How well an exported file reads labelled lines, beside what it was made of."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from crnn.core.metrics import EditCounts
from crnn.core.recognizer import Backend, Recognizer
from crnn.errors import ModelFileError


def counts_of(backend: Backend, pictures: Sequence[Image.Image], texts: Sequence[str]) -> EditCounts:
    """How well a model reads labelled pictures."""
    charset, readings = backend.card.charset, Recognizer(backend).recognize(pictures)
    return EditCounts.total(
        (reading.text, charset.normalize(text)) for reading, text in zip(readings, texts, strict=True)
    )


def refuse_worse(before: EditCounts, after: EditCounts, most: float, said: str) -> None:
    """Refuse a file that reads worse than what it was made of: a ModelFileError if CER rose by more than `most`."""
    if not after.cer <= before.cer + most:
        raise ModelFileError(f"{said}; at most {100 * most:g} points more are allowed, keep float32")
