"""How a table is written, told from its first lines."""

from __future__ import annotations

import pytest

from crnn.data.sources import ReadOptions
from crnn.data.sources.table_columns import find_columns, is_picture_name, known_columns
from crnn.data.sources.table_layout import find_layout, several_pictures, split
from crnn.errors import DataError


@pytest.mark.parametrize(
    ("head", "style", "delimiter"),
    [
        ("filename,words\na.png,x\n", "header", ","),
        ("\n\r\nImg-Path;Ground Truth\r\n", "header", ";"),
        ("text\tpath\nhello\ta\n", "header", "\t"),
        ("a.png\tx, y; z\nb.png\t\n", "tab", "\t"),
        ("a.png,x;y\nb.jpg,\tz\n", "csv", ","),
        ('"a.png";"x"\nb.png;y\n', "csv", ";"),
        ('["a.png", "b.png"]\tx\n["c.png"]\ty\n', "tab", "\t"),
        ('word_1.png, "Tiredness"\nword_2.png, "a, b"\n', "icdar", ","),
        ("x/a.png hello there\nx/b.JPG\u00a0 y\nx/b.jpg  z\n", None, ""),
        ("x/a.png hello there\nx/b.JPG y\nx/c.jpg  z\n", "space", " "),
        ("no name\na.png\tx\nb.png\ty\n", "tab", "\t"),
        ("one\ntwo\na.png\tx\n", None, ""),
        ("a.png\nb.png\n", None, ""),
        ("a.png b.png\n", None, ""),
        ("a.png x\nb.png\n", None, ""),
        ("a.png x\nb.png y\tz\n", None, ""),
        ("lexicon\nwords\n", None, ""),
        ("", None, ""),
    ],
)
def test_layouts(head: str, style: str | None, delimiter: str) -> None:
    layout = find_layout(head, ReadOptions())
    assert (layout and layout.style) == style
    if layout:
        assert (layout.delimiter, layout.grade, layout.problem) == (delimiter, 2, "")


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("filename,caption\na.png,x\n", "has no column for the text"),
        ("a.png,x,1\nb.png,y,2\n", "has 3 columns and no header"),
        ('p.png\t[{"transcription": "x", "points": [[0, 0]]}]\n', "holds boxes on pages"),
    ],
)
def test_what_is_missing(head: str, problem: str) -> None:
    layout = find_layout(head, ReadOptions())
    assert layout is not None
    assert layout.grade == 1
    assert layout.problem.startswith(problem)


def test_commas_in_some_texts_are_no_columns() -> None:
    layout = find_layout("a.png,x\nb.png,y, z\n", ReadOptions())
    assert layout is not None
    assert layout.grade == 2


def test_columns() -> None:
    names = ["ID", "Image-Name ", "Ground Truth"]
    assert find_columns(names, ReadOptions(), "t") == (1, 2)
    assert find_columns(names, ReadOptions(image_column="ID"), "t") == (0, 2)
    assert known_columns(names) == (True, True)
    assert known_columns(["a", "b"]) == (False, False)
    with pytest.raises(DataError, match="t: has no column for the picture among: text; known names are file, "):
        find_columns(["text"], ReadOptions(), "t")
    with pytest.raises(
        DataError, match=r"t: path, file may each be the picture; say which with data\.image_column=NAME"
    ):
        find_columns(["path", "file", "text"], ReadOptions(), "t")
    assert [is_picture_name(name) for name in ("a.PNG", "a.b/c.jpeg", "png", "a.png ", "a.txt")] == [True, True] + [
        False
    ] * 3


def test_small_parts() -> None:
    assert split('a,"b, c",d', ",") == ["a", "b, c", "d"]
    assert split('a,"b', ",") == split('a,"b"c', ",") == []
    assert several_pictures('["a", "b"]') == ["a", "b"]
    for other in ("a.png", "[1]", "[", "[" * 100_000, "{}", '["a"', ""):
        assert several_pictures(other) == []
