"""Loss, schedule, metrics file, run folder: the parts of a training that can be looked at alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests_support import settings
from torch import nn

from crnn.errors import ConfigError, ModelFileError
from crnn.training import checkpoints
from crnn.training.assemble import workers_for
from crnn.training.checkpoints import WholeCheckpoints
from crnn.training.config import OptimizerConfig, config_folder
from crnn.training.loss import CtcLoss
from crnn.training.metrics_csv import MetricsCsv
from crnn.training.overrides import quoted
from crnn.training.run_folder import RunFolder, config_of_run
from crnn.training.schedule import make_optimizer, one_cycle


def brute_force(log_probs: torch.Tensor, labels: list[int]) -> float:
    """Minus log of the sum over all paths that collapse to `labels`; log_probs is (T, C)."""
    steps, classes = log_probs.shape
    total = 0.0
    for path in itertools.product(range(classes), repeat=steps):
        merged = [c for c, _ in itertools.groupby(path)]
        if [c for c in merged if c != 0] == labels:
            total += float(np.exp(sum(log_probs[t, c].item() for t, c in enumerate(path))))
    return -np.log(total) if total else np.inf


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], [2, 2, 1]])
def test_loss_is_that_of_all_alignments(labels: list[int]) -> None:
    log_probs = torch.randn(5, 1, 3, generator=torch.manual_seed(0)).log_softmax(2)
    losses = CtcLoss().per_line(log_probs, torch.tensor([5]), torch.tensor(labels), torch.tensor([len(labels)]))
    assert losses.item() == pytest.approx(brute_force(log_probs[:, 0], labels), rel=1e-5)


def test_an_impossible_label_is_infinite_not_zero() -> None:
    log_probs = torch.zeros(3, 1, 3).log_softmax(2)
    losses = CtcLoss().per_line(log_probs, torch.tensor([3]), torch.tensor([1, 1, 1]), torch.tensor([3]))
    assert torch.isinf(losses).all()


def test_reductions() -> None:
    losses, lengths = torch.tensor([6.0, 2.0, 4.0]), torch.tensor([3, 1, 4])
    assert CtcLoss("batch").reduce(losses, lengths).item() == pytest.approx(12 / 3)
    assert CtcLoss("sum").reduce(losses, lengths).item() == pytest.approx(12)
    assert CtcLoss("mean").reduce(losses, lengths).item() == pytest.approx((2 + 2 + 1) / 3)
    log_probs = torch.randn(9, 3, 5).log_softmax(2)
    targets, steps = torch.tensor([1, 2, 3, 1, 4, 3, 2, 1]), torch.tensor([9, 7, 8])
    per_line = CtcLoss().per_line(log_probs, steps, targets, lengths)
    torch_mean = nn.CTCLoss()(log_probs, targets, steps, lengths)
    assert CtcLoss("mean").reduce(per_line, lengths).item() == pytest.approx(torch_mean.item(), rel=1e-5)


def test_loss_stays_in_float32_under_autocast() -> None:
    log_probs = torch.randn(6, 2, 4).log_softmax(2)
    arguments = (torch.tensor([6, 6]), torch.tensor([1, 2, 3]), torch.tensor([2, 1]))
    with torch.autocast("cpu", torch.bfloat16):
        losses = CtcLoss().per_line(log_probs, *arguments)
    assert losses.dtype == torch.float32
    assert torch.equal(losses, CtcLoss().per_line(log_probs, *arguments))


@given(st.integers(10, 5000), st.floats(0, 0.5), st.floats(0, 0.5))
def test_one_cycle_rises_then_falls_and_stays(total: int, warmup: float, final: float) -> None:
    rates = [one_cycle(step, total, warmup, final) for step in range(total + 1)]
    peak = int(np.argmax(rates))
    assert rates[0] == pytest.approx(1 / 25)
    assert max(rates) == pytest.approx(1.0)
    assert peak == max(1, round(warmup * total))
    assert all(a < b + 1e-12 for a, b in itertools.pairwise(rates[: peak + 1]))
    assert all(a > b - 1e-12 for a, b in itertools.pairwise(rates[peak:]))
    assert rates[-1] == pytest.approx(final)
    assert one_cycle(total + 100, total, warmup, final) == pytest.approx(final)


def test_weight_decay_leaves_biases_and_norms_alone() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 3))
    optimizer, _ = make_optimizer(network, OptimizerConfig(weight_decay=0.3), 100)
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(network[0].weight), id(network[2].weight)}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(network.parameters()))


def test_metrics_file_is_appended_to_and_cut_on_resume(tmp_path: Path) -> None:
    log = MetricsCsv(tmp_path)
    for step in range(4):
        log.log_metrics({"train/loss": 1.0 + step, "epoch": 0}, step)
    log.log_metrics({"val/cer": 0.5, "epoch": 0}, 3)
    MetricsCsv(tmp_path, resume_step=2).log_metrics({"train/loss": 9.0, "epoch": 0}, 2)
    rows = (tmp_path / "metrics.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,step,train/loss")
    assert [row.split(",")[1:3] for row in rows[1:]] == [["0", "1.0"], ["1", "2.0"], ["2", "9.0"]]


def test_a_torn_row_of_the_metrics_file_is_left_out(tmp_path: Path) -> None:
    log = MetricsCsv(tmp_path)
    for step in range(3):
        log.log_metrics({"train/loss": 1.0 + step, "epoch": 0}, step)
    path = tmp_path / "metrics.csv"
    rows = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*rows[:2], b"0,1\xff\xfe,2.0", b"0", rows[3]]))
    MetricsCsv(tmp_path, resume_step=9)
    assert [row.split(",")[1:3] for row in path.read_text().splitlines()[1:]] == [["0", "1.0"], ["2", "3.0"]]


def test_settings_of_a_run_come_back_with_plain_changes(trained: Path) -> None:
    config = config_of_run(str(trained), ["trainer.max_epochs=40"])
    assert (config.trainer.max_epochs, config.model.name, config.resume) == (40, "crnn_tiny", str(trained))
    for words, name, wanted in (
        (["data.root='it\\'s lines'"], "root", "it's lines"),
        (["data.root='a: b'"], "root", "a: b"),
        (["data.train=[a b,c]"], "train", ["a b", "c"]),
        (["data.root=null"], "root", None),
    ):
        assert config_of_run(str(trained), words).data[name] == wanted

    for override, message in (
        ("data.root='a", "resume="),
        ("model=crnn", "only single settings"),
        ("image.height=48", "the network is the run's own; start a new one from it, with init="),
        ("model.lstm.hidden_size=8", "the network is the run's own"),
        ("trainer.max_epoch=4", "max_epoch"),
        ("optimizer.lr=x", "lr|Float"),
    ):
        with pytest.raises(ConfigError, match=message):
            config_of_run(str(trained), [override])


def test_shipped_defaults_equal_the_schema() -> None:
    """configs/train.yaml and the dataclasses say the same, so a Python caller gets what the command line gets."""
    from crnn.training.config import TrainConfig, settled

    assert settings("model=crnn") == settled(TrainConfig())
    assert (Path(config_folder()) / "model" / "crnn_small.yaml").is_file()


def test_an_unused_run_folder_goes_away(tmp_path: Path) -> None:
    config = settings(f"runs_dir={tmp_path}", "name=x/y")
    folder = RunFolder.create(config)
    folder.say("hello")
    folder.remove_if_unused()
    assert not folder.path.exists()
    folder = RunFolder.create(config)
    folder.write_json("data.json", {})
    folder.remove_if_unused()
    assert folder.path.exists()


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.strftime", lambda form: "2026-01-02_03-04-05")
    config = settings(f"runs_dir={tmp_path}", "model=crnn_tiny")
    names = [RunFolder.create(config).path.name for _ in range(3)]
    assert names == [f"2026-01-02_03-04-05_crnn_tiny{tail}" for tail in ("", "-2", "-3")]


@pytest.mark.parametrize("name", ["..", "../x", "a/../b", "/elsewhere", "a/", "a//b", ".", "a\\\\b"])
def test_a_run_stays_in_the_folder_of_runs(tmp_path: Path, name: str) -> None:
    runs = tmp_path / "runs"
    config = settings(f"runs_dir={runs}", f"name='{name}'")
    with pytest.raises(ConfigError, match=r"^name='.*': is no name of a folder under runs_dir=.*/runs; as name=mine"):
        RunFolder.create(config)
    assert list(tmp_path.iterdir()) == []


def test_a_run_may_lie_in_a_folder_below(tmp_path: Path) -> None:
    assert RunFolder.create(settings(f"runs_dir={tmp_path}", "name=a/b.c")).path == tmp_path / "a" / "b.c"


def test_a_taken_name_says_whether_there_is_something_to_go_on_from(tmp_path: Path) -> None:
    config = settings(f"runs_dir={tmp_path}", "name=mine")
    folder = RunFolder.create(config)
    with pytest.raises(
        ConfigError, match=r"mine: exists, without a checkpoint to go on from; choose another name=..., or remove it"
    ):
        RunFolder.create(config)
    folder.last.parent.mkdir()
    folder.last.touch()
    with pytest.raises(ConfigError, match=r"mine: exists; go on with it by resume=.*mine, or choose another name"):
        RunFolder.create(config)


def test_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, expected in ((1, 1), (2, 1), (4, 3), (64, 8)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert workers_for(None) == expected
    assert workers_for(0) == 0


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("charset.extra=ï", "ï"),
        ("charset.extra=(){}[]", "(){}[]"),
        ("charset.extra='", "'"),
        ("charset.extra=a'\\b", "a'\\b"),
        ("data.root=/tmp/öl und (Wein)", "/tmp/öl und (Wein)"),
        ("name=plain", "plain"),
        ("data.train=[/tmp/öl und (Wein)/a,b c]", ["/tmp/öl und (Wein)/a", "b c"]),
        ("data.train=[/我的 行/train, '/a, (b)',rendered]", ["/我的 行/train", "/a, (b)", "rendered"]),
        ("data.val=[it's ü]", ["it's ü"]),
        ("data.train=[ü]x", "[ü]x"),
    ],
)
def test_any_text_can_be_a_setting(word: str, value: object) -> None:
    """The remedies that messages print can be copied as they are."""
    config = settings("model=crnn_tiny", quoted(word))
    section, _, key = word.split("=")[0].rpartition(".")
    assert getattr(getattr(config, section) if section else config, key) == value


def test_plain_words_stay() -> None:
    for word in ("-m", "--help", "model=crnn", "data.train=[a,b]", "optimizer.lr=1e-3", "resume=runs/x", "seed=1,2"):
        assert quoted(word) == word


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written beside the old one: a full disk costs nothing of that."""
    path = tmp_path / "checkpoints" / "last.ckpt"
    state = {"global_step": 3, "epoch": 1, "LineDataModule": {"epoch": 1, "batches": 2, "of": 5}}
    WholeCheckpoints().save_checkpoint(state, path)
    assert checkpoints.reached(path) == (3, 1, 2, 5)
    WholeCheckpoints().save_checkpoint(state | {"LineDataModule": {"epoch": 1, "batches": 2}}, path)  # as it once was
    assert checkpoints.reached(path).whole is None
    before = path.read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        WholeCheckpoints().save_checkpoint({"global_step": 4, "epoch": 1}, path)
    assert [one.name for one in path.parent.iterdir()] == ["last.ckpt"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"x" * 500])
def test_a_damaged_checkpoint_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(
        ModelFileError, match=r"last\.ckpt: is damaged \(.+\); start a new run from the best one: init="
    ):
        checkpoints.reached(tmp_path / "last.ckpt")
