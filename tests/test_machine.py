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
