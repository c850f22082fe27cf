"""Pictures whose names are their labels."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from crnn.data.sources import ReadOptions, open_source
from crnn.data.sources.file_names import FileNameReader
from crnn.data.sources.place import Place
from crnn.errors import ConfigError, DataError


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def texts(path: Path, pattern: str | None = None) -> list[tuple[str, bool]]:
    source = open_source(path, ReadOptions(name_pattern=pattern))
    return [(source.entry(i).text, bool(source.entry(i).problem)) for i in range(len(source))]


def test_recognised_by_looking(tmp_path: Path) -> None:
    pictures(tmp_path, "ab_1.png", "ab_c_002.jpg", "sub/x_3.JPEG", "sub/x y_0.png", ".DS_Store", "README.md", "._x.png")
    assert texts(tmp_path) == [("ab", False), ("ab_c", False), ("x y", False), ("x", False)]
    source = open_source(tmp_path)
    assert source.entry(2).where == str(tmp_path / "sub" / "x y_0.png")


@pytest.mark.parametrize(
    "names",
    [
        ["page_1.png", "page_2.png", "page_3.png"],  # one text
        ["a_1.png", "b_1.png"],  # each is half
        ["a_1.png", "a_2.png", "b_1.png", "c_1.png"],  # the most frequent is half
        ["a_1.png", "b_1.png", "c_1.png", "d.png"],  # not all look so
        ["a_1.png", "b_1.png", "c_1.png", "classes.txt"],  # something may be labels
    ],
)
def test_not_recognised_by_looking(names: list[str], tmp_path: Path) -> None:
    pictures(tmp_path, *names)
    assert not FileNameReader.matches(Place(tmp_path))
    with pytest.raises(DataError) as caught:
        open_source(tmp_path)
    hint = (
        "these are pictures without labels; if their names are the labels, set data.name_pattern='(?P<text>.+)_[0-9]+'"
    )
    assert (hint in str(caught.value)) == ("classes.txt" not in names)
    assert all(not problem for _, problem in texts(tmp_path, r"(?P<text>.+?)(_[0-9]+)?"))


def test_patterns(tmp_path: Path) -> None:
    """The whole name has to match; what does not is a line with a problem."""
    pictures(tmp_path, "1_one_1.png", "2_two_2.png", "three.png", "4__4.png")
    assert texts(tmp_path, "[0-9]+_(?P<text>.+)_[0-9]+") == [("one", False), ("two", False), ("", True), ("", True)]
    assert texts(tmp_path, "(?P<text>three)|.*")[3] == ("three", False)
    assert texts(tmp_path, "(?P<text>three)|.*")[0] == ("", True)  # the group took no part
    source = open_source(tmp_path, ReadOptions(name_pattern="(?P<text>x)"))
    assert source.entry(0).problem == "the name does not match '(?P<text>x)' (data.name_pattern)"


@pytest.mark.parametrize("pattern", ["(?P<text>.+", "(.+)_[0-9]+", "", "(?P<text>a{99999999999})", "(?P<label>.+)"])
def test_bad_patterns_are_refused(pattern: str, tmp_path: Path) -> None:
    """Even where other labels are found first."""
    (pictures(tmp_path, "a.png") / "labels.tsv").write_text("a.png\tx\n")
    with pytest.raises(ConfigError, match=r"data\.name_pattern=.*; write one such as '\(\?P<text>\.\+\)_\[0-9\]\+'"):
        open_source(tmp_path, ReadOptions(name_pattern=pattern))


def test_labels_come_first(tmp_path: Path) -> None:
    (pictures(tmp_path, "a_1.png", "b_1.png", "c_1.png") / "labels.tsv").write_text("a_1.png\tx\n")
    assert texts(tmp_path, "(?P<text>.+)_[0-9]+") == [("x", False)]


@pytest.mark.skipif(sys.platform != "linux", reason="skipped: other file systems refuse the name")
def test_names_in_no_encoding(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/K\xe4se_1.png", "wb") as file:
        file.write(b"x")
    source = open_source(tmp_path, ReadOptions(name_pattern="(?P<text>.+)_[0-9]+"))
    assert source.entry(0).problem == "the name is not UTF-8; rename it"
    source.entry(0).where.encode()
