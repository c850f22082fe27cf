"""What a validation adds up: counts first, over all lines and processes, one division at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field

import torch
from torch import Tensor

from crnn.core.alignment import Edit, edits
from crnn.core.decode import Decoded
from crnn.core.metrics import EditCounts


@dataclass
class Tally:
    """Sums over validation lines of one process, or of all."""

    counts: EditCounts = field(default_factory=EditCounts)
    loss: Tensor = field(default_factory=lambda: torch.zeros(2, dtype=torch.float64))
    """Sum of losses, number of lines that have one."""
    steps: int = 0
    """Time steps."""
    blank: int = 0
    """Those whose likeliest class is the blank."""
    confusions: Counter[Edit] = field(default_factory=Counter)
    """Of lines that were read half right, at least: in others it is chance which character stands for which."""

    def add(self, lines: Sequence[Decoded], lengths: Tensor, readings: Sequence[str], labels: Sequence[str]) -> None:
        """Take the lines of a batch into account, without their losses.

        Args:
            lines: as decoded.
            lengths: (B,) time steps.
            readings, labels: texts.
        """
        for reading, label in zip(readings, labels, strict=True):
            counts = EditCounts.of(reading, label)
            self.counts += counts
            if 0 < counts.character_errors <= counts.characters / 2:
                self.confusions.update(edits(reading, label))
        self.steps += int(lengths.sum())
        self.blank += int(lengths.sum()) - sum(end - start for line in lines for start, end in line.spans)

    def add_losses(self, losses: Tensor, usable: Tensor) -> None:
        """Losses (B,), and whether a line has one (a label that cannot be written has none)."""
        usable = usable.to(losses.device)
        self.loss += torch.stack([losses[usable].sum(), usable.sum()]).double().cpu()

    def numbers(self) -> Tensor:
        """All but the confusions, to be summed over processes."""
        return torch.tensor([*astuple(self.counts), *self.loss.tolist(), self.steps, self.blank], dtype=torch.float64)

    @classmethod
    def figures(cls, numbers: Tensor) -> dict[str, float]:
        """Rates of summed `numbers`."""
        *counts, loss, lines, steps, blank = numbers.tolist()
        edit_counts = EditCounts(*(int(count) for count in counts))
        return {
            "val/cer": edit_counts.cer,
            "val/wer": edit_counts.wer,
            "val/exact": edit_counts.exact_rate,
            "val/loss": loss / max(1.0, lines),
            "val/blank": blank / max(1.0, steps),
        }
