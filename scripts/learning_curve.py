"""Validation CER against training time, side by side: ``python scripts/learning_curve.py RUN RUN...``.

Reads ``metrics.csv`` of each run folder and prints a Markdown table, one row per `--every` minutes.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path


def curve(run: Path) -> list[tuple[float, float]]:
    """(minutes, CER) after each epoch."""
    minutes, cers = {}, {}
    with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line.get("seconds"):
                minutes[line["epoch"]] = float(line["seconds"]) / 60
            if line.get("val/cer"):
                cers[line["epoch"]] = float(line["val/cer"])
    return [(minutes[epoch], cers[epoch]) for epoch in cers if epoch in minutes]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--every", type=float, default=5, metavar="MINUTES")
    args = parser.parse_args()
    curves = {}
    for run in args.runs:
        if not (run / "metrics.csv").is_file():
            sys.exit(f"error: {run}: is not a run folder (no metrics.csv in it)")
        curves[run.name] = curve(run)
    print("| minutes | " + " | ".join(curves) + " |")
    print("|---|" + "---|" * len(curves))
    last = max((points[-1][0] for points in curves.values() if points), default=0.0)
    step = 1
    while (step - 1) * args.every < last:
        cells = []
        for points in curves.values():
            reached = [cer for minutes, cer in points if minutes <= step * args.every]
            cells.append(f"{reached[-1]:.2%}" if reached else "")
        print(f"| {step * args.every:g} | " + " | ".join(cells) + " |")
        step += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
