"""What a reading says, and where its characters stand: in right-to-left lines these are two orders."""

from __future__ import annotations

import numpy as np
from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.core.recognizer import Recognition, Recognizer


class Showing:
    """A network that reads `labels`, each for one time step with a blank behind it."""

    name = "showing"

    def __init__(self, charset: Charset, labels: list[int]) -> None:
        self.card = ModelCard(charset, LineTransform(32), {})
        self.path = [step for label in labels for step in (label, 0)]

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_probs = np.full((len(self.path), len(images), self.card.charset.classes), -20.0, dtype=np.float32)
        log_probs[np.arange(len(self.path)), :, self.path] = 0.0
        return log_probs, np.full(len(images), len(self.path))


def read(charset: Charset, labels: list[int]) -> Recognition:
    return Recognizer(Showing(charset, labels)).recognize(Image.new("L", (8 * len(labels), 32), 255))[0]


def test_hebrew_is_read_in_reading_order() -> None:
    text = "ספר (2020) של Apple!"
    charset = Charset.from_texts([text], direction="rtl")
    shown = "!Apple לש (2020) רפס"
    reading = read(charset, [charset.symbols.index(symbol) + 1 for symbol in shown])
    assert reading.text == text
    assert [c.text for c in reading.characters] == list(shown)
    starts = [c.start for c in reading.characters]
    assert starts == sorted(starts)
    assert reading.characters[-1].text == "ס"
    assert reading.characters[-1].end > 8 * (len(shown) - 1)


def test_arabic_keeps_its_marks() -> None:
    text = "السَّلَامُ عَلَيْكُمْ"
    for unit in ("grapheme", "codepoint"):
        for form in ("NFC", "NFD"):
            charset = Charset.from_texts([text], form=form, unit=unit, direction="auto")  # type: ignore[arg-type]
            assert read(charset, charset.encode(text)).text == charset.normalize(text)


def test_other_text_is_read_as_it_stands() -> None:
    charset = Charset.from_texts(["אב a(b"])
    labels = [charset.symbols.index(symbol) + 1 for symbol in "a( בא"]
    assert read(charset, labels).text == "a( בא"
