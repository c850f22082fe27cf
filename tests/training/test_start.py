"""Training from a model: its weights, character by character, and what becomes of what it knew."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from tests_support import settings, write_sides

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.seen import SeenCharacters
from crnn.data.recorded import recorded_lines
from crnn.data.sources import open_source
from crnn.data.synth.source import drawable, synthetic_pair
from crnn.errors import ConfigError, CrnnError, DataError
from crnn.export.torch_backend import read_network, write_safetensors
from crnn.model.crnn import CRNN
from crnn.training import main as command
from crnn.training.characters import charset_from
from crnn.training.config import OptimizerConfig, to_config
from crnn.training.finish import Outcome, say_compared
from crnn.training.run import train
from crnn.training.run_folder import RunFolder, config_of_run
from crnn.training.schedule import make_optimizer, one_cycle
from crnn.training.start import Began, Start, cer_on

FAST = (
    "data.batch_size=8",
    "data.workers=0",
    "trainer.accelerator=cpu",
    "trainer.threads=1",
    "trainer.progress=false",
    "trainer.max_epochs=3",
)


@pytest.fixture(scope="module")
def new_lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines with characters that the model of `trained` does not know."""
    root = tmp_path_factory.mktemp("new")
    texts = ["".join(four) for four in itertools.permutations("012abxyz", 4)][::7]  # of a space, too:
    texts = [f"{text[:2]} {text[2:]}" if i % 4 == 0 else text for i, text in enumerate(texts)]
    options = {"characters": "012 abxyz", "fonts": "bundled", "max_length": 5, "wear": 0.0}
    pair = synthetic_pair(24, 8, seed=5, labels=texts, **options)
    write_sides(root, pair)
    return root


def test_rows_are_matched_by_character(trained: Path) -> None:
    start = Start.read(str(trained))
    known = start.card.charset.symbols
    charset = Charset(("Ω", *reversed(known[2:]), "ï"))
    network = CRNN(start.network.config, charset.classes, 32)
    said = start.carry_over(network, charset)
    assert said.endswith(f"{len(known) - 2} characters kept, 2 new ('Ω' 'ï'), 2 dropped ({known[0]!r} {known[1]!r})")
    images, widths = torch.randn(2, 1, 32, 80), torch.tensor([80, 60])
    with torch.no_grad():
        mine, theirs = (
            net.eval().head(torch.randn(5, net.head.in_features, generator=torch.manual_seed(0)))
            for net in (network, start.network)
        )
        features = network.columns(images, widths), start.network.columns(images, widths)
    assert torch.equal(*features)
    assert torch.equal(mine[:, 0], theirs[:, 0])
    for row, symbol in enumerate(charset.symbols, 1):
        if symbol in known:
            assert torch.equal(mine[:, row], theirs[:, known.index(symbol) + 1]), symbol
    bias = start.network.head.bias[1:]
    assert network.head.bias[1].item() == pytest.approx((bias.mean() - bias.std(correction=0)).item(), abs=1e-6)


def test_the_same_characters_read_the_same_at_the_start(trained: Path, line_folder: Path) -> None:
    start = Start.read(str(trained / "checkpoints" / "best.ckpt"))
    network = CRNN(start.network.config, start.card.charset.classes, 32)
    start.carry_over(network, start.card.charset)
    val = open_source(line_folder / "val")
    assert cer_on(start.card, network, val) == cer_on(start.card, start.network, val)


def test_a_training_that_made_it_worse_says_so(trained: Path, line_folder: Path, tmp_path: Path) -> None:
    best = tmp_path / "checkpoints" / "best.ckpt"
    best.parent.mkdir()
    shutil.copy(trained / "checkpoints" / "best.ckpt", best)
    (tmp_path / "config.yaml").write_text("")
    val = open_source(line_folder / "val")
    now = cer_on(*read_network(best), val)
    for before in (now - 0.01, now, now + 0.01):
        folder = RunFolder(tmp_path)
        outcome = Outcome(tmp_path, {})
        said: list[str] = []
        folder.say = said.append  # type: ignore[method-assign, assignment]
        say_compared(Began(before, None, 0.0), val, folder, outcome)
        assert outcome.result == {"before/cer": before}
        assert [f"(CER {before:.2%}, now {now:.2%})" in line for line in said] == [True] * (before < now)


def test_a_whole_training(trained: Path, new_lines: Path, tmp_path: Path) -> None:
    before = read_network(trained / "checkpoints" / "best.ckpt")[0]
    outcome = train(settings(*FAST, f"init={trained}", f"data.root={new_lines}", f"runs_dir={tmp_path}", "name=fine"))
    log = (outcome.folder / "train.log").read_text()
    card, _ = read_network(outcome.folder / "checkpoints" / "best.ckpt")
    assert card.charset.symbols == (*before.charset.symbols, "x", "y", "z")
    assert card.network == before.network
    assert f"{len(before.charset)} characters kept, 3 new ('x' 'y' 'z'), 0 dropped" in log
    assert "before training: CER " in log
    assert "the model's own validation lines" in log
    result = json.loads((outcome.folder / "result.json").read_text())
    assert f"before training: CER {result['before/cer']:.2%} on" in log
    assert ("these validation lines were read better before training" in log) == (
        result["val/cer"] > result["before/cer"]
    )
    assert 0 <= result["old/cer_before"] < 0.5
    assert result["old/cer"] >= 0
    both = SeenCharacters.of_note(before.training), SeenCharacters.of_note(card.training)
    assert both[0]
    assert both[1]
    rows = (new_lines / "train" / "labels.tsv").read_text().splitlines()
    own = Counter("".join(row.split("\t")[1] for row in rows))
    assert both[1].labels == Counter(both[0].labels) + own  # what the model saw before counts too
    # and it resumes without the model that it began from
    copy = tmp_path / "moved"
    shutil.copytree(outcome.folder, copy)
    config = to_config(config_of_run(str(copy), ["trainer.max_epochs=4"]))
    config.init = str(tmp_path / "gone")
    assert train(config).result["epochs"] == 4
    last = read_network(copy / "checkpoints" / "last.ckpt")[0]
    assert SeenCharacters.of_note(last.training) == both[1]


def test_own_characters_may_be_asked_for(trained: Path, new_lines: Path, tmp_path: Path) -> None:
    options = (f"init={trained}", f"data.root={new_lines}", f"runs_dir={tmp_path}", "charset.symbols='012 abxyz'")
    outcome = train(settings(*FAST, *options, "trainer.max_epochs=1", "finetune=head_first"))
    card, _ = read_network(outcome.folder / "checkpoints" / "best.ckpt")
    assert set(card.charset.symbols) == set("012 abxyz")


def test_the_head_first() -> None:
    network = CRNN(settings("model=crnn_tiny").model, 5, 32)
    config = OptimizerConfig(lr=1.0, warmup=0.5)
    optimizer, schedule = make_optimizer(network, config, 10, head_first=True)
    body, head = network.lstm.weight_hh_l0, network.head.weight
    before = [p.detach().clone() for p in (body, head)]
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    assert len(groups) == len(list(network.parameters()))
    for step in range(10):
        rates = [groups[id(p)]["lr"] for p in (body, head)]
        expected = one_cycle(step, 10, 0.5, config.final)
        assert rates == pytest.approx([0.0 if step < 5 else expected, expected])
        for p in network.parameters():
            p.grad = torch.ones_like(p)
        optimizer.step()
        schedule.step()
        assert torch.equal(body, before[0]) == (step < 5)
        assert not torch.equal(head, before[1])


@pytest.mark.parametrize(
    ("words", "init"),
    [
        (["data.root=lines"], "bundled"),
        (["data.train=lines"], "bundled"),
        (["data.train=[lines,rendered]"], "bundled"),
        (["data.root=lines", "charset.source=set:digits"], "bundled"),
        ([], None),
        (["data.train=rendered"], None),
        (["data.train=[rendered]"], None),
        (["data.root=lines", "init=null"], None),
        (["data.root=lines", "image.height=48"], None),
        (["data.root=lines", "image.width=128"], None),
        (["data.root=lines", "model=crnn_fast"], None),
        (["data.root=lines", "model.lstm.hidden_size=64"], None),
        (["data.root=lines", "model.backbone.column_pool=max"], None),
        (["init=bundled"], "bundled"),
        (["data.root=lines", "init=runs/x"], "runs/x"),
    ],
)
def test_real_lines_start_from_the_model_in_the_box(words: list[str], init: str | None) -> None:
    config = settings("model=crnn_small", *words)
    assert config.init == init


@pytest.mark.parametrize(
    ("words", "peak"),
    [
        (["data.root=lines"], 1e-3),
        (["data.root=lines", "init=null"], 2e-3),
        ([], 2e-3),
        (["init=runs/x"], 1e-3),
        (["data.root=lines", "optimizer.lr=0.5"], 0.5),
    ],
)
def test_the_learning_rate_follows_the_start(words: list[str], peak: float) -> None:
    assert settings("model=crnn_small", *words).optimizer.lr == peak


def test_the_model_in_the_box_is_what_auto_takes_it_for() -> None:
    config = settings("model=crnn_small", "data.root=lines")
    its = Start.read("bundled").settle(config)
    assert (its.model, its.image) == (config.model, config.image)


@pytest.mark.parametrize("rule", ["direction=rtl", "case=lower", "unit=codepoint", "whitespace=collapse", "form=NFKC"])
def test_other_text_rules_have_the_characters_of_the_labels(rule: str) -> None:
    config = settings("model=crnn_small", "data.root=lines", f"charset.{rule}")
    charset = Start.read(config.init or "").settle(config).charset
    assert charset == config.charset
    assert charset_from(charset, ["ab", "b"]).charset.symbols == ("a", "b")


def test_one_command_starts_from_the_model_in_the_box(
    new_lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        "model=crnn_small",
        f"data.root={new_lines}",
        f"runs_dir={tmp_path}",
        "name=the 行",
        "trainer.max_epochs=1",
    ]
    fast = ["data.workers=0", "trainer.threads=1", "trainer.accelerator=cpu"]
    monkeypatch.setattr("sys.argv", ["train", *words, *fast])
    command.main()
    run = tmp_path / "the 行"
    said = (run / "train.log").read_text(encoding="utf-8")
    assert "classes (the model in the box is what it starts from; init=null: from nothing)" in said
    assert "latin.safetensors: 179 characters kept, 0 new, 0 dropped" in said
    assert "init: bundled" in (run / "config.yaml").read_text(encoding="utf-8")  # a later crnn goes on in the same way
    read = said.splitlines()[-1].strip()  # as it can be pasted into a shell
    assert shlex.split(read) == ["crnn", "recognize", str(run / "model.onnx"), str(run / "samples" / "line.png")]
    assert shlex.split(RunFolder(run).again(1)) == ["crnn", "train", f"resume={run}"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init=gone.ckpt"], "gone.ckpt"),
        (["init=."], "is no run folder with checkpoints/best.ckpt"),
        (["finetune=some"], "finetune"),
    ],
)
def test_bad_starts_are_refused(words: list[str], said: str, new_lines: Path, tmp_path: Path) -> None:
    with pytest.raises(CrnnError, match=said):
        train(settings(*FAST, f"data.root={new_lines}", f"runs_dir={tmp_path}/runs", *words))
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_an_onnx_file_cannot_be_trained(trained: Path, new_lines: Path, tmp_path: Path) -> None:
    with pytest.raises(CrnnError, match="is ONNX, which cannot become a torch network"):
        train(settings(*FAST, f"init={trained}/model.onnx", f"data.root={new_lines}", f"runs_dir={tmp_path}"))


def test_another_network_is_refused(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, models in (
        (["model=crnn_small"], "model=crnn_tiny"),
        (["image.height=32", "image.height=48"], "image.height=32"),
        (["image.width=64"], "image.width=None"),
        (["model.lstm.hidden_size=7"], "model.lstm.hidden_size=32"),
    ):
        monkeypatch.setattr("sys.argv", ["train", f"init={trained}", *words])
        with pytest.raises(SystemExit) as stopped:
            command.main()
        assert stopped.value.code == 2
        assert f"with init the network and the height are the model's, {models}; " in capsys.readouterr().err


def test_the_models_own_network_may_be_named(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What says the same as the model is no contradiction."""
    given = []
    monkeypatch.setattr("crnn.training.run.train", lambda config, why_model, peers: given.append((config, why_model)))
    monkeypatch.setattr("sys.argv", ["train", f"init={trained}", "image.height=32", "model=crnn_tiny"])
    command.main()
    [(config, why_model)] = given
    assert (config.init, config.image.height, why_model) == (str(trained), 32, f" (that of {trained})")


def test_safetensors_start_too(trained: Path, tmp_path: Path) -> None:
    card, network = read_network(trained / "checkpoints" / "best.ckpt")
    write_safetensors(tmp_path / "m.safetensors", card, network)
    start = Start.read(str(tmp_path / "m.safetensors"))
    assert isinstance(start.card, ModelCard)
    assert start.old_lines() is not None
    with pytest.raises(ConfigError):
        Start.read(str(tmp_path))


def test_rendered_lines_beside_new_ones(trained: Path, new_lines: Path, tmp_path: Path) -> None:
    """Against forgetting; they have the model's characters, those that fonts draw, also after a stop."""
    options = (f"data.train=[{new_lines}/train,rendered]", f"data.val={new_lines}/val", "data.weights=[1,0.5]")
    few = ("data.rendered.lines=16", "data.rendered.val_lines=4", "data.rendered.fonts=bundled")
    known = read_network(trained / "checkpoints" / "best.ckpt")[0].charset
    places = (f"init={trained}", f"runs_dir={tmp_path}", "trainer.max_epochs=1")
    outcome = train(settings(*FAST, *options, *few, *places))
    data = json.loads((outcome.folder / "data.json").read_text())
    assert set(data["rendered"]["characters"]) == set(known.symbols)
    assert data["train"]["lines"] == 24 + 8
    train(to_config(config_of_run(str(outcome.folder), ["trainer.max_epochs=2"])))  # its own checkpoint knows xyz, too
    assert json.loads((outcome.folder / "data.json").read_text())["rendered"] == data["rendered"]


def test_what_fonts_draw() -> None:
    assert drawable(["a", " ", "ß", "नि", "א", "\u00a0", "\U000e0041"], "bundled") == "a ß"


def test_recorded_lines_of_real_and_rendered_training(line_folder: Path, tmp_path: Path) -> None:
    real = str(line_folder / "train")
    note: dict[str, Any] = {"data": {"paths": {"train": [real, "rendered"], "val": [real]}, "options": {}}}
    model = tmp_path / "m.onnx"
    assert len(recorded_lines(note, "train", model)) == len(open_source(real))  # as for --lm train
    note["data"]["paths"]["val"] = None
    (tmp_path / "splits").mkdir()
    first = open_source(real).entry(0).picture
    (tmp_path / "splits" / "val.tsv").write_text(f"position\tpicture\twhere\n0\t{first}\tx\n")
    assert [recorded_lines(note, "val", model).entry(0).picture] == [first]
    note["data"]["paths"]["train"] = ["rendered"]
    with pytest.raises(DataError, match="its train lines were rendered on the fly; name lines"):
        recorded_lines(note, "train", model)


def test_rendered_validation_lines_are_rendered_again(tmp_path: Path) -> None:
    options = {"lines": 4, "val_lines": 5, "seed": 3, "characters": "abc", "fonts": "bundled", "text_file": None}
    note = {"data": {"paths": {"train": ["rendered"], "val": None}, "options": {}, "rendered": options}}
    again, first = recorded_lines(note, "val", tmp_path / "m.onnx"), synthetic_pair(**options)[1]
    assert [again.entry(i).text for i in range(5)] == [first.entry(i).text for i in range(5)]
    note["data"]["rendered"] = {"odd": 1}  # of another version
    with pytest.raises(CrnnError, match="cannot be rendered again"):
        recorded_lines(note, "val", tmp_path / "m.onnx")
