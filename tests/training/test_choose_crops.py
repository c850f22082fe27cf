"""Which lines of a training are trimmed, and what its model file says then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch
from tests_support import loose_lines, settings

import crnn
from crnn.core.prepared import prepare
from crnn.core.transform import LineTransform
from crnn.data.batching import LineKey
from crnn.data.crops import Crops, choose_crops
from crnn.data.module import LineDataModule
from crnn.data.sources import open_source
from crnn.data.sources.indexed import IndexedSource
from crnn.errors import ConfigError, DataError
from crnn.loader import read_card
from crnn.training import run as run_module
from crnn.training.assemble import assemble
from crnn.training.config import to_config
from crnn.training.crops import crops_for
from crnn.training.processes import Peers
from crnn.training.run import train
from crnn.training.run_folder import RunFolder, config_of_run

QUICK = [
    "trainer.max_epochs=1",
    "trainer.accelerator=cpu",
    "trainer.threads=1",
    "data.workers=0",
    "trainer.progress=false",
]


def test_loosely_cropped_lines_are_trimmed_in_training_and_others_where_they_are_read(tmp_path: Path) -> None:
    free, fixed = LineTransform(32), LineTransform(32, 96)
    close, loose = (open_source(loose_lines(tmp_path / name, 10, n)) for name, n in (("close", 1), ("loose", 2)))
    for sources, trimmed, said in (
        ([], [], "lines come in all crops"),
        ([close], [False], "lines are cropped closely"),
        ([close, loose], [False, True], "loose: 20%): paper around lines is cut off"),
        ([loose, loose], [True, True], "20%, "),
    ):
        crops = choose_crops(sources, free)
        assert (crops.readers, crops.validation, crops.training) == (True, True, trimmed)
        assert said in crops.why
        assert "data.trim" in crops.why
        undecoded = choose_crops(sources, free, decode=False)
        assert (undecoded.readers, undecoded.training) == (True, trimmed)
        assert undecoded.validation is (sources != [close])  # their pictures are not looked at
        assert choose_crops(sources, fixed) == Crops(False, False, [False] * len(sources))
        for asked in (True, False):
            for transform in (free, fixed):
                assert choose_crops(sources, transform, asked) == Crops(asked, asked, [asked] * len(sources))


def test_processes_choose_alike(tmp_path: Path) -> None:
    """A picture that one of them cannot read makes no other choice there."""
    loose = open_source(loose_lines(tmp_path / "loose", 10, 2))
    config = settings(f"runs_dir={tmp_path}")

    class Second(Peers):
        def from_first(self, make: Callable[[], str]) -> str:
            return "[0.1]"

    chosen = [
        crops_for(config, LineTransform(), [loose], RunFolder.create(config), peers) for peers in (Peers(), Second())
    ]
    assert [crops.training for crops in chosen] == [[True], [False]]


def test_looking_at_crops_is_shown(tmp_path: Path) -> None:
    """On pages of their own two hundred lines take seconds."""
    loose, config, shown = open_source(loose_lines(tmp_path / "loose", 10, 2)), settings(f"runs_dir={tmp_path}"), []

    def watch(positions: Iterable[int], total: int, doing: str) -> Iterable[int]:
        shown.append((total, doing))
        return positions

    crops_for(config, LineTransform(), [loose], RunFolder.create(config), Peers(), watch)
    assert shown == [(10, "looking at crops")]


def begun(tmp_path: Path, *words: str) -> Path:
    """A run of loosely cropped lines, some held out, after an epoch."""
    data = loose_lines(tmp_path / "lines", 20, 20)
    return train(
        settings("model=crnn_tiny", f"data.train={data}", f"runs_dir={tmp_path}", "name=run", *QUICK, *words)
    ).folder


def gone_on(run: Path, *words: str) -> Path:
    return train(to_config(config_of_run(str(run), ["trainer.max_epochs=2", *words]))).folder


def test_a_run_goes_on_as_it_began(tmp_path: Path) -> None:
    run = begun(tmp_path)
    assert json.loads((run / "data.json").read_text())["trim"] == {
        "readers": True,
        "validation": True,
        "training": [True],
    }
    with pytest.raises(ConfigError, match=r"^data.trim=false: the run began with true, and its figures .* init="):
        gone_on(run, "data.trim=false")
    gone_on(run, "data.trim=true")
    assert json.loads((run / "data.json").read_text())["trim"]["training"] == [True]
    assert read_card(run / "checkpoints" / "last.ckpt").trim


def test_a_run_that_trims_for_readers_alone_does_not_begin_to(tmp_path: Path) -> None:
    data = loose_lines(tmp_path / "lines", 20, 0)
    words = ("model=crnn_tiny", f"data.train={data}", f"runs_dir={tmp_path}", "name=run", *QUICK)
    run = train(settings(*words)).folder
    for asked in ("true", "false"):
        with pytest.raises(ConfigError, match=rf"^data.trim={asked}: the run began with (null|true), and its figures"):
            gone_on(run, f"data.trim={asked}")


@pytest.mark.parametrize(
    "word", ["loss.shortcut=0", "finetune=head_first", "seed=5", "name=other", "split.share=0.5", "init=null"]
)
def test_what_a_run_cannot_change_is_refused_and_costs_it_nothing(tmp_path: Path, word: str) -> None:
    """Layers of the shortcut loss or groups of the optimiser that were not there were a traceback, for good."""
    run = begun(tmp_path, "init=bundled" if word == "init=null" else "finetune=full")
    before = (run / "config.yaml").read_bytes()
    with pytest.raises(ConfigError, match=rf"^{word}: cannot change in a run that has begun; leave it out, or start"):
        config_of_run(str(run), [word])
    assert (run / "config.yaml").read_bytes() == before
    gone_on(run, "loss.shortcut=0.2", "seed=1")  # another weight is another matter


def test_dropped_validation_lines_are_written_down_beside_rendered_ones(tmp_path: Path) -> None:
    val = loose_lines(tmp_path / "val", 8, 0)
    (val / "000.png").write_bytes(b"no picture")
    rendered = ["data.rendered.lines=8", "data.rendered.max_length=8", "data.max_dropped=0.5"]
    run = train(settings("model=crnn_tiny", f"data.val={val}", f"runs_dir={tmp_path}", "name=run", *rendered, *QUICK))
    assert "000.png" in (run.folder / "dropped.tsv").read_text()


@pytest.mark.parametrize(
    ("limit", "said"), [("stop.patience=1", "val CER had not fallen"), ("trainer.max_minutes=0.001", "were up after")]
)
def test_a_run_that_a_limit_has_ended_has_nothing_left_to_do(tmp_path: Path, limit: str, said: str) -> None:
    run = begun(tmp_path, "trainer.max_epochs=30", limit, "optimizer.lr=1e-9")
    result = json.loads((run / "result.json").read_text())
    assert result["epochs"] < 30
    for _ in range(2):
        train(to_config(config_of_run(str(run), [])))
        again = json.loads((run / "result.json").read_text())
        assert (again["epochs"], again["steps"]) == (result["epochs"], result["steps"])
    log = (run / "train.log").read_text()
    assert log.count(f"after epoch {result['epochs']} of 30") == 3
    assert log.count(said) == 3
    assert "nothing was left to do" not in log


def test_another_number_of_sets_is_no_traceback(tmp_path: Path) -> None:
    run = begun(tmp_path)
    more = loose_lines(tmp_path / "more", 4, 0)
    with pytest.raises(DataError, match=r"the run began with 1 set of training lines, and now there are 2; "):
        gone_on(run, f"data.train=[{tmp_path / 'lines'},{more}]")


@pytest.mark.parametrize("damaged", ["null", "[1]", "x"])
def test_damaged_settings_of_a_run_are_one_line(tmp_path: Path, damaged: str) -> None:
    run = begun(tmp_path)
    stored = (run / "config.yaml").read_text().replace("export:\n  format: onnx\n", f"export: {damaged}\n")
    (run / "config.yaml").write_text(stored)
    assert f"export: {damaged}\n" in stored
    with pytest.raises(ConfigError, match=r"resume=.*: "):
        config_of_run(str(run), [])


def test_a_run_of_an_earlier_version_goes_on_with_pictures_as_they_are(tmp_path: Path) -> None:
    run = begun(tmp_path, "data.trim=false")
    record = json.loads((run / "data.json").read_text())
    del record["trim"]
    (run / "data.json").write_text(json.dumps(record))
    stored = (run / "config.yaml").read_text().replace("  trim: false\n", "")
    (run / "config.yaml").write_text(stored.replace("export:\n", "export:\n  trim: null\n"))
    gone_on(run)
    record = json.loads((run / "data.json").read_text())["trim"]
    assert record == {"readers": False, "validation": False, "training": [False]}


def test_pictures_are_decoded_once_for_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And some of them before, to see how closely lines are cropped."""
    picture, asked = IndexedSource.picture, []
    monkeypatch.setattr(IndexedSource, "picture", lambda self, i: (asked.append(i), picture(self, i))[1])
    for loose, decode, times in ((0, True, 1), (20, True, 1), (0, False, 0), (20, False, 1)):
        data = loose_lines(tmp_path / f"{loose}{decode}", 20, loose)
        config = settings(f"data.train={data}", f"runs_dir={data}/runs", f"data.decode_check={str(decode).lower()}")
        asked.clear()
        data_of_run = assemble(config, LineTransform(), RunFolder.create(config))
        held_out = len(data_of_run.val.source)
        assert len(asked) == 20 * times + 20 - held_out  # training lines are looked at before
        assert data_of_run.crops.validation is (decode or loose > 0)


def test_before_training_a_model_reads_as_its_own_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(tmp_path, "data.trim=false")
    seen = []
    monkeypatch.setattr(run_module, "cer_on", lambda card, *_: (seen.append(card.trim), 0.5)[1])
    words = [f"data.train={tmp_path / 'lines'}", f"runs_dir={tmp_path}", "name=next", f"init={run}", *QUICK]
    train(settings(*words))
    assert not seen[0]
    assert read_card(tmp_path / "next" / "checkpoints" / "last.ckpt").trim


@pytest.mark.parametrize(
    ("loose", "setting", "trimmed", "said"),
    [
        (0, "null", True, "lines are cropped closely"),
        (4, "null", True, "lines are cropped loosely"),
        (4, "false", False, ""),
        (0, "true", True, ""),
    ],
)
def test_the_files_of_a_run_say_so(tmp_path: Path, loose: int, setting: str, trimmed: bool, said: str) -> None:
    """The checkpoint, too: what is exported of it later reads as the run's own file does."""
    data = loose_lines(tmp_path / "lines", 8, loose)
    words = [f"data.train={data}", f"data.val={data}", f"runs_dir={tmp_path}", "name=run", f"data.trim={setting}"]
    folder = train(settings("model=crnn_tiny", *words, *QUICK)).folder
    assert crnn.load(folder / "model.onnx").trim is trimmed
    assert read_card(folder / "checkpoints" / "best.ckpt").trim is trimmed
    log = (folder / "train.log").read_text()
    assert ("lines are cropped" in log) is bool(said)
    assert said in log


def test_a_model_of_rendered_lines_has_them_trimmed(tmp_path: Path) -> None:
    rendered = ["data.rendered.lines=8", "data.rendered.val_lines=8", "data.rendered.max_length=8"]
    words = ["model=crnn_tiny", f"runs_dir={tmp_path}", "name=run", *rendered, *QUICK]
    folder = train(settings(*words)).folder
    assert crnn.load(folder / "model.onnx").trim
    assert "lines come in all crops" in (folder / "train.log").read_text()


@pytest.mark.parametrize("cache", ["none", "memory"])
@pytest.mark.parametrize(
    ("loose", "setting", "train_too"), [(1, "null", False), (3, "null", True), (3, "false", False)]
)
def test_validation_sees_what_readers_see(
    tmp_path: Path, loose: int, setting: str, train_too: bool, cache: str
) -> None:
    """The same pixels, or the figures of a training would not be those of its model file."""
    folder = loose_lines(tmp_path / "lines", 12, loose)
    words = [f"data.train={folder}", f"data.val={folder}", f"runs_dir={tmp_path}", f"data.cache={cache}"]
    config = settings("model=crnn_tiny", f"data.trim={setting}", *words)
    transform = LineTransform()
    data = assemble(config, transform, RunFolder.create(config))
    assert data.crops.readers is data.crops.validation is (setting == "null")
    loaders = LineDataModule(data.train, data.val, data.charset, transform, None, 2, 10**6, 0, 0)
    for _ in range(2):  # the second time from the cache, if there is one
        for i in range(12):
            path = folder / f"{i:03}.png"
            for side, trim in (("val", data.crops.validation), ("train", train_too)):
                theirs = torch.from_numpy(transform.normalize(prepare(path, transform, trim).grey[None]))
                assert torch.equal(loaders.datasets[side][LineKey(0, i, 0)].image, theirs)
