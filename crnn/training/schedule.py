"""AdamW and its learning rate: a linear warm-up, then a half cosine down (one cycle)."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from crnn.training.config import OptimizerConfig

START = 1 / 25
"""First learning rate, as a share of the peak (Smith and Topin, "Super-Convergence", 2017)."""


def one_cycle(step: float, total: int, warmup: float, final: float) -> float:
    """Share of the peak learning rate at `step` of `total`; stays at `final` beyond."""
    rising = max(1, round(warmup * total))
    if step < rising:
        return START + (1 - START) * step / rising
    progress = min(1.0, (step - rising) / max(1, total - rising))
    return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2


def make_optimizer(
    module: nn.Module,
    config: OptimizerConfig,
    total_steps: int,
    fused: bool = True,
    head_first: bool = False,
    time_share: Callable[[], float] = lambda: 0.0,
) -> tuple[AdamW, LambdaLR]:
    """AdamW with weight decay on matrices and kernels only (not on biases and norms), and its schedule per step.

    Args:
        module: parameters whose name holds ``head.`` are the head's.
        config: settings.
        total_steps: of the training.
        fused: all weights in one call.
        head_first: during the warm-up nothing but the head learns.
        time_share: how much (0..1) of a limited time is over: the schedule is there if fewer of the steps are done.
    """
    trained = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    rising = max(1, round(config.warmup * total_steps))
    groups: list[dict[str, object]] = []
    lambdas = []
    for late in (False, True) if head_first else (False,):
        for decayed in (True, False):
            some = [
                p for name, p in trained if (p.ndim > 1) == decayed and (not head_first or ("head." in name) != late)
            ]
            groups.append({"params": some, "weight_decay": config.weight_decay if decayed else 0.0})
            lambdas.append(_from(rising if late else 0, total_steps, config, time_share))
    optimizer = AdamW(groups, lr=config.peak, fused=fused)
    return optimizer, LambdaLR(optimizer, lambdas)


def _from(first: int, total: int, config: OptimizerConfig, time_share: Callable[[], float]) -> Callable[[int], float]:
    """The schedule of a group that does not learn before step `first`."""

    def share(step: int) -> float:
        reached = max(float(step), time_share() * total)
        return one_cycle(reached, total, config.warmup, config.final) if reached >= first else 0.0

    return share
