"""An exponential moving average of the weights, which is what is validated and exported."""

from __future__ import annotations

import crnn.torchvision_cure  # noqa: F401  # before lightning

import torch
from lightning.pytorch.callbacks import WeightAveraging


def effective_decay(decay: float, updates: int) -> float:
    """What is kept of the average at an update, when there have been `updates` before it.

    Never more than (1 + updates) / (10 + updates), as TensorFlow's ``ExponentialMovingAverage`` has it: the average
    reaches back over a tenth of the training at most, so that in a short one it does not hold the weights of its start.
    """
    return min(decay, (1 + updates) / (10 + updates))


class Averaging(WeightAveraging):
    """Lightning's averaging, updated after each step with `effective_decay`.

    Args:
        decay: what is kept of the average, once there have been steps enough.
    """

    def __init__(self, decay: float) -> None:
        def average(averaged: list[torch.Tensor], current: list[torch.Tensor], updates: torch.Tensor | int) -> None:
            new = 1 - effective_decay(decay, int(updates))  # once for all weights: a GPU has to be waited for
            for old, now in zip(averaged, current, strict=True):
                old.copy_(old + (now - old) * new)

        super().__init__(multi_avg_fn=average)
