"""From the name in a label file to the picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from crnn.data.sources.picture_names import PictureNames
from crnn.data.sources.trees import Folder


def names(root: Path, base: str, *files: str) -> PictureNames:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"x")
    return PictureNames(Folder(root), base)


def test_beside_the_label_file_then_in_images(tmp_path: Path) -> None:
    found = names(tmp_path, "set/", "set/a.png", "set/images/a.png", "set/images/b.png", "c.png", "images/d.png")
    assert found.find("a.png") == ("set/a.png", "")
    assert found.find("b.png") == ("set/images/b.png", "")
    assert found.find("./a.png") == ("set/a.png", "")
    for name in ("c.png", "d.png", "x/y.png"):  # not above the label file
        assert found.find(name) == (f"set/{name}", "")


def test_the_folders_that_are_left_out_are_the_same_for_all(tmp_path: Path) -> None:
    files = ("1/a.png", "1/b.png", "2/c.png", "images/d.png", "e.png")
    assert names(tmp_path, "", *files).find("data/1/a.png") == ("1/a.png", "")
    found = names(tmp_path, "")
    for name, picture in (
        ("data/1/none.png", "data/1/none.png"),  # nothing is found, so nothing is left out yet
        ("data/1/b.png", "1/b.png"),
        ("data/2/c.png", "2/c.png"),
        ("other/1/a.png", "other/1/a.png"),
        ("data/d.png", "images/d.png"),
        ("more/data/d.png", "more/data/d.png"),
        ("data/more/e.png", "data/more/e.png"),
        ("1/a.png", "1/a.png"),
    ):
        assert found.find(name) == (picture, "")
    found = names(tmp_path, "")
    assert found.find("data/more/e.png") == ("e.png", "")
    assert found.find("data/1/a.png") == ("data/1/a.png", "")  # two folders are left out in this file


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    found = names(tmp_path / "set", "", "a.png", "b/c.png")
    assert found.find("") == ("", "has no picture name")
    assert found.find(".") == (".", "")
    for name in ("../a.png", f"{tmp_path}/a.png", "b/../../a.png"):
        kept, problem = found.find(name)
        assert kept == name
        assert problem.startswith("leads out of its folder: ")
    assert found.find(f"{tmp_path}/set/b/c.png") == ("b/c.png", "")
    assert found.find("b\\c.png") == ("b/c.png", "")


@pytest.mark.parametrize("base", ["", "set/"])
def test_absolute_names_through_a_link(base: str, tmp_path: Path) -> None:
    names(tmp_path / "real", base, f"{base}a.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = PictureNames(Folder(tmp_path / "link"), base)
    for root in ("real", "link"):
        picture, problem = found.find(f"{tmp_path}/{root}/a.png")
        assert (picture, problem) == (f"{base}a.png", "")
