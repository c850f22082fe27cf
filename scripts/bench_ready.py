"""How long a training on many lines takes to be ready, and whether its memory stays flat over an epoch.

    python scripts/bench_ready.py --lines 1000000

Makes an LMDB and WebDataset shards of rendered lines (5 GiB for a million, in the temporary folder), prepares a
training of each twice, as ``crnn train`` does: the lines are listed, every picture is decoded and checked, a tenth is
held out, characters are collected. The second time takes what was listed and decoded from the index beside the runs.
Then an epoch of batches is drawn through one worker process. "resident" is of the main process, mapped pages included;
the first figure is Python with torch and Lightning.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_index import memory, write_lmdb, write_shards


def measure(path: str, runs: str, epoch: bool) -> None:
    """In a process of its own: from settings to the first batch, and perhaps through the epoch."""
    import crnn.torchvision_cure  # noqa: F401  # before lightning

    import lightning  # noqa: F401
    from hydra import compose, initialize_config_dir

    from crnn.core.transform import LineTransform
    from crnn.data.augment import Augment
    from crnn.data.module import LineDataModule
    from crnn.training.assemble import assemble
    from crnn.training.config import config_folder, register, to_config
    from crnn.training.run_folder import RunFolder

    register()
    settings = [f"data.train={path}", f"runs_dir={runs}", "data.workers=1", "model=crnn_small", "init=null"]
    with initialize_config_dir(config_folder(), version_base="1.3"):
        config = to_config(compose("train", settings))

    def say(what: str, since: float) -> None:
        used = memory()
        print(f"    {what}: {time.perf_counter() - since:.1f} s, resident {used['rss']:.0f} MiB", flush=True)

    started = time.perf_counter()
    say("imported", started)
    transform = LineTransform(config.image.height)
    data = assemble(config, transform, RunFolder.create(config))
    augment = Augment(config.augment)
    budget = (data.length.batch_size, config.data.batch_pixels)
    loaders = LineDataModule(data.train, data.val, data.charset, transform, augment, *budget, 1, config.seed)
    loader = loaders.train_dataloader()
    batches = iter(loader)
    next(batches)
    say("first batch", started)
    if epoch:
        total = len(loader)
        for number, _ in enumerate(batches, start=2):
            if number % (total // 5) == 0:
                say(f"batch {number:,} of {total:,}", started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure[0], args.measure[1], args.measure[2] == "epoch")
        return
    for write in (write_lmdb, write_shards):
        with tempfile.TemporaryDirectory(dir=args.folder) as name:
            path = write(Path(name), args.lines)
            print(f"{path.name}: {args.lines:,} lines")
            for turn in ("first", "epoch"):
                print("  first time" if turn == "first" else "  second time", flush=True)
                command = [sys.executable, __file__, "--measure", str(path), str(Path(name) / "runs"), turn]
                subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
