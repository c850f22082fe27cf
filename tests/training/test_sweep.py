"""Sweeps: what is tried, that trials end, fail and go on as they should; most with a stand-in for the training."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crnn.cli import main, make_parser
from crnn.errors import ConfigError
from crnn.training import sweep, sweep_trial
from crnn.training.sweep_space import Space, Swept
from crnn.training.sweep_study import open_study, try_out

optuna = pytest.importorskip("optuna", reason='needs pip install "crnn[sweep]"')

STAND_IN = """
import json, os, signal, sys, time
from pathlib import Path

words = dict(word.split("=", 1) for word in sys.argv[1:])
if "resume" in words:
    run = Path(words["resume"])
    words = json.loads((run / "words.json").read_text()) | words
else:
    run = Path(words["runs_dir"]) / words["name"]
    (run / "checkpoints").mkdir(parents=True)
    (run / "words.json").write_text(json.dumps(words))
lr, nap = float(words["optimizer.lr"]), float(os.environ.get("NAP", "0"))
with (run / "starts").open("a") as file:
    file.write("resume\\n" if "resume" in words else "new\\n")
if lr > float(os.environ.get("FAILS", "9")):
    sys.exit("error: the learning rate is too high")

def end(*_):
    (run / "ended").write_text("SIGTERM")
    sys.exit(143)

signal.signal(signal.SIGTERM, end)
for epoch in range(4):
    metrics = run / "metrics.csv"
    if metrics.exists() and len(metrics.read_text().splitlines()) > epoch + 1:
        continue
    if not metrics.exists():
        metrics.write_text("epoch,step,val/cer\\n")
    with metrics.open("a") as file:
        file.write(f"{epoch},{epoch},{lr / (epoch + 1)}\\n")
    (run / "checkpoints" / "last.ckpt").touch()
    time.sleep(60 if epoch == 2 and lr > float(os.environ.get("SLOW", "9")) else nap)
(run / "result.json").write_text(json.dumps({"val/cer": lr / 4, "seconds": 1.0}))
"""
"""Four epochs in which the CER falls from the learning rate to a quarter of it."""
SETTINGS = ["optimizer.lr=0.01..0.9", "loss.shortcut=0,0.1", "model=crnn_tiny", "data.root=lines"]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN)
    monkeypatch.setattr(sweep_trial, "PROGRAM", program)
    monkeypatch.setattr(sweep_trial, "POLL", 0.05)
    monkeypatch.setattr(sweep, "POLL", 0.05)
    monkeypatch.chdir(tmp_path)
    return program


def another(program: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    """``crnn sweep WORDS`` in a process of its own, with the stand-in."""
    code = (
        f"import sys; from pathlib import Path; import crnn.training.sweep_trial as t; t.PROGRAM = Path({str(program)!r})\n"
        "t.POLL = 0.05\nfrom crnn.cli import main; sys.exit(main())"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "sweep", *words],
        cwd=program.parent,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trials(name: str = "sweep") -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage="sqlite:///runs/sweep.db").get_trials()


def wait_for(path: Path) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < until, f"{path} never came"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("word", "swept"),
    [
        ("a.b=1..5", Swept("a.b", "1..5", (), 1, 5, None, False, True)),
        ("a=64..256/64", Swept("a", "64..256/64", (), 64, 256, 64, False, True)),
        ("a=0..0.5", Swept("a", "0..0.5", (), 0, 0.5)),
        ("a=-1..1.5/0.5", Swept("a", "-1..1.5/0.5", (), -1, 1.5, 0.5)),
        ("lr=log:5e-4..8e-3", Swept("lr", "log:5e-4..8e-3", (), 5e-4, 8e-3, None, True)),
        ("model=crnn_small,crnn_fast", Swept("model", "crnn_small,crnn_fast", ("crnn_small", "crnn_fast"))),
        ("x=[en,de],[fr]", Swept("x", "[en,de],[fr]", ("[en,de]", "[fr]"))),
    ],
)
def test_ranges_and_choices(word: str, swept: Swept) -> None:
    space = Space.parse([word, "init=bundled", "data.train=[a,b]", "data.root=..", "charset.symbols='a,b'"])
    assert space.swept == (swept,)
    assert space.fixed == {"init": "bundled", "data.train": "[a,b]", "data.root": "..", "charset.symbols": "'a,b'"}


@pytest.mark.parametrize(
    ("words", "init"),
    [
        (["model=crnn_small,crnn_fast"], "null"),
        (["model.lstm.hidden_size=64..128"], "null"),
        (["image.height=32,48"], "null"),
        (["optimizer.lr=log:1e-3..1e-2", "model=crnn_small"], None),  # all trials start from the same
        (["model=crnn_small,crnn_fast", "init=runs/x"], "runs/x"),
    ],
)
def test_networks_that_are_compared_start_alike(words: list[str], init: str | None) -> None:
    assert Space.parse(words).fixed.get("init") == init


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["optimizer.lr"], "optimizer.lr: is no setting; give setting=value"),
        (["a=1"], "no setting has several values; allowed are A..B"),
        (["a=log:x..3"], "a=log:x..3: is no range; allowed are A..B, A..B/STEP, log:A..B"),
        (["a=1.."], "a=1..: an end is missing"),
        (["a=5..1"], "a=5..1: the first end must be below the second"),
        (["a=log:0..1"], "a=log:0..1: log: needs ends above 0"),
        (["a=1..3/9"], "a=1..3/9: the step must be above 0 and fit between the ends"),
        (["a=b,,c"], "a=b,,c: has an empty choice or one twice"),
        (["a=b,b"], "a=b,b: has an empty choice or one twice"),
        (["a=1,2", "a=3"], "a=3: a is given twice"),
        (["name=x", "a=1,2"], "name=x: a sweep names its runs itself"),
    ],
)
def test_bad_expressions_are_refused_by_name(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Space.parse(words)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["optimizer.lrr=1..2"], "lrr"),
        (["loss.reduction=batch,average"], "loss.reduction=average: is unknown"),
        (["loss.shortcut=0..2"], "loss.shortcut=2: must be 0 or more and below 1".replace("=2", "=2.0")),
        (["optimizer.lr=fast,slow"], "optimizer.lr"),
        (["image.height=32..64"], "image.height=33: this backbone needs a multiple of 16"),
        (["image.height=32..72/8"], "image.height=72: this backbone needs a multiple of 16"),
        (["model.lstm.num_layers=1,2", "model.lstm.dropout=0.1"], "lstm.dropout acts between layers"),
        (["a=1..2", "--study", "../x"], "--study '../x': is no folder name"),
        (["--report", "--study", "x"], "there is no such file; start the sweep"),
        (["optimizer.lr=1e-3..2e-3", "--storage", "nosuch://x"], "--storage nosuch://x: cannot be used"),
        (["optimizer.lr=1e-3..2e-3", "--runs", "stand_in.py"], "stand_in.py/.sweep.lock: cannot be made or locked ("),
    ],
)
def test_bad_settings_start_no_trial(
    words: list[str], message: str, stand_in: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *words]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(stand_in.parent.glob("runs/*/0*"))


def test_whole_numbers_are_for_whole_settings() -> None:
    space = try_out(Space.parse(["augment.elastic=0..1", "trainer.max_epochs=1..3"]))
    assert {one.setting: one.whole for one in space.swept} == {"augment.elastic": False, "trainer.max_epochs": True}


@pytest.mark.parametrize("queued", [False, True])
def test_a_folder_of_another_study_is_left_alone(
    queued: bool, stand_in: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither taken for a result, nor resumed, nor removed."""
    result = stand_in.parent / "runs" / "sweep" / "000" / "result.json"
    result.parent.mkdir(parents=True)
    result.write_text('{"val/cer": 0.0, "seconds": 1.0}')
    if queued:
        _, commands = make_parser()
        study = open_study(commands["sweep"].parse_args(SETTINGS), Space.parse(SETTINGS))
        study.enqueue_trial({"optimizer.lr": 0.5, "loss.shortcut": "0"})
    assert main(["sweep", "--trials", "1", *SETTINGS]) == 2
    error = capfd.readouterr().err
    assert "crnn: runs/sweep/000: is there already, and no trial of this study wrote it" in error
    assert [path.name for path in result.parent.iterdir()] == ["result.json"]
    assert all(trial.value is None for trial in trials())


def test_a_failing_database_ends_the_training_too(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise optuna.exceptions.StorageInternalError("database is gone\nmore")

    monkeypatch.setattr(optuna.trial.Trial, "report", fails)
    monkeypatch.setenv("NAP", "30")
    assert main(["sweep", "--trials", "1", *SETTINGS]) == 2
    assert capfd.readouterr().err.splitlines()[1:] == [
        "crnn: --storage: the database failed (database is gone); trainings are stopped, the same command goes on"
    ]
    assert (stand_in.parent / "runs" / "sweep" / "000" / "ended").read_text() == "SIGTERM"


def test_a_trial_knows_nothing_of_the_launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "names.py"
    program.write_text("import os; print(*sorted(os.environ))")
    monkeypatch.setattr(sweep_trial, "PROGRAM", program)
    told = ["SLURM_NTASKS", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK"]
    told += ["MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "CRNN_STARTED"]
    for name in (*told, "CRNN_DATA"):
        monkeypatch.setenv(name, "1")
    training = sweep_trial.Training(tmp_path / "runs" / "000", [])
    with sweep_trial.held(training.lock) as lock:
        assert lock is not None
        training.start(lock)
        assert training._process is not None
        training._process.wait(60)
    names = (tmp_path / "runs" / "000.log").read_text().split()
    assert not set(told) & set(names)
    assert "CRNN_DATA" in names


def test_a_table_is_read_on_from_where_it_was(tmp_path: Path) -> None:
    """Also while a row is half written, and after a resumed training has cut and rewritten it."""
    table = tmp_path / "metrics.csv"
    training = sweep_trial.Training(tmp_path, [])
    assert training.epochs() == {}
    table.write_text("epoch,step,val/cer,seconds\n0,0,,\n0,1,0.5,10\n1,2,0.")
    assert training.epochs() == {1: 0.5}
    with table.open("r+") as file:  # what was read is not looked at again
        file.write("EPOCH")
        file.seek(0, 2)
        file.write("4,20\n")
    assert training.epochs() == {1: 0.5, 2: 0.4}
    assert training.seconds == 20
    other = tmp_path / "other.csv"
    other.write_text("epoch,step,val/cer,seconds\n0,1,0.6,30\n1,2,0.3,35\n2,3,0.2,40\n3,4,0.1,45\n")
    other.replace(table)
    assert training.epochs() == {1: 0.6, 2: 0.3, 3: 0.2, 4: 0.1}
    assert training.seconds == 45


def test_a_sweep_and_its_report(stand_in: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--trials", "7", "--pruner", "none", *SETTINGS]) == 0
    said = capfd.readouterr().out
    done = trials()
    assert [trial.state.name for trial in done] == ["COMPLETE"] * 7
    best = min(done, key=lambda trial: trial.value or 1)
    assert best.value == pytest.approx(float(f"{best.params['optimizer.lr']:.6g}") / 4)
    assert f"best: trial {best.number:03d}, val CER {best.value:.2%}, model runs/sweep/{best.number:03d}" in said
    assert (
        f"crnn train model=crnn_tiny data.root=lines optimizer.lr={best.params['optimizer.lr']:.6g} loss.shortcut="
        in said
    )
    assert re.search(r"what matters: (optimizer\.lr|loss\.shortcut) \d+%", said)
    assert main(["sweep", "--report"]) == 0
    assert capfd.readouterr().out == said[said.index("study sweep: 7 trials") :]
    assert main(["sweep", "--report", "--study", "x"]) == 2
    assert "--study x: is not in sqlite:///runs/sweep.db; there are: sweep" in capfd.readouterr().err
    assert main(["sweep", "--trials", "7", *SETTINGS[:-1], "data.root=other"]) == 2
    assert "--study sweep: data.root was data.root=lines when it began, now data.root=other" in capfd.readouterr().err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_nothing_is_tried_twice(jobs: str, stand_in: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["model=crnn_tiny", "optimizer.lr=1e-3,2e-3", "data.batch_size=8..10", "data.root=lines"]
    assert main(["sweep", "--trials", "4", "--jobs", jobs, *words]) == 0
    assert "combinations" not in capfd.readouterr().err
    assert main(["sweep", "--trials", "20", "--jobs", jobs, "--pruner", "none", *words]) == 0
    said = capfd.readouterr()
    assert said.err.count("all 6 combinations of these values are tried") == 1
    done = [trial for trial in trials() if not trial.user_attrs.get("left")]
    assert len({tuple(trial.params.values()) for trial in done}) == len(done) == 6
    assert "study sweep: 6 trials" in said.out


def test_values_without_end_are_not_listed() -> None:
    space = Space.parse(["optimizer.lr=1e-3,2e-3", "loss.shortcut=0.0..1.0"])
    assert space.combinations() is None
    assert space.written({"optimizer.lr": "1e-3", "loss.shortcut": 0.12345678}) == ("1e-3", "0.123457")
    assert Space.parse(["data.batch_size=1..200", "seed=1..200"]).combinations() is None
    listed = Space.parse(["data.batch_size=8..16/4", "model=crnn,crnn_fast"]).combinations()
    assert listed is not None
    assert [tuple(one.values()) for one in listed[:3]] == [(8, "crnn"), (8, "crnn_fast"), (12, "crnn")]
    assert len(listed) == 6


def test_bad_trials_end_early(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By SIGTERM, after an epoch in which others were better."""
    monkeypatch.setenv("SLOW", "0.5")  # such a trial hangs after three epochs
    words = [SETTINGS[0], *SETTINGS[2:]]
    _, commands = make_parser()
    study = open_study(commands["sweep"].parse_args(words), Space.parse(words))
    for lr in (0.02, 0.03, 0.04, 0.05, 0.9):
        study.enqueue_trial({"optimizer.lr": lr})
    assert main(["sweep", "--trials", "5", *words]) == 0
    assert [trial.state.name for trial in trials()] == ["COMPLETE"] * 4 + ["PRUNED"]
    assert len(trials()[-1].intermediate_values) == 2
    assert not (stand_in.parent / "runs" / "sweep" / "004" / "result.json").exists()
    assert (stand_in.parent / "runs" / "sweep" / "004" / "ended").read_text() == "SIGTERM"


def test_failed_trials_are_no_end_unless_all_are_alike(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAILS", "0")
    assert main(["sweep", "--trials", "9", *SETTINGS]) == 2
    said = capfd.readouterr()
    assert "the first 3 trials failed alike: the learning rate is too high; mend it" in said.err
    assert [trial.state.name for trial in trials()] == ["FAIL"] * 3
    assert main(["sweep", "--report"]) == 0
    assert "trial 001 failed: the learning rate is too high" in capfd.readouterr().out
    monkeypatch.setenv("FAILS", "9")
    assert main(["sweep", "--trials", "5", *SETTINGS]) == 0
    assert [trial.state.name for trial in trials()] == ["FAIL"] * 3 + ["COMPLETE"] * 2


@pytest.mark.parametrize("both", [True, False])
def test_a_killed_sweep_goes_on(both: bool, stand_in: Path) -> None:
    """Killed alone, its training goes on to the end and is counted; killed with it, the training is resumed."""
    run = stand_in.parent / "runs" / "sweep" / "000"
    first = another(stand_in, "--trials", "2", *SETTINGS, NAP="2")
    wait_for(run / "metrics.csv")
    first.kill()
    first.wait()
    if both:
        children = subprocess.run(["pgrep", "-f", f"{stand_in} name=sweep/000"], capture_output=True, text=True)
        os.kill(int(children.stdout), signal.SIGKILL)
    assert main(["sweep", "--trials", "2", *SETTINGS]) == 0
    assert (run / "starts").read_text() == ("new\nresume\n" if both else "new\n")
    counted = [trial for trial in trials() if not trial.user_attrs.get("left")]
    assert [trial.state.name for trial in counted] == ["COMPLETE"] * 2
    assert sorted(trial.user_attrs["folder"] for trial in counted) == ["000", "002" if both else "001"]
    left, again = trials()[0], next(trial for trial in counted if trial.user_attrs["folder"] == "000")
    assert left.params == again.params
    assert len(again.intermediate_values) == 4


def test_a_stopped_sweep_stops_its_training(stand_in: Path) -> None:
    run = stand_in.parent / "runs" / "sweep" / "000"
    first = another(stand_in, "--trials", "1", *SETTINGS, NAP="30")
    wait_for(run / "metrics.csv")
    first.send_signal(signal.SIGINT)
    _, error = first.communicate(timeout=120)
    begun, *rest = error.splitlines()
    assert begun.startswith("trial 000: begins with optimizer.lr=")
    assert begun.endswith("; see runs/sweep/000/train.log")
    assert (first.returncode, rest) == (130, ["stopped; the same command goes on"])
    assert main(["sweep", "--trials", "1", *SETTINGS]) == 0
    assert (run / "starts").read_text() == "new\nresume\n"


def test_processes_share_the_trials(stand_in: Path) -> None:
    """Two commands, one of them with two jobs, on one SQLite file: as many trials as asked for, each once."""
    both = [
        another(stand_in, "--trials", "9", "--pruner", "none", "--jobs", str(jobs), *SETTINGS, NAP="0.2")
        for jobs in (1, 2)
    ]
    for one in both:
        _, error = one.communicate(timeout=240)
        assert one.returncode == 0, error
    assert [trial.state.name for trial in trials()] == ["COMPLETE"] * 9
    assert sorted(path.name for path in (stand_in.parent / "runs" / "sweep").iterdir() if path.is_dir()) == [
        f"{number:03d}" for number in range(9)
    ]
    starts = [path.read_text() for path in (stand_in.parent / "runs" / "sweep").glob("*/starts")]
    assert starts == ["new\n"] * 9


def test_a_trial_that_ended_since_it_was_listed_is_not_left_over(tmp_path: Path) -> None:
    """Its lock is free then, as that of one whose process died."""
    study = optuna.create_study()
    ended, died = study.ask(), study.ask()
    listed = study.get_trials()
    study.tell(ended, 1.0)
    asked = sweep.Sweep(study, Space.parse(["optimizer.lr=1e-3..1e-2"]), tmp_path, 9, None)
    assert [asked._left_over(trial) for trial in listed] == [False, True]
    assert listed[1].number == died.number


def test_a_real_sweep(line_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A training, and its model."""
    import crnn

    runs = tmp_path / "runs"
    words = ["model=crnn_tiny", f"data.root={line_folder}", "data.workers=0", "trainer.accelerator=cpu"]
    words += ["trainer.threads=1", "trainer.max_epochs=1", "optimizer.lr=log:1e-3..1e-2"]
    assert main(["sweep", "--runs", str(runs), "--trials", "1", "--study", "tiny", *words]) == 0
    said = capfd.readouterr().out
    [model] = re.findall(rf"model ({runs}/tiny/000/model\.onnx)$", said, re.MULTILINE)
    assert crnn.load(model).card.training["seed"] == 1


def test_a_long_reason_keeps_what_to_do(tmp_path: Path) -> None:
    """It stands in the last line, behind the lines of data that are named."""
    said = "characters: 9\nerror: 37 of 45 lines kept\n  labels.tsv:3: empty label\nMend these lines, or allow more losses\n"
    (tmp_path / "000.log").write_text(said, encoding="utf-8")
    assert (
        sweep_trial.Training(tmp_path / "000", []).why_failed()
        == "37 of 45 lines kept ... Mend these lines, or allow more losses"
    )
