"""The programs that read with a model file and nothing of ours: the same texts as ours, on the same pictures."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import crnn
from crnn.models import bundled

SCRIPTS = Path(__file__).parents[2] / "scripts"
PYTHON = SCRIPTS / "read_with_onnxruntime.py"
JAVASCRIPT = SCRIPTS / "read_with_onnxruntime.mjs"
PACKAGES = os.environ.get("CRNN_NODE_PACKAGES", "")
"""A folder in which ``npm install onnxruntime-web pngjs`` was called."""


@pytest.fixture
def pictures(line_folder: Path, tmp_path: Path) -> list[Path]:
    """Rendered lines: as they are, larger, smaller, in colour, with opacity, with a palette, and slivers."""
    line = sorted((line_folder / "val" / "images").iterdir())
    plain = Image.open(line[0]).convert("L")
    ink = np.asarray(plain)
    made = {
        "large": plain.resize((plain.width * 3 - 1, plain.height * 3 + 1)),
        "small": plain.resize((plain.width // 2 + 1, plain.height // 2)),
        "squeezed": plain.resize((plain.width, plain.height * 2)),
        "colour": Image.fromarray(np.stack([ink, ink // 2, 255 - ink // 3], axis=2)),
        "clear": Image.fromarray(np.dstack([ink // 4, ink // 3, ink // 2, 255 - ink])),
        "greyclear": Image.fromarray(np.dstack([ink // 2, 255 - ink]), "LA"),
        "palette": plain.convert("RGB").quantize(16),
        "bits": plain.convert("1"),
        "dot": Image.new("L", (1, 1), 0),
        "sliver": Image.new("L", (300, 2), 128),
    }
    for name, picture in made.items():
        picture.save(tmp_path / f"{name}.png")
    return [*line, *(tmp_path / f"{name}.png" for name in made)]


def texts(command: Sequence[object], folder: Path, **variables: str) -> list[str]:
    outside = ("PYTHONPATH", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in outside} | variables
    done = subprocess.run(list(map(str, command)), capture_output=True, cwd=folder, env=environment, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def test_python(trained: Path, pictures: list[Path], tmp_path: Path) -> None:
    expected = [reading.text for reading in crnn.load(trained / "model.onnx").recognize(pictures)]
    assert len(set(expected)) > 6
    turned = tmp_path / "turned.jpg"  # stored upside down
    tag = Image.Exif()
    tag[0x0112] = 3
    Image.open(pictures[0]).convert("L").rotate(180).save(turned, exif=tag, quality=95)
    assert crnn.load(trained / "model.onnx").recognize([turned])[0].text == expected[0] != ""
    words = [sys.executable, "-I", PYTHON, trained / "model.onnx", *pictures, turned]
    home = tmp_path / "home"
    home.mkdir()
    assert texts(words, tmp_path, HOME=str(home)) == [*expected, expected[0]]
    assert list(home.iterdir()) == []  # where onnxruntime keeps what it sends to its makers
    for few in (words[:3], words[:4]):
        done = subprocess.run(few, capture_output=True, timeout=300)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr == b"usage: python read_with_onnxruntime.py MODEL PICTURE...\n"


def test_javascript(trained: Path, pictures: list[Path]) -> None:
    if not shutil.which("node"):
        pytest.skip("needs node")
    if not (Path(PACKAGES) / "node_modules" / "onnxruntime-web").is_dir() or not PACKAGES:
        pytest.skip("CRNN_NODE_PACKAGES names no folder in which 'npm install onnxruntime-web pngjs' was called")
    expected = [reading.text for reading in crnn.load(trained / "model.onnx").recognize(pictures)]
    assert texts(["node", JAVASCRIPT, trained / "model.onnx", *pictures], Path(PACKAGES)) == expected


def test_they_are_short_and_use_nothing_of_ours() -> None:
    source = PYTHON.read_text(encoding="utf-8")
    modules = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert modules == {"json", "os", "sys", "numpy", "onnxruntime", "PIL"}
    assert len([line for line in source.split('"""', 2)[2].splitlines() if line.strip()]) <= 30
    needed = re.findall(r"""(?:\brequire\(|\bfrom )"([^"]+)\"""", JAVASCRIPT.read_text(encoding="utf-8"))
    assert set(needed) == {"node:fs", "node:module", "onnxruntime-web", "pngjs"}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_javascript_says_that_a_model_is_cut_off(tmp_path: Path) -> None:
    """Before any package is used; these are empty."""
    for name in ("onnxruntime-web", "pngjs"):
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "index.js").write_text("module.exports = {};")
    whole = bundled().read_bytes()
    for content in (whole[:-5], whole[:1], whole + b"\x72\x80"):
        (tmp_path / "cut.onnx").write_bytes(content)
        done = subprocess.run(["node", JAVASCRIPT, "cut.onnx", "x.png"], capture_output=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 1
        assert b"the model file is cut off" in done.stderr
    for words in ([], ["cut.onnx"]):
        done = subprocess.run(["node", JAVASCRIPT, *words], capture_output=True, cwd=tmp_path, timeout=60)
        assert (done.returncode, done.stderr) == (1, b"usage: node read_with_onnxruntime.mjs MODEL PICTURE...\n")
