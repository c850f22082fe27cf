"""Names that any system can hold, and no two the same."""

from __future__ import annotations

import re

import pytest
from given_lines import Given
from hypothesis import example, given
from hypothesis import strategies as st

from crnn.data.convert.names import Names, folded, safe_stem
from crnn.data.sources.base import LineEntry

KEPT = ["a", "book/page 1/line_01", "Straße", "नि", "日本/語", "a+b=c", "image-000000001", "x.y"]
CHANGED = {
    "../../etc/passwd.png": "etc/passwd",
    "/abs/x.png": "abs/x",
    "C:\\scans\\x.png": "C_/scans/x",
    "a/./b//c.png": "a/b/c",
    "..": "_" * 2,
    "": "_" * 2,
    ".hidden.png": "_.hidden",
    "new\nline\t.png": "new_line_",
    " both .png": "_both_",
    "dot..png": "dot._",
    "con.png": "_con",
    "COM1/aux.x.png": "_COM1/_aux.x",
    "e\u0301.png": "é",
    "a\u202eb.png": "a_b",
    "a\udcffb.png": "a_b",
    "0:12": "0_12",
    'q"<>|?*.png': "q______",
    "p.png/x.png": "p.png_/x",
    "t.gt.txt/x.png": "t.gt.txt_/x",
    "010001.bin.png": "010001_bin",
    "numbered/x.png": "numbered_/x",
    "images/Numbered/x.png": "images/Numbered_/x",
    "book/0001.jpg#l1": "book/0001/l1",
    "book/0001.jpg#../l1": "book/0001/l1",
    "no#page": "no_page",
    "x" * 300 + ".png": "x" * 100,
    "字" * 100 + ".png": "字" * 33,
    "/".join(["folder" * 10] * 5) + "/x.png": "x",
}


@pytest.mark.parametrize("name", KEPT)
def test_safe_names_are_kept(name: str) -> None:
    for ending in (".png", ".JPG", ".tiff", ""):
        assert safe_stem(name + ending) == name


@pytest.mark.parametrize("name", CHANGED)
def test_others_are_made_safe(name: str) -> None:
    assert safe_stem(name) == CHANGED[name]


@given(st.text(max_size=300))
@example("/" * 50 + "\u0130")
def test_whatever_the_name(name: str) -> None:
    stem = safe_stem(name)
    assert stem
    assert len(stem.encode()) < 200
    for part in stem.split("/"):
        assert part not in ("", ".", "..")
        assert not part.startswith((".", " "))
        assert not part.endswith((" ", "."))
        assert part.isprintable()
        assert not set('<>:"|?*\\') & set(part)


def names(given: list[str], **options: object) -> list[str]:
    source = Given([(LineEntry("t", "w", name), b"") for name in given])
    made = Names(source, **options)  # type: ignore[arg-type]
    return [made.stem(i, name) for i, name in enumerate(given)]


def test_no_two_are_the_same() -> None:
    """Not on a file system that takes A for a, nor with other endings, which belong to one text."""
    given = [
        "a.png",
        "A.png",
        "a.jpg",
        "b\t.png",
        "b_.png",
        "É.png",
        "e\u0301.png",
        "STRASSE",
        "straße",
        "images/a.png",
    ]
    assert names(given, folder="images") == [
        "images/a",
        "images/numbered/000000001",
        "images/numbered/000000002",
        "images/b_",
        "images/numbered/000000004",
        "images/É",
        "images/numbered/000000006",
        "images/STRASSE",
        "images/numbered/000000008",
        "images/numbered/000000009",
    ]


@given(st.lists(st.text("aA/.ſsſß\u0130i\u0307 #_\n1", max_size=4), min_size=1, max_size=30))
def test_no_two_are_ever_the_same(given: list[str]) -> None:
    for options in ({"folder": "images"}, {"in_order": True}):
        made = [folded(stem) for stem in names(given, **options)]
        assert len(set(made)) == len(given)
        files = {f"{stem}.png" for stem in made} | {f"{stem}.gt.txt" for stem in made}
        folders = {stem.rpartition("/")[0] for stem in made}
        assert not files & folders


def test_names_sort_as_the_lines_come() -> None:
    """As a folder is listed: its files before the folders in it; else all are numbered."""
    assert names(["a-1.png", "a.png", "b.png", "A/z.png"], in_order=True) == ["a-1", "a", "b", "A/z"]
    assert names(["b.png", "x/a 1.png"], in_order=True) == ["b", "x/a 1"]
    for other in (["a.png", "a-1.png"], ["x/a.png", "b.png"], ["a.png", "a.jpg"], ["a.png", "B.png"]):
        assert all(re.fullmatch(r"000000/00000000[01]_(?:a|b|a-1|B)", stem) for stem in names(other, in_order=True))
    many = names(["a.png"] * 1002, in_order=True)
    assert many[999:] == ["000000/000000999_a", "000001/000001000_a", "000001/000001001_a"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("/".join(c * 59 for c in "abc") + ".png", "/".join(c * 59 for c in "abc")),  # 180 bytes with an ending each
        ("/".join((*(c * 59 for c in "ab"), "c" * 60)) + ".png", "c" * 60),
        ("x" * 101, "x" * 100),
        ("é" * 51 + ".png", "é" * 50),
        ("lpt9", "_lpt9"),
        ("com0.tif", "_com0"),
        ("LPT10.png", "LPT10"),
        ("CON .x.png", "_CON .x"),
        ("x.nrm.png", "x_nrm"),
        ("x.NRM", "x_NRM"),
        ("a/numberedx.png", "a/numberedx"),
        ("x/NUMBERED.png", "x/NUMBERED"),
        (".png", "_.png"),
        ("p.txt#l", "p.txt_l"),
        ("p.png#  ", "_p.png__"),
        ("a#p.jpg#l1", "a_p/l1"),
    ],
)
def test_names_at_the_bounds(name: str, stem: str) -> None:
    assert safe_stem(name) == stem
