"""How many threads a training step is fastest with: small networks gain little from many, and a busy machine less."""

from __future__ import annotations

import copy
import time

import torch

from crnn.core.charset import BLANK
from crnn.model.crnn import CRNN
from crnn.training.loss import CtcLoss

BUDGET = 1.5
"""Seconds that the measurement may take, about."""
GAIN = 1.05
"""More threads have to be faster by this factor."""


def candidates(most: int) -> list[int]:
    """1, 2, 4 ... and `most` itself."""
    return sorted({most, *(2**power for power in range(most.bit_length()) if 2**power <= most)})


def fastest_threads(network: CRNN, lines: int, width: int, bfloat16: bool, most: int) -> dict[int, float]:
    """Lines per second of a training step with 1, 2, 4 ... `most` threads, in turns.

    Args:
        network: is copied, and left as it is.
        lines, width: of a batch of noise.
        bfloat16: compute in it, as the training will.
        most: threads at most.

    Returns:
        Threads -> lines/s. torch's number of threads is as before.
    """
    before = torch.get_num_threads()
    network = copy.deepcopy(network).train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images = torch.randn(lines, 1, network.height, width).contiguous(memory_format=torch.channels_last)
        widths = torch.full((lines,), width)
        length = max(1, width // network.step // 3)
        labels = torch.arange(lines * length) % (network.classes - 1) + BLANK + 1
        best = dict.fromkeys(candidates(most), 0.0)
        try:
            started = time.perf_counter()
            turn = 0
            while turn < 2 or time.perf_counter() - started < BUDGET:
                for threads in best:
                    torch.set_num_threads(threads)
                    begun = time.perf_counter()
                    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                        output = network(images, widths)
                    losses = CtcLoss().per_line(output.log_probs, output.lengths, labels, torch.full((lines,), length))
                    losses.sum().backward()  # type: ignore[no-untyped-call]
                    if turn:  # the first one sets things up
                        best[threads] = max(best[threads], lines / (time.perf_counter() - begun))
                turn += 1
        finally:
            torch.set_num_threads(before)
    return best


def choose(speeds: dict[int, float]) -> int:
    """The number of threads with the highest speed; fewer where more bring next to nothing."""
    chosen = min(speeds)
    for threads in sorted(speeds):
        if speeds[threads] > GAIN * speeds[chosen]:
            chosen = threads
    return chosen
