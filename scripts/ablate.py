"""What each part of a recipe is worth: the same training with one part at a time, and with all of them.

    python scripts/ablate.py --data NAME=FOLDER --lines 1000 --epochs 30 --out ablation.jsonl [SETTING=VALUE ...]
    python scripts/ablate.py --out ablation.jsonl                     # only print the table of what is there

FOLDER holds train/ and val/ (or lines of its own, of which a share is held out); `--data` may come several times. The
settings are those of the base training, which is ``crnn train`` with its defaults, from nothing unless one of them is
``init=bundled``, and without the parts below. Every training is ``scripts/train.py`` with the same lines, epochs and
seed, so another part is all that differs. Rows go to `--out` as they come; called again, what is there is not trained
again, and a training that was stopped goes on. The table shows the lowest val CER of each training; seeds are averaged,
and one seed's noise is easily as large as a part.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from crnn.errors import CrnnError
from crnn.files import write_text

PARTS: dict[str, list[str]] = {
    "smoothing": ["loss.smoothing=0.01"],
    "averaged weights": ["ema.enabled=true"],
    "column max": ["model.backbone.column_pool=max"],
    "height 48": ["image.height=48"],
    "slant": ["augment.slant=0.3"],
    "elastic": ["augment.elastic=0.5"],
    "perspective": ["augment.perspective=0.3"],
    "loose": ["augment.loose=0.15"],
    "downscale": ["augment.downscale=0.2"],
    "jpeg": ["augment.jpeg=0.2"],
    "cutout": ["augment.cutout=0.3"],
    "concat": ["augment.concat=0.3"],
    "real lines last": ["augment.until=0.9"],
}
"""Name -> settings. The row ``all`` has those of all parts that are asked for."""
WITHOUT: dict[str, list[str]] = {
    "no augmentation": [f"augment.{name}=0" for name in ("affine", "contrast", "blur", "stroke", "noise")],
    "no warm-up": ["optimizer.warmup=0"],
    "no shortcut": ["loss.shortcut=0"],
}
"""What the base has, taken away; no part of ``all``."""
BASE, ALL = "base", "all"
SCRIPT = Path(__file__).with_name("train.py")


def variants(names: Sequence[str]) -> dict[str, list[str]]:
    """Name -> settings of the rows to train: the base, those asked for, and all parts together."""
    known = PARTS | WITHOUT
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"error: --parts: {unknown[0]!r} is unknown; allowed are {', '.join(map(repr, known))}")
    chosen = list(names) or list(known)
    parts = [name for name in chosen if name in PARTS]
    together = {ALL: [setting for name in parts for setting in PARTS[name]]} if len(parts) > 1 else {}
    return {BASE: []} | {name: known[name] for name in chosen} | together


def data_settings(folder: str, lines: int | None, kept: Path) -> list[str]:
    """Settings that name the lines; the first call writes a random choice of `lines` training lines to `kept`."""
    if lines is None:
        return [f"data.root={folder}"]
    from crnn.data.convert.run import convert
    from crnn.data.sources import open_source
    from crnn.data.sources.views import Selection
    from crnn.training.assemble import find_splits

    train, val = find_splits(folder)
    if not kept.exists():
        source = open_source(train)
        order = np.random.default_rng(1).permutation(len(source))
        chosen = Selection(source, np.sort(order[:lines]))
        kept.parent.mkdir(parents=True, exist_ok=True)
        convert(lambda _: chosen, kept, "tsv", {"source": train, "lines": str(lines)})
    return [f"data.train={kept}", *([f"data.val={val}"] if val else [])]


def train(run: Path, settings: Sequence[str]) -> dict[str, Any]:
    """result.json of a training in `run`, which goes on where it was stopped.

    Raises:
        SystemExit: if the training fails; what it says comes before.
    """
    result = run / "result.json"
    words = ["name=" + run.name, f"runs_dir={run.parent}", *settings]
    if (run / "checkpoints" / "last.ckpt").is_file():
        words = [f"resume={run}"]
    elif run.exists():  # stopped before its first checkpoint
        shutil.rmtree(run)
    if not result.is_file():
        done = subprocess.run([sys.executable, str(SCRIPT), *words], check=False)
        if done.returncode:
            sys.exit(
                f"error: {run.name}: the training ended with {done.returncode}; the same command goes on from here"
            )
    return json.loads(result.read_text(encoding="utf-8"))


def read_rows(out: Path) -> list[dict[str, Any]]:
    """All rows that are whole."""
    text = out.read_text(encoding="utf-8") if out.is_file() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: one table for each set, base, lines and epochs; means over seeds."""
    groups: dict[tuple[Any, ...], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        key = row["data"], row["lines"], row["epochs"], " ".join(row["base"])
        groups.setdefault(key, {}).setdefault(row["variant"], []).append(row)
    text = []
    for (data, lines, epochs, base), found in groups.items():
        seeds = ", ".join(map(str, sorted({row["seed"] for some in found.values() for row in some})))
        text += [
            f"{data}: {lines or 'all'} lines, {epochs} epochs, seed {seeds}; base: {base or 'as is'}",
            "",
            "| part | settings | val CER | against base | exact | minutes |",
            "|---|---|---|---|---|---|",
        ]
        before = {row["seed"]: row["cer"] for row in found.get(BASE, [])}
        for name, some in found.items():
            paired = [row["cer"] - before[row["seed"]] for row in some if row["seed"] in before]
            against = f"{mean(paired) * 100:+.2f}" if paired and name != BASE else ""
            cer, exact, minutes = (mean(row[key] for row in some) for key in ("cer", "exact", "minutes"))
            settings = f"`{' '.join(some[0]['settings'])}`" if some[0]["settings"] and name != ALL else ""
            text.append(f"| {name} | {settings} | {cer:.2%} | {against} | {exact:.2%} | {minutes:.1f} |")
        text.append("")
    return "\n".join(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*", metavar="SETTING=VALUE", help="of the base training")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--lines", type=int, help="training lines, chosen at random once; default: all")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--parts", nargs="+", default=[], metavar="NAME", help="default: all of them")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".jsonl; runs lie beside it")
    args = parser.parse_intermixed_args()
    args.settings += [word for word in args.parts if "=" in word]  # --parts takes all that follow it
    args.parts = [word for word in args.parts if "=" not in word]
    if not any(word.startswith("init=") for word in args.settings):
        args.settings.append("init=null")  # else parts that change the network would lose more than the part
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows, folder = read_rows(args.out), args.out.with_suffix("")
    write_text(args.out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    for place in args.data:
        name, equals, root = place.partition("=")
        if not (name and equals and root):
            sys.exit(f"error: --data {place}: give NAME=FOLDER")
        lines = data_settings(root, args.lines, folder / "lines" / f"{name}-{args.lines}")
        for seed in args.seeds:
            for variant, changes in variants(args.parts).items():
                told = {"data": name, "lines": args.lines, "epochs": args.epochs, "base": args.settings}
                told |= {"seed": seed, "variant": variant, "settings": changes}
                if any(row.items() >= told.items() for row in rows):
                    continue
                mark = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[
                    :8
                ]  # other words, other run
                run = folder / "runs" / f"{name}-{variant.replace(' ', '-')}-{seed}-{mark}"
                common = [f"trainer.max_epochs={args.epochs}", f"seed={seed}", "export.format=none"]
                result = train(run, [*args.settings, *lines, *common, *changes])
                figures = {"cer": result["val/cer"], "wer": result["val/wer"], "exact": result["val/exact"]}
                rows.append(told | figures | {"minutes": result["seconds"] / 60, "best_epoch": result["best_epoch"]})
                with args.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1], ensure_ascii=False) + "\n")
    print(table(rows))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CrnnError as error:
        sys.exit(f"error: {error}")
