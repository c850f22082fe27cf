"""`crnn curves`: the picture of each run drawn again, and their validation CER side by side. Runs without torch."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from crnn.errors import DataError, unwritten
from crnn.training.curves import Curve, draw, read_curves


def cer_by_minute(curves: Mapping[str, Curve]) -> list[tuple[float, float]]:
    """(minutes of training, CER) after each validation whose time is known."""
    if not {"seconds", "val/cer"} <= curves.keys():
        return []
    minutes = dict(zip(curves["seconds"].steps, curves["seconds"].values / 60, strict=True))
    return [(float(minutes[step]), float(cer)) for step, cer in zip(*curves["val/cer"], strict=True) if step in minutes]


def step_for(runs: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> float:
    """Minutes between 5 to 12 rows of `table`: 1, 2 or 5, or one of these times a power of ten."""
    wanted = _longest(runs) / 5 or 1.0
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step for step in (5 * power, 2 * power, power) if step <= wanted or step == power)


def _longest(runs: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> float:
    return max((points[-1][0] for _, points in runs if points), default=0.0)


def table(runs: Sequence[tuple[str, Sequence[tuple[float, float]]]], every: float) -> str:
    """Markdown: what each run (name, its points) had reached after so many minutes.

    Args:
        runs: name and points of each.
        every: minutes between rows.
    """
    rows = ["| minutes | " + " | ".join(name for name, _ in runs) + " |", "|---|" + "---|" * len(runs)]
    last = _longest(runs)
    step = 1
    while (step - 1) * every < last:
        cells = []
        for _, points in runs:
            reached = [cer for minutes, cer in points if minutes <= step * every]
            cells.append(f"{reached[-1]:.2%}" if reached else "")
        rows.append(f"| {step * every:g} | " + " | ".join(cells) + " |")
        step += 1
    return "\n".join(rows)


def run(args: argparse.Namespace) -> int:
    """Draw and print.

    Raises:
        DataError: if a folder is no run, or its picture cannot be written.
    """
    runs = [(Path(name), read_curves(Path(name))) for name in args.runs]  # all are looked at before one is drawn
    for path, _ in runs:
        try:
            print(draw(path))
        except OSError as error:
            raise DataError(unwritten(path / "curves.png", error)) from None
    reached = [(path.resolve().name, cer_by_minute(curves)) for path, curves in runs]
    if any(points for _, points in reached):
        print(
            f"\nvalidation CER after so many minutes of training:\n\n{table(reached, args.every or step_for(reached))}"
        )
    else:
        print("\nno validation is done yet; wait for the end of the first epoch")
    return 0
