"""Which of several pictures is the page's."""

from __future__ import annotations

import pytest

from crnn.data.sources.page_pictures import MissingPictureError, PagePictures


@pytest.mark.parametrize(
    ("names", "xml", "written", "found"),
    [
        (["p.png"], "p.xml", "p.png", "p.png"),
        (["P.PNG"], "x.xml", "p.png", "P.PNG"),
        (["p.png"], "x.xml", "C:\\scans\\p.png", "p.png"),
        (["p.png"], "x.xml", "https://host/a/p.png", "p.png"),
        (["Ü 1.png", "x.png"], "x.xml", "https://host/%C3%9C%201.png", "Ü 1.png"),  # in an address
        (["p%201.png", "p 1.png"], "x.xml", "p%201.png", "p%201.png"),
        (["p.jpg"], "x.xml", "p.png", "p.jpg"),  # another ending
        (["p.jpg"], "x.xml", "p", "p.jpg"),
        (["p.v2.jpg", "p.jpg"], "x.xml", "p.v2", "p.v2.jpg"),  # .v2 is no ending of a picture
        (["x.tif"], "a/x.xml", "", "x.tif"),  # named as the XML
        (["x.tif"], "x.xml", "p.png", "x.tif"),
        (["x.png", "p.jpg", "p.png"], "x.xml", "p.png", "p.png"),  # the name as it stands comes first
        (["x.png", "p.jpg"], "x.xml", "p.png", "p.jpg"),
        (["a/p.png", "b/p.png"], "c/x.xml", "b/p.png", "b/p.png"),  # folders as written
        (["a/b/p.png", "c/b/p.png"], "x.xml", "z/c/b/p.png", "c/b/p.png"),
        (["a/b/p.png", "a/p.png"], "a/x.xml", "b/p.png", "a/b/p.png"),
        (["a/p.png", "a/b/p.png"], "a/b/x.xml", "p.png", "a/b/p.png"),  # beside the XML
        (["a/p.png", "a/b/c/p.png", "p.png"], "a/b/x.xml", "p.png", "a/p.png"),  # one folder up
        (["a/b/d/p.png", "q/p.png"], "a/b/c/x.xml", "p.png", "a/b/d/p.png"),  # the nearest
        (["a/b/d/p.png", "a/q/r/p.png"], "a/b/c/x.xml", "p.png", "a/b/d/p.png"),
        (["q/b/p.png", "q/r/p.png"], "a/b/c/x.xml", "p.png", "q/b/p.png"),  # of the same names of folders
        (["./p.png"], "x.xml", " ./../p.png ", "./p.png"),
    ],
)
def test_found(names: list[str], xml: str, written: str, found: str) -> None:
    assert PagePictures(names).find(xml, written) == found
    assert PagePictures(reversed(names)).find(xml, written) == found


@pytest.mark.parametrize("names", [[], ["p.txt", "p"], [".p.png", "a/.p.png"], ["q.png"]])
def test_not_there(names: list[str]) -> None:
    pictures = PagePictures(names)
    for written, looked in (("a/p.png", r"'p\.png' or 'x\.\*'"), ("", r"'x\.\*'"), ("./", r"'x\.\*'")):
        with pytest.raises(MissingPictureError, match=rf"has no page picture: looked for {looked} beside a/x\.xml and"):
            pictures.find("a/x.xml", written)
    assert list(pictures.names()) == [name for name in names if name == "q.png"]


def test_two_that_are_as_near() -> None:
    for names in (["a/p.png", "b/p.png"], ["b/p.png", "c/d/p.png", "a/p.png"]):
        with pytest.raises(MissingPictureError, match=r"has two page pictures: a/p\.png and b/p\.png; keep one"):
            PagePictures(names).find("x.xml", "p.png")
    with pytest.raises(MissingPictureError, match=r"has two page pictures: p\.JPG and p\.jpg; keep one"):
        PagePictures(["p.jpg", "p.JPG"]).find("x.xml", "p.jpg")
