"""The same lines in every format that is read or written: are they the same to a training?

    python scripts/same_lines.py --lines 1000

renders lines, keeps them in every way that the tests have a maker for, converts them with ``crnn convert`` to every
format that it writes, opens each, and prints a row per format: lines, fingerprint, characters, a hash of the first
training batch (tensors and labels), seconds. Exits with 1 if a row differs from the lines in memory. Needs the tests
of this repository and ``pip install -e ".[test]"``; 1,000 lines take some minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import crnn.torchvision_cure  # noqa: F401  # before lightning

from PIL import Image

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.convert import convert
from crnn.data.convert.registry import WRITERS
from crnn.data.module import LineDataModule, prepare
from crnn.data.sources import LineEntry, LineSource, open_source
from crnn.data.sources.columns import labels
from crnn.data.synth.source import synthetic_pair

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "data" / "sources"))

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,-!?'()&"
"""What is drawn; no / among them, because one format keeps labels in file names."""
UNDRAWN = [" zwei  drei ", 'Komma, "Zitat"', "नि", "مرحبا 1", "👍🏽;ok"]
"""Labels of every fifth line, whatever is drawn there."""
TARGETS = {**{name: name for name in WRITERS}, "parquet, one file": "one.parquet", "tar, one file": "one.tar"}
"""Row -> format, or name of the one file."""


class InMemory:
    """Lines as they were made."""

    name = "in memory"
    endless = False

    def __init__(self, lines: int) -> None:
        rendered, _ = synthetic_pair(lines, 1, seed=7, characters=CHARACTERS, fonts="bundled", max_length=24, wear=0.3)
        self.pictures = [rendered.picture(i) for i in range(lines)]
        self.texts = [rendered.entry(i).text for i in range(lines)]
        for i in range(0, lines, 5):
            self.texts[i] = UNDRAWN[i // 5 % len(UNDRAWN)]

    def __len__(self) -> int:
        return len(self.texts)

    def entry(self, position: int) -> LineEntry:
        return LineEntry(self.texts[position], f"line {position}", f"{position}.png")

    def size(self, position: int) -> tuple[int, int]:
        return self.pictures[position].size

    def picture(self, position: int) -> Image.Image:
        return self.pictures[position]

    content = picture


class Facts(NamedTuple):
    """What a training would see of lines."""

    lines: int
    fingerprint: str
    characters: tuple[str, ...]
    batch: str
    """SHA-256 of the first training batch."""


def facts(source: LineSource) -> Facts:
    """Look at lines as a training does."""
    transform = LineTransform()
    charset = Charset.from_texts(list(labels(source)))
    lines = prepare(source, transform, None, decode=True, progress=iter)
    module = LineDataModule(lines, lines, charset, transform, None, 32, 2_000_000, workers=0, seed=5)
    batch = next(iter(module.train_dataloader()))
    digest = hashlib.sha256()
    for tensor in (batch.images, batch.widths, batch.targets, batch.target_lengths):
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
    digest.update("\0".join(batch.texts).encode())
    return Facts(len(source), lines.reports[0].fingerprint, charset.symbols, digest.hexdigest())


def places(lines: InMemory, folder: Path) -> Iterator[tuple[str, LineSource]]:
    """(name, lines) in every format: as the makers of the tests write it, then as `convert` makes it of one of them."""
    import makers

    makers.TEXTS = lines.texts
    makers.picture = lines.picture
    made = []
    for number, (name, make) in enumerate(makers.MAKERS.items()):
        made.append(open_source(make(folder / f"made{number}"), makers.OPTIONS.get(name)))
        yield f"read: {name}", made[-1]
    random.Random(1).shuffle(made)
    for number, (name, target) in enumerate(TARGETS.items()):
        source = made[number % len(made)]
        path = folder / f"written{number}" / target
        convert(lambda _, source=source: source, path, None if "." in target else target, shard_bytes=2**20)  # type: ignore[misc]
        yield f"written: {name}", open_source(path)


def compare(lines: int, folder: Path) -> bool:
    """Print a row per format; whether all are the same."""
    given = InMemory(lines)
    wanted = facts(given)
    differing = []
    print(f"{'format':32} {'lines':>7}  {'fingerprint':12}  {'chars':>5}  {'first batch':12}  seconds")

    def row(name: str, found: Facts, seconds: float) -> None:
        same = "" if found == wanted else "  DIFFERS"
        print(
            f"{name:32} {found.lines:7,}  {found.fingerprint[:12]}  {len(found.characters):5}  {found.batch[:12]}  "
            f"{seconds:7.1f}{same}",
            flush=True,
        )

    row("in memory", wanted, 0.0)
    start = time.perf_counter()
    for name, source in places(given, folder):
        found = facts(source)
        row(name, found, time.perf_counter() - start)
        if found != wanted:
            differing.append(name)
        start = time.perf_counter()
    print(f"{len(differing)} formats differ" + (f": {', '.join(differing)}" if differing else ""))
    return not differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--lines", type=int, default=1000, metavar="N", help="to render (1000)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if compare(args.lines, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
