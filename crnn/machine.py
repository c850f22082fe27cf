"""What this machine is good at: how its threads should wait, and whether it is faster in bfloat16. Loads no torch."""

from __future__ import annotations

import ctypes
import os
import sys

SPIN_COUNT = 1000
"""Turns that an idle OpenMP thread waits for work before it sleeps, some microseconds.

Threads that sleep at once lose half of a small network's speed to waking up; threads that spin on take the processor
from whatever else runs (`scripts/benchmark.py train --spin` shows both).
"""

MOST_THREADS = 1024
"""More than any processor has; each takes memory before it has done anything."""


def set_thread_policy() -> None:
    """How OpenMP's threads wait, unless the user has said so; has to come before torch is loaded."""
    if "OMP_WAIT_POLICY" not in os.environ and "GOMP_SPINCOUNT" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"
        os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


def fast_bfloat16() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in hardware (Intel's AMX).

    A training step of the classic network is 3.5 to 4.5 times as fast with it; on processors without it bfloat16 is
    slower than float32, even where AVX-512 has instructions for it.
    """
    import torch

    return bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())


def give_back_memory() -> bool:
    """Hand memory that was freed, but that the C library keeps, back to the system.

    On a CPU, tensors of ever new sizes leave holes in glibc's heap that are never given back by themselves. Training
    steps on lines of many widths came to three to four gigabytes this way, and stay below one with it.

    Returns:
        Whether this system can (Linux with glibc); elsewhere nothing is done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:
        return False
    trim(ctypes.c_size_t(0))
    return True
