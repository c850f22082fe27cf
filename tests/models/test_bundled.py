"""The bundled model: found by name or by saying nothing, on the command line, in Python and as a start for training."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import settings

import crnn
from crnn import models
from crnn.cli import main
from crnn.core.decode.beam import BeamDecoder
from crnn.core.decode.greedy import GreedyDecoder
from crnn.errors import ConfigError, CrnnError, ModelFileError
from crnn.export.export import export_model
from crnn.export.torch_backend import read_network, write_safetensors
from crnn.loader import chosen_file, model_first
from crnn.models import NAME, bundled
from crnn.reading.job import options_of
from crnn.training.run import train
from crnn.training.start import Start

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "train" / "images" / "0002.png"
PICTURES = [Image.new("L", (90, 32), 200)]


@pytest.fixture
def stand_in(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bundled files made of the tests' own model."""
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(trained / "model.onnx", folder / f"{NAME}.onnx")
    write_safetensors(folder / f"{NAME}.safetensors", *read_network(trained / "checkpoints" / "best.ckpt"), half=True)
    monkeypatch.setattr(models, "FOLDER", folder)
    return folder


@pytest.fixture
def picture(line_folder: Path) -> Path:
    return line_folder / "val" / "images" / "000.png"


def test_load_by_name(stand_in: Path, trained: Path, picture: Path) -> None:
    text = crnn.load(trained / "model.onnx").recognize([picture])[0].text
    readers = [crnn.load(), crnn.load("bundled"), crnn.load("latin"), crnn.load(trained)]
    assert {reader.recognize([picture])[0].text for reader in readers} == {text}
    assert {reader.backend.name for reader in readers} == {readers[0].backend.name}
    assert crnn.load("bundled", precision="bfloat16").backend.name == "torch"  # what onnx cannot do


def test_it_reads_in_torch_as_its_card_says(stand_in: Path, trained: Path, picture: Path) -> None:
    """The file for torch has no language model of its own, so that trainings do not carry one along."""
    card, network = read_network(trained / "checkpoints" / "best.ckpt")
    decoder = {"name": "beam", "width": 7}
    export_model(replace(card, decoder=decoder, temperature=1.5), network, stand_in / f"{NAME}.onnx", "onnx", PICTURES)
    for reader in (crnn.load(), crnn.load("latin"), crnn.load(precision="bfloat16"), crnn.load(NAME, device="cpu")):
        assert (reader.card.decoder, reader.card.temperature) == (decoder, 1.5)
        assert isinstance(reader.decoder, BeamDecoder)
    assert isinstance(crnn.load(precision="bfloat16", beam=0).decoder, GreedyDecoder)
    assert crnn.load(stand_in / f"{NAME}.safetensors").card.decoder == {"name": "greedy"}
    assert Start.read("bundled").card.decoder == {"name": "greedy"}


def test_what_comes_with_the_package_has_a_language_model() -> None:
    reader = crnn.load()
    assert reader.card.decoder["lm_weight"] == 0.2
    assert isinstance(reader.decoder, BeamDecoder)
    assert reader.decoder.lm
    assert reader.decoder.lm.order == 5
    assert len(json.dumps(reader.card.decoder)) < 2_500_000
    assert Start.read("bundled").card.decoder == {"name": "greedy"}


def test_loosely_cropped_lines_read_as_closely_cropped_ones() -> None:
    """With five times the height, which without cutting it off reads as something else."""
    close = Image.open(SAMPLE).convert("L")
    loose = Image.new("L", (close.width + 40, close.height * 5), int(np.median(np.asarray(close))))
    loose.paste(close, (20, 2 * close.height))
    assert crnn.load().card.trim
    wanted = crnn.load().recognize([close])[0].text
    assert len(wanted) > 10
    assert crnn.load().recognize([loose])[0].text == wanted
    assert crnn.load(trim=False).recognize([loose])[0].text != wanted
    settled = Start.read("bundled").settle(settings("model=crnn_small", "data.root=lines"))
    assert "trim" not in vars(settled.image)  # a model trained from it learns from lines as they are


def test_the_command_line_trims_as_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    close = Image.open(SAMPLE).convert("L")
    loose = Image.new("L", (close.width + 40, close.height * 5), int(np.median(np.asarray(close))))
    loose.paste(close, (20, 2 * close.height))
    loose.save(tmp_path / "line.png")
    text = crnn.load().recognize([close])[0].text
    (tmp_path / "labels.tsv").write_text(f"line.png\t{text}\n")

    def said(*words: str) -> str:
        assert main([*words]) == 0
        return capsys.readouterr().out

    for option, read in (((), True), (("--trim",), True), (("--no-trim",), False)):
        assert (said("recognize", str(tmp_path / "line.png"), *option) == f"{text}\n") is read
        assert (json.loads(said("evaluate", str(tmp_path), "--json", *option))[0]["raw"]["cer"] == 0) is read
    assert options_of("tsv", 1, "float32", {"trim": None}) == options_of("tsv", 1, "float32", {})
    assert options_of("tsv", 1, "float32", {"trim": False}) != options_of("tsv", 1, "float32", {"trim": True})


def test_a_package_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Path) -> None:
    monkeypatch.setattr(models, "FOLDER", tmp_path)
    for load in (crnn.load, bundled, lambda: Start.read("bundled")):
        with pytest.raises(ModelFileError, match="came without its bundled model; name a model file"):
            load()


def test_the_first_word_is_a_model_if_it_is_one(
    trained: Path, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = str(picture)
    nameless = tmp_path / "nameless"
    shutil.copy(trained / "model.onnx", nameless)
    for model in (
        trained / "model.onnx",
        trained / "checkpoints" / "best.ckpt",
        trained,
        nameless,
        "no.onnx",
        "bundled",
    ):
        assert model_first([str(model), other]) == (str(model), [other])
    for word in (other, str(picture.parent), str(tmp_path), "-", "scans/*.tif", "gone.png", "a\0b"):
        assert model_first([word, other]) == (None, [word, other])
        for model in (trained, trained / "model.onnx"):  # swapped: its sample pictures would be read
            with pytest.raises(ConfigError, match=f"^{re.escape(str(model))}: is a model, and those come first"):
                model_first([word, str(model)])
    for word in ("a" * 300, "a\0b"):  # said when it is opened, so that the others are read
        assert model_first([other, word]) == (None, [other, word])
    Path("latin").mkdir()  # a folder of that name holds pictures
    assert model_first(["latin"]) == (None, ["latin"])
    assert model_first([]) == (None, [])


def test_recognize_without_a_model(
    stand_in: Path, trained: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = crnn.load(trained / "model.onnx").recognize([picture])[0].text
    for words in (
        [str(picture)],
        ["latin", str(picture)],
        [str(trained), str(picture)],
        [str(picture), "--model", "bundled"],
        [str(picture), "--model", str(trained / "model.onnx")],
    ):
        assert main(["recognize", *words]) == 0
        assert capfd.readouterr() == (f"{text}\n", "")
    assert main(["recognize", str(picture.parent)]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 12
    assert main(["recognize"]) == 2
    assert "no pictures named" in capfd.readouterr().err


def test_a_mistyped_model_is_not_the_bundled_one(
    stand_in: Path, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("hello")
    Path("empty").write_bytes(b"")
    Path("names").write_text(f"{picture}\n")
    shutil.copy(picture, "nameless")
    text = crnn.load().recognize([picture])[0].text
    for word, wrong in (
        ("runs/nothing", "there is no such model, picture or folder"),
        ("a\0b", "there is no such model, picture or folder"),
        ("notes.txt", "is neither a model nor a picture"),
        ("empty", "is neither a model nor a picture"),
    ):
        for more in ([str(picture)], ["--list", "names"]):
            assert main(["recognize", word, *more]) == 2
            out, err = capfd.readouterr()
            assert (out, err.count("\n")) == ("", 1)
            assert f"{word}: {wrong}; name a model first, or 'bundled'".replace("\0", "\\x00") in err
        assert main(["recognize", "bundled", word, str(picture)]) == 1  # one of the pictures
        assert capfd.readouterr().out == f"\n{text}\n"
        assert main(["recognize", word]) == 1  # nothing is read with another model
        capfd.readouterr()
    for word in ("gone.png", "gone.tar", "scans/*.tif", "empty.png", str(tmp_path / "gone.JPG")):
        Path("empty.png").write_bytes(b"")
        assert main(["recognize", word, str(picture)]) == 1  # a missing picture stops nothing
        assert capfd.readouterr().out == f"\n{text}\n"
    assert main(["recognize", "nameless", str(picture)]) == 0
    assert capfd.readouterr().out == f"{text}\n{text}\n"


def test_what_is_called_like_a_model_is_one(
    stand_in: Path, picture: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_text("hello there")
    for command in ("recognize", "evaluate"):
        assert main([command, str(tmp_path / "gone.ckpt"), str(picture.parents[1])]) == 2
        assert "gone.ckpt: cannot be read (No such file or directory)" in capfd.readouterr().err
        assert main([command, str(damaged), str(picture.parents[1])]) == 2
        assert "damaged.safetensors: is not a model file; allowed are" in capfd.readouterr().err


def test_evaluate_and_check(
    stand_in: Path, trained: Path, line_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def figures(*words: object) -> dict[str, float]:
        assert main(["evaluate", *map(str, words), "--json"]) == 0
        return json.loads(capfd.readouterr().out)[0]["raw"]

    val = line_folder / "val"
    expected = figures(trained / "model.onnx", val)
    for words in ([val], ["bundled", val], [val, "--model", "latin"], [trained, val], [trained]):
        assert figures(*words) == expected
    for words in ([], ["bundled"], ["latin", str(val), "--split", "val"]):
        assert main(["evaluate", *words]) == 2
        assert "the bundled model has none of its own" in capfd.readouterr().err
    assert main(["check", str(val), "--model", "bundled"]) == 0


def test_a_training_starts_from_it(stand_in: Path, line_folder: Path, tmp_path: Path) -> None:
    words = ("init=bundled", f"data.root={line_folder}", f"runs_dir={tmp_path}/runs", "trainer.max_epochs=1")
    fixed = ("data.workers=0", "trainer.accelerator=cpu", "trainer.threads=1", "trainer.progress=false")
    outcome = train(settings(*words, *fixed))
    card, _ = read_network(outcome.folder / "checkpoints" / "best.ckpt")
    assert card.training["init"] == "bundled"
    assert crnn.load(outcome.folder).card.training["init"] == "bundled"
    assert outcome.result["val/cer"] < 0.5
    with pytest.raises(CrnnError, match=r"init=bundeld: there is no such file or folder; allowed are .*'bundled'"):
        Start.read("bundeld")


def test_the_real_one() -> None:
    """Both files are there, small, from one training, without anybody's paths, and read a line rendered in plain type."""
    from crnn.data.synth.source import synthetic_pair
    from crnn.report.evaluate import evaluate

    files = [bundled(".onnx"), bundled(".safetensors")]
    assert sum(file.stat().st_size for file in files) <= 12e6
    readers = [crnn.load(file, threads=1) for file in files]
    assert readers[0].card.charset == readers[1].card.charset
    assert readers[0].card.training["note"]
    assert '"/' not in json.dumps(readers[0].card.training).replace('"/"', "")
    lines = synthetic_pair(1, 40, seed=9, fonts="bundled", max_length=20, wear=0.2)[1]
    cers = [evaluate(reader, lines).counts.cer for reader in readers]
    assert max(cers) < 0.15
    assert abs(cers[0] - cers[1]) < 0.01


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"threads": 0}, "threads=0: must be 1 or more"),
        ({"threads": -1, "device": "cpu"}, "threads=-1: must be 1 or more"),
        ({"device": "meta"}, "device 'meta' computes nothing; use cpu"),
        ({"device": "meta:0"}, "device 'meta' computes nothing; use cpu"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
    ],
)
def test_what_it_cannot_run_on_is_refused_in_one_line(given: dict[str, object], said: str, trained: Path) -> None:
    for model in (trained / "checkpoints" / "best.ckpt", None):
        with pytest.raises(CrnnError, match=said) as caught:
            crnn.load(model, **given)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_for_torch_a_run_folder_has_another_file(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    assert chosen_file(run).name == "model.onnx"
    assert chosen_file(run, "cpu").name == "model.onnx"
    assert chosen_file(run, "cuda").name == "best.ckpt"
    assert chosen_file(run, None, "bfloat16").name == "best.ckpt"
    (run / "model.safetensors").write_bytes(b"")
    assert chosen_file(run, "cuda").name == "model.safetensors"


@pytest.mark.parametrize("noise", [1, 2, 4, 8])
def test_a_language_model_reads_nothing_into_noisy_paper(noise: float) -> None:
    """Nor into a shade; on very wide ones the network itself sees letters here and there, with a confidence of 0."""
    random = np.random.default_rng(0)
    paper = [(220 + random.normal(0, noise, (40, width))).clip(0, 255).astype(np.uint8) for width in (60, 400)]
    paper.append(np.tile(np.linspace(60, 200, 300), (40, 1)).astype(np.uint8))
    assert [reading.text for reading in crnn.load().recognize(paper)] == [""] * 3


@pytest.mark.parametrize("noise", [0, 4])
def test_paper_beside_a_line_changes_neither_text_nor_confidence(noise: int) -> None:
    """As of the last line of a paragraph, in a crop of the column's width; and a box is where the letter is."""
    line = np.asarray(Image.open(SAMPLE).convert("L"))
    height, width = line.shape
    wide = np.full((height, width + 40 * height), int(np.median(line[0])), np.int16)
    wide[:, 30 * height : 30 * height + width] = line
    wide += np.random.default_rng(0).normal(0, noise, wide.shape).astype(np.int16)
    [alone], [beside] = (crnn.load().recognize([grey]) for grey in (line, wide.clip(0, 255).astype(np.uint8)))
    assert beside.text == alone.text
    assert beside.confidence == pytest.approx(alone.confidence, abs=0.05)
    for one, other in zip(alone.characters, beside.characters, strict=True):
        assert other.start - 30 * height == pytest.approx(one.start, abs=0.3 * height)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_language_model_reads_nothing_into_a_blank_picture(grey: int) -> None:
    blank = np.full((40, 600), grey, np.uint8)
    blank[::7, ::5] ^= 5  # paper in a JPEG file
    reader = crnn.load()
    assert reader.card.decoder["name"] == "beam"
    [reading] = reader.recognize([blank])
    assert (reading.text, reading.characters) == ("", ())
    assert reading.confidence < 0.5  # so that somebody looks
    [reading] = crnn.load(nbest=3).recognize([blank])
    assert [one.text for one in reading.alternatives] in ([], [""])
    for x in range(20, 400, 12):
        blank[8:32, x : x + 4] = 255 - grey if grey != 128 else 0
    assert reader.recognize([blank])[0].text
