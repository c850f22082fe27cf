"""Labels that are probably wrong: the model is sure of something else.

Where reading and label differ, the network's probability of the one is held against that of the other. This is what
"confident learning" does with the classes of pictures (Northcutt et al., JAIR 70, 2021), with CTC's probability of a
whole text in place of a class's.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from crnn.core.charset import Charset
from crnn.core.decode.probability import text_log_probability
from crnn.core.recognizer import Recognizer
from crnn.core.text import clusters
from crnn.errors import DataError
from crnn.report.evaluate import Evaluation
from crnn.report.lines import JudgedLine

WINDOW = 256
"""Pictures that are looked at together."""
IMPOSSIBLE = -10_000.0
"""Log-probability of a label that does not fit into its picture."""


def look_again(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """Fill in `JudgedLine.log_reading` and `log_label` of the lines that differ from their labels.

    Their pictures are read once more. Characters that the model cannot write are left out of a label: that it lacks
    them says nothing about the label.
    """
    wrong = [line for line in evaluation.lines if not line.right]
    for start in range(0, len(wrong), WINDOW):
        _look(recognizer, evaluation, wrong[start : start + WINDOW])


def _look(recognizer: Recognizer, evaluation: Evaluation, lines: list[JudgedLine]) -> None:
    assert evaluation.pictures is not None
    charset = recognizer.card.charset
    pictures: list[Image.Image] = []
    seen: list[JudgedLine] = []
    for line in lines:
        try:
            pictures.append(evaluation.pictures.picture(line.position))
        except DataError:  # it could be read a minute ago
            continue
        seen.append(line)
    for positions, log_probs, lengths in recognizer.log_probs(pictures):
        log_probs = recognizer.tempered(log_probs)
        here = [seen[position] for position in positions]
        readings = text_log_probability(log_probs, lengths, [charset.encode(line.reading) for line in here])
        labels = text_log_probability(log_probs, lengths, [_classes(charset, line.reference) for line in here])
        for line, reading, label in zip(here, readings, labels, strict=True):
            line.log_reading = float(np.clip(reading, IMPOSSIBLE, 0))
            line.log_label = float(np.clip(label, IMPOSSIBLE, 0))


def _classes(charset: Charset, label: str) -> list[int]:
    unknown = set(charset.unknown(label))
    return charset.encode("".join(c for c in clusters(label) if c not in unknown and not unknown.intersection(c)))
