"""Read many pictures on a Ray cluster: ``python scripts/recognize_ray.py [MODEL] PATH... --out DIR``.

The inputs are divided as by ``crnn recognize --shard I/N``, and Ray Data hands the shares to actors, each of which
loads the model once. Needs the extra: ``pip install "crnn[ray]"``. Paths and the output folder must be the same on all
machines. A share whose worker dies is read on by another, from its last whole row; the parts are merged in order, and
their rows counted, at the end.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

from crnn.cli.options import positive
from crnn.errors import ConfigError, CrnnError, printable
from crnn.loader import chosen_file, load
from crnn.reading.inputs import model_and_pictures
from crnn.reading.job import Job, make_job, options_of
from crnn.reading.merge import merge
from crnn.reading.shards import Shard, read_shard


class Reader:
    """An actor: a model, and shares that are read with it."""

    def __init__(self, model: str | None, paths: list[str], job: Job, folder: str) -> None:
        self.recognizer = load(model, threads=1, nbest=job.options["nbest"])
        self.paths, self.job, self.folder = paths, job, Path(folder)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        for number, count in zip(batch["number"], batch["count"], strict=True):
            read_shard(self.recognizer, self.paths, Shard(int(number), int(count)), self.job, self.folder)
        return {"number": batch["number"]}


def read_on_ray(
    model: str | None, paths: list[str], job: Job, folder: str, shards: int, workers: int, address: str | None
) -> None:
    """Every share by one of `workers` actors.

    Raises:
        ConfigError: without Ray, or for what goes wrong in it, in one line.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not address:  # before Ray is imported: every port on the loopback address, as Ray does on macOS and Windows
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
        import ray.data
    except ImportError:
        raise ConfigError('Ray is needed for this and not installed: pip install "crnn[ray]"') from None

    try:
        if not ray.is_initialized():
            if address:
                ray.init(address=address, log_to_driver=False)
            else:  # a cluster of this machine alone, which no other can reach
                ray.init(
                    address="local",  # also where another cluster runs
                    num_cpus=workers,
                    include_dashboard=False,
                    _node_ip_address="127.0.0.1",
                    log_to_driver=False,
                )
        ray.data.DataContext.get_current().enable_progress_bars = False
        shares = [{"number": number, "count": shards} for number in range(1, shards + 1)]
        done = ray.data.from_items(shares, override_num_blocks=shards).map_batches(
            Reader,
            fn_constructor_args=(model, paths, job, folder),
            batch_size=1,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
        )
        for _ in done.iter_rows():
            pass
    except Exception as error:  # Ray's have no common base class
        raise ConfigError(f"Ray: {_reason(error)}; shares that are finished are kept, start it again") from None


def _reason(error: Exception) -> str:
    """What a worker said is wrong, from its traceback in Ray's error; else the first line of that."""
    text = str(error)
    if said := re.search(r"^crnn\.errors\.\w+: (.+)$", text, re.MULTILINE):
        return printable(said[1], 600)
    return printable(f"{type(error).__name__}: {text.strip().partition(chr(10))[0]}", 600)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", metavar="[MODEL] PATH", help="as for crnn recognize")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the parts, and merged.FORMAT")
    parser.add_argument("--ray", metavar="ADDRESS", help="of a running cluster, or auto (one on this machine)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="actors, one CPU each (2)")
    parser.add_argument("--shards", type=int, metavar="N", help="shares (8 for each worker)")
    parser.add_argument("--format", choices=("text", "tsv", "jsonl"), default="jsonl", help="of the output (jsonl)")
    parser.add_argument("--nbest", type=positive, default=1, metavar="K", help="K likeliest texts, in jsonl (1)")
    args = parser.parse_args()
    try:
        if args.workers < 1 or (args.shards is not None and args.shards < 1):
            raise ConfigError("--workers and --shards are 1 or more")
        if args.nbest > 1 and args.format != "jsonl":
            raise ConfigError(f"--nbest goes with --format jsonl; {args.format} has one text per line")
        model, paths = model_and_pictures(args.paths)
        if not paths:
            raise ConfigError("no pictures named; give files, folders or sets")
        paths = [path if path == "-" else os.path.abspath(path) for path in paths]
        folder = os.path.abspath(args.out)
        model = os.path.abspath(model) if model and os.path.exists(model) else model
        job = make_job(paths, chosen_file(model), options_of(args.format, args.nbest, "float32", {}))
        read_on_ray(model, paths, job, folder, args.shards or 8 * args.workers, args.workers, args.ray)
        return merge(Path(folder), os.path.join(folder, f"merged.{args.format}"))
    except CrnnError as error:
        print(f"crnn: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
