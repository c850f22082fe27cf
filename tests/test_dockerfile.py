"""The image: what it installs follows from pyproject.toml, and is enough to read with. No engine is needed here."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests_support import script

from crnn.cli import make_parser

tomllib = pytest.importorskip("tomllib", reason="Python 3.11 reads TOML")
ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "scripts" / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PICTURE = ROOT / "tests" / "export" / "golden" / "0.png"
MODEL = ROOT / "tests" / "export" / "golden" / "format2.onnx"
IMPORTED_AS = {"hydra-core": "hydra"}


def test_requirements_follow_the_project() -> None:
    slim = script("slim_requirements")
    wanted = slim.slim_requirements(PROJECT)
    assert set(wanted) >= {one for one in PROJECT["dependencies"] if "numpy" in one or "onnxruntime" in one}
    assert not {slim.name_of(one) for one in wanted} & set(slim.ONLY_FOR_TRAINING)
    assert len(wanted) >= len(PROJECT["dependencies"]) - len(slim.ONLY_FOR_TRAINING) == 8
    more = {**PROJECT, "dependencies": [*PROJECT["dependencies"], "new>=1"], "optional-dependencies": {"serve": ["a"]}}
    assert slim.slim_requirements(more)[-2:] == ["new>=1", "a"]
    with pytest.raises(AssertionError, match=r"no dependencies any more: \['torch'\]"):
        slim.slim_requirements({"dependencies": [d for d in PROJECT["dependencies"] if d != "torch>=2.6"]})


def test_reading_needs_nothing_else() -> None:
    """The commands of a service, in a process in which what the image lacks cannot be imported."""
    slim = script("slim_requirements")
    absent = [IMPORTED_AS.get(name, name) for name in slim.ONLY_FOR_TRAINING]
    code = f"""
import sys
for name in {absent}:
    sys.modules[name] = None
from crnn.cli import main
assert main(["inspect", {str(MODEL)!r}]) == 0
assert main(["inspect", {str(MODEL.with_suffix(".safetensors"))!r}]) == 0
assert main(["recognize", {str(MODEL)!r}, {str(PICTURE)!r}, "--format", "jsonl"]) == 0
assert main(["inspect", {str(ROOT / "README.md")!r}]) == 2
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    assert '"text": ' in done.stdout


def test_what_is_copied_is_there_and_not_left_out() -> None:
    ignored = (ROOT / "scripts" / "Dockerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    kept = [line[1:] for line in ignored if line.startswith("!")]
    copied = [word for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()]
    assert len(copied) == 6
    for word in copied:
        assert (ROOT / word).exists(), word
        assert any(fnmatch.fnmatch(word, pattern) for pattern in kept), word
    assert sorted(copied) == sorted(kept)


def test_it_is_not_root_and_writes_nothing() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert last.index("USER ") > last.index("useradd")
    assert "PYTHONDONTWRITEBYTECODE=1" in last
    assert "torch" not in DOCKERFILE.split("FROM", 1)[1]
    ports = set(re.findall(r"\b(\d{4})\b(?!-slim)", last))
    assert ports == {"8000"}  # of EXPOSE, HEALTHCHECK and CMD


@pytest.mark.slow
def test_its_steps_in_a_fresh_environment(tmp_path: Path) -> None:
    """What the Dockerfile does, without an engine: installs without torch, reads, and starts the service if there is one.

    The packages' folder is read-only while it runs, and so is the working folder.
    """
    source, venv = tmp_path / "src", tmp_path / "venv"
    for word in ("pyproject.toml", "README.md", "LICENSE", "configs", "crnn", "scripts/slim_requirements.py"):
        (source / word).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / word).is_dir() else shutil.copy
        copy(ROOT / word, source / word)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PATH": f"{venv}/bin:{os.environ['PATH']}"}

    def run(*words: object, cwd: Path = source) -> str:
        done = subprocess.run(list(map(str, words)), cwd=cwd, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(sys.executable, "-m", "venv", venv)
    (source / "requirements.txt").write_text(run(venv / "bin" / "python", "scripts/slim_requirements.py"))
    run(venv / "bin" / "pip", "install", "-q", "-r", "requirements.txt")
    run(venv / "bin" / "pip", "install", "-q", "--no-deps", ".")
    installed = run(venv / "bin" / "pip", "list", "--format", "freeze")
    assert "crnn==" in installed
    assert not re.search(r"^(torch|lightning|nvidia)", installed, re.MULTILINE)
    size = sum(path.stat().st_size for path in venv.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"{size / 1e6:.0f} MB\n{installed}")
    assert size < 600e6
    empty = tmp_path / "empty"
    empty.mkdir()
    before = sorted(venv.rglob("*"))
    for folder in (empty, *(path for path in before if path.is_dir() and not path.is_symlink())):
        folder.chmod(0o555)
    crnn = venv / "bin" / "crnn"
    assert run(crnn, "recognize", PICTURE, cwd=empty).strip()
    assert "crnn_small" in run(crnn, "inspect", cwd=empty)
    if "serve" in make_parser()[1]:
        _serve([crnn, "serve", "--host", "127.0.0.1"], empty, environment)
    assert sorted(venv.rglob("*")) == before
    assert not list(empty.iterdir())
    for folder in before:
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o755)


def _serve(command: list[object], folder: Path, environment: dict[str, str]) -> None:
    """Start the service, and wait until its health is good."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = subprocess.Popen([*map(str, command), "--port", str(port)], cwd=folder, env=environment)
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                    assert answer.status == 200
                    return
            except (urllib.error.URLError, ConnectionError):
                assert service.poll() is None, "the service has ended"
                time.sleep(0.2)
        raise AssertionError("no service after a minute")
    finally:
        service.terminate()
        service.wait(30)
