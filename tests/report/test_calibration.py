"""Confidences that say how often a line is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import crnn
from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode.probability import text_log_probability
from crnn.core.decode.settings import language_model
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.data.sources import open_source
from crnn.report import calibration
from crnn.report.calibration import TEMPERATURES, calibration_error, fit_temperature, lines_to_check
from crnn.report.evaluate import evaluate
from crnn.report.table import table

CHARSET = Charset.from_texts(["ab"])


class Doubtful:
    """A network of one time step that is too sure of itself; each picture's grey says how sure, and of what."""

    name, device = "doubtful", "cpu"

    def __init__(self, factor: float) -> None:
        self.card = ModelCard(CHARSET, LineTransform(32, mean=0.0, std=1.0), {})
        self.factor = factor

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        grey = images[:, 0, 0, 0]
        scores = np.stack([np.full_like(grey, -9.0), self.factor * grey * 4, np.zeros_like(grey)], axis=1)[None]
        return (scores - np.logaddexp.reduce(scores, axis=2, keepdims=True)).astype(np.float32), np.ones_like(widths)


class Lines:
    """Labels drawn with the probabilities that the scores stand for when they are not exaggerated."""

    name = "lines"

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(0)
        self.greys = rng.integers(0, 256, count)
        chance = 1 / (1 + np.exp(-self.greys / 255 * 4))
        self.texts = np.where(rng.random(count) < chance, "a", "b")

    def __len__(self) -> int:
        return len(self.greys)

    def entry(self, position: int) -> object:
        return type("Entry", (), {"text": str(self.texts[position]), "where": "", "problem": None, "picture": ""})

    def picture(self, position: int) -> Image.Image:
        picture = Image.new("L", (8, 32), int(self.greys[position]))
        picture.putpixel((7, 31), int(self.greys[position]) ^ 128)  # a language model reads nothing into a blank one
        return picture


@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0, 0.7])
def test_the_temperature_that_was_put_in_comes_out(factor: float) -> None:
    recognizer = Recognizer(Doubtful(factor))
    lines = Lines(2000)
    found = fit_temperature(recognizer, lines)  # type: ignore[arg-type]
    assert found == pytest.approx(factor, rel=0.25)
    before = evaluate(recognizer, lines).calibration_error  # type: ignore[arg-type]
    recognizer.card = replace(recognizer.card, temperature=found)
    after = evaluate(recognizer, lines).calibration_error  # type: ignore[arg-type]
    assert after < 0.03
    assert factor in (1.0, 0.7) or before > 2 * after


@pytest.mark.parametrize("texts", ["a", "b", ""])
def test_lines_that_do_not_tell(texts: str) -> None:
    """All right, all wrong, without labels: the temperature stays."""
    lines = Lines(50)
    lines.texts[:] = texts
    recognizer = Recognizer(Doubtful(3.0))
    assert fit_temperature(recognizer, lines) == 1.0  # type: ignore[arg-type]
    recognizer.card = replace(recognizer.card, temperature=2.5)
    assert fit_temperature(recognizer, lines) == 2.5  # type: ignore[arg-type]
    assert 1.0 in TEMPERATURES


def test_the_readings_are_those_of_the_decoder() -> None:
    """A lexicon that knows one text: it reads b where the network alone would read a."""
    lines = Lines(400)
    plain, knowing = Recognizer(Doubtful(3.0)), Recognizer(Doubtful(3.0), decoder={"name": "beam", "lexicon": ["b"]})
    lines.texts[lines.texts == "b"] = "c"  # never read
    assert fit_temperature(plain, lines) == pytest.approx(3, rel=0.25)  # type: ignore[arg-type]
    assert fit_temperature(knowing, lines) == 1.0  # type: ignore[arg-type]
    lines.texts[:] = np.where(np.arange(400) % 2, "b", "c")  # right half the time, however unlikely
    assert fit_temperature(knowing, lines) == TEMPERATURES[-1]  # type: ignore[arg-type]
    assert not any(r.text != "b" for r in knowing.recognize([lines.picture(i) for i in range(3)]))


def test_a_language_model_weighs_at_every_temperature() -> None:
    """It knows b only: how sure a line is depends on the temperature, and the one that was put in comes out."""
    lines = Lines(2000)
    lm = language_model(["b"] * 50, CHARSET).to_dict()
    decoder = {"name": "beam", "lm": lm, "lm_weight": 0.6, "length_bonus": 0.0}
    backend = Doubtful(3.0)

    def at(temperature: float) -> Recognizer:
        backend.card = replace(backend.card, temperature=temperature)
        return Recognizer(backend, decoder=decoder)

    recognizer = at(3.0)
    chance = 1 / (1 + np.exp(-lines.greys / 255 * 4))  # of a, by the network at temperature 3
    one, other = recognizer.decoder.factors([[1], [2]]) / 3.0  # type: ignore[attr-defined]
    weighed = chance * np.exp(one) / (chance * np.exp(one) + (1 - chance) * np.exp(other))
    lines.texts[:] = np.where(np.random.default_rng(1).random(2000) < weighed, "a", "b")
    assert fit_temperature(at(2.0), lines) == pytest.approx(3, rel=0.25)  # type: ignore[arg-type]
    evaluation = evaluate(at(3.0), lines)  # type: ignore[arg-type]
    assert evaluation.calibration_error < 0.03
    assert {line.reading for line in evaluation.lines} == {"a", "b"}


def test_many_classes_are_cut_to_the_likeliest(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(5, 2, 40)) * 4
    log_probs = (scores - np.logaddexp.reduce(scores, axis=2, keepdims=True)).astype(np.float32)
    lengths, texts = np.array([5, 3]), [[3, 4], [7]]
    whole = calibration._scores(log_probs, lengths, texts)
    one = int(np.flatnonzero(TEMPERATURES == 1.0)[0])
    assert whole[:, one] == pytest.approx(text_log_probability(log_probs, lengths, texts), abs=1e-5)
    monkeypatch.setattr(calibration, "LIKELIEST", 25)
    cut = calibration._scores(log_probs, lengths, texts)
    assert cut[:, one] == pytest.approx(whole[:, one], abs=0.05)
    assert (cut != whole).any()


def test_calibration_error_by_hand() -> None:
    assert calibration_error([], []) == 0
    assert calibration_error([1.0, 1.0], [True, True]) == 0
    assert calibration_error([0.9, 0.9, 0.1], [True, False, False]) == pytest.approx((abs(1.8 - 1) + 0.1) / 3)


def test_lines_to_check_by_hand() -> None:
    right = [False] * 3 + [True] * 197
    assert lines_to_check([0.1, 0.2, 0.3] + [0.9] * 197, right) == 1  # then 198 of 200 are right
    assert lines_to_check([0.9, 0.2, 0.3] + [0.5] * 197, right) == 1
    assert lines_to_check([0.9, 0.91, 0.92] + [0.5] * 197, right) == 198
    assert lines_to_check([0.5, 0.6], [True, True]) == 0
    assert lines_to_check([0.5, 0.6], [False, False]) == 2


def test_a_training_leaves_its_temperature(trained: Path, line_folder: Path) -> None:
    reader = crnn.load(trained / "model.onnx")
    val = open_source(line_folder / "val")
    plain = crnn.load(trained / "checkpoints" / "best.ckpt", device="cpu")
    assert plain.card.temperature == 1.0
    assert reader.card.temperature == fit_temperature(plain, val)
    result = evaluate(reader, val)
    assert result.to_dict()["check_for_99_percent"] == result.to_check
    assert f"calibration error {result.calibration_error:.1%}; checking the " in table([result])
