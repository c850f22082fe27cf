"""What a reading says, and where its characters stand: in right-to-left lines these are two orders."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.recognition import Recognition
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.errors import DataError


class Showing:
    """A network that reads `labels`, each for one time step with a blank behind it."""

    name = "showing"
    device = "cpu"

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


class Counting(Showing):
    """Remembers its batches; each line's width, in steps, tells what it reads."""

    def __init__(self, charset: Charset) -> None:
        super().__init__(charset, [])
        self.batches: list[tuple[list[int], int]] = []

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append((widths.tolist(), images.shape[3]))
        lengths = widths // 4
        log_probs = np.full((int(lengths.max()), len(images), self.card.charset.classes), -20.0, dtype=np.float32)
        log_probs[:, :, 0] = -1.0
        for row, width in enumerate(widths.tolist()):
            log_probs[0, row, 1 + width // 4 % len(self.card.charset)] = 0.0
        return log_probs, lengths


def test_batches_hold_lines_of_similar_width() -> None:
    charset = Charset.from_texts(["0123456789"])
    network = Counting(charset)
    widths = [int(width) for width in np.random.default_rng(0).integers(8, 800, 300)]
    pictures = [Image.new("L", (width, 32), 255) for width in widths]
    readings = Recognizer(network, batch_size=8).recognize(pictures)
    scaled = [LineTransform(32).scaled_width(width, 32) for width in widths]
    assert [reading.text for reading in readings] == [charset.symbols[width // 4 % 10] for width in scaled]
    for lines, width in network.batches:
        assert len(lines) <= 8
        assert width == max(lines)
        assert min(lines) >= 0.85 * width
    assert len(network.batches) < 80  # and they are batches


def test_many_pictures_are_taken_two_windows_ahead_at_most() -> None:
    """Decoding runs beside the network, in constant memory."""
    taken = 0

    def pictures() -> Iterator[Image.Image]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield Image.new("L", (40, 32), 255)

    reader = Recognizer(Counting(Charset.from_texts(["0123456789"])))
    read = 0
    for _ in reader.stream(pictures(), window=5):
        assert taken - read <= 15
        read += 1
    assert read == taken == 100


def test_a_stream_may_be_left() -> None:
    reader = Recognizer(Counting(Charset.from_texts(["0123456789"])))
    stream = reader.stream((Image.new("L", (40, 32), 255) for _ in range(100)), window=5)
    next(stream)
    stream.close()
    assert "crnn-decode" not in " ".join(thread.name for thread in threading.enumerate())


def test_errors_keep_their_place_in_every_window() -> None:
    reader = Recognizer(Counting(Charset.from_texts(["0123456789"])))
    good = Image.new("L", (40, 32), 255)
    outcomes = list(reader.stream([good if i % 3 else b"" for i in range(20)], window=4))
    assert [isinstance(outcome, DataError) for outcome in outcomes] == [i % 3 == 0 for i in range(20)]
    assert list(reader.stream([])) == []
