"""Probable label errors: the model is sure of something else."""

from __future__ import annotations

from itertools import groupby, product

import numpy as np
import pytest
from fake_reader import Lines, reader

from crnn.core.recognizer import Recognizer
from crnn.report.doubts import IMPOSSIBLE, look_again
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation

WORDS = ["house", "mouse", "table", "chair", "bread", "water"]


def looked(recognizer: Recognizer, labels: list[str]) -> Evaluation:
    evaluation = evaluate(recognizer, Lines(labels))
    look_again(recognizer, evaluation)
    return evaluation


def test_wrong_labels_come_before_lines_that_the_model_cannot_read() -> None:
    texts = [*WORDS, "hxxse", "tqqle"]
    labels = [*WORDS, "house", "table"]  # the last two are misread, and the model does not trust them
    labels[1], labels[4] = "chair", "brood"
    evaluation = looked(reader(texts, [0.99] * 6 + [0.4] * 2, "o"), labels)
    assert [line.position for line in evaluation.doubted()] == [1, 4]
    assert all(line.doubt is None for line in evaluation.lines if line.right)
    unsure = [line.doubt for line in evaluation.lines[6:]]
    assert all(doubt is not None and doubt < 0 for doubt in unsure)


def test_log_probabilities_are_those_of_the_texts() -> None:
    evaluation = looked(reader(["ab"], 0.9, "c"), ["ac"])
    (line,) = evaluation.lines
    chances = dict.fromkeys(["ab", "ac"], 0.0)
    for path in product("-abc", repeat=4):  # four steps, of which the likeliest are a, blank, b, blank
        text = "".join(c for c, _ in groupby(path)).replace("-", "")
        if text in chances:
            chances[text] += np.prod(
                [0.9 if c == likeliest else 0.1 / 3 for c, likeliest in zip(path, "a-b-", strict=True)]
            )
    assert line.log_reading == pytest.approx(np.log(chances["ab"]), abs=1e-5)
    assert line.log_label == pytest.approx(np.log(chances["ac"]), abs=1e-5)
    assert line.doubt == pytest.approx(4 * line.log_reading - line.log_label)


def test_a_label_that_does_not_fit_is_doubted_most_and_stays_a_number() -> None:
    evaluation = looked(reader(["ab", "cd"], 0.99), ["abcdabcdabcd", "cb"])
    assert [line.position for line in evaluation.doubted()] == [0, 1]
    assert evaluation.lines[0].log_label == IMPOSSIBLE


def test_characters_that_the_model_lacks_are_no_reason_to_doubt() -> None:
    evaluation = looked(reader(["ab", "ab"], 0.999), ["abŝ", "bb"])
    assert [line.position for line in evaluation.doubted()] == [1]
    assert evaluation.lines[0].log_label == pytest.approx(evaluation.lines[0].log_reading)
    assert evaluation.unknown == {"ŝ": 1}


def test_case_is_no_error_where_it_is_a_convention() -> None:
    texts = ["House", "Mouse", "Table", "Chair"]
    capitals = [text.upper() for text in texts]
    recognizer = reader(texts, 0.99, "".join(capitals))
    capitals[2] = "CHAIR"
    evaluation = looked(recognizer, capitals)
    assert evaluation.case_is_convention
    assert [line.position for line in evaluation.doubted()] == [2]
    assert evaluation.lines[0].doubt is None
    labels = [*texts] * 10
    labels[3] = "chair"  # one alone may well be an error
    evaluation = looked(reader([*texts] * 10, 0.99), labels)
    assert not evaluation.case_is_convention
    assert [line.position for line in evaluation.doubted()] == [3]


def test_more_lines_than_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.report.doubts.WINDOW", 3)
    labels = [word[::-1] for word in WORDS] + ["xyz"]
    evaluation = looked(reader([*WORDS, "xyz"], 0.99), labels)
    assert len(evaluation.doubted()) == 6


def test_a_reading_whose_marks_make_another_character_is_no_error() -> None:
    """A charset of code points can spell what its Unicode form would write as one that it lacks."""
    recognizer = reader(["ab"], 0.99, "e\u0301", form="NFD", unit="codepoint")
    object.__setattr__(recognizer.card.charset, "rules", type(recognizer.card.charset.rules)("NFC"))
    evaluation = evaluate(recognizer, Lines(["bb"]))
    evaluation.lines[0].reading = "e\u0301"
    look_again(recognizer, evaluation)
    assert evaluation.lines[0].log_reading is not None
