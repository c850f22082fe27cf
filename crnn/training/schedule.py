"""AdamW and its learning rate: a linear warm-up, then a half cosine down (one cycle)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from crnn.training.config import OptimizerConfig

START = 1 / 25
"""First learning rate, as a share of the peak (Smith and Topin, "Super-Convergence", 2017)."""


def one_cycle(step: int, total: int, warmup: float, final: float) -> float:
    """Share of the peak learning rate at `step` of `total`; stays at `final` beyond."""
    rising = max(1, round(warmup * total))
    if step < rising:
        return START + (1 - START) * step / rising
    progress = min(1.0, (step - rising) / max(1, total - rising))
    return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2


def make_optimizer(
    module: nn.Module, config: OptimizerConfig, total_steps: int, fused: bool = True
) -> tuple[AdamW, LambdaLR]:
    """AdamW with weight decay on matrices and kernels only (not on biases and norms), and its schedule per step."""

    def group(parameters: Iterable[nn.Parameter], decay: float) -> dict[str, object]:
        return {"params": list(parameters), "weight_decay": decay}

    trained = [p for p in module.parameters() if p.requires_grad]
    optimizer = AdamW(
        [
            group((p for p in trained if p.ndim > 1), config.weight_decay),
            group((p for p in trained if p.ndim < 2), 0.0),
        ],
        lr=config.lr,
        fused=fused,
    )
    schedule = LambdaLR(optimizer, lambda step: one_cycle(step, total_steps, config.warmup, config.final))
    return optimizer, schedule
