"""`crnn recognize --format xml`: pages in, the same pages with their readings out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from page_files import alto_line, alto_pages, alto_xml, drawn, page_line, page_xml, saved, stacked, transkribus_export
from PIL import Image

import crnn
from crnn.cli import main
from crnn.data.sources import open_source


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
def test_words_lie_on_the_ink_of_their_letters(
    model: str, pictures: list[Image.Image], texts: list[str], tmp_path: Path, factor: int
) -> None:
    """Also where the picture is larger than the XML says."""
    page, boxes = stacked(pictures)
    folder = alto_pages(tmp_path / "in", texts, pictures)
    page.resize((page.width * factor, page.height * factor)).save(folder / "p1.png")
    assert recognize(model, folder, "--out", tmp_path / "out") == 0
    root = etree.parse(str(tmp_path / "out" / "p1.xml")).getroot()
    readings = crnn.load(model).recognize(
        [one.resize((one.width * factor, one.height * factor)) for one in pictures] if factor > 1 else pictures
    )
    for line, (left, top, width, height), reading in zip(root.iter("{*}TextLine"), boxes, readings, strict=True):
        strings = line.findall("{*}String")
        sides = [[int(string.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] for string in strings]
        assert all(left <= x and x + w <= left + width and y == top and h == height for x, y, w, h in sides)
        assert [x for x, *_ in sides] == sorted(x for x, *_ in sides)
        if factor == 1 and reading.characters and " " not in reading.text:
            [(x, _, w, _)] = sides
            assert x <= left + reading.characters[0].start + 1
            assert x + w >= left + reading.characters[-1].end - 1


def test_what_cannot_be_read_stays_as_it_is(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0, "old") + page_line(1, "as it was", coords="")))
    saved(folder, page_xml(page_line(0, "old", coords=""), "p2.png"), drawn(), "p2")
    saved(folder, page_xml(page_line(0))[:-9], name="p3")
    saved(folder, page_xml("", "p4.png"), name="p4")
    out = tmp_path / "out"
    assert recognize(model, folder, "--out", out) == 1
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 6
    assert said[0].startswith(f"crnn: {folder / 'p1.xml'}:7: has neither outline nor baseline")
    assert said[1].startswith(f"crnn: {folder / 'p2.xml'}:6: has neither outline nor baseline")
    assert said[2].startswith(f"crnn: {folder / 'p3.xml'}:")
    assert [line.partition(": no line of")[0] for line in said[3:5]] == [
        f"crnn: {folder / n}" for n in ("p3.png", "p4.png")
    ]
    assert said[5] == f"crnn: {out}: 2 files with 1 line read"
    assert sorted(path.name for path in out.iterdir()) == ["p1.xml", "p4.xml"]  # nothing was read of p2
    shutil.copy(folder / "p1.png", out / "p1.png")
    [read, kept] = labels(out / "p1.xml")
    assert read != "old"
    assert kept == "as it was"


def test_pages_without_lines_alone_are_nothing_to_read(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = saved(tmp_path / "in", page_xml("")) / "p1.xml"
    assert recognize(model, file, "--out", tmp_path / "out") == 1
    assert capfd.readouterr().err.splitlines()[0] == f"crnn: {file}: holds no lines"


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


def test_alto_of_pages_that_page_xml_is_about_is_not_written(model: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    (folder / "alto").mkdir()
    (folder / "alto" / "p1.xml").write_text(alto_xml(alto_line(0, "")))
    saved(folder, alto_xml(alto_line(0, ""), "p2.png"), name="p2")
    assert recognize(model, folder, "--out", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.xml")) == ["p1.xml", "p2.xml"]


def test_refused_before_anything_is_read(
    model: str, pictures: list[Image.Image], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    full = saved(tmp_path / "full", page_xml(page_line(0)))
    pictures[0].save(tmp_path / "line.png")
    into = ["--out", tmp_path / "out"]
    for words, said in (
        ([folder], "--format xml writes files with the readings in them; give a folder for them: --out DIR"),
        ([folder, *into, "--shard", "1/2"], "--shard goes with rows (text, tsv, jsonl)"),
        ([folder, *into, "--nbest", "2"], "--nbest goes with --format jsonl"),
        ([tmp_path / "line.png", *into], "line.png: is no PAGE or ALTO file, nor a folder or archive of them"),
        ([folder, tmp_path / "nothing.xml", *into], "nothing.xml: is not there"),
        ([tmp_path / "*.xml", *into], "*.xml: is not there"),
        ([folder, "--out", full], "full: holds files; name a new or empty folder"),
        ([folder, "--out", folder / "p1.xml"], "p1.xml: is a file; name a new or empty folder"),
        ([folder, "--out", folder / "new"], "new: lies in"),
    ):
        assert recognize(model, *words) == 2, words
        err = capfd.readouterr().err
        assert said in err
        assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert not (folder / "new").exists()
    (tmp_path / "three").mkdir()
    assert recognize(model, folder, folder / "p1.xml", "--out", tmp_path / "three") == 2
    assert "p1.xml: is the name of two pages; read them into folders of their own" in capfd.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_line(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    (tmp_path / "file").touch()
    assert recognize(model, folder, "--out", tmp_path / "file" / "out") == 2
    err = capfd.readouterr().err
    assert err.startswith(f"crnn: {tmp_path / 'file' / 'out'}")
    assert err.count("\n") == 1
