"""The README's table of results: our models and Tesseract on the same test lines.

    python scripts/results.py --data FOLDER receipts=MODEL captcha=MODEL words=MODEL [--no-tesseract]
    python scripts/results.py --data FOLDER receipts=bundled print=bundled [--split val]

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

import crnn
from crnn.data.sources import LineSource, open_source
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
    args = parser.parse_args()
    tesseract = shutil.which("tesseract") is not None and not args.no_tesseract
    heads = ("test set", "reader", "lines", "CER", "WER", "exact", "CER *", "exact *", "exact **", "lines/s")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for word in args.models:
        name, _, model = word.partition("=")
        if name not in SETS or not model:
            parser.error(f"{word!r}: write NAME=MODEL, NAME one of {', '.join(SETS)}")
        source = open_source(Path(args.data) / SETS[name] / args.split)
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
