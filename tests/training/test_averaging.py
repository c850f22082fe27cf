"""The average of the weights."""

from __future__ import annotations

import pytest
import torch

from crnn.training.averaging import Averaging, effective_decay


def test_decay_rises_to_what_was_asked_for() -> None:
    decays = [effective_decay(0.999, updates) for updates in range(20_000)]
    assert decays[0] == pytest.approx(0.1)
    assert decays[90] == pytest.approx(0.91)
    assert decays == sorted(decays)
    assert decays[-1] == 0.999
    assert effective_decay(0.5, 1_000) == 0.5


def test_a_short_training_leaves_its_start_behind() -> None:
    """After 250 steps the first weights are a millionth of the average; with a plain decay of 0.999 they are 78 %."""
    average = Averaging(0.999)._kwargs["avg_fn"]
    value = torch.ones(1, dtype=torch.float64)
    for updates in range(250):
        value = average(value, torch.zeros(1, dtype=torch.float64), torch.tensor(updates))
    assert 0 < float(value) < 1e-6


def test_follows_the_weights() -> None:
    average = Averaging(0.9)._kwargs["avg_fn"]
    assert float(average(torch.tensor(2.0), torch.tensor(4.0), torch.tensor(1000))) == pytest.approx(2.2)
