"""Forced alignment against every path of the text."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crnn.core.decode.align import align


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 5), st.just(1), st.just(3)), elements=st.floats(-4, 4, width=32)),
    st.sampled_from([[], [1], [2, 1], [1, 1], [1, 2, 1]]),
)
def test_the_likeliest_path_of_the_text(logits: np.ndarray, text: list[int]) -> None:
    log_probs = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
    steps = len(log_probs)
    scores = {}
    for path in itertools.product(range(3), repeat=steps):
        if [label for label, _ in itertools.groupby(path) if label] == text:
            scores[path] = sum(float(log_probs[t, 0, label]) for t, label in enumerate(path))
    if not scores:
        return
    padded = np.concatenate([log_probs, np.full((2, 1, 3), np.nan, dtype=np.float32)])
    [places] = align(padded, np.array([steps]), [text])
    path = [0] * steps
    for label, (start, end, sure) in zip(text, places, strict=True):
        path[start:end] = [label] * (end - start)
        assert sure == pytest.approx(math.exp(log_probs[start:end, 0, label].max()), abs=1e-6)
    assert scores[tuple(path)] == pytest.approx(max(scores.values()), abs=1e-4)


def test_a_repeated_symbol_needs_a_blank_between() -> None:
    """Where the symbol is likeliest everywhere, the path still has to leave it once."""
    log_probs = np.log(np.array([[[0.1, 0.9]], [[0.2, 0.8]], [[0.1, 0.9]]], dtype=np.float32))
    [places] = align(log_probs, np.array([3]), [[1, 1]])
    assert [place[:2] for place in places] == [(0, 1), (2, 3)]


def test_lines_of_different_lengths() -> None:
    log_probs = np.log(np.full((6, 2, 3), [0.2, 0.4, 0.4], dtype=np.float32))
    first, second = align(log_probs, np.array([6, 2]), [[1, 2, 1], [2]])
    assert [end for _, end, _ in first][-1] <= 6
    assert second == [(0, 2, pytest.approx(0.4))]
    assert align(log_probs[:, :0], np.zeros(0, dtype=np.int64), []) == []
