"""Intervals and tests of differences."""

from __future__ import annotations

import numpy as np
import pytest

from crnn.report import bootstrap
from crnn.report.bootstrap import interval, ratio, resampled_sums, share_interval, sign_test


def test_sums_are_those_of_drawn_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.stack([np.ones(7), np.arange(7.0)], axis=1)
    sums = resampled_sums(values, resamples=500)
    assert sums.shape == (500, 2)
    assert (sums[:, 0] == 7).all()  # as many as there are
    assert len(set(sums[:, 1])) > 10
    assert sums[:, 1].min() >= 0
    assert sums[:, 1].max() <= 42
    assert sums[:, 1].mean() == pytest.approx(21, abs=1)
    assert (sums == resampled_sums(values, resamples=500)).all()
    assert (sums != resampled_sums(values, resamples=500, seed=1)).any()
    alone = resampled_sums(values[:, 1:], resamples=500)
    assert (alone[:, 0] == sums[:, 1]).all()  # the same lines are drawn for every figure: differences are paired
    monkeypatch.setattr(bootstrap, "AT_ONCE", 20)  # two at once: memory is bounded, nothing else changes
    assert resampled_sums(values, resamples=5).shape == (5, 2)
    assert (resampled_sums(values, resamples=5)[:, 0] == 7).all()
    assert (resampled_sums(np.zeros((0, 3))) == 0).all()


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        lines = np.stack([rng.random(100) < 0.3, np.ones(100)], axis=1).astype(float)
        sums = resampled_sums(lines, seed, 300)
        found = interval(ratio(sums[:, 0], sums[:, 1]))
        assert found is not None
        held += found.low <= 0.3 <= found.high
    assert 178 <= held <= 199


@pytest.mark.parametrize(
    ("found", "lines", "low", "high"),
    [(0, 40, 0, 0.0876), (60, 60, 0.9398, 1), (15, 40, 0.2422, 0.5297), (1, 1, 0.2065, 1), (0, 0, 0, 1)],
)
def test_the_interval_of_a_share_of_lines(found: int, lines: int, low: float, high: float) -> None:
    """It solves Wilson's equation: its ends are z standard errors, of their own, from the share."""
    interval = share_interval(found, lines)
    assert interval == pytest.approx((low, high), abs=5e-5)
    for end in interval if lines else ():
        assert (found / lines - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / lines, abs=1e-12)


def test_shares_of_lines_are_held_even_where_few_lines_are_wrong() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for right in rng.binomial(40, 0.99, 1000):
        interval = share_interval(int(right), 40)
        held += interval.low <= 0.99 <= interval.high
    assert held > 930


def test_lines_that_are_alike_tell_no_interval() -> None:
    assert interval(np.full(100, 0.25)) is None


def test_ratio_without_anything_below() -> None:
    assert ratio(np.array([0.0, 2.0, 1.0]), np.array([0.0, 0.0, 4.0])).tolist() == [0, 1, 0.25]


def test_signs() -> None:
    assert sign_test(np.zeros(5)) == 1.0
    assert sign_test(np.array([])) == 1.0
    assert sign_test(np.array([1.0] * 4)) == pytest.approx(2 / 16, abs=0.01)  # all alike: 2 of the 16 ways
    assert sign_test(np.array([1.0, -1.0] * 50)) == 1.0
    assert sign_test(np.array([1.0] * 60 + [-1.0] * 20)) < 0.001


def test_chance_alone_gives_small_p_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    small = sum(sign_test(rng.integers(-2, 3, 40).astype(float), seed, 400) <= 0.1 for seed in range(300))
    assert 10 <= small <= 45
