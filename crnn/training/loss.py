"""The CTC loss (Graves et al., 2006), always in float32."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crnn.core.charset import BLANK

Reduction = Literal["batch", "mean", "sum"]


class Shortcut(nn.Module):
    """A second, short way from the CNN's columns to the characters, in training only.

    Its loss, added with a small weight, tells the CNN what a character is before the LSTM has learnt to read (Retsinas
    et al., "Best Practices for a Handwritten Text Recognition System", 2022). It is no part of the model file.

    Args:
        features: D of the columns.
        classes: C.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(features, classes, (1, 3), padding=(0, 1))

    def forward(self, columns: Tensor) -> Tensor:
        """Columns (B, D, 1, T) -> log-probabilities (T, B, C), float32."""
        return self.convolution(columns).squeeze(2).permute(2, 0, 1).float().log_softmax(2)


class CtcLoss(nn.Module):
    """Minus log-probability of the labels, summed over all alignments.

    Args:
        reduction: ``batch``: sum over lines / number of lines. A long line then weighs as much more as it has more to
            learn from, and the step size does not depend on the batch size. ``mean`` is torch's: each line's loss is
            first divided by its label length, so a short word's character weighs more than a long line's.
            ``sum``: no division.

    An impossible label would give an infinite loss; `zero_infinity` stays off, so that it is seen.
    """

    def __init__(self, reduction: Reduction = "batch") -> None:
        super().__init__()
        self.reduction = reduction

    def per_line(self, log_probs: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
        """(B,) losses in nats of log_probs (T, B, C), lengths (B,), concatenated targets and their lengths (B,)."""
        with torch.autocast(log_probs.device.type, enabled=False):
            return F.ctc_loss(log_probs.float(), targets, lengths, target_lengths, blank=BLANK, reduction="none")

    def from_uniform(self, log_probs: Tensor, lengths: Tensor) -> Tensor:
        """(B,) Kullback-Leibler distances in nats of log_probs (T, B, C) from the uniform distribution, summed over a
        line's true steps: what label smoothing adds, against outputs that are surer than they are right."""
        log_probs = log_probs.float()
        distance = -log_probs.mean(2) - math.log(log_probs.shape[2])  # (T, B)
        real = torch.arange(len(distance), device=distance.device)[:, None] < lengths.to(distance.device)
        return distance.masked_fill(~real, 0.0).sum(0)

    def reduce(self, losses: Tensor, target_lengths: Tensor) -> Tensor:
        """One number of per-line losses (B,)."""
        if self.reduction == "mean":
            return (losses / target_lengths.to(losses.device).clamp(min=1)).mean()
        return losses.sum() if self.reduction == "sum" else losses.sum() / len(losses)
