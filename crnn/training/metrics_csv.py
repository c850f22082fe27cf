"""metrics.csv: one row per logged step, appended to on resume (Lightning's CSV logger starts the file anew)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import crnn.torchvision_cure  # noqa: F401  # before lightning

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from crnn.files import write_atomic

COLUMNS = (
    "epoch",
    "step",
    "train/loss",
    "lr",
    "val/cer",
    "val/wer",
    "val/exact",
    "val/loss",
    "lines_per_second",
    "seconds",
    "val/blank",
    "train/padding",
    "train/gradient_norm",
)


class MetricsCsv(Logger):
    """Rows of `COLUMNS` in ``metrics.csv``.

    Args:
        folder: of the run.
        resume_step: rows beyond this step are dropped: the resumed run writes them again.
    """

    def __init__(self, folder: Path, resume_step: int | None = None) -> None:
        super().__init__()
        self._path = folder / "metrics.csv"
        self._folder = folder
        if resume_step is not None and self._path.exists():
            self._cut(resume_step)

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return ""

    @property
    def root_dir(self) -> str:
        return str(self._folder)

    def _cut(self, step: int) -> None:
        with self._path.open(newline="", encoding="utf-8", errors="replace") as file:
            every = [row for row in csv.DictReader(file) if (row.get("step") or "").isdecimal()]  # one may be torn
        rows = [row for row in every if int(row["step"]) < step]
        with write_atomic(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        row: dict[str, Any] = {name: metrics[name] for name in COLUMNS if name in metrics}
        if not row.keys() - {"epoch"}:
            return
        row |= {"step": step, "epoch": int(metrics.get("epoch", 0))}
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)

    @rank_zero_only
    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: config.yaml has them."""
