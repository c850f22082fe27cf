"""Which picture a text belongs to, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from crnn.data.sources.base import ReadOptions
from crnn.data.sources.gt_text import GtTextReader, stem_of
from crnn.data.sources.place import Place


@pytest.mark.parametrize(
    ("picture", "stem"),
    [
        ("a.png", "a"),
        ("b/a.JPG", "b/a"),
        ("a.bin.png", "a"),
        ("a.NRM.PNG", "a"),
        ("a.bin.jpg", "a.bin"),
        ("a.b.png", "a.b"),
        ("a", "a"),
    ],
)
def test_stems(picture: str, stem: str) -> None:
    assert stem_of(picture) == stem


def rows(root: Path, **files: str) -> tuple[list[tuple[str, str, bool]], list[str]]:
    """(text, picture, whether something is wrong) of each line, and the notes."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    reader = GtTextReader(root, ReadOptions())
    return [(row.text, row.picture, bool(row.problem)) for row in reader.rows()], reader.notes


def test_which_text_a_picture_has(tmp_path: Path) -> None:
    found, notes = rows(
        tmp_path,
        a_DOT_png="",
        a_DOT_txt="of the page",
        a_DOT_gt_DOT_txt="a\n",
        b_DOT_png="",
        b_DOT_txt="b\r\n",
        c_DOT_gt_DOT_txt="c\n\n",
        d_DOT_txt="no line",
        e_DOT_md="no text",
        f__a_DOT_jpg="",
        f__a_DOT_gt_DOT_txt="f",
        f___DOT_x_DOT_gt_DOT_txt="hidden",
    )
    assert found == [("a", "a.png", False), ("b", "b.png", False), ("c\n", "", True), ("f", "f/a.jpg", False)]
    assert notes == []


def test_pictures_without_a_text_and_with_that_of_another(tmp_path: Path) -> None:
    found, notes = rows(
        tmp_path,
        a_DOT_png="",
        b_DOT_png="",
        c_DOT_jpg="",
        c_DOT_png="",
        c_DOT_gt_DOT_txt="c",
        d_DOT_bin_DOT_png="",
        d_DOT_png="",
        d_DOT_txt="d",
        e_DOT_jpg="",
        e_DOT_png="",
    )
    assert found == [("c", "c.jpg", False), ("d", "d.bin.png", False)]
    assert notes == [
        f"{tmp_path}: 3 pictures have no text beside them and are no lines, such as a.png",
        f"{tmp_path}: 1 pictures share their text with another picture and are no lines, such as c.png, for c.jpg is "
        "read; to read both, give each a text of its own",
    ]


def test_what_is_taken_for_such_a_folder(tmp_path: Path) -> None:
    for number, (files, taken) in enumerate(
        (
            (("a.gt.txt",), True),
            (("a.png", "a.txt"), True),
            (("a.png", "b.txt"), False),
            (("a.png", "x/a.txt"), False),
            (("a.bin.png", "a.txt"), True),
            (("a.txt",), False),
            (("a.png",), False),
        )
    ):
        for name in files:
            path = tmp_path / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        assert GtTextReader.matches(Place(tmp_path / str(number))) is taken
    assert not GtTextReader.matches(Place(tmp_path / "0" / "a.gt.txt"))  # a file alone


def test_a_text_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "a.gt.txt").write_bytes(b"K\xe4se")
    (row,) = GtTextReader(tmp_path, ReadOptions()).rows()
    assert (row.text, row.picture) == ("", "a.png")
    assert row.where == f"{tmp_path}/a.gt.txt"
    assert row.problem.startswith("1: is not UTF-8 (byte 0xE4)")
