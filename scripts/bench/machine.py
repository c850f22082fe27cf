"""What the machine is, and how much memory a process has had. Loads no torch by itself."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

from crnn.machine import fast_bfloat16

from .tables import Value


def describe() -> dict[str, Value]:
    """Processor, cores, versions."""
    import torch

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = names[0] if names else name
    return {
        "processor": name,
        "cores": os.cpu_count() or 1,
        "AMX": "yes" if fast_bfloat16() else "no",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def peak_memory() -> float:
    """Most resident memory of this process so far, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e3 if platform.system() != "Darwin" else most / 1e6
