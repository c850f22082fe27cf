"""Would the tests notice? Change the code in one place at a time, and count how many changes a test fails on.

    pip install -e ".[test]" pytest-cov
    python scripts/mutate.py map                                         # once: which tests run which lines
    python scripts/mutate.py map tests/core tests/data                   # or of these folders or files only: adds them
    python scripts/mutate.py run crnn/core crnn/data crnn/model --sample 60 --out mutants.jsonl
    python scripts/mutate.py table mutants.jsonl                         # again the table, and what survived

A mutant is one change: a comparison turned or its bound moved, `and` for `or`, a number one higher (so also an axis, a
span, a shape), an operator for its opposite, a mask or a guard dropped, a call left out, an error not raised, None
returned, a slice without its end. `run` draws `--sample` of them from each folder, runs the tests that run the changed
line (the fast ones first, `--seconds` of them), and writes a row for each; called again it goes on. Of a file that the
map lacks it runs the tests that import it. A mutant is caught if a test fails or does not end. Some changes alter
nothing that can be seen, so 100 % is out of reach.

The heavy libraries are loaded once: each mutant is a fork of this process, in which the changed module is put in place
of the file's. Tests that start another Python see the file as it is, so what only these would notice counts as
survived.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mutation.changes import draw
from mutation.forks import load_heavy, verdict
from mutation.lines import HOME, Tests, make_map


def run(folders: Sequence[str], sample: int, seed: int, budget: float, out: Path) -> int:
    rows = read_rows(out)
    done = {row["mark"] for row in rows}
    tests = Tests()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.chdir(HOME)
    sys.path.insert(0, str(HOME))
    kept = load_heavy()
    for folder in folders:
        for file, line, what, tree in draw(HOME / folder, sample, seed):
            text = ast.unparse(tree)
            mark = hashlib.sha256(f"{file.relative_to(HOME)} {text}".encode()).hexdigest()[:16]
            if mark in done:
                continue
            chosen = tests.of(file, line, budget)
            result = verdict(file, tree, chosen, sum(map(tests.length, chosen)))
            row = {"folder": folder, "file": str(file.relative_to(HOME)), "line": line, "change": what}
            rows.append(row | {"result": result, "tests": len(chosen), "mark": mark})
            with out.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(rows[-1]) + "\n")
            print(f"{row['file']}:{line}: {what}: {result}", flush=True)
    kept.clear()
    print(table(rows))
    return 0


def read_rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.is_file() else []


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: how many of each folder's mutants were caught, and what survived."""
    text = ["| folder | mutants | a test fails | does not end | survived | caught |", "|---|---|---|---|---|---|"]
    for folder in dict.fromkeys(row["folder"] for row in rows):
        counts = Counter(row["result"] for row in rows if row["folder"] == folder)
        caught, endless, total = counts["caught"], counts["timed out"], sum(counts.values())
        left = total - caught - endless
        text.append(f"| {folder} | {total} | {caught} | {endless} | {left} | {(caught + endless) / total:.1%} |")
    odd = [row for row in rows if row["result"] != "caught"]
    text += ["", *(f"{row['file']}:{row['line']}: {row['change']}: {row['result']}" for row in odd)]
    return "\n".join(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    mapper = commands.add_parser("map")
    mapper.add_argument("tests", nargs="*", default=[], help="test folders or files (all)")
    mapper.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that share the tests (all cores)")
    runner = commands.add_parser("run")
    runner.add_argument("folders", nargs="+", help="crnn/core crnn/data ...")
    runner.add_argument("--sample", type=int, default=60, help="mutants of each folder")
    runner.add_argument("--seed", type=int, default=1)
    runner.add_argument("--seconds", type=float, default=20.0, help="of tests for a mutant, as `map` measured them")
    runner.add_argument("--out", type=Path, required=True)
    printer = commands.add_parser("table")
    printer.add_argument("out", type=Path)
    args = parser.parse_args()
    if args.command == "map":
        return make_map(args.tests, args.processes)
    if args.command == "run":
        return run(args.folders, args.sample, args.seed, args.seconds, args.out)
    print(table(read_rows(args.out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
