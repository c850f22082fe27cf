"""``benchmark.py train --spin``: how long idle OpenMP threads should wait for work before they sleep."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from crnn.errors import ConfigError
from crnn.machine import SPIN_COUNT

from .tables import Figures

POLICIES = {
    "one thread": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": str(SPIN_COUNT)},
    "sleep at once": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"},
    f"{SPIN_COUNT} turns (the default)": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": str(SPIN_COUNT)},
    "100,000 turns": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "100000"},
    "spin on": {"OMP_WAIT_POLICY": "active"},
}

BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
"""Keeps a core busy, and ends when what started it is gone, killed or not."""


def policies(model: str, threads: int, rounds: int, width: int = 320, batch: int = 32) -> Figures:
    """Lines per second of the training step under each policy, on the machine as it is and beside a busy process."""
    table = Figures(
        f"How threads wait: training step of model={model}, {batch} lines of 32 x {width}, threads {threads}, lines/s",
        ["", "nothing else", "beside one busy process"],
    )
    found: dict[str, list[list[float]]] = {name: [[], []] for name in POLICIES}
    script = Path(__file__).parents[1] / "benchmark.py"
    for _ in range(rounds):
        for busy in (0, 1):
            others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
            try:
                for name, environment in POLICIES.items():
                    used = 1 if name == "one thread" else threads
                    command = [sys.executable, str(script), "train", "--json", "--rounds", "4", "--models", model]
                    command += ["--widths", str(width), "--threads", str(used), "--batch", str(batch)]
                    done = subprocess.run(
                        command, capture_output=True, text=True, env={**os.environ, **environment}, check=False
                    )
                    if done.returncode:
                        raise ConfigError(f"{' '.join(command)}: {done.stderr[-300:]}")
                    found[name][busy].append(json.loads(done.stdout)["tables"][0]["rows"][-1][2])
            finally:
                for other in others:
                    other.kill()
                    other.wait()
    for name, (quiet, beside) in found.items():
        table.add(name, statistics.median(quiet), statistics.median(beside))
    return table
