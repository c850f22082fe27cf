"""Greedy decoding against a plain reading of its definition."""

from __future__ import annotations

import itertools
import json
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crnn.core.decode import GreedyDecoder
from crnn.core.decode.probability import text_log_probability


def plain(log_probs: np.ndarray) -> tuple[list[int], list[tuple[int, int]], list[float], float]:
    """One line (T, C), step by step."""
    path = [int(np.argmax(row)) for row in log_probs]
    labels, spans, sure = [], [], []
    start = 0
    for label, run in itertools.groupby(path):
        end = start + len(list(run))
        if label != 0:
            labels.append(label)
            spans.append((start, end))
            sure.append(max(math.exp(log_probs[t, label]) for t in range(start, end)))
        start = end
    return labels, spans, sure, text_probability(np.exp(log_probs.astype(float)), labels)


def text_probability(probs: np.ndarray, text: list[int]) -> float:
    """Sum over all paths of one line (T, C) that collapse to `text`, symbol by symbol."""
    ways = {(0, 0): 1.0}  # (symbols written, class of the last step) -> probability
    for step in probs:
        after: dict[tuple[int, int], float] = {}
        for (written, last), chance in ways.items():
            for label, p in enumerate(step):
                more = label not in (0, last)
                if more and (written == len(text) or text[written] != label):
                    continue
                key = (written + more, label)
                after[key] = after.get(key, 0.0) + chance * float(p)
        ways = after
    return sum(chance for (written, _), chance in ways.items() if written == len(text))


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.integers(1, 4), st.integers(2, 5)),
        elements=st.floats(-6, 6, width=32),
    ),
    st.data(),
)
def test_against_the_definition(logits: np.ndarray, data: st.DataObject) -> None:
    steps, lines, _ = logits.shape
    log_probs = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
    lengths = np.array([data.draw(st.integers(0, steps)) for _ in range(lines)])
    noisy = log_probs.copy()
    junk = data.draw(st.sampled_from([99.0, np.nan, np.inf, -np.inf, 0.0]))
    for line, length in enumerate(lengths):
        noisy[length:, line] = junk  # what lies beyond a line's end is never looked at
        noisy[length:, line, -1] += 1.0
    decoded_lines = GreedyDecoder()(noisy, lengths)
    assert len(decoded_lines) == lines
    for line, decoded in enumerate(decoded_lines):
        labels, spans, sure, confidence = plain(log_probs[: lengths[line], line])
        assert decoded.labels == labels
        assert decoded.spans == spans
        assert decoded.confidences == pytest.approx(sure, abs=1e-5)
        assert decoded.confidence == pytest.approx(confidence, abs=1e-5)
        assert 0 <= decoded.confidence <= 1


def test_repeats_merge_unless_a_blank_stands_between() -> None:
    path = [0, 1, 1, 0, 1, 2, 2, 0]
    log_probs = np.log(np.full((8, 1, 3), 0.05, dtype=np.float32))
    log_probs[range(8), 0, path] = math.log(0.9)
    [line] = GreedyDecoder()(log_probs, np.array([8]))
    assert line.labels == [1, 1, 2]
    assert line.spans == [(1, 3), (4, 5), (5, 7)]
    assert line.confidence == pytest.approx(text_probability(np.exp(log_probs[:, 0]), [1, 1, 2]), rel=1e-4)
    assert line.confidence > 0.9**8


def test_nothing_to_read() -> None:
    """No lines, a line without steps, and a line of blanks."""
    decoder = GreedyDecoder()
    assert decoder(np.zeros((5, 0, 3), dtype=np.float32), np.array([], dtype=np.int64)) == []
    [empty] = decoder(np.zeros((0, 1, 3), dtype=np.float32), np.array([0]))
    assert empty == ([], [], [], 1.0)
    blanks = np.log(np.tile(np.array([0.8, 0.1, 0.1], dtype=np.float32), (4, 1, 1)))
    [blank] = decoder(blanks, np.array([4]))
    assert (blank.labels, blank.spans, blank.confidences) == ([], [], [])
    assert blank.confidence == pytest.approx(0.8**4, rel=1e-5)  # the doubt about missing characters is counted


def test_results_are_plain_numbers_within_bounds() -> None:
    """Rounding may lift a log-probability above 0; a confidence stays within 0..1. json needs plain numbers."""
    log_probs = np.full((3, 1, 3), -20.0, dtype=np.float32)
    log_probs[:, 0, 1] = 1e-6
    [line] = GreedyDecoder()(log_probs, np.array([3]))
    assert line.confidences == [1.0]
    assert line.confidence == 1.0
    assert json.loads(json.dumps(line)) == [[1], [[0, 3]], [1.0], 1.0]


@pytest.mark.parametrize("text", [[], [1], [1, 2], [1, 1], [2, 2, 1], [1, 1, 1]])
def test_the_probability_of_a_text_is_that_of_all_its_paths(text: list[int]) -> None:
    """Every path of five steps and three classes, one by one; in a batch with a longer line."""
    scores = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(np.float32) * 2
    log_probs = scores - np.logaddexp.reduce(scores, axis=2, keepdims=True)
    total = 0.0
    for path in itertools.product(range(3), repeat=5):
        if [label for label, _ in itertools.groupby(path) if label] == text:
            total += math.exp(sum(float(log_probs[t, 1, label]) for t, label in enumerate(path)))
    log_probs[5:, 1] = np.nan  # beyond the line's end
    found = text_log_probability(log_probs, np.array([7, 5]), [[1, 2, 1], text])
    assert math.exp(found[1]) == pytest.approx(total, rel=1e-5)


def test_texts_that_cannot_be() -> None:
    log_probs = np.log(np.full((3, 3, 2), 0.5, dtype=np.float32))
    found = text_log_probability(log_probs, np.array([3, 0, 0]), [[1, 1, 1], [], [1]])
    assert found.tolist() == [-np.inf, 0.0, -np.inf]
    assert len(text_log_probability(log_probs[:, :0], np.zeros(0, dtype=np.int64), [])) == 0


def test_many_steps_do_not_vanish() -> None:
    log_probs = np.log(np.full((4000, 1, 2), 0.5, dtype=np.float32))
    assert text_log_probability(log_probs, np.array([4000]), [[]])[0] == pytest.approx(4000 * math.log(0.5))


@pytest.mark.parametrize("gathered", [1, 40, 2**20])
def test_texts_of_the_same_line_share_it(monkeypatch: pytest.MonkeyPatch, gathered: int) -> None:
    """However many steps are gathered at a time."""
    rng = np.random.default_rng(2)
    log_probs = np.log(rng.dirichlet(np.ones(4), size=(9, 2))).astype(np.float32)
    lengths, texts, lines = np.array([9, 6]), [[1, 2], [1], [3, 3, 1], []], np.array([0, 0, 1, 1])
    alone = text_log_probability(log_probs[:, lines], lengths[lines], texts)
    monkeypatch.setattr("crnn.core.decode.probability.GATHERED", gathered)
    assert text_log_probability(log_probs, lengths, texts, lines) == pytest.approx(alone, abs=1e-12)


def test_a_long_line_takes_little_memory() -> None:
    """Its probabilities of all steps and states, 4,000 by 2,001 for each of 8 texts, would take 512 MB."""
    rng = np.random.default_rng(0)
    log_probs = np.log(rng.dirichlet(np.ones(3), size=(4000, 1))).astype(np.float32)
    texts = [[1, 2] * 500] * 8
    tracemalloc.start()
    text_log_probability(log_probs, np.array([4000]), texts, np.zeros(8, dtype=np.int64))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64_000_000
