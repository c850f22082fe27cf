"""What a name on the command line stands for: hidden files, and pipes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from crnn.core.picture import MAX_BYTES
from crnn.errors import DataError
from crnn.reading import inputs
from crnn.reading.inputs import find_pictures, model_and_pictures

CRNN = [sys.executable, "-m", "crnn.cli"]


@pytest.fixture
def line(line_folder: Path) -> Path:
    return min((line_folder / "val" / "images").iterdir())


def test_hidden_files_are_left_out_of_folders_and_archives_alike(line: Path, tmp_path: Path) -> None:
    """A Mac's ``._0.png`` beside ``0.png`` is no picture; a hidden file that is named is read."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("0.png", "._0.png", ".kept.png"):
        (folder / name).write_bytes(line.read_bytes())
    with zipfile.ZipFile(tmp_path / "lines.zip", "w") as zipped, tarfile.open(tmp_path / "lines.tar", "w") as tarred:
        for name in sorted(os.listdir(folder)):
            zipped.write(folder / name, f"./{name}")
            tarred.add(folder / name, f"./{name}")
    for path in (folder, tmp_path / "lines.zip", tmp_path / "lines.tar"):
        assert [re.split("[/:]", item.name)[-1] for item in find_pictures([str(path)])] == ["0.png"], path
    assert [item.source for item in find_pictures([str(folder / ".kept.png")])] == [str(folder / ".kept.png")]


@pytest.mark.parametrize("words", ["", "bundled"])
def test_a_pipe_is_one_picture(words: str, line: Path) -> None:
    """``<(...)``: nobody who only looks whether it is a model or a set may take its bytes away."""
    command = f'"$0" -m crnn.cli recognize {words} <(cat "$1")'
    done = subprocess.run(["bash", "-c", command, sys.executable, str(line)], capture_output=True, text=True)
    plain = subprocess.run([*CRNN, "recognize", "bundled", str(line)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, plain.stdout, "")


def test_a_pipe_among_others_and_one_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe.onnx.png"
    os.mkfifo(pipe)
    assert model_and_pictures([str(pipe), "b.png"]) == (None, [str(pipe), "b.png"])
    monkeypatch.setattr(inputs, "MAX_BYTES", 2**20)
    with subprocess.Popen(["bash", "-c", f'head -c {2**20 + 1} /dev/zero > "$0"', str(pipe)]):
        (item,) = find_pictures([str(pipe)])
    assert isinstance(item.source, DataError)
    assert str(item.source) == f"{pipe}: more than 1 MiB"
    assert MAX_BYTES > 2**20


def test_a_pipe_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")

    def refuse(path: str, mode: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)
    (item,) = find_pictures([str(tmp_path / "pipe")])
    assert str(item.source) == f"{tmp_path / 'pipe'}: cannot be read (Permission denied)"
