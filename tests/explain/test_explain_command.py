"""`crnn explain` as it is typed."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from explain_support import Page, noise, tiny
from PIL import Image

from crnn.cli import main
from crnn.export.torch_backend import write_safetensors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With ``tiny.safetensors`` and ``x.png``, and nothing else."""
    opened = tiny()
    write_safetensors(tmp_path / "tiny.safetensors", opened.card, opened.network)
    Image.fromarray(noise()).save(tmp_path / "x.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_line_as_page_and_as_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = ["--model", "tiny.safetensors"]
    assert main(["explain", "line", "x.png", *model, "--out", "x.html", "--unit", "l0:3"]) == 0
    assert capsys.readouterr().out.startswith("x.html: x.png reads '")
    data = Page(Path("x.html").read_text(encoding="utf-8")).data
    assert (data["walk"], data["unit"], data["columns"]) == (0, 3, 30)
    assert main(["explain", "line", "x.png", *model, "--out", "all.png"]) == 0
    assert main(["explain", "line", "x.png", *model, "--out", "one.png", "--unit", "3"]) == 0
    with Image.open("all.png") as all_units, Image.open("one.png") as one_unit:
        assert all_units.height > one_unit.height > 500
    assert sorted(os.listdir()) == ["all.png", "one.png", "tiny.safetensors", "x.html", "x.png"]


def test_saliency_as_page_and_as_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("x.html", "y.png"):
        assert main(["explain", "saliency", "x.png", "--model", "tiny.safetensors", "--out", name]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[0].startswith(f"{name}: x.png reads '")
        assert [line.split(":")[0] for line in said[1:]] == ["the LSTM alone", "the CNN alone", "CNN and LSTM"]
    assert len(Page(Path("x.html").read_text(encoding="utf-8")).data["spans"]) > 2
    with Image.open("y.png") as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize("what", ["line", "saliency"])
def test_pages_in_the_language_asked_for(folder: Path, what: str) -> None:
    assert main(["explain", what, "x.png", "--model", "tiny.safetensors", "--out", "x.html", "--lang", "zh"]) == 0
    source = Path("x.html").read_text(encoding="utf-8")
    assert "<html lang=zh>" in source
    assert "aria-pressed=true>中文" in source


def test_lesson_in_the_language_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for language in (None, "zh"):
        words = ["--lang", language] if language else []
        assert main(["explain", "lstm", "x.png", "--model", "tiny.safetensors", "--out", "x.html", *words]) == 0
        assert f"<html lang={language or 'en'}>" in Path("x.html").read_text(encoding="utf-8")
        assert capsys.readouterr().out.startswith("x.html: nn.LSTM, shown on x.png that reads '")


def test_line_without_a_picture_or_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "line", "--out", "x.html"]) == 0
    said = capsys.readouterr().out
    assert re.fullmatch(r"x\.html: a rendered line reads 'Long memory, 1997', \d\d columns\n", said)


def test_shapes_take_the_model_either_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in (["tiny.safetensors"], ["--model", "tiny.safetensors"], ["--model", "bundled"], ["model=crnn_tiny"]):
        assert main(["explain", "shapes", *words, "--batch", "2"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].startswith("tiny.safetensors (tiny): 16 x 64 pixels")
    assert said[2].startswith("latin.safetensors (crnn_small)")
    assert said[3].startswith("crnn_tiny: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["line", "x.png"], "explain line: name the file to write, as in --out line.html"),
        (["line", "x.png", "--out", "x.pdf"], "--out x.pdf: must end in .html or .png"),
        (["line", "x.png", "--out", "none/x.html"], "--out none/x.html: cannot be written"),
        (["line", "x.png", "y.png", "--out", "x.html"], "y.png: one picture at a time"),
        (["line", "y.png", "--out", "x.html"], "y.png: cannot be opened"),
        (["line", "bad.png", "--out", "x.html"], "bad.png: is not a picture"),
        (["line", "small.png", "--out", "x.html"], "small.png: has 2 x 2 pixels"),
        (["line", "x.png", "--model", "none.ckpt", "--out", "x.html"], "none.ckpt: cannot be read"),
        (["line", "x.png", "--model", "x.png", "--out", "x.html"], "x.png: is not a model file"),
        (["line", "x.png", "--unit", "999", "--out", "x.html"], "--unit 999: is not there; allowed are 0 to 127"),
        (["line", "x.png", "--batch", "2", "--out", "x.html"], "--batch goes with crnn explain shapes, not with line"),
        (["shapes", "--lang", "zh"], "--lang goes with crnn explain line or saliency or lstm, not with shapes"),
        (["line", "x.png", "--out", "y.png", "--lang", "zh"], "--lang zh: a picture is in English; name a page"),
        (["saliency", "x.png", "--out", "y.png", "--lang", "en"], "--lang en: a picture is in English; name a page"),
        (["lstm", "--out", "x.png"], "--out x.png: must end in .html\n"),
        (["shapes", "--out", "x.html"], "--out goes with crnn explain line"),
        (["line", "small.png", "--out", "./small.png"], "./small.png: is read here, and would be written over"),
        (["saliency", "small.png", "--out", "small.png"], "small.png: is read here, and would be written over"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    Path("bad.png").write_text("no picture")
    Image.fromarray(np.zeros((2, 2), np.uint8)).save("small.png")
    before = sorted(os.listdir())
    assert main(["explain", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"crnn: {said}")
    assert error.count("\n") == 1
    assert sorted(os.listdir()) == before


def test_words_are_optional_and_what_is_named_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["explain"])
    assert capsys.readouterr().err.endswith("the following arguments are required: WHAT\n")
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "WHAT [WORD ...]" in said
    assert "WHAT shapes, line, saliency or lstm." in said


def test_a_line_of_a_page_or_an_archive_by_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The name that `crnn recognize --format tsv` prints; a file of that name comes first."""
    rectangle = "0,0 100,0 100,30 0,30"
    lines = "".join(f'<TextLine id="l{i}"><Coords points="{rectangle}"/></TextLine>' for i in range(2))
    Path("pages").mkdir()
    Path("pages/p.xml").write_text(
        f'<PcGts><Page imageFilename="p.png"><TextRegion>{lines}</TextRegion></Page></PcGts>'
    )
    Image.fromarray(noise()).save("pages/p.png")
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("x.png", "d/x.png")
    model = ["--model", "tiny.safetensors", "--out", "x.html"]
    assert main(["recognize", "tiny.safetensors", "pages", "a.zip", "--format", "tsv"]) == 0
    names = [row.split("\t")[0] for row in capsys.readouterr().out.splitlines()]
    assert names == ["pages:p.png#l0", "pages:p.png#l1", "a.zip:d/x.png"]
    for name in names:
        assert main(["explain", "line", name, *model]) == 0
        assert capsys.readouterr().out.startswith(f"x.html: {name} reads '")
    assert main(["explain", "line", "pages:p.png#l9", *model]) == 2
    said = "pages:p.png#l9: is not in there; crnn recognize --format tsv pages prints the names of what is"
    assert capsys.readouterr().err == f"crnn: {said}\n"
    Path("pages/p.xml").write_text(Path("pages/p.xml").read_text().replace(rectangle, "0,0", 1))
    assert main(["explain", "line", "pages:p.png#l0", *model]) == 2
    assert capsys.readouterr().err.startswith("crnn: pages/p.xml:1: has an outline of 1 point")
    Image.fromarray(noise()).save("pages:p.png#l0", "png")
    assert main(["explain", "line", "pages:p.png#l0", *model]) == 0
