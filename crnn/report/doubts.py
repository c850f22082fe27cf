"""Labels that are probably wrong: the model is sure of something else.

Where reading and label differ, the network's probability of the one is held against that of the other. This is what
"confident learning" does with the classes of pictures (Northcutt et al., JAIR 70, 2021), with CTC's probability of a
whole text in place of a class's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.charset import Charset
from crnn.core.decode.probability import text_log_probability
from crnn.core.recognizer import Recognizer
from crnn.errors import DataError
from crnn.report.evaluation import Evaluation
from crnn.report.lines import JudgedLine

WINDOW = 256
"""Pictures that are looked at together."""
CONVENTION = 0.05
"""Share of lines that differ from their labels in case alone, above which this is no error."""
IMPOSSIBLE = -10_000.0
"""Log-probability of a label that does not fit into its picture."""


def look_again(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """Fill in `JudgedLine.log_reading` and `log_label` of the lines that differ from their labels.

    Their pictures are read once more. Characters that the model cannot write are left out of a label: that it lacks
    them says nothing about the label. Where many lines differ in case alone, labels are written in another case than
    the pictures by convention; case plays no part then.
    """
    wrong = [line for line in evaluation.lines if not line.right]
    in_case = [line for line in wrong if line.reading.casefold() == line.reference.casefold()]
    evaluation.case_is_convention = len(in_case) > CONVENTION * len(evaluation.lines)
    same: list[NDArray[np.int64]] = []
    if evaluation.case_is_convention:
        wrong = [line for line in wrong if line.reading.casefold() != line.reference.casefold()]
        same = _same_but_for_case(recognizer.card.charset)
    for start in range(0, len(wrong), WINDOW):
        _look(recognizer, evaluation, wrong[start : start + WINDOW], same)


def _same_but_for_case(charset: Charset) -> list[NDArray[np.int64]]:
    """Groups of classes that differ in case alone."""
    groups: dict[str, list[int]] = {}
    for number, symbol in enumerate(charset.symbols, 1):
        groups.setdefault(symbol.casefold(), []).append(number)
    return [np.array(group) for group in groups.values() if len(group) > 1]


def _look(
    recognizer: Recognizer, evaluation: Evaluation, lines: list[JudgedLine], same: list[NDArray[np.int64]]
) -> None:
    assert evaluation.pictures is not None  # noqa: S101  # for mypy
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
        for group in same:  # each of them as likely as all together
            log_probs[:, :, group] = np.logaddexp.reduce(log_probs[:, :, group], axis=2, keepdims=True)
        here = [seen[position] for position in positions]
        readings = text_log_probability(log_probs, lengths, [charset.encode_known(line.reading) for line in here])
        labels = text_log_probability(log_probs, lengths, [charset.encode_known(line.reference) for line in here])
        for line, reading, label in zip(here, readings, labels, strict=True):
            line.log_reading = float(np.clip(reading, IMPOSSIBLE, 0))
            line.log_label = float(np.clip(label, IMPOSSIBLE, 0))
