"""The command line: help, errors in one line, and no heavy imports before they are needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from PIL import Image

import crnn
from crnn.cli import main, make_parser
from crnn.training.config import TrainConfig


def test_help_fits_one_screen_and_shows_an_example() -> None:
    parser, commands = make_parser()
    assert set(commands) >= {"train", "recognize", "evaluate", "export", "explain"}
    for one in (parser, *commands.values()):
        text = one.format_help()
        assert text.count("\n") <= 40
        assert "example: crnn " in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"crnn {crnn.__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, contextlib\nfrom crnn.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print([m for m in ('torch', 'hydra', 'onnxruntime', 'numpy', 'rich', 'asyncio') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [["recognize", "nothing.onnx", "x.png"], ["export", "nothing.ckpt"]])
def test_errors_are_one_line(words: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    error = capfd.readouterr().err
    assert error.startswith("crnn: nothing.")
    assert error.count("\n") == 1


@pytest.mark.parametrize(("variable", "shown"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_what_takes_seconds_is_said_on_a_terminal(variable: str, shown: bool) -> None:
    """Rich takes standard error for a terminal if FORCE_COLOR is set. There is no such format, which torch's room knows."""
    env = {key: value for key, value in os.environ.items() if key != "LOCAL_RANK"} | {variable: "1"}
    words = [sys.executable, "-m", "crnn.cli", "train", "export.format=tflite"]
    done = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 2
    assert ("loading torch and Lightning" in done.stderr) is shown
    assert "error: export.format=tflite" in done.stderr


def dotted(settings: Any, before: str = "") -> Iterator[str]:
    """Names of all settings, as the command line has them."""
    for name in settings:
        yield before + str(name)
        if OmegaConf.is_dict(settings[name]):
            yield from dotted(settings[name], f"{before}{name}.")


def test_training_help_fits_one_screen_and_names_what_there_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crnn.cli", "train", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 110
    assert "examples: crnn train" in done.stdout
    configs = Path(__file__).parents[1] / "configs"
    for group in ("model", "experiment"):
        [told] = re.findall(rf"^  {group}=NAME +(.*(?:\n {{20}}.*)?)", done.stdout, re.MULTILINE)
        for path in (configs / group).glob("*.yaml"):
            assert re.search(rf"\b{path.stem}\b", told), path
    settings = re.findall(r"(?<![\w.])([a-z_.]+)=(?=[\w\[])", done.stdout)
    known = {"experiment", "model", *dotted(OmegaConf.structured(TrainConfig()))}
    assert len(settings) > 20
    assert {one for one in settings if one not in known} == {"setting"}


def test_public_names() -> None:
    assert set(dir(crnn)) == set(crnn.__all__)
    for name in crnn.__all__:
        assert getattr(crnn, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = crnn.nothing  # type: ignore[attr-defined]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_line(unbuffered: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "crnn.cli", "inspect"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr == b"crnn: standard output, or a file: cannot be written (No space left on device)\n"


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")
@pytest.mark.parametrize("words", [["inspect"], ["check", "--kinds"], ["explain", "shapes"]])
def test_a_reader_that_went_away_is_no_error(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "crnn.cli", *words],
        stdout=write,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": ""},  # little is written, so it is noticed at the end
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes streams")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("recognize - <&-", 1, "crnn: standard input: is empty (0 bytes)\n"),
        ("recognize nothing.png >&-", 2, "crnn: nothing.png: cannot be opened (No such file or directory)\n"),
        ("recognize nothing.png 2>&-", 1, ""),
        ("check . >&-", 2, "crnn: .: holds no labelled lines"),
        ("inspect >&-", 2, "crnn: standard output: is closed, and what was printed is lost\n"),
        ("recognize white.png >&-", 2, "crnn: standard output: is closed"),
        ("recognize white.png -o x.tsv >&-", 0, ""),
    ],
)
def test_closed_streams_are_empty_ones(words: str, code: int, said: str, tmp_path: Path) -> None:
    Image.new("L", (64, 32), 255).save(tmp_path / "white.png")
    command = f"'{sys.executable}' -m crnn.cli {words}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_a_library_that_is_missing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("crnn.reading.describe.run", lambda *_: without("torch"))
    assert main(["inspect"]) == 2
    assert capsys.readouterr().err == (
        "crnn: inspect needs torch, which is not installed here; see 'Two commands' in the README\n"
    )
    monkeypatch.setattr("crnn.reading.describe.run", lambda *_: without("rich.console"))
    assert main(["inspect"]) == 2
    assert "inspect needs rich, which" in capsys.readouterr().err
    monkeypatch.setattr("crnn.reading.describe.run", lambda *_: without("crnn.nothing"))
    with pytest.raises(ModuleNotFoundError, match=r"crnn\.nothing"):  # a mistake of ours
        main(["inspect"])


@pytest.mark.parametrize("library", ["lightning", "tensorboardX", "onnx", "onnxruntime", "editdistance"])
def test_training_without_a_library_costs_nothing(library: str, tmp_path: Path) -> None:
    """It is said before the first step, also of what only the last one needs, and no run folder stays."""
    code = f"import sys; sys.modules[{library!r}] = None; from crnn.cli import main; sys.exit(main(sys.argv[1:]))"
    settings = [f"runs_dir={tmp_path}/runs", "name=without", "init=null", "data.rendered.lines=1000000"]
    done = subprocess.run(
        [sys.executable, "-c", code, "train", *settings], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    said = f"error: train needs {library}, which is not installed here; see 'Two commands' in the README\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert not (tmp_path / "runs" / "without").exists()


@pytest.mark.parametrize(("word", "said"), [("trian", "did you mean train?"), ("xyz", "choose from")])
def test_a_command_that_is_not_there(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([word, "data.root=x"])
    assert left.value.code == 2
    assert said in capsys.readouterr().err
