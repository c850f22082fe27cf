"""How many wrong labels does the list of probable label errors find?

    python scripts/plant_label_errors.py my_lines/val --lines 500

gives 3 % of the lines the label of another line, reads all, and prints which share of them comes up in the first 5 % of
the list that `crnn evaluate --html` shows first as "probable label errors". Wrong labels that were there before take up
places of that list, too.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np
from PIL import Image

import crnn
from crnn.core.recognizer import Recognizer
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.base import Content, LineEntry
from crnn.errors import CrnnError, DataError
from crnn.report.doubts import look_again
from crnn.report.evaluate import evaluate

KINDS = ("similar", "random", "character")
NEAREST = 5
"""Lines of similar length that a label is taken from."""


class Relabelled:
    """A source in which some lines have other labels.

    Args:
        source: the lines.
        labels: position -> label.
        lines: only the first so many.
    """

    endless = False

    def __init__(self, source: LineSource, labels: dict[int, str], lines: int) -> None:
        self.name, self.source, self.labels, self.lines = source.name, source, labels, lines

    def __len__(self) -> int:
        return self.lines

    def entry(self, position: int) -> LineEntry:
        entry = self.source.entry(position)
        return entry._replace(text=self.labels.get(position, entry.text))

    def size(self, position: int) -> tuple[int, int]:
        return self.source.size(position)

    def content(self, position: int) -> Content:
        return self.source.content(position)

    def picture(self, position: int) -> Image.Image:
        return self.source.picture(position)


def plant(source: LineSource, lines: int, share: float, kind: str, seed: int) -> Relabelled:
    """Give `share` of the first `lines` lines a wrong label.

    Args:
        kind: ``similar``: that of one of the lines nearest in length; ``random``: of any; ``character``: one character
            of the label becomes another of the set's.

    Raises:
        DataError: if the lines are too few, or all alike.
    """
    texts = [source.entry(position).text for position in range(lines)]
    count = round(share * lines)
    if count < 1 or len(set(texts)) < 2:
        raise DataError(f"{source.name}: {lines} lines with {len(set(texts))} labels; too few to plant wrong ones")
    rng = np.random.default_rng(seed)
    alphabet = sorted(set("".join(texts)))
    labels = {}
    for chosen in rng.choice([i for i, text in enumerate(texts) if text], count, replace=False).tolist():
        text = texts[chosen]
        if kind == "character":
            place = int(rng.integers(len(text)))
            other = str(rng.choice([c for c in alphabet if c != text[place]]))
            labels[chosen] = text[:place] + other + text[place + 1 :]
            continue
        others = [i for i, other in enumerate(texts) if other and other != text]
        if kind == "similar":
            others = sorted(others, key=lambda i: abs(len(texts[i]) - len(text)))[:NEAREST]
        labels[chosen] = texts[int(rng.choice(others))]
    return Relabelled(source, labels, lines)


def found(recognizer: Recognizer, lines: Relabelled, listed: float) -> tuple[int, int]:
    """(planted errors among the first, length of that list): the first `listed` of all lines."""
    evaluation = evaluate(recognizer, lines)
    look_again(recognizer, evaluation)
    first = evaluation.doubted()[: math.ceil(listed * len(evaluation.lines))]
    return sum(line.position in lines.labels for line in first), len(first)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="labelled lines")
    parser.add_argument("--model", help="a model file or run folder (the bundled model)")
    parser.add_argument("--lines", type=int, metavar="N", help="only the first N")
    parser.add_argument("--share", type=float, default=0.03, help="of the lines that get a wrong label (0.03)")
    parser.add_argument("--listed", type=float, default=0.05, help="of the lines that are looked at (0.05)")
    parser.add_argument("--kind", choices=KINDS, default="similar", help="whose label: of a similar length (similar)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    source = open_source(args.data)
    lines = min(args.lines or len(source), len(source))
    planted = plant(source, lines, args.share, args.kind, args.seed)
    hits, listed = found(crnn.load(args.model, threads=1), planted, args.listed)
    share = hits / len(planted.labels)
    print(
        f"{source.name}: {lines} lines, {len(planted.labels)} wrong labels planted ({args.kind}, seed {args.seed}); "
        f"{hits} of them ({share:.0%}) among the first {listed} probable label errors"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CrnnError as error:
        sys.exit(f"error: {error}")
