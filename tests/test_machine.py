"""How threads wait is settled before torch is loaded, and the user's word goes first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = "import crnn.cli, os, sys; print(os.environ.get('OMP_WAIT_POLICY'), os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ({}, "passive 1000 False"),
        ({"OMP_WAIT_POLICY": "active"}, "active None False"),
        ({"GOMP_SPINCOUNT": "7"}, "None 7 False"),
    ],
)
def test_threads_spin_briefly(given: dict[str, str], printed: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], capture_output=True, text=True, env={**environment, **given}, check=True
    )
    assert done.stdout.strip() == printed


EARLY = """
import importlib.abc, os, sys
class Look(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch" and sys.meta_path.remove(self) is None:
            print(os.environ.get("GOMP_SPINCOUNT"), os.environ.get("TORCH_CPP_LOG_LEVEL"))
sys.meta_path.insert(0, Look())
import crnn.training.main
import torch
"""


def test_a_training_settles_it_before_torch_is_loaded() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "TORCH_"))}
    done = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "1000 ERROR"


HOLES = """
import sys
import numpy as np
from crnn.machine import give_back_memory

def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024

start = resident()
blocks = [np.ones(12_000) for _ in range(2_000)]  # 96 kB each: in the heap, below the threshold for maps of their own
del blocks[:-1]  # the last one keeps the heap from shrinking
held = resident() - start
print(held, give_back_memory(), resident() - start)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="skipped: only glibc can be asked to give memory back")
def test_memory_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    held, could, left = done.stdout.split()
    if could == "False":
        pytest.skip("skipped: another C library than glibc")
    assert int(held) > 150
    assert int(left) < 40  # megabytes
