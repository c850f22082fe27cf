"""Two readers on the same lines."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fake_reader import Lines, reader

from crnn.report.compare import Comparison, compare, compare_table
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation

LABELS = [f"{i:04d}" for i in range(80)]


def judged(readings: dict[int, str], labels: list[str] = LABELS) -> Evaluation:
    evaluation = Evaluation("lines", reader="someone", pictures=Lines(labels))  # type: ignore[arg-type]
    for position, reading in readings.items():
        evaluation.add(reading, labels[position], position=position, where=f"l:{position}", picture=f"{position}.png")
    return evaluation


def test_counts_differences_and_the_most_different() -> None:
    a = dict(enumerate(LABELS))
    b = dict(a)
    for i in range(30):
        b[i] = b[i][:3] + "x"
    a[40], b[41] = "x" + a[40][1:], "xxxx"
    found = compare(judged(a), judged(b))
    assert (found.wins, found.losses, found.ties) == (31, 1, 48)
    assert found.cer.a == pytest.approx(1 / 320)
    assert found.cer.b == pytest.approx(34 / 320)
    assert found.cer.difference == pytest.approx(-33 / 320)
    assert found.exact.difference == pytest.approx(79 / 80 - 49 / 80)
    assert found.cer.difference_95
    assert found.exact.difference_95
    assert found.cer.difference_95.low < found.cer.difference < found.cer.difference_95.high < 0
    assert 0 < found.exact.difference_95.low < found.exact.difference < found.exact.difference_95.high
    assert found.cer.p < 0.001
    assert found.most_different()[0][:5] == ("l:41", "41.png", "0041", "0041", "xxxx")
    data = json.loads(json.dumps(found.to_dict()))
    assert (data["wins"], data["losses"], data["ties"], data["lines"]) == (31, 1, 48, 80)
    said = compare_table(found)
    assert "80 lines: A better in 31, B in 1, alike in 48" in said
    assert "l:41: 0 and 4 errors" in said


def test_a_difference_that_means_nothing() -> None:
    a, b = ({i: "x" + t[1:] if i % 8 == k and i else t for i, t in enumerate(LABELS)} for k in (0, 1))
    found = compare(judged(a), judged(b))
    assert found.cer.p > 0.05
    assert found.cer.difference_95
    assert found.cer.difference_95.low < 0 < found.cer.difference_95.high
    same = compare(judged(a), judged(a))
    assert (same.cer.p, same.exact.p, same.ties) == (1.0, 1.0, 80)
    assert same.cer.difference_95 is None
    assert same.verdict == "these lines do not tell who reads better (CER 2.81% and 2.81%, p = 1.0000)"
    assert "unknown" in compare_table(same)


def test_a_difference_that_is_alike_in_all_lines_has_no_interval() -> None:
    right, wrong = dict(enumerate(LABELS)), dict.fromkeys(range(80), "xxxx")
    found = compare(judged(right), judged(wrong))
    assert found.cer.difference_95 is None
    assert found.verdict == "A reads better (CER 0.00% and 100.00%, p = 0.0001)"
    one = compare(judged({0: "0000"}), judged({0: "000x"}))
    assert one.to_dict()["cer"]["difference_95"] is None
    assert one.verdict.startswith("these lines do not tell who reads better (")


def test_pairs_tell_more_than_two_figures() -> None:
    """Hard lines are hard for both: what is common to both has no part in the interval."""
    rng = np.random.default_rng(0)
    a = {i: t if rng.random() < 0.5 else "xxxx" for i, t in enumerate(LABELS)}
    b = {i: (t[:3] + "y" if i % 5 == 0 else t) for i, t in a.items()}
    found = compare(judged(a), judged(b))
    alone = judged(a).figures["raw"].cer
    assert alone
    assert found.cer.difference_95
    assert found.cer.difference_95.high - found.cer.difference_95.low < 0.3 * (alone.high - alone.low)
    assert found.cer.p < 0.05


def test_lines_of_one_reader_alone_are_counted() -> None:
    found: Comparison = compare(judged({0: "0000", 1: "0001", 2: "x"}), judged({2: "0002", 3: "0003"}))
    assert (len(found.lines), found.only_a, found.only_b) == (1, 2, 1)
    said = compare_table(found)
    assert "2 lines more have no reading by B" in said
    assert "1 lines more have no reading by A" in said


def test_other_text_rules_are_judged_by_the_labels_as_they_stand() -> None:
    labels = ["Ab", "Cd"]
    lower = evaluate(reader(["ab", "cd"], 0.99, case="lower"), Lines(labels))  # type: ignore[arg-type]
    plain = evaluate(reader(["Ab", "cd"], 0.99), Lines(labels))  # type: ignore[arg-type]
    assert lower.counts.exact == 2
    found = compare(lower, plain)
    assert (found.exact.a, found.exact.b) == (0.0, 0.5)
    assert "different text rules" in compare_table(found)
    assert found.lines[0].label == "Ab"
