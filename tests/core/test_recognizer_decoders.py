"""Readings with decoder settings, of the card and of the caller; and the best texts of a line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode.settings import language_model
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.errors import ConfigError, ModelFileError

CHARSET = Charset.from_texts(["abc012"])


class Unsure:
    """A network that reads `a` or, nearly as likely, `0`, for each 8 pixels."""

    name = "unsure"
    device = "cpu"

    def __init__(self, charset: Charset = CHARSET, **decoder: Any) -> None:
        self.card = replace(ModelCard(charset, LineTransform(32), {}), **({"decoder": decoder} if decoder else {}))

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        charset = self.card.charset
        log_probs = np.full((images.shape[3] // 4, len(images), charset.classes), 1e-3)
        log_probs[1::2, :, 0] = 1.0
        log_probs[::2, :, charset.encode(charset.symbols[-1])] = 0.5
        log_probs[::2, :, charset.encode(charset.symbols[0])] = 0.4
        log_probs /= log_probs.sum(axis=2, keepdims=True)
        return np.log(log_probs).astype(np.float32), widths // 4


PICTURES = [Image.new("L", (width, 32), 255) for width in (8, 32, 24)]
for _picture in PICTURES:
    _picture.putpixel((4, 16), 0)  # a language model reads nothing into blank ones


def test_settings_of_the_card_and_of_the_caller() -> None:
    for reader in (
        Recognizer(Unsure(name="beam", pattern=r"\d+")),
        Recognizer(Unsure(), decoder={"name": "beam", "pattern": r"\d+"}),
        Recognizer(Unsure(name="beam", pattern="a"), decoder={"name": "beam", "pattern": r"\d+"}),
    ):
        readings = reader.recognize(PICTURES)
        assert [r.text for r in readings] == ["0", "0000", "000"]
        assert [(c.start, c.end) for c in readings[0].characters] == [(0.0, 4.0)]
    assert [r.text for r in Recognizer(Unsure(name="beam")).recognize(PICTURES)] == ["c", "cccc", "ccc"]
    [reading] = Recognizer(Unsure(name="beam", pattern="a{3}")).recognize(PICTURES[:1])
    assert (reading.text, reading.confidence, reading.characters) == ("", 0.0, ())  # three do not fit


@pytest.mark.parametrize("nbest", [1, 3])
def test_a_temperature_changes_how_sure_a_text_is_and_not_which_is_chosen(nbest: int) -> None:
    """The network prefers c by log 5/4; a language model prefers 0 by more or less than that."""
    lm = language_model(["0", "0", "c"] * 40, CHARSET)
    wins = math.log(0.5 / 0.4) / (lm.text_log_prob(CHARSET.encode("0")) - lm.text_log_prob(CHARSET.encode("c")))
    for weight, text in ((1.2 * wins, "0"), (0.8 * wins, "c")):
        confidences = []
        for temperature in (0.5, 1.0, 2.0):
            backend = Unsure(name="beam", lm=lm.to_dict(), lm_weight=weight, length_bonus=0.0)
            backend.card = replace(backend.card, temperature=temperature)
            [reading] = Recognizer(backend, nbest=nbest).recognize(PICTURES[:1])
            assert reading.text == text
            confidences.append(reading.confidence)
        assert confidences[0] > confidences[1] > confidences[2]


def test_settings_that_are_not_valid() -> None:
    with pytest.raises(ModelFileError, match="the model card's decoder is not valid: the beam's width is 0"):
        Recognizer(Unsure(name="beam", width=0))
    with pytest.raises(ConfigError, match="the beam's width is 0"):
        Recognizer(Unsure(), decoder={"name": "beam", "width": 0})
    for nbest in (0, 101):
        with pytest.raises(ConfigError, match=f"nbest is {nbest}; 1 to 100 texts per line are allowed"):
            Recognizer(Unsure(), nbest=nbest)


def test_the_best_texts_of_a_line() -> None:
    readings = Recognizer(Unsure(), nbest=3).recognize(PICTURES)
    plain = Recognizer(Unsure()).recognize(PICTURES)
    assert [r.text for r in readings] == [r.text for r in plain]
    for reading in readings:
        texts = [one.text for one in reading.alternatives]
        sure = [one.confidence for one in reading.alternatives]
        assert len(set(texts)) == 3
        assert sure == sorted(sure, reverse=True)
        assert (texts[0], sure[0]) == (reading.text, reading.confidence)
        assert json.loads(json.dumps(reading.to_dict()))["alternatives"][1] == {"text": texts[1], "confidence": sure[1]}
    assert all(r.alternatives == () and "alternatives" not in r.to_dict() for r in plain)
    few = Recognizer(Unsure(), decoder={"name": "beam", "lexicon": ["c", "0"]}, nbest=5).recognize(PICTURES)
    assert [[one.text for one in r.alternatives] for r in few] == [["c", "0"]] * 3
    assert few[0].confidence > few[1].confidence


def test_texts_that_look_alike_are_listed_once() -> None:
    """Two letters, as one symbol and as two."""
    charset = Charset(("a", "ab", "b"), unit="codepoint", form="none")
    for reading in Recognizer(Unsure(charset), nbest=100).recognize(PICTURES[2:]):
        texts = [one.text for one in reading.alternatives]
        assert "ab" in "".join(texts)
        assert len(set(texts)) == len(texts)
