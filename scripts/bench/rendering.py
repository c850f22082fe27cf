"""``benchmark.py render``: lines rendered per second of one core, without the time that other processes take.

The first turn draws the glyphs, which later lines use again; a training has mostly later ones.
"""

from __future__ import annotations

import time

from crnn.data.synth.source import synthetic_pair

from .tables import Figures


def rendering(lines: int, languages: list[str], rounds: int) -> Figures:
    """Lines per second of each turn."""
    started = time.process_time()
    source, _ = synthetic_pair(lines, 1, languages=languages)
    ready = time.process_time() - started
    table = Figures(
        f"Rendering {lines:,} lines a turn in {len(source.fonts)} fonts, found in {ready:.1f} s",
        ["turn", "lines/s"],
    )
    for turn in range(rounds):
        started = time.process_time()
        for position in range(turn * lines, (turn + 1) * lines):
            source.picture(position)
        table.add(turn + 1, lines / max(1e-9, time.process_time() - started))
    return table
