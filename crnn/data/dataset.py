"""Lines as tensors: `LineDataset` makes one, `collate` a batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from crnn.core.charset import Charset, required_steps
from crnn.core.transform import LineTransform
from crnn.data.augment import Augment
from crnn.data.batching import MAX_STRETCH, LineKey
from crnn.data.sources.base import LineSource


class Line(NamedTuple):
    """One line, ready to be batched."""

    image: Tensor
    """(1, H, W) float32."""
    labels: list[int]
    """Classes of the text; empty if the charset cannot write it or it cannot fit (validation lines only)."""
    text: str
    where: str


class Batch(NamedTuple):
    """Lines of similar width."""

    images: Tensor
    """(B, 1, H, W) float32, zero right of each line's width."""
    widths: Tensor
    """(B,) int64, in pixels; stays on the CPU."""
    targets: Tensor
    """(sum of target_lengths,) int64: all labels one after the other."""
    target_lengths: Tensor
    """(B,) int64; stays on the CPU."""
    texts: list[str]
    where: list[str]


class LineDataset(Dataset[Line]):
    """Lines of a source by `LineKey`; the same key gives the same pixels, in any process and order.

    Args:
        source: usable lines (see `crnn.data.check`).
        charset, transform: of the model.
        augment: changes training pictures; None leaves them as they are.
        seed: of the augmentation.
    """

    def __init__(
        self,
        source: LineSource,
        charset: Charset,
        transform: LineTransform,
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self.source = source
        self.charset = charset
        self.transform = transform
        self.augment = augment
        self.seed = seed

    def __len__(self) -> int:
        return len(self.source)

    def position(self, key: LineKey) -> int:
        """Position in the source: endless sources give fresh lines in each epoch."""
        return key.line + key.epoch * len(self.source) if self.source.endless else key.line

    def __getitem__(self, key: LineKey) -> Line:
        position = self.position(key)
        entry = self.source.entry(position)
        picture = self.source.picture(position)
        own = self.transform.check_width(picture.size, entry.where)
        picture = self.transform.resize(picture, own)
        if own < key.width <= own * MAX_STRETCH:  # a second step, so that a cache of scaled lines changes no pixel
            picture = self.transform.resize(picture, key.width)
        if self.augment is not None:
            picture = self.augment(picture, np.random.default_rng([self.seed, key.epoch, key.line]), key.epoch)
        text = self.charset.normalize(entry.text)
        labels = [] if self.charset.unknown(text) else self.charset.encode(text)
        if required_steps(labels) > picture.width // self.transform.multiple:
            labels = []
        return Line(torch.from_numpy(self.transform.normalize(np.asarray(picture)[None])), labels, text, entry.where)

    def __getitems__(self, keys: Sequence[LineKey]) -> list[Line]:
        return [self[key] for key in keys]


def collate(lines: Sequence[Line]) -> Batch:
    """A batch as wide as its widest line."""
    widths = [line.image.shape[2] for line in lines]
    images = torch.zeros(len(lines), *lines[0].image.shape[:2], max(widths))  # (B, 1, H, W)
    for image, line, width in zip(images, lines, widths, strict=True):
        image[:, :, :width] = line.image
    return Batch(
        images,
        torch.tensor(widths),
        torch.tensor([label for line in lines for label in line.labels], dtype=torch.int64),
        torch.tensor([len(line.labels) for line in lines]),
        [line.text for line in lines],
        [line.where for line in lines],
    )
