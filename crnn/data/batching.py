"""Which lines share a batch: lines of similar width, under a pixel budget, the same number of batches on every rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from crnn.errors import DataError

MAX_STRETCH = 1.15
"""A training line is widened by at most this factor to the width of its batch; further ones are padded."""
JITTER = 0.05
"""Widths vary by up to this share before lines are sorted, so that batches differ from epoch to epoch."""


class LineKey(NamedTuple):
    """What a dataset needs to make one line of a batch."""

    epoch: int
    line: int
    width: int
    """Width of the batch's widest line, in pixels after scaling; 0 leaves every line at its own."""


class WidthBatches(Sampler[list[LineKey]]):
    """A batch sampler over lines sorted by width.

    Batch sizes are fixed by rank in width order, once, for the epoch with the widest lines; each epoch then fills them
    with other lines. So the number of batches never changes between epochs, and a schedule of steps holds. For several
    processes, sizes are split until their number divides; neighbours in width go to the ranks of one step, so that none
    waits for a wider batch.

    Args:
        widths: epoch -> (N,) widths in pixels after scaling.
        height: H in pixels.
        batch_size: most lines in a batch.
        batch_pixels: most pixels in a batch, padding included (a single wider line is a batch of its own); lines of
            other epochs than `widest` may take some percent more.
        shuffle: for training: other batches in another order in each epoch, and lines stretched to a common width.
        seed: of the shuffling.
        rank, world_size: of this process.
        widest: the epoch that has the widest lines, where they become longer.

    Raises:
        DataError: if there are fewer lines than processes.
    """

    def __init__(
        self,
        widths: Callable[[int], NDArray[np.int64]],
        height: int,
        batch_size: int,
        batch_pixels: int,
        shuffle: bool,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        widest: int = 0,
    ) -> None:
        self._widths = widths
        self._shuffle = shuffle
        self._seed = seed
        self._rank = rank
        self._world_size = world_size
        self._epoch = 0
        self._start = 0
        self._planned = np.sort(widths(widest))
        self._sizes = _batch_sizes(self._planned, height, batch_size, batch_pixels, world_size)
        self.sampler = self  # where Lightning looks for set_epoch

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self._sizes) // self._world_size

    def padding(self) -> float:
        """Share of padding in the pixels of the widest epoch, all ranks together, before widths are jittered."""
        widths = self._planned
        ends = np.cumsum(self._sizes)
        common = np.repeat(widths[ends - 1], self._sizes)  # the widest line of each line's batch
        stretched = widths * MAX_STRETCH >= common if self._shuffle else np.zeros(len(widths), dtype=bool)
        return float(1 - np.where(stretched, common, widths).sum() / common.sum())

    def set_epoch(self, epoch: int) -> None:
        """Which epoch the next pass is of: it draws other batches. Lightning calls this."""
        self._epoch = epoch

    def skip(self, batches: int) -> None:
        """Leave out the first `batches` of the next pass (a run goes on in mid-epoch)."""
        self._start = batches

    def plan(self, epoch: int) -> Iterator[list[LineKey]]:
        """The batches of all ranks in an epoch, made as they are asked for; rank r takes every world_size-th from r."""
        return self._plan(epoch, 0, 1, 0)

    def _plan(self, epoch: int, first: int, stride: int, skip: int) -> Iterator[list[LineKey]]:
        widths = self._widths(epoch)
        rng = np.random.default_rng([self._seed, epoch])
        keys = widths * np.exp(rng.uniform(-JITTER, JITTER, len(widths))) if self._shuffle else widths
        lines = np.argsort(keys, kind="stable")
        ends = np.cumsum(self._sizes)
        steps = np.arange(len(self._sizes)).reshape(-1, self._world_size)  # batches that run at the same time
        if self._shuffle:
            rng.shuffle(steps)
        for number in steps.ravel()[first::stride][skip:].tolist():
            batch = lines[ends[number] - self._sizes[number] : ends[number]]
            width = int(widths[batch].max()) if self._shuffle else 0
            yield [LineKey(epoch, line, width) for line in batch.tolist()]

    def __iter__(self) -> Iterator[list[LineKey]]:
        start, self._start = self._start, 0
        return self._plan(self._epoch, self._rank, self._world_size, start)


def _batch_sizes(
    widths: NDArray[np.int64], height: int, batch_size: int, batch_pixels: int, world_size: int
) -> list[int]:
    """Sizes of batches over sorted `widths`, their number a multiple of `world_size`."""
    if len(widths) < world_size:
        raise DataError(f"{len(widths)} lines are too few for {world_size} processes; use fewer devices or more lines")
    sizes = [0]
    for width in widths.tolist():
        if sizes[-1] and (sizes[-1] >= batch_size or (sizes[-1] + 1) * width * height > batch_pixels):
            sizes.append(0)
        sizes[-1] += 1
    while len(sizes) % world_size:
        largest = int(np.argmax(sizes))
        if sizes[largest] == 1:  # nothing to split: the narrowest lines go in pairs, whatever the bounds
            pairs = len(sizes) % world_size
            return [2] * pairs + [1] * (len(sizes) - 2 * pairs)
        sizes[largest : largest + 1] = [sizes[largest] - sizes[largest] // 2, sizes[largest] // 2]
    return sizes
