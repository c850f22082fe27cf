"""A training on a CPU hands its memory back every few steps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from crnn.training import memory


@pytest.mark.parametrize(("device", "times"), [("cpu", 3), ("meta", 0)])
def test_every_few_steps_on_a_cpu(monkeypatch: pytest.MonkeyPatch, device: str, times: int) -> None:
    calls: list[int] = []
    monkeypatch.setattr(memory, "give_back_memory", lambda: calls.append(1))
    module: Any = SimpleNamespace(device=torch.device(device))
    for step in range(1, 3 * memory.EVERY + 2):
        trainer: Any = SimpleNamespace(global_step=step)
        memory.GiveBackMemory().on_train_batch_end(trainer, module, None, None, step)
    assert len(calls) == times
