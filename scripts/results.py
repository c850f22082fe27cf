"""The README's table of results: our models and Tesseract on the same test lines.

    python scripts/results.py --data FOLDER receipts=MODEL captcha=MODEL words=MODEL [--no-tesseract]
    python scripts/results.py --data FOLDER receipts=bundled print=bundled [--split val] [--share 0.6]

FOLDER holds the sets, see `SETS`; MODEL is a model file or run folder, such as ``experiment=NAME`` left, or
``bundled``. Tesseract is the installed ``tesseract`` with its stock English model, each picture as one line (``--psm
7``), one thread. Every figure is over all lines of the test split, so run it once; speed is lines per second of
processor time, decoding of pictures included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import crnn
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.base import Content, LineEntry
from crnn.errors import CrnnError
from crnn.models import NAMES
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation

SETS = {
    "receipts": "sroie",
    "captcha": "captcha_wp",
    "words": "iiit5k",
    "print": "print_european",
    "uw3": "uw3_tiny",
    "fraktur": "fraktur19",
    "plates": "plates_cn",
    "handwriting": "handwriting_en",
}
"""Name on the command line -> folder."""


class WiderCrops:
    """The lines of a source as a looser crop shows them: paper around the picture, of its median colour.

    Args:
        source: the lines.
        share: of the new picture's height that the old one has, 0..1; to its left and right there is half as much
            paper as there is above and below.
    """

    def __init__(self, source: LineSource, share: float) -> None:
        self.name, self.endless = source.name, source.endless
        self._source, self._share = source, share

    def __len__(self) -> int:
        return len(self._source)

    def entry(self, position: int) -> LineEntry:
        return self._source.entry(position)

    def size(self, position: int) -> tuple[int, int]:
        return self.picture(position).size

    def content(self, position: int) -> Content:
        return self.picture(position)

    def picture(self, position: int) -> Image.Image:
        line = self._source.picture(position).convert("RGB")
        more = round(line.height / self._share) - line.height
        paper = tuple(int(grey) for grey in np.median(np.asarray(line).reshape(-1, 3), axis=0))
        wider = Image.new("RGB", (line.width + more // 2, line.height + more), paper)
        wider.paste(line, (more // 4, more // 2))
        return wider


def read_with_tesseract(source: LineSource) -> Evaluation:
    """Tesseract's readings of all lines of a source."""
    result = Evaluation(source.name)
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for position in range(len(source)):
            names.append(str(Path(folder, f"{position:06d}.png")))
            source.picture(position).save(names[-1])
        listing = Path(folder, "list.txt")
        listing.write_text("\n".join(names) + "\n")
        before = os.times()
        done = subprocess.run(
            ["tesseract", str(listing), "stdout", "--psm", "7", "-l", "eng"],
            capture_output=True,
            check=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        after = os.times()
        result.cpu_seconds = after.children_user + after.children_system - before.children_user - before.children_system
    readings = done.stdout.decode("utf-8").removesuffix("\f").split("\f")  # one stands behind each reading
    if len(readings) != len(source):
        raise CrnnError(f"tesseract gave {len(readings)} readings for {len(source)} pictures")
    for position, reading in enumerate(readings):
        result.add(" ".join(reading.split()), source.entry(position).text)
    return result


def row(name: str, reader: str, result: Evaluation) -> str:
    raw, folded, bare = result.counts, result.ignoring_case, result.letters_and_digits
    speed = raw.lines / max(result.cpu_seconds, 1e-9)
    return (
        f"| {name} | {reader} | {raw.lines:,} | {raw.cer:.2%} | {raw.wer:.2%} | {raw.exact_rate:.2%} "
        f"| {folded.cer:.2%} | {folded.exact_rate:.2%} | {bare.exact_rate:.2%} | {speed:,.0f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="NAME=MODEL", help=f"NAME is one of {', '.join(SETS)}")
    parser.add_argument("--data", default=os.environ.get("CRNN_DATA", "data"), help="folder of the sets ($CRNN_DATA)")
    parser.add_argument(
        "--split", choices=("test", "val", "train"), default="test", help="val while you still choose (test)"
    )
    parser.add_argument("--no-tesseract", action="store_true", help="our models alone")
    parser.add_argument(
        "--share", type=float, default=1.0, help="paper around each picture, which is this share of the new height (1)"
    )
    args = parser.parse_args()
    if not 0.05 <= args.share <= 1:
        parser.error(f"--share {args.share:g}: allowed is 0.05..1")
    tesseract = shutil.which("tesseract") is not None and not args.no_tesseract
    heads = ("test set", "reader", "lines", "CER", "WER", "exact", "CER *", "exact *", "exact **", "lines/s")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for word in args.models:
        name, _, model = word.partition("=")
        if name not in SETS or not model:
            parser.error(f"{word!r}: write NAME=MODEL, NAME one of {', '.join(SETS)}")
        source: LineSource = open_source(Path(args.data) / SETS[name] / args.split)
        if args.share < 1:
            source = WiderCrops(source, args.share)
        reader = crnn.load(model, threads=1)
        result = evaluate(reader, source)
        own = f"bundled ({reader.card.network['name']})" if model in NAMES else str(reader.card.network["name"])
        print(row(name, own, result), flush=True)
        if result.left_out:
            print(f"{name}: {len(result.left_out)} lines left out: {result.left_out[0]}", file=sys.stderr)
        if tesseract:
            print(row(name, "Tesseract", read_with_tesseract(source)), flush=True)
    print("\n\\* ignoring case; \\*\\* letters and digits only, ignoring case")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CrnnError as error:
        sys.exit(f"error: {error}")
