"""The parity gate: an exported file is compared with torch on real lines, and refused if they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.recognizer import Backend, Recognizer
from crnn.data.sources.base import LineSource
from crnn.errors import DataError, ModelFileError

TOLERANCE = 1e-3
"""Largest allowed difference in log-probabilities; in those below -1, of which float32 keeps fewer places, a share.

Rounding alone comes to 1.3e-4 where an LSTM of 2 x 256 units reads long lines of handwriting (torch is then 0.9e-4
away from the same network in float64, ONNX Runtime 0.4e-4); a layer that is wrong to far more than 1e-3."""
BATCH_SIZES = (1, 3, 8)
PARITY_LINES = 24


@dataclass(frozen=True)
class Parity:
    """What the gate saw."""

    lines: int
    widths: int
    """Number of different widths."""
    batches: int
    largest_difference: float
    """In log-probabilities, absolute above -1, a share below."""
    other_texts: int = 0

    def __str__(self) -> str:
        texts = f"{self.other_texts} read otherwise" if self.other_texts else "same text"
        return (
            f"{self.lines} lines of {self.widths} widths in batches of {', '.join(map(str, BATCH_SIZES))}: {texts}, "
            f"log-probabilities within {self.largest_difference:.1e}"
        )


def spread_lines(source: LineSource, count: int) -> tuple[list[Image.Image], list[str]]:
    """Up to `count` readable pictures and their labels, spread over the lines."""
    pictures, texts = [], []
    for i in range(min(count, len(source))):
        position = i * len(source) // min(count, len(source))
        try:
            pictures.append(source.picture(position))
        except DataError:
            continue
        texts.append(source.entry(position).text)
    return pictures, texts


def spread_pictures(source: LineSource) -> list[Image.Image]:
    """Up to `PARITY_LINES` readable pictures, spread over the lines."""
    return spread_lines(source, PARITY_LINES)[0]


def padded(lines: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Lines (1, H, W) as one batch: images (B, 1, H, W) as wide as the widest, and the true widths (B,)."""
    widths = np.array([line.shape[2] for line in lines], dtype=np.int64)
    images = np.zeros((len(lines), *lines[0].shape[:2], int(widths.max())), dtype=np.float32)
    for image, line in zip(images, lines, strict=True):
        image[:, :, : line.shape[2]] = line
    return images, widths


def check_parity(
    exported: Backend,
    reference: Backend,
    pictures: Sequence[Image.Image],
    path: Path,
    tolerance: float = TOLERANCE,
    same_text: bool = True,
) -> Parity:
    """Run both on the same lines at several batch sizes, each batch mixed from narrow and wide ones.

    Args:
        exported: the new file, loaded as a user would.
        reference: the torch network.
        pictures: grey lines of the validation set.
        path: for the message.
        tolerance: largest allowed difference in log-probabilities, absolute above -1 and relative below.
        same_text: whether each text has to be the same; else those that are not are counted.

    Raises:
        ModelFileError: if a text (with `same_text`) or a log-probability differs, or there are no lines.
    """
    if not pictures:
        raise ModelFileError(f"{path}: no lines to check the exported model with; name some with --data")
    lines = [exported.card.transform(picture) for picture in pictures]
    order = np.random.default_rng(0).permutation(len(lines))  # neighbours of any width
    largest, batches = 0.0, 0
    for size in BATCH_SIZES:
        for start in range(0, len(lines), size):
            batch = [lines[i] for i in order[start : start + size]]
            images, widths = padded(batch)
            ours, lengths = exported.run(images, widths)
            theirs, true_lengths = reference.run(images, widths)
            if not np.array_equal(lengths, true_lengths):
                raise ModelFileError(f"{path}: not written: it gives lengths {lengths}, torch {true_lengths}")
            for row, length in enumerate(lengths.tolist()):
                wanted = theirs[:length, row]
                difference = (np.abs(ours[:length, row] - wanted) / np.maximum(1, np.abs(wanted))).max()
                largest = float(np.maximum(largest, difference))  # NaN stays, which `max` may drop
            batches += 1
    if np.isnan(largest):
        raise ModelFileError(
            f"{path}: not written: the network gives no numbers (NaN); its weights are broken, export an earlier "
            "checkpoint"
        )
    if not largest <= tolerance:
        raise ModelFileError(
            f"{path}: not written: log-probabilities of the exported model differ from torch's by {largest:.2g} "
            f"(allowed {tolerance:g})"
        )
    texts = [[r.text for r in Recognizer(backend, 8).recognize(list(pictures))] for backend in (exported, reference)]
    others = [pair for pair in zip(*texts, strict=True) if pair[0] != pair[1]]
    if others and same_text:
        raise ModelFileError(f"{path}: not written: it reads {others[0][0]!r}, torch {others[0][1]!r}")
    return Parity(len(lines), len({line.shape[2] for line in lines}), batches, largest, len(others))
