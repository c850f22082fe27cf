"""Starting from a model against starting from nothing, by number of lines.

    python scripts/finetune_curve.py --data SET... --lines 100 500 --out rows.jsonl [setting=value ...]

SET is a folder with train/ and val/ (and test/). For each set and number, the first N training lines in an order that
`--seed` shuffles are read twice by scripts/train.py with the same settings: with ``init=bundled`` (`--init`), and from
scratch with `--model`. CER is that of all lines of val/; with `--test` of test/, to be run once, when all is chosen.
Rows that are in `--out` already are not trained again. Prints a Markdown table; `--plot` draws it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import crnn
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.sides import find_side
from crnn.errors import CrnnError, DataError
from crnn.report.evaluate import evaluate

TRAIN = Path(__file__).with_name("train.py")
SCRATCH = "scratch"
OWN = ("init", "model", "data.root", "data.train", "data.val", "runs_dir", "name", "resume", "seed")
"""Settings that tell its trainings apart."""
SETTING = re.compile(r"[+~]*[A-Za-z_][\w.@/-]*=")
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#000000")
"""Okabe and Ito: told apart by the colour-blind, too."""


def side(data: str, name: str) -> Path:
    """A side of a set.

    Raises:
        DataError: if it is not there.
    """
    found = find_side(Path(data), name)
    if found is None:
        raise DataError(f"{data}: has no {name}/; name a folder with train/, val/ and, for --test, test/")
    return found


def write_subset(source: LineSource, lines: int, seed: int, folder: Path) -> None:
    """labels.tsv and pictures (PNG) of the first `lines` usable lines in a shuffled order.

    Raises:
        DataError: if there are not so many.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows: list[str] = []
    for position in np.random.default_rng(seed).permutation(len(source)).tolist():
        entry = source.entry(position)
        if len(rows) == lines:
            break
        if entry.problem or not entry.text or set(entry.text) & set("\t\n\r"):
            continue
        try:
            source.picture(position).save(folder / "images" / f"{position:06d}.png")
        except DataError:
            continue
        rows.append(f"images/{position:06d}.png\t{entry.text}\n")
    if len(rows) < lines:
        raise DataError(f"{source.name}: has {len(rows)} usable lines; ask for at most so many with --lines")
    (folder / "labels.tsv").write_text("".join(rows), encoding="utf-8")


def train_and_read(args: argparse.Namespace, data: str, lines: int, start: str) -> dict[str, Any]:
    """One training in a process of its own; its row."""
    work = Path(args.work)
    subset = work / f"{Path(data).resolve().name}-{lines}-{args.seed}"
    if not (subset / "labels.tsv").is_file():
        write_subset(open_source(side(data, "train")), lines, args.seed, subset)
    mark = hashlib.sha256(json.dumps(args.settings).encode()).hexdigest()[:8]  # other settings, other run
    name = f"{subset.name}-{Path(start).stem or start}-{mark}"
    begin = [f"model={args.model}", "init=null"] if start == SCRATCH else [f"init={start}"]
    where = (f"data.train={subset}", f"data.val={side(data, 'val')}", f"runs_dir={work}/runs", f"name={name}")
    run = work / "runs" / name
    if not (run / "result.json").is_file():
        resume = [f"resume={run}"] if (run / "checkpoints" / "last.ckpt").is_file() else [*begin, *where]
        words = [sys.executable, str(TRAIN), *resume, f"seed={args.seed}", *args.settings]
        if subprocess.run(words).returncode:
            raise CrnnError(f"{name}: the training failed; its messages are above")
    figures = json.loads((run / "result.json").read_text(encoding="utf-8"))
    judged = "test" if args.test else "val"
    result = evaluate(crnn.load(run, threads=1), open_source(side(data, judged)))
    return {
        **key(args, data, lines, start),
        "cer": result.counts.cer,
        "exact": result.counts.exact_rate,
        "judged_lines": result.counts.lines,
        "epochs": figures["epochs"],
        "seconds": figures["seconds"],
    }


def key(args: argparse.Namespace, data: str, lines: int, start: str) -> dict[str, Any]:
    """What makes a row the same row."""
    fixed = {"seed": args.seed, "settings": args.settings, "side": "test" if args.test else "val"}
    return {"data": data, "lines": lines, "start": start, "model": args.model if start == SCRATCH else None, **fixed}


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def table(rows: list[dict[str, Any]], init: str) -> str:
    """Markdown: a line for each set and number."""
    cer = {(row["data"], row["lines"], row["start"]): row["cer"] for row in rows}
    text = [f"| lines of | lines | CER from scratch | CER with init={init} |", "|---|---|---|---|"]
    for data, lines in dict.fromkeys((row["data"], row["lines"]) for row in rows):
        cells = [cer.get((data, lines, start)) for start in (SCRATCH, init)]
        shown = " | ".join("" if cell is None else f"{cell:.2%}" for cell in cells)
        text.append(f"| {Path(data).name} | {lines:,} | {shown} |")
    return "\n".join(text)


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """CER against lines, a curve for each set and start."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    sets = list(dict.fromkeys(row["data"] for row in rows))
    for data, start in dict.fromkeys((row["data"], row["start"]) for row in rows):
        points = sorted((r["lines"], 100 * r["cer"]) for r in rows if (r["data"], r["start"]) == (data, start))
        style = "--" if start == SCRATCH else "-"
        colour = COLOURS[sets.index(data) % len(COLOURS)]
        axes.plot(*zip(*points, strict=True), style, color=colour, marker="o", label=f"{Path(data).name}, {start}")
    axes.set(xscale="log", xlabel="lines trained on", ylabel="CER on validation lines (%)", ylim=(0, None))
    axes.set_title("Errors by lines trained on")
    axes.legend()
    figure.savefig(path, bbox_inches="tight")


def apart(words: list[str]) -> tuple[list[str], list[str]]:
    """(settings, all else): ``--lines 100 500`` would take the settings behind it."""
    found: tuple[list[str], list[str]] = ([], [])
    for before, word in zip(["", *words], words, strict=False):
        is_value = before.startswith("--") and before not in ("--lines", "--test")
        found[bool(is_value or not SETTING.match(word))].append(word)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "settings", nargs="*", metavar="setting=value", help="for both trainings: trainer.max_epochs=40"
    )
    parser.add_argument("--data", nargs="+", required=True, metavar="SET")
    parser.add_argument("--lines", nargs="+", type=int, default=[100, 500], metavar="N")
    parser.add_argument(
        "--out", type=Path, default=Path("finetune.jsonl"), metavar="FILE", help="rows (finetune.jsonl)"
    )
    parser.add_argument("--work", default="runs/finetune", metavar="DIR", help="subsets and runs (runs/finetune)")
    parser.add_argument("--init", default="bundled", metavar="MODEL", help="what to start from (bundled)")
    parser.add_argument("--model", default="crnn_small", metavar="NAME", help="network from scratch (crnn_small)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--test", action="store_true", help="judge by test/ instead of val/; once")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    settings, rest = apart(sys.argv[1:])
    args = parser.parse_args([*settings, *rest])
    for setting in args.settings:
        if setting.partition("=")[0] in OWN:
            raise CrnnError(
                f"{setting}: this script sets {', '.join(OWN)} itself; leave it out (--work, --model, --seed)"
            )
    wanted = [key(args, d, n, s) for d in args.data for n in args.lines for s in (SCRATCH, args.init)]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    for one in wanted:
        if not any(one.items() <= row.items() for row in read_rows(args.out)):
            row = train_and_read(args, one["data"], one["lines"], one["start"])
            with args.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    rows = [row for one in wanted for row in read_rows(args.out) if one.items() <= row.items()]
    print(table(rows, args.init))
    if args.plot:
        plot(rows, args.plot)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CrnnError as error:
        sys.exit(f"error: {error}")
