"""How fast lines come out of the data room, with and without a cache, against decoding their pictures alone.

    python scripts/bench_data.py my_lines/train --lines 4000

All variants take turns, several times; the table gives the median of lines per second and its spread. One thread per
process. "decoding alone" opens and decodes every picture file in the main process and does nothing else: without a
cache no loader in one process can be faster. A loader also scales, makes tensors and batches, and with ``--augment``
changes pictures as a training does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader

from crnn.core.charset import Charset
from crnn.core.image import LineTransform, open_picture
from crnn.data.augment import Augment, AugmentConfig
from crnn.data.batching import WidthBatches
from crnn.data.dataset import LineDataset, collate
from crnn.data.module import PreparedLines, cached, prepare
from crnn.data.sources import open_source
from crnn.data.sources.views import Selection


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="labelled lines")
    parser.add_argument("--lines", type=int, default=4000, help="use that many (4000)")
    parser.add_argument("--height", type=int, default=32, help="of the network (32)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each variant (5)")
    parser.add_argument("--augment", action="store_true", help="with a training's changes of pictures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    source = open_source(args.data)
    source = Selection(source, range(min(args.lines, len(source))))
    charset = Charset.from_texts(source.entry(i).text for i in range(len(source)))
    transform = LineTransform(args.height)
    augment = Augment(AugmentConfig()) if args.augment else None
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
        for _ in range(args.rounds):
            speeds["decoding"].append(decoding(plain))
            for key, run in runs.items():
                speeds[key].append(run.run())
    table = Table(title=f"{len(plain.source):,} lines of {args.data}, height {args.height}, {os.cpu_count()} cores")
    for heading in ("", "lines/s", "lowest .. highest", "of decoding alone"):
        table.add_column(heading, justify="left" if not heading else "right")
    base = statistics.median(speeds["decoding"])
    for key, values in speeds.items():
        name = "decoding alone" if isinstance(key, str) else f"data.cache={key[0]} data.workers={key[1]}"
        median = statistics.median(values)
        table.add_row(name, f"{median:,.0f}", f"{min(values):,.0f} .. {max(values):,.0f}", f"{median / base:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
