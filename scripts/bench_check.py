"""What `crnn check` costs, against decoding the same pictures and nothing else.

    python scripts/bench_check.py my_lines/train --lines 2000

Both take turns, several times, in one thread; the ratio is that of the medians of CPU time. `crnn check` reads labels
twice, decodes every picture once and looks for all kinds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from crnn.core.transform import LineTransform
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.views import Selection
from crnn.inspect.results import Settings
from crnn.inspect.run import inspect


def decode(source: LineSource) -> None:
    """Every picture, grey and upright."""
    for position in range(len(source)):
        source.picture(position)


def check(source: LineSource) -> None:
    """Every kind."""
    inspect([source], [], Settings(LineTransform(32), threads=1))


def timed(run: Callable[[LineSource], None], source: LineSource) -> float:
    """CPU seconds."""
    started = time.process_time()
    run(source)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="labelled lines")
    parser.add_argument("--lines", type=int, default=2000, help="use that many (2000)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (7)")
    args = parser.parse_args()
    whole = open_source(args.data)
    source = Selection(whole, range(min(args.lines, len(whole))))
    seconds: dict[str, list[float]] = {"decoding alone": [], "crnn check": []}
    for run in (decode, check):
        timed(run, source)  # opens files, fills caches
    for _ in range(args.rounds):
        for name, run in (("decoding alone", decode), ("crnn check", check)):
            seconds[name].append(timed(run, source))
    print(f"{len(source):,} lines of {args.data}")
    for name, values in seconds.items():
        median, most = statistics.median(values), max(values)
        print(f"{name}: {median / len(source) * 1e6:.0f} CPU-us a line ({min(values):.2f} .. {most:.2f} s in all)")
    print(f"ratio: {statistics.median(seconds['crnn check']) / statistics.median(seconds['decoding alone']):.2f}")


if __name__ == "__main__":
    main()
