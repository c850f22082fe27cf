"""`crnn recognize --format xml`: pages in, the same pages with their readings out."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree
from page_files import alto_line, alto_pages, alto_xml, drawn, page_line, page_xml, saved, stacked, transkribus_export
from PIL import Image, ImageDraw, ImageFont

import crnn
from crnn.cli import main
from crnn.core.picture import open_picture
from crnn.data.sources import open_source, page_reader
from crnn.reading.words import words_of


@pytest.fixture(scope="module")
def model(trained: Path) -> str:
    return str(trained / "model.onnx")


@pytest.fixture
def pictures(line_folder: Path) -> list[Image.Image]:
    return [Image.open(line).convert("L") for line in sorted((line_folder / "val" / "images").iterdir())]


@pytest.fixture
def texts(model: str, pictures: list[Image.Image]) -> list[str]:
    return [reading.text for reading in crnn.load(model).recognize(pictures)]


def labels(path: Path) -> list[str]:
    source = open_source(path)
    return [source.entry(i).text for i in range(len(source))]


def recognize(model: str, *words: object) -> int:
    return main(["recognize", model, *map(str, words), "--format", "xml"])


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "files"])
@pytest.mark.parametrize("write", [transkribus_export, alto_pages])
def test_pages_hold_their_readings_where_their_lines_were(
    model: str,
    pictures: list[Image.Image],
    texts: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    write: Callable[..., Path],
    kind: str,
) -> None:
    folder = write(tmp_path / "in", ["wrong"] * len(pictures), pictures)
    files = sorted(path for path in folder.rglob("*.xml") if path.name != "mets.xml")
    before = [path.read_bytes() for path in files]
    named: list[object] = [folder]
    if kind in ("zip", "tar"):
        named = [shutil.make_archive(str(tmp_path / "kept"), kind, folder)]
    elif kind == "files":
        named = [files[0].parent / "*.xml"]
    out = tmp_path / "new" / "out"
    assert recognize(model, *named, "--out", out) == 0
    said = capfd.readouterr()
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    assert (said.out, said.err) == ("", f"crnn: {out}: {count} with {len(texts)} lines read\n")
    below = files[0].parent if kind == "files" else folder
    assert sorted(out.rglob("*.*")) == [out / path.relative_to(below) for path in files]
    assert [path.read_bytes() for path in files] == before
    for path in files:  # the same outlines, so the same pictures of lines
        written = out / path.relative_to(below)
        shutil.copy(written, path)
    assert labels(folder) == texts
    assert [reading.text for reading in crnn.load(model).recognize(pictures)] == texts


@pytest.mark.parametrize("factor", [1, 2])
def test_words_are_where_the_reading_has_them(pictures: list[Image.Image], tmp_path: Path, factor: int) -> None:
    """In units of the file, also where the picture is larger than it says; read by the model in the box."""
    font = ImageFont.load_default(24)
    lines = ["three words here", "and two"]
    drawn_lines = []
    for text in lines:
        drawn_lines.append(Image.new("L", (260, 40), 255))
        ImageDraw.Draw(drawn_lines[-1]).text((10, 4), text, 0, font)
    page, boxes = stacked(drawn_lines)
    folder = alto_pages(tmp_path / "in", lines, drawn_lines)
    page.resize((page.width * factor, page.height * factor)).save(folder / "p1.png")
    assert main(["recognize", str(folder), "--format", "xml", "--out", str(tmp_path / "out")]) == 0
    source = open_source(folder)
    readings = crnn.load("bundled").recognize([source.picture(i) for i in range(2)])
    assert [reading.text for reading in readings] == lines
    root = etree.parse(str(tmp_path / "out" / "p1.xml"))
    for line, (left, top, width, height), reading in zip(root.iter("{*}TextLine"), boxes, readings, strict=True):
        words = words_of(reading, width * factor)
        strings = line.findall("{*}String")
        assert [string.get("CONTENT") for string in strings] == [word.text for word in words]
        for string, word in zip(strings, words, strict=True):
            x, y, w, h = (int(string.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
            assert abs(x - (left + word.start / factor)) <= 1
            assert abs(x + w - (left + word.end / factor)) <= 1
            assert (y, h) == (top, height)
            assert w < width / 2


def test_what_cannot_be_read_stays_as_it_is(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0, "old") + page_line(1, "as it was", coords="")))
    saved(folder, page_xml(page_line(0, "old", coords=""), "p2.png"), drawn(), "p2")
    saved(folder, page_xml(page_line(0))[:-9], name="p3")
    saved(folder, page_xml("", "p4.png"), name="p4")
    out = tmp_path / "out"
    assert recognize(model, folder, "--out", out) == 1
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 5
    assert said[0].startswith(f"crnn: {folder / 'p1.xml'}:7: has neither outline nor baseline")
    assert said[1].startswith(f"crnn: {folder / 'p2.xml'}:6: has neither outline nor baseline")
    assert said[2].startswith(f"crnn: {folder / 'p3.xml'}:")
    assert said[3] == f"crnn: note: {folder}:p3.png left out, as no PAGE or ALTO file is about it"
    assert said[4] == f"crnn: {out}: 2 files with 1 line read"
    assert sorted(path.name for path in out.iterdir()) == ["p1.xml", "p4.xml"]  # nothing was read of p2
    assert (out / "p4.xml").read_bytes() == (folder / "p4.xml").read_bytes()
    shutil.copy(folder / "p1.png", out / "p1.png")
    [read, kept] = labels(out / "p1.xml")
    assert read != "old"
    assert kept == "as it was"


def test_blank_pages_are_no_errors(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nor are pictures that were made of pages; but where there is no line at all, nothing was read."""
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    saved(folder, page_xml("", "p2.png"), name="p2")
    assert recognize(model, folder, "--out", tmp_path / "out") == 0
    assert recognize(model, folder / "*.xml", "--out", tmp_path / "2") == 0
    assert main(["recognize", model, str(folder)]) == 0
    assert "note" not in capfd.readouterr().err
    (folder / "bin").mkdir()
    shutil.copy(folder / "p1.png", folder / "bin" / "p1.bin.png")
    shutil.copy(folder / "p1.png", folder / "bin" / "p2.bin.png")
    assert recognize(model, folder, "--out", tmp_path / "3") == 0
    said = f"crnn: note: {folder}:bin/p1.bin.png and 1 other left out, as no PAGE or ALTO file is about them\n"
    assert capfd.readouterr().err.startswith(said)
    assert recognize(model, folder / "p2.xml", "--out", tmp_path / "4") == 1
    assert capfd.readouterr().err == f"crnn: {tmp_path / '4'}: 1 file with 0 lines read\n"


def test_other_xml_is_passed_over_beside_pages(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    (folder / "METS.xml").write_text('<mets xmlns="http://www.loc.gov/METS/"/>')
    words = [folder / "METS.xml", folder / "p1.xml", folder / ".." / "in" / "p1.xml"]  # one is named twice
    assert recognize(model, *words, "--out", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["p1.xml"]
    assert capfd.readouterr().err == f"crnn: {tmp_path / 'out'}: 1 file with 1 line read\n"
    (folder / "METS.xml").write_text("no xml")
    for words in ([folder / "METS.xml"], [folder / "p1.xml", folder / "METS.xml"]):
        assert recognize(model, *words, "--out", tmp_path / "2") == 2
        assert capfd.readouterr().err.startswith(f"crnn: {folder / 'METS.xml'}: is no PAGE or ALTO file")


def test_files_named_one_by_one_let_go_of_their_pages(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader keeps a decoded page, so thousands of them would fill the memory."""
    for i in range(6):
        saved(tmp_path / "in", page_xml(page_line(0), f"p{i}.png"), name=f"p{i}")
    kept: list[weakref.ref[Any]] = []
    most = 0

    def opened(content: Any, where: str) -> Any:
        nonlocal most
        page = np.asarray(open_picture(content, where))
        kept.append(weakref.ref(page))
        gc.collect()
        most = max(most, sum(one() is not None for one in kept))
        return page

    monkeypatch.setattr(page_reader, "open_picture", opened)
    assert recognize(model, tmp_path / "in" / "*.xml", "--out", tmp_path / "out") == 0
    assert (len(kept), most) == (6, 1)


def test_files_of_several_folders_keep_their_places(model: str, tmp_path: Path) -> None:
    """Also of both kinds, and of an archive beside a folder."""
    one = saved(tmp_path / "in" / "one", page_xml(page_line(0)))
    two = saved(tmp_path / "in" / "two" / "deep", alto_xml(alto_line(0, "")))
    shutil.make_archive(str(tmp_path / "in" / "three"), "zip", saved(tmp_path / "3", page_xml(page_line(0))))
    words = [one, two.parent, tmp_path / "in" / "three.zip"]
    assert recognize(model, *words, "--out", tmp_path / "out") == 0
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert found == ["one/p1.xml", "three/p1.xml", "two/deep/p1.xml"]


def test_readings_go_into_their_lines_in_any_reading_order(
    model: str, pictures: list[Image.Image], texts: list[str], tmp_path: Path
) -> None:
    """Region b is read first and stands second."""
    page, boxes = stacked(pictures[:2])
    one, two = (
        f'<TextLine id="{x}"><Coords points="{x},{y} {x + w},{y} {x + w},{y + h} {x},{y + h}"/></TextLine>'
        for x, y, w, h in boxes
    )
    order = '<RegionRefIndexed index="0" regionRef="b"/><RegionRefIndexed index="1" regionRef="r1"/>'
    xml = page_xml(f'{one}</TextRegion><TextRegion id="b"><Coords points="0,0 9,0 9,9"/>{two}', size=page.size)
    xml = xml.replace(
        "<TextRegion", f'<ReadingOrder><OrderedGroup id="g">{order}</OrderedGroup></ReadingOrder><TextRegion', 1
    )
    folder = saved(tmp_path / "in", xml, page)
    assert recognize(model, folder, "--out", tmp_path / "out") == 0
    root = etree.parse(str(tmp_path / "out" / "p1.xml"))
    assert [line.findtext("{*}TextEquiv/{*}Unicode") for line in root.iter("{*}TextLine")] == texts[:2]
    shutil.copy(tmp_path / "out" / "p1.xml", folder / "p1.xml")
    assert labels(folder) == texts[1::-1]


def test_alto_of_pages_that_page_xml_is_about_is_not_written(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Said in a note; nor is one about such a page and another one that cannot be read."""
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    (folder / "alto").mkdir()
    (folder / "alto" / "p1.xml").write_text(alto_xml(alto_line(0, "")))
    two = alto_xml(alto_line(0, '<String CONTENT="first"/>'))
    page = two[two.index("<Page") : two.index("</Layout>")]
    (folder / "alto" / "two.xml").write_text(two.replace("</Layout>", page.replace("first", "second") + "</Layout>"))
    saved(folder, alto_xml(alto_line(0, ""), "p2.png"), name="p2")
    assert recognize(model, folder, "--out", tmp_path / "out") == 1  # the second page has no picture
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.xml")) == [
        "p1.xml",
        "p2.xml",
    ]  # "second" has no picture
    note = "1 ALTO file about pages of PAGE files left out; to write them, name their folder"
    said = capfd.readouterr().err.splitlines()
    assert said[0].endswith("two.xml:7: stands on page 2 of its file; write one XML file for each page picture")
    assert said[1:2] == [f"crnn: note: {note}"], said
