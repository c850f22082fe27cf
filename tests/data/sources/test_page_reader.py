"""Lines of pages: where they lie, and those of which only the baseline is known."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from page_files import alto_line, alto_xml, drawn, page_line, page_xml, pixels, saved, strip

from crnn.cli import main
from crnn.data.sources import open_source, page_reader
from crnn.data.sources.base import ReadOptions
from crnn.data.sources.outlines import Points, UnusableOutlineError, box
from crnn.data.sources.page_files import PageFiles
from crnn.data.sources.page_marks import MarkedLine, MeasuredPicture
from crnn.data.sources.page_reader import _is_bare, _locator
from crnn.data.sources.page_xml import PageXmlReader
from crnn.data.sources.place import Place
from crnn.data.sources.registry import find_reader
from crnn.data.sources.views import Selection
from crnn.data.split import SplitRule, leaks, split_lines
from crnn.errors import DataError

LEVEL = np.array([(10.0, 50.0), (90.0, 52.0)])


@pytest.mark.parametrize(
    ("outline", "baseline", "bare"),
    [
        (None, LEVEL, True),
        (None, LEVEL[:1], False),
        (None, None, False),
        (box(10, 50, 80, 2), LEVEL, True),  # a box that says no more than the baseline
        (box(10, 50, 81, 3), LEVEL, True),
        (box(10, 50, 81, 3.1), LEVEL, False),
        (box(10, 50, 81.1, 3), LEVEL, False),
        (box(10, 50, 80, 2)[:3], LEVEL, False),  # drawn by hand
        (np.concatenate([box(10, 50, 80, 2), LEVEL]), LEVEL, False),
        (box(10, 50, 80, 2), None, False),
        (box(10, 20, 80, 30)[:2], LEVEL, True),  # no area
        (box(10, 20, 80, 30)[:2], LEVEL[:1], False),
        (box(10, 20, 0, 30), LEVEL, True),
    ],
)
def test_a_line_without_a_height(outline: Points | None, baseline: Points | None, bare: bool) -> None:
    assert _is_bare(MarkedLine("l1", 7, "x", outline, baseline)) is bare


@pytest.mark.parametrize("outline", ["1,2", "1,2 3,4", "x", "5,5 5,5 5,5", "1,2 3"])
def test_an_outline_that_is_none_is_as_good_as_its_baseline(tmp_path: Path, outline: str) -> None:
    along = "50,69 349,69"
    wanted = open_source(saved(tmp_path / "none", page_xml(page_line(0, "x", "", along))))
    for write in (
        page_xml(page_line(0, "x", outline, along)),
        alto_xml(alto_line(0, '<String CONTENT="x"/>', more=f'BASELINE="{along}"', shape=outline)),
    ):
        source = open_source(saved(tmp_path / "some", write))
        assert source.entry(0).problem == ""
        assert source.picture(0).tobytes() == wanted.picture(0).tobytes()
    source = open_source(saved(tmp_path / "neither", page_xml(page_line(0, "x", outline, "50,69"))))
    assert "outline" in source.entry(0).problem or "coordinates" in source.entry(0).problem


def test_a_baseline_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    source = open_source(saved(tmp_path, page_xml(page_line(0, "x", baseline="50,69 a,b"))))
    assert source.entry(0).problem == "has coordinates that are not pairs of numbers ('50,69 a,b'); x,y x,y ..."


def test_lines_with_the_same_id_are_told_apart(tmp_path: Path) -> None:
    """As a reading is judged by the line of its name."""
    same = page_line(0, "eins") + page_line(0, "zwei") + page_line(1, "drei") + page_line(0, "vier")
    source = open_source(saved(tmp_path, page_xml(same)))
    assert [source.entry(i).picture for i in range(4)] == ["p1.png#l0", "p1.png#l0 (2)", "p1.png#l1", "p1.png#l0 (3)"]


def test_where_a_line_lies_is_its_key() -> None:
    picture = MeasuredPicture("a/p.png", 100, 60, (1.0, 1.0))
    line = MarkedLine("l1", 7, "x", box(10, 20.25, 30, 9.75), np.array([(10.0, 28.0), (40.0, 28.2)]))
    assert json.loads(_locator(picture, line)) == ["a/p.png", [10, 20.2, 40, 20.2, 40, 30, 10, 30], 0.38, "l1"]
    assert '"a/p.png",[10,20.2,40,' in _locator(picture, line)  # whole numbers without a point
    line = MarkedLine("l2", 7, "x", box(90, 50, 30, 30))
    assert json.loads(_locator(picture, line)) == ["a/p.png", [90, 60, 90, 50, 100, 50, 100, 60], 0.0, "l2"]
    with pytest.raises(UnusableOutlineError, match="has neither outline nor baseline; mark where the line is"):
        _locator(picture, MarkedLine("l3", 7, "x"))


def test_a_page_may_end_where_its_line_does(tmp_path: Path) -> None:
    corner = page_line(0, "x", "350,270 400,270 400,300 350,300")
    source = open_source(saved(tmp_path, page_xml(corner)))
    page = drawn(400, 300)
    assert np.array_equal(pixels(source.picture(0)), pixels(page)[270:300, 350:400])
    for size in ((399, 300), (400, 299)):
        drawn(*size).save(tmp_path / "p1.png")
        other = pickle.loads(pickle.dumps(source))  # which has decoded nothing yet
        with pytest.raises(DataError, match=rf"p1\.png: has {size[0]} x {size[1]} pixels now, fewer than when"):
            other.picture(0)


def test_only_the_first_files_are_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path, page_xml(page_line(0, "x")))
    for name in ("a.xml", "b.xml"):
        (folder / name).write_text("<other/>")
    for count, found in ((3, True), (2, False)):
        monkeypatch.setattr(page_reader, "LOOK_INTO", count)
        assert PageXmlReader.matches(Place(folder)) is found


@pytest.mark.parametrize("key", ["", "x", "[1]", "[1, 2, 3]", '["p1.png", [1, 2, 3], 0, "l"]', '["p", "x", 0, "l"]'])
def test_keys_of_no_line(key: str, tmp_path: Path) -> None:
    reader = find_reader(saved(tmp_path, page_xml(page_line(0, "x"))))[1]
    for ask in (reader.content, reader.size):
        with pytest.raises(DataError, match="has no place on a page that is here"):
            ask(key)


@pytest.mark.parametrize("damage", ["<PcGts", "entity"])
def test_one_damaged_file_of_many_is_a_row_with_a_problem(tmp_path: Path, damage: str) -> None:
    """The others are read, and what to mend is named; where none can be read, that is an error."""
    good = page_xml(page_line(0, "eins"))
    folder = saved(tmp_path / "a", good)
    saved(folder, good.replace("p1.png", "p2.png"), name="p2")
    wrong = (
        good[: len(good) // 2] if damage == "<PcGts" else good.replace("<PcGts", '<!DOCTYPE a [<!ENTITY b "c">]><PcGts')
    )
    (folder / "p1.xml").write_text(wrong, encoding="utf-8")
    entries = [(e.text, e.where, e.picture, e.problem) for e in map(open_source(folder).entry, range(2))]
    assert entries[0][0] == "eins"
    assert entries[0][3] == ""
    text, where, picture, problem = entries[1]
    assert (text, picture) == ("", "p1.xml")
    assert where.startswith(str(folder / "p1.xml"))
    assert problem.endswith("; all of its lines are missing")
    assert ("is not XML that can be read" if damage == "<PcGts" else "declares entities in its DOCTYPE") in problem
    assert not problem.startswith(str(folder))
    with pytest.raises(DataError, match=r"^/.*/p1\.xml(:\d+:\d+)?: (is not XML|declares)"):
        open_source(folder / "p1.xml")
    (folder / "p2.xml").unlink()
    with pytest.raises(DataError, match=r"^/.*/p1\.xml(:\d+:\d+)?: (is not XML|declares)"):
        open_source(folder)


@pytest.mark.parametrize("packed", [False, True])
def test_alto_of_other_pages_in_the_same_folder_is_read_too(tmp_path: Path, packed: bool) -> None:
    """Of a page with both, PAGE."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in ("p1", "p2", "p3"):
        drawn().save(folder / f"{name}.png")
    (folder / "p1.xml").write_text(page_xml(page_line(0, "by PAGE")))
    (folder / "a1.xml").write_text(alto_xml(alto_line(0, '<String CONTENT="by ALTO"/>'), picture="p1.png"))
    (folder / "a0.xml").write_text(
        alto_xml(
            alto_line(1, '<String CONTENT="of p2"/>') + alto_line(2, '<String CONTENT="third"/>'), picture="p2.png"
        )
    )
    (folder / "a3.xml").write_text("<alto><Layout>")
    if packed:
        shutil.make_archive(str(folder), "zip", folder)
    source = open_source(folder.with_suffix(".zip") if packed else folder)
    entries = [source.entry(i) for i in range(len(source))]
    assert [entry.text for entry in entries] == ["by PAGE", "of p2", "third", ""]
    assert [entry.group.rpartition("/")[2] for entry in entries[:3]] == ["p1.png", "p2.png", "p2.png"]
    assert "all of its lines are missing" in entries[3].problem
    assert np.array_equal(pixels(source.picture(2)), strip(2, drawn()))


def test_a_mended_copy_of_pages_keeps_the_lines_of_a_page_in_a_folder(tmp_path: Path) -> None:
    for name in ("p1", "p2", "p3"):
        saved(tmp_path / "pages", page_xml(page_line(0, "a  b") + page_line(1, "c"), picture=f"{name}.png"), name=name)
    assert main(["check", str(tmp_path / "pages"), "--fix", str(tmp_path / "copy")]) == 0
    copy = open_source(tmp_path / "copy")
    assert [copy.entry(i).picture.rpartition("/")[0] for i in range(6)] == [
        f"images/p{page}" for page in (1, 1, 2, 2, 3, 3)
    ]
    split = split_lines(copy, SplitRule("folder", share=0.4), 1)
    assert leaks([Selection(copy, split.train)], [Selection(copy, split.val)]) == ""
    assert "split.by=folder keeps" in leaks([Selection(copy, [0, 2, 4])], [Selection(copy, [1, 3, 5])])


def test_a_folder_is_looked_through_once_for_all_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named one by one; unless it changed, or may have."""
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    for where in (folder, tmp_path):
        os.utime(where, ns=(1, 1))
    listed: list[Path] = []
    iterdir = Path.iterdir

    def counted(self: Path) -> Iterator[Path]:
        listed.append(self)
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", counted)
    for _ in range(5):
        assert list(PageFiles(folder / "p1.xml").pictures().names()) == ["in/p1.png"]
    assert listed == [folder, tmp_path]
    (folder / "p2.png").touch()
    for _ in range(2):
        assert list(PageFiles(folder / "p1.xml").pictures().names()) == ["in/p1.png", "in/p2.png"]
    assert len(listed) == 6


def test_other_kinds_have_one_reader_each(tmp_path: Path) -> None:
    folder = saved(tmp_path, page_xml(page_line(0)))
    for name in ("p2", "p3"):
        saved(folder, alto_xml(alto_line(0, ""), f"{name}.png"), name=name)
    reader = PageXmlReader(folder, ReadOptions())
    documents = list(reader.documents())
    assert [document.reader is reader for document in documents] == [True, False, False]
    assert documents[1].reader is documents[2].reader
