"""``benchmark.py startup``: how long until something happens."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from crnn.errors import ConfigError

from .tables import Figures

FIRST_STEP = """
import time, os, sys
import crnn.torchvision_cure, lightning, crnn.training.run, crnn.training.main
from crnn.training.module import CrnnModule
ready = time.perf_counter()
def after(self, *_):
    print(f"first step after {time.perf_counter() - ready:.2f} s", flush=True)
    os._exit(0)
CrnnModule.on_train_batch_end = after
sys.argv = ["train.py", *sys.argv[1:]]
crnn.training.main.main()
"""


def seconds(command: list[str], rounds: int, folder: str | None = None) -> list[float]:
    """Wall-clock seconds of a process, after one run that warms the disk."""
    found = []
    for turn in range(rounds + 1):
        started = time.perf_counter()
        quiet = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}  # as crnn itself imports onnxruntime
        done = subprocess.run(command, capture_output=True, cwd=folder, env=quiet, check=False)
        if done.returncode:
            raise ConfigError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()[-300:]}")
        if turn:
            found.append(time.perf_counter() - started)
    return found


def processes(model: str | None, picture: str | None, rounds: int) -> Figures:
    """Whole processes, from start to end."""
    table = Figures("Whole processes, seconds", ["", "median", "least", "most"])
    commands = {"crnn --help": ["--help"]}
    with tempfile.TemporaryDirectory() as folder:
        if model:
            if not picture:
                picture = str(Path(folder, "line.png"))
                Image.new("L", (320, 32), 255).save(picture)
            commands["crnn recognize MODEL PICTURE"] = ["recognize", model, picture]
        rows = {"python -c pass": [sys.executable, "-c", "pass"]}
        rows["python -c 'import numpy, PIL.Image, onnxruntime'"] = [
            sys.executable,
            "-c",
            "import numpy, PIL.Image, onnxruntime",
        ]
        rows |= {name: [sys.executable, "-m", "crnn.cli", *words] for name, words in commands.items()}
        for name, command in rows.items():
            found = seconds(command, rounds)
            table.add(name, statistics.median(found), min(found), max(found))
        if model:
            assert picture is not None
            table.notes.append(
                _imports([sys.executable, "-X", "importtime", "-m", "crnn.cli", "recognize", model, picture])
            )
    return table


def _imports(command: list[str]) -> str:
    """What the imports of a process cost, and whether torch is among them."""
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    rows = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \| (\s*)(\S+)", printed)
    names = {name.split(".")[0] for *_, name in rows}
    top = sorted(((int(whole) / 1e3, name) for _, whole, _, name in rows), reverse=True)
    dear = ", ".join(f"{name} {cost:.0f} ms" for cost, name in top if "." not in name)
    dear = ", ".join(dear.split(", ")[:6])
    return f"python -X importtime of crnn recognize: torch {'IS' if 'torch' in names else 'is not'} imported; {dear}"


def first_step(rounds: int) -> Figures:
    """The default training: from the end of the imports to the end of its first step."""
    table = Figures(
        "python scripts/train.py, seconds from imports to the end of the first step", ["", "median", "least", "most"]
    )
    found = []
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", FIRST_STEP],
                capture_output=True,
                text=True,
                cwd=folder,
                env=environment,
                check=False,
            )
        match = re.search(r"first step after ([0-9.]+) s", done.stdout)
        if not match:
            raise ConfigError(f"the training did not come to its first step: {done.stderr[-300:]}")
        found.append(float(match[1]))
    table.add("rendered lines", statistics.median(found), min(found), max(found))
    return table
