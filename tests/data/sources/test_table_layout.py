"""How a table is written, told from its first lines."""

from __future__ import annotations

import pytest

from crnn.data.sources import ReadOptions, table_layout
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
        ('a.png, "x"\nb.png,y\n', "csv", ","),  # half of the lines are ICDAR's, not most
        ('a.png, "x"\nb.png, "y"\nc.png,z\n', "icdar", ","),
        ('text, "x"\na.png,y\nb.png,z\n', "csv", ","),
        ("no name\na.png\tx\n", "tab", "\t"),  # half of the lines is enough
        ("no name\nnor here\na.png\tx\n", None, ""),
        ("a.png,x,y\nb.png,x\nc.png,x,y\n", "csv", ","),  # not all rows have three cells: commas of the text
        ("1_a_77.jpg 77\n2_b_5.jpg 5\n", None, ""),  # MJSynth's: numbers, no texts
        ("1_a_77.jpg 77\n2_b_5.jpg 6\n", "space", " "),
        ("a77.png 77\n", "space", " "),
        ("a_b.png b\n", "space", " "),
        ('"a.png";x\n"b.png";y\n', "csv", ";"),
        ("filename\na.png\n", None, ""),
        ("bild,abschrift\na.png,x\nb.png,y\n", "csv", ","),  # the first row is one line's problem then
        ("n,crop,said\n1,a.png,x\n2,b,y\n", None, ""),  # half of the rows is not most
        ("n,crop,said\n1,a.png,x\n2,b.png\n3,c.png\n4,d.png\n", None, ""),  # nor do most have three cells
        ("file,text,a.png\n", None, ""),  # a picture's name is no name of a column
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
        (
            "bild;abschrift;quelle\na.png;x;1\nb.png;y;2\n",
            "has no known columns among: bild, abschrift, quelle; set "
            "data.image_column=bild and data.text_column=NAME (crnn check: --image-column, --text-column)",
        ),
        (
            "n,crop,said\n1,a.png,x\n2,b.png,y\n3,x\n",
            "has no known columns among: n, crop, said; set data.image_column=crop and data.text_column=NAME",
        ),
        (
            "said\tcrop\nx\ta.png\n",
            "has no known columns among: said, crop; set data.image_column=crop and data.text_column=said",
        ),
        ("a.png\tx\t1\nb.png\ty\t2\n", "has 3 columns and no header"),
        ('a.png;"x;y";1\nb.png;y;2\n', "has 3 columns and no header"),
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


def test_boxes_in_half_of_the_rows_are_texts() -> None:
    box, text = 'p.png\t[{"points": []}]\n', "q.png\tx\n"
    for head, grade in ((box + text, 2), (box * 2 + text, 1), ('p.png\t[{"x": 1}]\n', 2), ('p.png\tx "points"\n', 2)):
        layout = find_layout(head, ReadOptions())
        assert layout is not None
        assert (layout.style, layout.grade) == ("tab", grade)


def test_columns_that_the_user_names() -> None:
    head = "scan;said;file\n1;x;2\n"
    for options, grade in (
        (ReadOptions(image_column="scan", text_column="said"), 2),
        (ReadOptions(text_column="said"), 2),
        (ReadOptions(image_column="scan"), 1),
        (ReadOptions(), 1),
    ):
        layout = find_layout(head, options)
        assert layout is not None
        assert (layout.style, layout.header, layout.grade) == ("header", ("scan", "said", "file"), grade)
    assert find_layout("scan;said\n", ReadOptions(text_column="said")) is None


def test_the_first_lines_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_layout, "_LOOK_AT", 4)
    for others, style in ((2, "tab"), (3, None)):
        layout = find_layout("\n" + "none\n" * others + "a.png\tx\n" * 9, ReadOptions())
        assert (layout and layout.style) == style


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
