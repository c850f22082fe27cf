"""The weights of a language model are those with the fewest character errors on known lines."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode.settings import language_model
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.report import lm_weights
from crnn.report.lm_weights import BONUSES, SEARCHES, WEIGHTS, LmWeights, choose_weights

CHARSET = Charset.from_texts(["ab"])
A, B = CHARSET.encode("a")[0], CHARSET.encode("b")[0]
LM = language_model(["a", "a", "a", "a", "b"] * 40, CHARSET)


class OneStep:
    """A network of one time step, which gives b so many times the chance of a as the picture's grey says."""

    name, device = "one step", "cpu"

    def __init__(self) -> None:
        self.card = ModelCard(CHARSET, LineTransform(32, mean=0.0, std=1.0), {})

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores = np.full((1, len(images), 3), -9.0)
        scores[0, :, A] = 0.0
        scores[0, :, B] = np.log(images[:, 0, 0, 0] * 255 / 10)
        return (scores - np.logaddexp.reduce(scores, axis=2, keepdims=True)).astype(np.float32), np.ones_like(widths)


class Known:
    """Lines of such greys with labels."""

    name = "known"

    def __init__(self, *lines: tuple[int, str]) -> None:
        self.lines = lines

    def __len__(self) -> int:
        return len(self.lines)

    def entry(self, position: int) -> SimpleNamespace:
        return SimpleNamespace(text=self.lines[position][1], problem=None)

    def picture(self, position: int) -> Image.Image:
        return Image.new("L", (32, 32), self.lines[position][0])


def chosen(*lines: tuple[int, str]) -> LmWeights:
    reader = Recognizer(OneStep(), decoder={"name": "beam", "lm": LM.to_dict()})
    return choose_weights(reader, Known(*lines))  # type: ignore[arg-type]


def turns(factor: float) -> float:
    """The weight from which the language model has its way against a network that gives b `factor` times as much."""
    return float(np.log(factor) / (LM.text_log_prob([A]) - LM.text_log_prob([B])))


def test_the_pair_with_the_fewest_errors_nearest_to_the_defaults() -> None:
    """The network alone reads b in all of these lines."""
    assert 0.1 < turns(1.2) < 0.2 < 0.5 < turns(2.5) < 0.7
    assert chosen((25, "b"), (12, "a")) == (0.3, 0.6, 0.0, 0.5, 2)
    assert chosen((25, "b"), (12, "b")) == (0.1, 0.6, 0.0, 0.0, 2)
    weight = WEIGHTS[np.argmax(turns(2.5) < WEIGHTS)]
    assert chosen((25, "a"), (12, "a")) == (weight, 0.6, 0.0, 1.0, 2)
    assert chosen((25, "a"), (25, "b"), (12, "a")) == (0.3, 0.6, pytest.approx(1 / 3), pytest.approx(2 / 3), 3)


def test_without_known_lines_the_defaults() -> None:
    assert chosen() == (0.3, 0.6, 0.0, 0.0, 0)
    assert chosen((25, "")) == (0.3, 0.6, 0.0, 0.0, 0)


def test_each_pair_chooses_among_the_texts_of_a_line() -> None:
    decoder = Recognizer(OneStep(), decoder={"name": "beam", "lm": LM.to_dict()}).decoder
    texts, chances = [[A], [B], [A, A]], np.log([0.1, 0.2, 0.3])
    best = lm_weights._best(decoder, texts, chances)  # type: ignore[arg-type]
    assert best.shape == (len(WEIGHTS), len(BONUSES))
    for row, weight in enumerate(WEIGHTS):
        for column, bonus in enumerate(BONUSES):
            scores = [c + weight * LM.text_log_prob(t) + bonus * len(t) for c, t in zip(chances, texts, strict=True)]
            assert best[row, column] == np.argmax(scores)
    assert len(set(best.ravel().tolist())) == 3


def test_the_searches_lie_within_the_pairs() -> None:
    assert {weight for weight, _ in SEARCHES} <= set(WEIGHTS)
    assert {bonus for _, bonus in SEARCHES} <= set(BONUSES)
