"""A set of lines with paper around each of them, as a loose crop shows it: what training makes of such lines.

python scripts/loosen.py plates_cn loose_plates --share 0.45
python scripts/train.py experiment=plates data.root=loose_plates
python scripts/train.py experiment=plates data.root=loose_plates data.trim=false
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from results import WiderCrops

from crnn.data.convert.run import convert
from crnn.data.progress import watch_on_terminal
from crnn.data.sources import open_source
from crnn.data.sources.sides import find_side
from crnn.errors import CrnnError


def loosen(path: Path, share: float, index: Path) -> WiderCrops:
    """The lines of a set; each picture is `share` (0..1) of the new one's height."""
    return WiderCrops(open_source(path, cache=index), share)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="folder with train/ and val/")
    parser.add_argument("out", type=Path, help="folder that is not there yet")
    parser.add_argument("--share", type=float, default=0.45, help="of the new picture's height that the old has (0.45)")
    args = parser.parse_args()
    if not 0.05 <= args.share <= 1:
        parser.error(f"--share {args.share:g}: allowed is 0.05..1")
    try:
        for side in ("train", "val"):
            path = find_side(args.set, side) or parser.error(f"{args.set}: there is no {side}/ in it")
            args.out.mkdir(parents=True, exist_ok=True)
            done = convert(partial(loosen, path, args.share), args.out / side, "tsv", watch=watch_on_terminal)
            print(f"{args.out / side}: {done.lines:,} lines")
    except CrnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
