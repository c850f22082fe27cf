"""A limited time: the learning rate rises and falls in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from crnn.training.config import OptimizerConfig
from crnn.training.deadline import Deadline
from crnn.training.schedule import make_optimizer, one_cycle


@pytest.mark.parametrize("head_first", [False, True])
def test_the_schedule_is_where_the_time_is_unless_the_steps_are_farther(head_first: bool) -> None:
    network = nn.ModuleDict({"head": nn.Linear(2, 2), "lstm": nn.Linear(2, 2)})
    share = 0.0
    config = OptimizerConfig(lr=1.0, warmup=0.2, final=0.01)
    optimizer, schedule = make_optimizer(network, config, 100, False, head_first, lambda: share)
    late = optimizer.param_groups[-1]
    for step in range(60):
        share = {0: 0.0, 10: 0.15, 20: 0.2, 30: 0.5, 40: 0.9, 50: 0.45}.get(step, share)
        optimizer.step()
        schedule.step()
        reached = max(step + 1, 100 * share)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(one_cycle(reached, 100, 0.2, 0.01))
        assert late["lr"] == (0 if head_first and reached < 20 else optimizer.param_groups[0]["lr"])


def test_all_processes_go_by_one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    module: Any = SimpleNamespace(hurry=told.append)
    deadline = Deadline(2)
    elapsed = 30.0
    monkeypatch.setattr(deadline, "time_elapsed", lambda: elapsed)
    trainer: Any = SimpleNamespace(world_size=1)
    deadline.on_train_batch_start(trainer, module, None, 0)
    elapsed = 500.0
    deadline.on_train_batch_start(trainer, module, None, 0)
    trainer = SimpleNamespace(world_size=2, strategy=SimpleNamespace(broadcast=lambda mine: mine / 4))
    elapsed = 60.0
    deadline.on_train_batch_start(trainer, module, None, 0)
    assert told == [0.25, 1.0, 0.125]
