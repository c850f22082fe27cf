"""A reader without a network: every picture holds its number, and for every number the answer is given."""

from __future__ import annotations

import numpy as np
from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.data.sources.base import LineEntry


class Lines:
    """Labelled lines whose pictures, 8 pixels high, hold their number in the first two."""

    endless = False

    def __init__(self, labels: list[str], name: str = "lines") -> None:
        self.labels, self.name = labels, name

    def __len__(self) -> int:
        return len(self.labels)

    def entry(self, position: int) -> LineEntry:
        return LineEntry(self.labels[position], f"labels.tsv:{position + 1}", f"images/{position}.png")

    def picture(self, position: int) -> Image.Image:
        grey = np.full((8, 64), 255, dtype=np.uint8)
        grey[:, 0], grey[:, 1] = divmod(position, 256)
        return Image.fromarray(grey)


class Answers:
    """A backend that reads picture n as `texts[n]`, each character with probability `sure[n]`."""

    name, device = "answers", "cpu"

    def __init__(self, texts: list[str], sure: list[float] | float = 0.99, alphabet: str = "", **rules: str) -> None:
        charset = Charset.from_texts([*texts, alphabet], **rules)  # type: ignore[arg-type]
        self.card = ModelCard(charset, LineTransform(8, mean=0.0, std=1.0), {})
        self.texts = texts
        self.sure = [sure] * len(texts) if isinstance(sure, float) else sure

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        numbers = np.rint(images[:, 0, 0, :2] * 255).astype(int) @ [256, 1]
        paths = [[s for c in self.card.charset.encode(self.texts[n]) for s in (c, 0)] or [0] for n in numbers]
        steps, classes = max(map(len, paths)), self.card.charset.classes
        log_probs = np.zeros((steps, len(paths), classes), dtype=np.float32)
        for line, (path, number) in enumerate(zip(paths, numbers, strict=True)):
            log_probs[:, line] = np.log((1 - self.sure[number]) / (classes - 1))
            log_probs[np.arange(len(path)), line, path] = np.log(self.sure[number])
        return log_probs, np.array([len(path) for path in paths])


def reader(texts: list[str], sure: list[float] | float = 0.99, alphabet: str = "", **rules: str) -> Recognizer:
    return Recognizer(Answers(texts, sure, alphabet, **rules))
