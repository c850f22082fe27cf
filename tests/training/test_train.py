"""A whole training, as users start it: what it leaves behind, how it stops, and that it resumes exactly."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from tests_support import heed_signals, here, settings

import crnn
from crnn.data.augment import Augment
from crnn.data.recorded import recorded_lines
from crnn.data.synth.source import synthetic_pair
from crnn.errors import ConfigError, CrnnError, DataError
from crnn.model.crnn import CRNN
from crnn.report.evaluate import evaluate
from crnn.training.config import to_config
from crnn.training.module import CrnnModule
from crnn.training.processes import Peers
from crnn.training.run import train
from crnn.training.run_folder import config_of_run
from crnn.training.schedule import one_cycle

SCRIPT = Path(__file__).parents[2] / "scripts" / "train.py"
TINY = (
    "model=crnn_tiny",
    "data.batch_size=8",
    "data.workers=0",
    "trainer.accelerator=cpu",
    "trainer.threads=1",
)


def run_script(cwd: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *TINY, *overrides], cwd=cwd, capture_output=True, text=True, timeout=300
    )


def figures(run: Path) -> list[dict[str, str]]:
    """Every row of metrics.csv that says more than how fast it went."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = [{name: one for name, one in row.items() if "second" not in name} for row in csv.DictReader(file)]
    return [row for row in rows if any(one for name, one in row.items() if name not in ("epoch", "step"))]


def test_run_folder_explains_itself(trained: Path) -> None:
    assert {p.name for p in trained.iterdir()} >= {
        "config.yaml",
        "env.json",
        "data.json",
        "train.log",
        "metrics.csv",
        "tensorboard",
        "samples",
        "checkpoints",
        "dropped.tsv",
        "result.json",
        "report.html",
        "model.onnx",
    }
    result = json.loads((trained / "result.json").read_text())
    assert result["epochs"] == 34
    assert result["steps"] == 408  # 48 lines, 4 at a time, 34 epochs
    assert 0 <= result["val/cer"] <= 0.8
    assert "same text" in result["parity"]
    data = json.loads((trained / "data.json").read_text())
    assert (data["train"]["lines"], data["val"]["lines"]) == (48, 12)
    env = json.loads((trained / "env.json").read_text())
    assert env["packages"]["torch"] == torch.__version__.split("+")[0] or env["packages"]["torch"] == torch.__version__
    assert {p.name for p in (trained / "samples").iterdir()} >= {"epoch_001.txt", "epoch_024.png", "line.png"}
    assert (trained / "samples" / "epoch_024.txt").read_text().count("label ") == 12
    assert "val CER" in (trained / "train.log").read_text()
    steps = [row for row in figures(trained) if row["train/loss"]]
    assert len(steps) == 408


def test_exported_model_reads_the_sample(trained: Path) -> None:
    reader = crnn.load(trained / "model.onnx")
    assert reader.card.training["data"]["train"]["lines"] == 48
    assert reader.card.training["val/cer"] == json.loads((trained / "result.json").read_text())["val/cer"]
    [reading] = reader.recognize([trained / "samples" / "line.png"])
    assert 0 <= reading.confidence <= 1


@pytest.mark.parametrize("seed", [4])
def test_overfits_eight_lines(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything between a picture and its text must work for this to reach zero, however lines share a batch.

    Lines are padded to the width of their batch, not stretched: eight lines that are learnt by heart are known as they
    were stretched, and not as they are read. Four of them in a batch, because the statistics of two are too much their
    own.
    """
    monkeypatch.setattr("crnn.data.dataset.MAX_STRETCH", 1.0)
    source, _ = synthetic_pair(48, 1, seed, "0123456789 abc", "bundled", max_length=6, wear=0.0)
    chosen = [i for i in range(48) if len(source.entry(i).text) > 4][:8]
    few = tmp_path / "few"
    (few / "images").mkdir(parents=True)
    pictures, texts = [few / "images" / f"{i:02d}.png" for i in chosen], [source.entry(i).text for i in chosen]
    for i, picture in zip(chosen, pictures, strict=True):
        source.picture(i).save(picture)
    rows = "".join(f"images/{picture.name}\t{text}\n" for picture, text in zip(pictures, texts, strict=True))
    (few / "labels.tsv").write_text(rows)
    (few / "again.tsv").write_text(6 * rows)  # six times in an epoch: looking at what came of it takes time, too
    config = settings(
        *TINY,
        f"data.train={few / 'again.tsv'}",
        f"data.val={few / 'labels.tsv'}",
        f"runs_dir={tmp_path}",
        "name=over",
        "trainer.max_epochs=20",
        "optimizer.lr=0.01",
        "data.batch_size=4",
        "trainer.progress=false",
        *(f"augment.{name}=0" for name in ("affine", "stroke", "contrast", "blur", "noise")),
    )
    outcome = train(config)
    assert outcome.result["val/cer"] == 0.0
    for name in ("model.onnx", "checkpoints/best.ckpt"):
        reader = crnn.load(outcome.folder / name)
        together, alone = reader.recognize(pictures), [reader.recognize([picture])[0] for picture in pictures]
        assert [reading.text for reading in together] == texts
        assert [r.confidence for r in together] == pytest.approx([r.confidence for r in alone], abs=1e-4)  # padding


def test_without_a_terminal_the_log_is_all_that_is_printed(
    line_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    common = (*TINY, f"data.root={line_folder}", f"runs_dir={tmp_path}", "trainer.max_epochs=1")
    outcome = train(settings(*common, "trainer.progress=false"))
    printed = capfd.readouterr()
    assert printed.err == (outcome.folder / "train.log").read_text()
    assert printed.out == ""
    assert all(line.strip() for line in printed.err.splitlines())


INTERRUPTED = """
import os, signal, sys
from crnn.training.main import main
from crnn.training.module import CrnnModule

signals, hook, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
original = getattr(CrnnModule, hook)

def interrupted(self, batch, batch_idx):
    if self.global_step == step and batch_idx == step % 6:
        for number in signals.split():
            os.kill(os.getpid(), int(number))
    return original(self, batch, batch_idx)

setattr(CrnnModule, hook, interrupted)
sys.argv[1:] = sys.argv[4:]
main()
"""
"""A training of 6 steps an epoch that sends itself signals in a hook, when `step` steps are done."""


@pytest.fixture(scope="module")
def uninterrupted(line_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """A run that was left alone, and its settings."""
    folder = tmp_path_factory.mktemp("alone")
    common = (
        f"data.root={line_folder}",
        "runs_dir=.",
        "trainer.max_epochs=6",
        "model.lstm.num_layers=2",
        "model.lstm.dropout=0.3",
        "ema.enabled=true",
        "trainer.checkpoint_every=4",
        "augment.concat=0.4",
        "augment.until=0.8",
    )
    alone = run_script(folder, *common, "name=alone")
    assert alone.returncode == 0, alone.stderr
    return folder / "alone", common


@pytest.mark.parametrize(
    ("signals", "hook", "step", "code", "saved"),
    [
        ("9", "training_step", 15, -9, 12),  # loses what came after the last checkpoint
        pytest.param("15", "training_step", 15, 143, 16, marks=pytest.mark.slow),
        pytest.param("15", "training_step", 17, 143, 18, marks=pytest.mark.slow),  # the last of an epoch
        pytest.param("2", "training_step", 14, 130, 15, marks=pytest.mark.slow),
        ("2", "validation_step", 18, 130, 18),  # after three epochs
        pytest.param("2 2", "training_step", 15, 130, 12, marks=pytest.mark.slow),  # Ctrl+C twice: at once
    ],
)
def test_resume_is_exact(
    uninterrupted: tuple[Path, tuple[str, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signals: str,
    hook: str,
    step: int,
    code: int,
    saved: int,
) -> None:
    """Killed or stopped in mid-epoch or a validation, and resumed: losses and figures of a run that was left alone."""
    cut = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, signals, hook, str(step), *TINY, *uninterrupted[1], "name=cut"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert cut.returncode == code, cut.stderr
    assert "Traceback" not in cut.stderr
    assert ("crnn train resume=cut" in cut.stderr) == (code > 0)
    assert torch.load(tmp_path / "cut" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == saved
    monkeypatch.chdir(tmp_path)
    resumed = here([sys.executable, str(SCRIPT), "resume=cut"])
    assert resumed.returncode == 0, resumed.stderr
    assert figures(tmp_path / "cut") == figures(uninterrupted[0])
    assert torch.equal(final_weights(tmp_path / "cut"), final_weights(uninterrupted[0]))


ASKED_EARLY = """
import os, sys
from crnn.training import run
from crnn.training.main import main

number, function = int(sys.argv[1]), sys.argv[2]
original = getattr(run, function)

def interrupted(*args):
    os.kill(os.getpid(), number)
    return original(*args)

setattr(run, function, interrupted)
sys.argv[1:] = sys.argv[3:]
main()
"""
"""A training that sends itself a signal before the first step."""


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_asked_to_stop_before_the_first_step(line_folder: Path, tmp_path: Path, number: int, code: int) -> None:
    """After the lines were looked at it stops after the first step, before that there is no run."""
    words = [*TINY, f"data.root={line_folder}", "trainer.max_epochs=2", f"runs_dir={tmp_path}"]

    def asked(function: str, name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", ASKED_EARLY, str(number), function, *words, name]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, preexec_fn=heed_signals)

    late = asked("_say_batches", "name=late")
    assert late.returncode == code, late.stderr
    assert late.stderr.splitlines()[-1].endswith(f"crnn train resume={tmp_path / 'late'}")
    assert torch.load(tmp_path / "late" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 1
    early = asked("make_trainer", "name=early")
    assert early.returncode == code, early.stderr
    assert early.stderr.splitlines()[-1] == "stopped before the first step; no run was begun"
    assert not (tmp_path / "early").exists()


def test_one_process_at_a_time_trains_in_a_folder(line_folder: Path, tmp_path: Path) -> None:
    """Not two that resume the same run, nor one while the first is at it."""
    words = [f"data.root={line_folder}", "trainer.max_epochs=2000", f"runs_dir={tmp_path}", "name=one"]
    again = [sys.executable, str(SCRIPT), f"resume={tmp_path / 'one'}"]
    last = tmp_path / "one" / "checkpoints" / "last.ckpt"
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), *TINY, *words, "data.workers=1"], stderr=subprocess.DEVNULL
    ) as first:
        until = time.monotonic() + 120
        while not last.is_file() and time.monotonic() < until:
            time.sleep(0.1)
        second = here(again)
        first.kill()
    assert second.returncode == 2, second.stderr
    assert second.stderr == f"error: {tmp_path / 'one'}: another process is training here; wait for it, or end it\n"
    third = here([*again, "trainer.max_minutes=0.001"])
    assert third.returncode == 0, third.stderr  # the lock ends with the process, and not with its workers


def final_weights(run: Path) -> torch.Tensor:
    """All weights of the last checkpoint in one row."""
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return torch.cat([value.flatten().float() for value in state.values()])


def test_a_resumed_run_has_its_own_characters(line_folder: Path, tmp_path: Path) -> None:
    """Whatever has become of the file that they came from."""
    (tmp_path / "characters.txt").write_text("0123456789 abc")
    config = settings(
        *TINY,
        f"data.root={line_folder}",
        f"runs_dir={tmp_path}",
        "name=run",
        f"charset.source={tmp_path / 'characters.txt'}",
        "trainer.max_epochs=1",
        "trainer.progress=false",
    )
    folder = train(config).folder
    assert "characters: 14 of " in (folder / "train.log").read_text()
    before = crnn.load(folder / "model.onnx").card.charset
    for epochs, change in ((2, lambda file: file.write_text("0123456789 abcd")), (3, Path.unlink)):
        change(tmp_path / "characters.txt")
        train(to_config(config_of_run(str(folder), [f"trainer.max_epochs={epochs}"])))
        assert "characters: 14, as when the run began" in (folder / "train.log").read_text()
        assert crnn.load(folder / "model.onnx").card.charset == before


def test_a_finished_run_says_that_nothing_is_left(line_folder: Path, tmp_path: Path) -> None:
    words = [f"data.root={line_folder}", f"runs_dir={tmp_path}", "name=run", "trainer.max_epochs=1"]
    folder = train(settings(*TINY, *words, "trainer.progress=false")).folder
    before = (folder / "train.log").read_text()
    assert "nothing was left to do" not in before
    assert "come fewer than 5 times" in before
    train(to_config(config_of_run(str(folder), [])))
    said = (folder / "train.log").read_text()[len(before) :]
    assert f"all 1 epochs were done before; for more: crnn train resume={folder} trainer.max_epochs=2" in said
    assert "come fewer than 5 times" not in said  # it was said
    longer = to_config(config_of_run(str(folder), ["trainer.max_epochs=2", "trainer.progress=false"]))
    train(longer)  # from now on the run has two
    assert config_of_run(str(folder), []).trainer.max_epochs == 2
    said = (folder / "train.log").read_text()
    train(to_config(config_of_run(str(folder), [])))
    assert "all 2 epochs were done before" in (folder / "train.log").read_text()[len(said) :]
    train(to_config(config_of_run(str(folder), ["trainer.max_epochs=3"])))
    with pytest.raises(ConfigError, match=r"trainer\.max_epochs=2: the run has had 3 epochs; name more"):
        train(to_config(config_of_run(str(folder), ["trainer.max_epochs=2"])))
    assert config_of_run(str(folder), []).trainer.max_epochs == 3


def test_taken_name_is_refused(trained: Path, line_folder: Path) -> None:
    before = (trained / "metrics.csv").read_bytes()
    with pytest.raises(ConfigError, match=r"exists; go on with it by resume="):
        train(settings(*TINY, f"data.root={line_folder}", f"runs_dir={trained.parent}", "name=tiny"))
    assert (trained / "metrics.csv").read_bytes() == before


@pytest.mark.parametrize("during", ["assemble", "_settle_threads", "make_trainer"])
def test_ctrl_c_before_the_first_step_leaves_the_name_free(
    during: str, line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"crnn.training.run.{during}", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(settings(*TINY, f"data.root={line_folder}", f"runs_dir={tmp_path}", "name=mine"))
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("step", [0, 7])
def test_a_full_disk_is_one_line(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from crnn.training.main import _together

    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    if step:
        (run / "checkpoints" / "last.ckpt").touch()

    def full(config: object, why: str, peers: Peers) -> None:
        peers.run = run
        raise OSError(errno.ENOSPC, "No space left on device", str(run / "metrics.csv"))

    monkeypatch.setattr("crnn.training.run.train", full)
    with pytest.raises(SystemExit, match="1"):
        _together(settings(*TINY), "")
    said = capsys.readouterr().err
    assert f"error: {run / 'metrics.csv'}: cannot be written (No space left on device); make room" in said
    assert (f"resume={run}" in said) == bool(step)
    assert ("there is no checkpoint yet" in said) != bool(step)


def test_resume_refuses_other_data(trained: Path, line_folder: Path, tmp_path: Path) -> None:
    run, lines = tmp_path / "run", tmp_path / "lines"
    shutil.copytree(trained, run)
    shutil.copytree(line_folder, lines)
    table = lines / "train" / "labels.tsv"
    whole = table.read_text()
    count = len(whole.splitlines())
    for text, said in (
        (whole.replace("\t", "\ta", 1), f"as many, {count} lines and 0 dropped, but not the same pictures and labels"),
        (whole.split("\n", 1)[1], f"{count} lines and 0 dropped then, {count - 1} lines and 0 dropped now"),
    ):
        table.write_text(text)
        outcome = here([sys.executable, str(SCRIPT), f"resume={run}", f"data.root={lines}", "trainer.max_epochs=4"])
        assert outcome.returncode == 2
        assert outcome.stderr.splitlines()[-1] == (
            f"error: resume={run}: the train lines have changed since the run began ({said}); bring them back, or "
            f"start a new run from its weights with init={run}"
        )


def test_resume_where_the_lines_have_moved(trained: Path, line_folder: Path, tmp_path: Path) -> None:
    """The setting that says where they are now is asked for, and remembered."""
    run, there, here_now = tmp_path / "run", tmp_path / "lines", tmp_path / "moved"
    shutil.copytree(trained, run)
    shutil.copytree(line_folder, here_now)
    settings = OmegaConf.load(run / "config.yaml")
    settings.data.root = str(there)
    OmegaConf.save(settings, run / "config.yaml")
    before = json.loads((run / "data.json").read_text())
    more = settings.trainer.max_epochs + 1
    command = [sys.executable, str(SCRIPT), f"resume={run}", f"trainer.max_epochs={more}"]
    outcome = here(command)
    assert outcome.returncode == 2
    assert outcome.stderr == (
        f"error: resume={run}: its lines are not at data.root={there}; if they have moved, add 'data.root=WHERE THEY "
        "ARE NOW'\n"
    )
    outcome = here([*command, f"data.root={here_now}"])
    assert outcome.returncode == 0, outcome.stderr
    after = json.loads((run / "data.json").read_text())
    assert after["paths"] == {"train": [f"{here_now}/train"], "val": [f"{here_now}/val"]}
    assert after["train"]["fingerprint"] == before["train"]["fingerprint"]


def test_resume_where_some_of_the_lines_have_moved(trained: Path, tmp_path: Path) -> None:
    run, there = tmp_path / "run", tmp_path / "there"
    shutil.copytree(trained, run)
    there.mkdir()
    settings = OmegaConf.load(run / "config.yaml")
    settings.data.root, settings.data.train = None, [str(there), "rendered", "gone", "lost"]
    OmegaConf.save(settings, run / "config.yaml")
    with pytest.raises(DataError) as caught:
        train(to_config(config_of_run(str(run), [])))
    where = f"(looked for in {Path.cwd()})"
    assert str(caught.value) == (
        f"resume={run}: its lines are not at data.train=gone {where}, lost {where}; if they have moved, add "
        f"'data.train=[{there},rendered,WHERE THEY ARE NOW,WHERE THEY ARE NOW]'"
    )


def test_resume_where_a_dropped_line_alone_holds_a_character(line_folder: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    shutil.copytree(line_folder, lines)
    table = lines / "train" / "labels.tsv"
    picture = table.read_text().split("\t")[0]
    table.write_text(table.read_text() + f"{picture}\t{'π' * 300}\n")
    words = [f"data.root={lines}", f"runs_dir={tmp_path}", "name=run", "trainer.max_epochs=1", "data.max_dropped=0.1"]
    folder = train(settings(*TINY, *words)).folder
    assert "label cannot fit its width" in (folder / "dropped.tsv").read_text()
    train(to_config(config_of_run(str(folder), ["trainer.max_epochs=2"])))
    assert "π" not in crnn.load(folder / "model.onnx").card.charset


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("modl.lstm.hidden_size=3",), "modl"),
        (("model.lstm.hidden=3",), "hidden"),
        (("optimizer.lr=fast",), "optimizer.lr"),
        (("model=huge",), "crnn_small"),
        (("loss.reduction=average",), "loss.reduction=average: is unknown; allowed are batch, mean, sum"),
        (("image.height=40",), "needs a multiple of 16"),
        (("data.root=nowhere",), "data.root=nowhere: there is no such file or folder"),
        (("resume=nowhere",), "resume=nowhere: is not a run folder"),
        ((f"resume={'a' * 300}",), "aaa…: File name too long; look at the settings that name it"),
        ((f"data.root={'a' * 300}",), "aaa…: File name too long; look at the settings that name it"),
        (("model.lstm.num_layers=1", "model.lstm.dropout=0.5"), "lstm.dropout acts between layers"),
        (("model.lstm.proj_size=8",), "ONNX has no LSTM with projections; set export.format=safetensors"),
        (("data.root=",), "data.root=: is empty; is a variable of the command line not set? (null leaves it out)"),
        (("init=",), "init=: is empty; is a variable"),
        (("trainer.strategy=fsdp",), "trainer.strategy=fsdp: is unknown; allowed are auto, ddp"),
        (("trainer.wait_minutes=0",), "trainer.wait_minutes=0.0: must be above 0"),
        (("trainer.max_minutes=0",), "trainer.max_minutes=0.0: must be above 0"),
        (("data.workers=-1",), "data.workers=-1: must be above -1"),
        (("seed=-1",), "seed=-1: must be 0 or more and below 4294967296"),
        (("finetune=head_first",), "finetune=head_first: is for a training from a model"),
        (("optimizer.warmup=1.5",), "optimizer.warmup=1.5: must be 0 or more and below 1"),
    ],
)
def test_bad_settings_cost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = here([sys.executable, str(SCRIPT), *TINY, *overrides])
    assert run.returncode != 0
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert not list(tmp_path.rglob("*")) or [p.name for p in tmp_path.iterdir()] == ["runs"]
    assert not list((tmp_path / "runs").glob("*"))  # no half-made run folder


def test_impossible_label_is_named_before_the_first_step(line_folder: Path, tmp_path: Path) -> None:

    lines = tmp_path / "lines"
    shutil.copytree(line_folder, lines)
    table = lines / "train" / "labels.tsv"
    rows = table.read_text().splitlines()
    rows[4] = rows[4].split("\t")[0] + "\t" + "1" * 200
    table.write_text("\n".join(rows) + "\n")
    with pytest.raises(DataError, match=r"labels\.tsv:5: label cannot fit its width.*\n.*data\.max_dropped") as caught:
        train(settings(*TINY, f"data.root={lines}", f"runs_dir={tmp_path}", "name=bad", "data.max_dropped=0.01"))
    assert "47 of 48 lines kept" in str(caught.value)
    outcome = train(
        settings(
            *TINY,
            f"data.root={lines}",
            f"runs_dir={tmp_path}",
            "name=ok",
            "data.max_dropped=0.05",
            "trainer.max_epochs=1",
            "trainer.progress=false",
        )
    )
    assert "labels.tsv:5\timages/004.png\tlabel cannot fit its width" in (outcome.folder / "dropped.tsv").read_text()


def test_unknown_character_policy(line_folder: Path, tmp_path: Path) -> None:
    common = (*TINY, f"data.root={line_folder}", f"runs_dir={tmp_path}", "charset.symbols=' 0123456789ab'")
    with pytest.raises(
        DataError,
        match=r"'c' \(U\+0063 LATIN SMALL LETTER C\).*charset\.extra=c, or leave such lines out with data\.unknown=drop",
    ):
        train(settings(*common, "name=error"))
    outcome = train(
        settings(
            *common,
            "name=drop",
            "data.unknown=drop",
            "data.max_dropped=0.9",
            "trainer.max_epochs=1",
            "trainer.progress=false",
        )
    )
    assert "character not in the charset" in (outcome.folder / "dropped.tsv").read_text()
    assert crnn.load(outcome.folder / "model.onnx").card.charset.symbols == tuple(" 0123456789ab")


@pytest.mark.parametrize("late", [False, True])
def test_nan_loss_names_the_lines(
    late: bool, line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crnn.training.loss import CtcLoss

    real = CtcLoss.per_line

    def sick(self: CtcLoss, *args: torch.Tensor) -> torch.Tensor:
        losses = real(self, *args)
        return torch.where(torch.arange(len(losses)) == 2, torch.nan, losses)

    monkeypatch.setattr(CtcLoss, "per_line", sick)
    if late:  # as on a GPU
        monkeypatch.setattr(CrnnModule, "_looks_late", True)
    with pytest.raises(
        DataError, match=r"the loss of 1 of 8 lines is not finite in epoch 1, step 1: .*labels\.tsv:\d+"
    ):
        common = (*TINY, f"data.root={line_folder}", f"runs_dir={tmp_path}", "trainer.progress=false")
        train(settings(*common, "name=nan", "trainer.checkpoint_every=1"))
    assert not list((tmp_path / "nan").glob("checkpoints/*"))  # weights that are no numbers are never saved


def test_averaged_weights_are_validated_and_exported(line_folder: Path, tmp_path: Path) -> None:
    from crnn.data.sources import open_source
    from crnn.report.evaluate import evaluate

    common = (
        *TINY,
        f"data.root={line_folder}",
        f"runs_dir={tmp_path}",
        "trainer.max_epochs=2",
        "optimizer.lr=0.01",
        "trainer.progress=false",
        "data.batch_size=4",
    )
    averaged = train(settings(*common, "name=ema", "ema.enabled=true", "ema.decay=0.8"))
    plain = train(settings(*common, "name=plain"))
    val = open_source(line_folder / "val")
    for outcome in (averaged, plain):
        assert evaluate(crnn.load(outcome.folder / "model.onnx"), val).counts.cer == pytest.approx(
            outcome.result["val/cer"]
        )
    assert averaged.result["val/loss"] != plain.result["val/loss"]
    weights = [
        torch.load(o.folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for o in (averaged, plain)
    ]
    assert not torch.equal(weights[0]["network.head.weight"], weights[1]["network.head.weight"])


def test_early_stopping(line_folder: Path, tmp_path: Path) -> None:
    outcome = train(
        settings(
            *TINY,
            f"data.root={line_folder}",
            f"runs_dir={tmp_path}",
            "name=stop",
            "trainer.max_epochs=30",
            "stop.patience=2",
            "optimizer.lr=1e-9",
            "trainer.progress=false",
        )
    )
    epochs = outcome.result["epochs"]
    assert epochs < 8  # nothing is learnt at this rate
    said = (
        f"stopped after epoch {epochs} of 30: val CER had not fallen in 2 epochs (stop.patience); for more: crnn train"
    )
    assert said in (outcome.folder / "train.log").read_text()
    more = ["stop.patience=50", f"trainer.max_epochs={epochs + 3}", "trainer.progress=false"]
    patient = train(to_config(config_of_run(str(outcome.folder), more)))
    assert patient.result["epochs"] == epochs + 3  # the patience is that of the settings now
    assert (outcome.folder / "train.log").read_text().count("(stop.patience)") == 1


def test_time_limit_ends_after_an_epoch(line_folder: Path, tmp_path: Path) -> None:
    outcome = train(
        settings(
            *TINY,
            f"data.root={line_folder}",
            f"runs_dir={tmp_path}",
            "name=time",
            "trainer.max_epochs=500",
            "trainer.max_minutes=0.02",
        )
    )
    assert outcome.result["epochs"] < 100
    assert outcome.result["steps"] == outcome.result["epochs"] * 6
    log = (outcome.folder / "train.log").read_text()
    said = f"the 0.02 minutes of trainer.max_minutes were up after epoch {outcome.result['epochs']} of 500; for more: "
    assert f"{said}crnn train resume={outcome.folder} trainer.max_minutes=0.04" in log
    rows = list(csv.DictReader((outcome.folder / "metrics.csv").open(encoding="utf-8")))
    rates = {int(row["step"]): float(row["lr"]) for row in rows if row["lr"]}
    alone = {step: 2e-3 * one_cycle(step, 3000, 0.1, 0.001) for step in rates}  # by steps
    assert len(rates) > 1
    assert any(rate != pytest.approx(alone[step], rel=0.01) for step, rate in rates.items())


def test_every_experiment_composes() -> None:
    folder = Path(__file__).parents[2] / "configs" / "experiment"
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    assert len(names) >= 7
    for name in names:
        config = settings(f"experiment={name}", "model=crnn_small")
        rendered = config.charset.source == f"set:{name}" or "rendered" in (config.data.train or [])
        assert config.data.root or rendered  # real lines, or rendered ones
        assert config.name == f"{name}_crnn_small"
        assert config.model.backbone.features == 512  # an experiment changes the network, it does not replace it
        network = CRNN(config.model, 10, config.image.height)
        assert network.step == 4
        Augment(config.augment, config.trainer.max_epochs)
    assert settings("experiment=handwriting", "model=crnn_fast").model.backbone.column_pool == "max"


def test_validation_split_is_seeded_and_said(line_folder: Path, tmp_path: Path) -> None:
    outcomes = [
        train(
            settings(
                *TINY,
                f"data.root={line_folder / 'train'}",
                f"runs_dir={tmp_path}",
                f"name={name}",
                "seed=5",
                "split.share=0.25",
                "trainer.max_epochs=1",
                "trainer.progress=false",
            )
        )
        for name in ("one", "two")
    ]
    records = [json.loads((outcome.folder / "data.json").read_text()) for outcome in outcomes]
    assert records[0] == records[1]
    assert (records[0]["train"]["lines"], records[0]["val"]["lines"]) == (36, 12)
    assert "12 of 48 lines are held out for validation" in (outcomes[0].folder / "train.log").read_text()
    sides = [(outcomes[0].folder / "splits" / f"{side}.tsv").read_text().splitlines() for side in ("train", "val")]
    assert [len(side) for side in sides] == [37, 13]
    assert sides[1] == (outcomes[1].folder / "splits" / "val.tsv").read_text().splitlines()
    result = json.loads((outcomes[0].folder / "result.json").read_text())
    source = recorded_lines(crnn.load(outcomes[0].folder / "model.onnx").card.training, "val", outcomes[0].folder / "x")
    assert len(source) == 12
    figures = evaluate(crnn.load(outcomes[0].folder / "model.onnx"), source)
    assert figures.counts.cer == pytest.approx(result["val/cer"])
    with pytest.raises(ConfigError, match=r"split\.share=0\.5: cannot change"):  # the recorded lines stay what they are
        config_of_run(str(outcomes[0].folder), ["split.share=0.5"])
    again = train(to_config(config_of_run(str(outcomes[0].folder), ["trainer.max_epochs=2"])))
    assert again.folder == outcomes[0].folder
    assert json.loads((again.folder / "result.json").read_text())["epochs"] == 2


def test_mixed_sources_with_weights(line_folder: Path, tmp_path: Path) -> None:
    """Real lines three times, rendered ones once; what is fresh in each epoch is counted, and a resumed run agrees."""
    common = (
        f"data.train=[{line_folder / 'train'},rendered]",
        f"data.val={line_folder / 'val'}",
        "data.weights=[3,0.5]",
        "data.rendered.lines=40",
        "data.rendered.max_length=6",
        f"runs_dir={tmp_path}",
        "trainer.progress=false",
    )
    outcome = train(settings(*TINY, *common, "name=mix", "trainer.max_epochs=2"))
    steps = [row for row in figures(outcome.folder) if row["train/loss"]]
    assert len(steps) == outcome.result["steps"]
    said = (outcome.folder / "train.log").read_text()
    assert "48 of 48 lines kept" in said
    assert "lines rendered on the fly, 40 new ones per epoch" in said
    data = json.loads((outcome.folder / "data.json").read_text())
    assert data["train"]["lines"] == 3 * 48 + 20
    with pytest.raises(ConfigError, match=r"data\.weights=\[1\.0\]: 1 weights for 2 training sources"):
        train(settings(*TINY, *common[:2], "data.weights=[1]", f"runs_dir={tmp_path}", "name=other"))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_a_cache_changes_no_loss(cache: str, line_folder: Path, tmp_path: Path) -> None:
    common = (f"data.root={line_folder}", f"runs_dir={tmp_path}", "trainer.max_epochs=2", "trainer.progress=false")
    runs = [
        train(settings(*TINY, *common, f"name={name}", f"data.cache={name}", "data.workers=1")).folder
        for name in ("none", cache)
    ]
    assert figures(runs[0]) == figures(runs[1])
    assert len(list((tmp_path / ".lines").glob("lines-*.bin"))) == (2 if cache == "disk" else 0)


def test_user_errors_are_one_family() -> None:
    assert issubclass(DataError, CrnnError)
    assert issubclass(ConfigError, CrnnError)
    assert os.path.exists(SCRIPT)
