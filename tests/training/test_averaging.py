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


def after(decay: float, old: float, now: float, updates: object) -> float:
    """The average of one weight after an update."""
    weight = torch.tensor([old], dtype=torch.float64)
    Averaging(decay)._kwargs["multi_avg_fn"]([weight], [torch.tensor([now], dtype=torch.float64)], updates)
    return float(weight)


def test_a_short_training_leaves_its_start_behind() -> None:
    """After 250 steps the first weights are a millionth of the average; with a plain decay of 0.999 they are 78 %."""
    value = 1.0
    for updates in range(250):
        value = after(0.999, value, 0.0, torch.tensor(updates))
    assert 0 < value < 1e-6


def test_follows_the_weights() -> None:
    assert after(0.9, 2.0, 4.0, torch.tensor(1000)) == pytest.approx(2.2)


def test_a_gpu_is_waited_for_once_for_all_weights() -> None:
    class Updates:
        asked = 0

        def __int__(self) -> int:
            self.asked += 1
            return 1000

    updates = Updates()
    weights = [torch.zeros(2), torch.zeros(3)]
    Averaging(0.9)._kwargs["multi_avg_fn"](weights, [torch.ones(2), torch.ones(3)], updates)
    assert torch.cat(weights).tolist() == pytest.approx([0.1] * 5)
    assert updates.asked == 1
