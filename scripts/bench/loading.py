"""``benchmark.py data``: how fast lines come out of the data room, with and without a cache, against decoding alone.

All variants take turns; the table gives the median of lines per second and its spread. One thread per process.
"decoding alone" opens and decodes every picture file in the main process and does nothing else: without a cache no
loader in one process can be faster. A loader also scales, makes tensors and batches, and with ``--augment`` changes
pictures as a training does.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from crnn.core.charset import Charset
from crnn.core.picture import open_picture
from crnn.core.transform import LineTransform
from crnn.data.augment import Augment
from crnn.data.augment_config import AugmentConfig
from crnn.data.batching import WidthBatches
from crnn.data.dataset import LineDataset, collate
from crnn.data.module import PreparedLines, cached, prepare
from crnn.data.sources import open_source
from crnn.data.sources.views import Selection

from .tables import Figures


def decoding(lines: PreparedLines) -> float:
    """Lines per second of decoding alone."""
    contents = [lines.source.content(i) for i in range(len(lines.source))]
    started = time.perf_counter()
    for content in contents:
        open_picture(content, "")
    return len(contents) / (time.perf_counter() - started)


class Loading:
    """A loader as a training has it."""

    def __init__(
        self, lines: PreparedLines, transform: LineTransform, charset: Charset, workers: int, augment: Augment | None
    ) -> None:
        self.batches = WidthBatches(
            lambda epoch: transform.scaled_widths(lines.sizes(epoch)), transform.height, 32, 2**20, True, 1
        )
        self.loader = DataLoader(
            LineDataset(lines.source, charset, transform, augment, 1),
            batch_sampler=self.batches,
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        self.epoch = 0
        self.run()  # starts the workers, fills the cache

    def run(self) -> float:
        """Lines per second of an epoch."""
        self.batches.set_epoch(self.epoch)
        self.epoch += 1
        started = time.perf_counter()
        lines = sum(len(batch.texts) for batch in self.loader)
        return lines / (time.perf_counter() - started)


def loaders(data: str, count: int, height: int, rounds: int, augmented: bool) -> Figures:
    """Lines per second of every cache and number of workers."""
    torch.set_num_threads(1)
    source = open_source(data)
    source = Selection(source, range(min(count, len(source))))
    charset = Charset.from_texts(source.entry(i).text for i in range(len(source)))
    transform = LineTransform(height)
    augment = Augment(AugmentConfig()) if augmented else None
    plain = prepare(source, transform, charset, False, iter)
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "none": plain,
            "memory": cached(plain, transform, 2**31, None),
            "disk": cached(plain, transform, 2**31, Path(folder)),
        }
        runs = {
            (cache, workers): Loading(lines, transform, charset, workers, augment)
            for cache, lines in kinds.items()
            for workers in (0, 1, 2)
        }
        speeds: dict[tuple[str, int] | str, list[float]] = {key: [] for key in ("decoding", *runs)}
        for _ in range(rounds):
            speeds["decoding"].append(decoding(plain))
            for key, run in runs.items():
                speeds[key].append(run.run())
    table = Figures(
        f"Loading {len(plain.source):,} lines of {data}, height {height}, {os.cpu_count()} cores",
        ["", "lines/s", "lowest .. highest", "of decoding alone"],
    )
    base = statistics.median(speeds["decoding"])
    for key, values in speeds.items():
        name = "decoding alone" if isinstance(key, str) else f"data.cache={key[0]} data.workers={key[1]}"
        median = statistics.median(values)
        table.add(name, median, f"{min(values):,.0f} .. {max(values):,.0f}", median / base)
    return table


def counts(data: str, height: int, rounds: int) -> Figures:
    """Getting ready and loading against the number of lines: a straight line is the same cost per line."""
    torch.set_num_threads(1)
    source = open_source(data)
    charset = Charset.from_texts(source.entry(i).text for i in range(len(source)))
    transform = LineTransform(height)
    table = Figures(
        f"Cost against the number of lines of {data}",
        ["lines", "check, us a line", "load, us a line", "plan, us a line"],
    )
    for share in (8, 4, 2, 1):
        some = Selection(source, range(0, len(source), share))
        found: list[list[float]] = [[], [], []]
        for _ in range(rounds):
            started = time.perf_counter()
            lines = prepare(some, transform, charset, True, iter)
            found[0].append(time.perf_counter() - started)
            loading = Loading(lines, transform, charset, 0, None)
            found[1].append(len(lines.source) / loading.run())
            started = time.perf_counter()
            for _ in loading.batches.plan(1):
                pass
            found[2].append(time.perf_counter() - started)
        table.add(len(some), *(statistics.median(values) / len(some) * 1e6 for values in found))
    return table
