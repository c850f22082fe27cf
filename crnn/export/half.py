"""A .safetensors file with weights in float16: half the size, read as float32."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crnn.core.card import ModelCard
from crnn.core.metrics import EditCounts
from crnn.data.sources.base import LineSource
from crnn.errors import ModelFileError, unwritten
from crnn.export.judged import counts_of, refuse_worse
from crnn.export.parity import PARITY_LINES, Parity, check_parity, spread_lines
from crnn.export.quantize import CHECK_LINES
from crnn.export.torch_backend import TorchBackend, write_safetensors
from crnn.files import write_atomic
from crnn.model.crnn import CRNN

HALF_TOLERANCE = 0.1
"""Largest allowed difference in log-probabilities, as `check_parity` takes it."""
MAX_LOSS = 0.0005
"""A file whose CER is higher by more than this (0.05 points) is refused."""


@dataclass(frozen=True)
class Halved:
    """What became of a model in float16."""

    parity: Parity
    before: EditCounts
    after: EditCounts

    def __str__(self) -> str:
        return (
            f"CER on {self.before.lines:,} lines {self.before.cer:.2%} in float32, {self.after.cer:.2%} in float16; "
            f"{self.parity}"
        )


def export_half(card: ModelCard, network: CRNN, path: Path, labelled: LineSource) -> Halved:
    """Write a file with weights in float16 that reads as well as the network, or none.

    Args:
        card: of the model.
        network: as trained, in float32.
        path: of the new file; an old one stays until the new one is good.
        labelled: lines that both read, 2,000 at most.

    Raises:
        ModelFileError: if CER rises by more than 0.05 points, or on one of the first 24 lines a log-probability differs
            by more than 0.1 (below -1: a tenth of it).
    """
    pictures, texts = spread_lines(labelled, CHECK_LINES)
    if not pictures:
        raise ModelFileError(f"{path}: no lines to check the float16 model with; name some with --data")
    reference = TorchBackend(card, network.eval(), "cpu")
    try:
        with write_atomic(path) as temporary:
            write_safetensors(temporary, card.with_training(weights="float16"), network, half=True)
            halved = TorchBackend.open(temporary, device="cpu")
            parity = check_parity(halved, reference, pictures[:PARITY_LINES], path, HALF_TOLERANCE, same_text=False)
            result = Halved(parity, *(counts_of(backend, pictures, texts) for backend in (reference, halved)))
            refuse_worse(result.before, result.after, MAX_LOSS, f"{path}: not written: {result}")
            return result
    except OSError as error:
        raise ModelFileError(unwritten(path, error)) from None
