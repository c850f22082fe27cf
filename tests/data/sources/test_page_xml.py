"""PAGE XML: the dialects of tools, texts, places of pictures, and lines with problems."""

from __future__ import annotations

import pickle
import shutil
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from page_files import PAGE_13, alto_line, alto_xml, drawn, page_line, page_xml, pixels, rectangle, saved, strip
from PIL import Image

from crnn.data.sources import LineSource, open_source
from crnn.data.sources.page_xml import _without_breaks
from crnn.data.sources.registry import find_reader
from crnn.errors import DataError
from crnn.reading.sets import pictures_in

LINES = page_line(0, "eins") + page_line(1, "zwei &amp; drei") + page_line(2, "")


def texts(source: LineSource) -> list[str]:
    return [source.entry(i).text for i in range(len(source))]


def problems(source: LineSource) -> list[str]:
    return [source.entry(i).problem for i in range(len(source))]


def read(source: LineSource, i: int) -> tuple[str, tuple[int, int], bytes]:
    return source.entry(i).text, source.size(i), source.picture(i).tobytes()


def assert_strips(source: LineSource, page: Image.Image, lines: int = 3) -> None:
    assert problems(source) == [""] * lines
    for i in range(lines):
        assert source.size(i) == source.picture(i).size == (310, 30)
        assert np.array_equal(pixels(source.picture(i)), strip(i, page))


def region(name: str, *content: str) -> str:
    return f'<TextRegion id="{name}"><Coords points="0,0 9,0 9,9"/>{"".join(content)}</TextRegion>'


def test_regions_come_in_reading_order(tmp_path: Path) -> None:
    """Groups in groups, with and without an index; a region within one that is named; what is not named comes last."""
    order = (
        '<ReadingOrder><OrderedGroup id="g"><!-- two columns --><RegionRefIndexed index="2" regionRef="head"/>'
        '<UnorderedGroupIndexed id="u" index="10"><RegionRef regionRef="d"/><RegionRef regionRef="c"/>'
        '<RegionRef regionRef="none"/><RegionRef regionRef="head"/></UnorderedGroupIndexed>'
        '<OrderedGroupIndexed id="o" index="9" regionRef="a"><RegionRefIndexed index="1" regionRef="b"/>'
        "</OrderedGroupIndexed></OrderedGroup></ReadingOrder>"
    )
    a = region("a", page_line(0, "a1"), region("in_a", page_line(1, "in a")), page_line(2, "a2"))
    others = (region(name, page_line(1, name)) for name in ("b", "c", "d", "loose", "head"))
    xml = page_xml("").replace("<TextRegion", order + a + "".join(others) + "<TextRegion", 1)
    [*found] = texts(open_source(saved(tmp_path, xml)))
    assert found == ["head", "a1", "in a", "a2", "b", "d", "c", "loose"]
    assert texts(open_source(saved(tmp_path / "2", xml.replace(order, "<ReadingOrder/>")))) == [
        *("a1", "in a", "a2", "b", "c", "d", "loose", "head")
    ]


@pytest.mark.parametrize("namespace", [PAGE_13, "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"])
@pytest.mark.parametrize("single", [False, True])
def test_lines_of_a_page(tmp_path: Path, namespace: str, single: bool) -> None:
    folder = saved(tmp_path / "a", page_xml(LINES, namespace=namespace))
    where = folder / "p1.xml" if single else folder
    assert find_reader(where)[0] == "PAGE"
    source = open_source(where)
    assert texts(source) == ["eins", "zwei & drei", ""]  # a line without text is a line; the checker says so
    assert_strips(source, drawn())
    entry = source.entry(1)
    assert entry.where == f"{folder / 'p1.xml'}:7"
    assert entry.picture.endswith("p1.png#l1")
    assert entry.group == source.entry(0).group != ""


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives(tmp_path: Path, kind: str) -> None:
    folder = saved(tmp_path / "a", page_xml(LINES))
    archive = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for path in folder.iterdir():
                file.write(path, f"export/page/{path.name}" if path.suffix == ".xml" else f"export/{path.name}")
    else:
        with tarfile.open(archive, "w") as tar:
            tar.add(folder / "p1.xml", "export/page/p1.xml")
            tar.add(folder / "p1.png", "export/p1.png")
    source = open_source(archive)
    assert_strips(source, drawn())
    assert source.entry(0).picture == "export/p1.png#l0"
    assert source.entry(0).group == "export/p1.png"
    here = [read(source, i) for i in range(3)]
    with get_context("fork").Pool(2) as pool:
        assert pool.starmap(read, [(source, i % 3) for i in range(12)]) == here * 4
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda i: read(source, i % 3), range(12))) == here * 4
    assert [read(pickle.loads(pickle.dumps(source)), i) for i in range(3)] == here


def test_transkribus(tmp_path: Path) -> None:
    """page/*.xml with pictures one folder up, METS and metadata beside; baselines; tags; nested and table regions."""
    table = (
        '<TableRegion id="t1"><Coords points="0,0 400,0 400,300"/><TableCell row="0" col="0" id="c1">'
        f'<Coords points="0,0 400,0 400,300"/>{page_line(2, "Zelle", baseline="50,169 349,169")}</TableCell></TableRegion>'
    )
    nested = f'<TextRegion id="r2"><Coords points="0,0 400,0 400,300"/>{page_line(1, "innen")}</TextRegion>'
    xml = page_xml(
        page_line(0, "außen", baseline="50,69 200,70 349,69") + nested, "0001_p1.jpg", namespace=PAGE_13
    ).replace("</Page>", f"{table}</Page>")
    xml = xml.replace(
        '<TextLine id="l0"', '<TextLine custom="readingOrder {index:0;}" primaryLanguage="German" id="l0"'
    )
    xml = xml.replace(
        "</Metadata>", '<TranskribusMetadata docId="1" imgUrl="https://files.transkribus.eu/Get?id=X"/></Metadata>'
    )
    root = tmp_path / "doc"
    (root / "page").mkdir(parents=True)
    (root / "page" / "0001_p1.xml").write_text(xml, encoding="utf-8")
    (root / "mets.xml").write_text('<ns3:mets xmlns:ns3="http://www.loc.gov/METS/"><not looked into')
    (root / "metadata.xml").write_text("<trpDocMetadata/>")
    drawn().save(root / "0001_p1.jpg", quality=100)
    for where in (tmp_path, root, root / "page" / "0001_p1.xml"):
        source = open_source(where)
        assert texts(source) == ["außen", "innen", "Zelle"]
        for i in range(3):
            assert np.abs(pixels(source.picture(i)).astype(int) - strip(i, drawn())).max() < 12
    assert {source.entry(i).group for i in range(3)} == {"0001_p1.jpg"}


@pytest.mark.parametrize("name", ["p", "./p", "../in/p", "p/sub/..", "p.zip", "p.tar", "sub/../p.zip"])
def test_relative_paths(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As most users write them."""
    folder = saved(tmp_path / "in" / "p", page_xml(LINES))
    for kind in ("zip", "tar"):
        shutil.make_archive(str(tmp_path / "in" / "p"), kind, folder)
    (tmp_path / "in" / "sub").mkdir()
    (folder / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    source = open_source(name)
    assert source.entry(1).where.startswith(f"{Path(name)}/p1.xml:")
    assert_strips(source, drawn())
    assert_strips(pickle.loads(pickle.dumps(source)), drawn())
    found = list(pictures_in(Path(name)) or [])
    assert [place for place, _ in found] == [f"{Path(name)}:p1.png#l{i}" for i in range(3)]
    monkeypatch.chdir(folder / "sub")
    assert_strips(open_source(".."), drawn())
    assert_strips(open_source("../p1.xml"), drawn())


def test_the_folder_of_xml_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pictures lie one folder up, as Transkribus has it; nothing else there is looked at."""
    page = tmp_path / "doc" / "page"
    saved(page, page_xml(LINES))
    (page / "p1.png").rename(tmp_path / "doc" / "p1.png")
    saved(tmp_path / "doc" / "other", page_xml(page_line(0, "other")), name="p2")
    (tmp_path / "doc" / "above.xml").write_text(page_xml(page_line(0, "above")))
    source = open_source(page, cache=tmp_path / "cache")
    assert texts(source) == ["eins", "zwei & drei", ""]
    assert_strips(source, drawn())
    assert source.entry(1).where == f"{page / 'p1.xml'}:7"
    assert source.entry(1).group == "p1.png"
    assert_strips(pickle.loads(pickle.dumps(source)), drawn())
    monkeypatch.chdir(tmp_path / "doc")
    assert open_source("page").entry(0).where == "page/p1.xml:6"
    monkeypatch.chdir(page)
    assert_strips(open_source("."), drawn())
    (tmp_path / "doc" / "p1.png").unlink()  # what the index was made of has changed
    assert problems(open_source(page, cache=tmp_path / "cache")) == [
        "has no page picture: looked for 'p1.png' or 'p1.*' beside page/p1.xml and in the other folders; put it there"
    ] * 3  # fmt: skip
    drawn().save(page / "p3.png")  # a picture of its own: nothing above is looked at
    drawn().save(tmp_path / "doc" / "p1.png")
    assert all("has no page picture" in problem for problem in problems(open_source(page)))


def test_escriptorium(tmp_path: Path) -> None:
    """Lines of a dummy block, polygons of many points, a line without a mask: only its baseline."""
    lines = (
        f'<TextLine id="eSc_line_1" custom="structure {{type:default;}}">\n<Coords points="{rectangle(0)}"/>\n'
        '<Baseline points="50,69 349,69"/>\n<TextEquiv>\n  <Unicode>eins </Unicode>\n</TextEquiv></TextLine>'
        '<TextLine id="eSc_line_2">\n<Baseline points="50,119 349,119"/><TextEquiv><Unicode>\n   zwei\n  </Unicode>'
        "</TextEquiv></TextLine>"
        '<TextLine id="eSc_line_3"><Coords points=""/><Baseline points="50,169 349,169"/>'
        "<TextEquiv><Unicode>drei</Unicode></TextEquiv></TextLine>"
    )
    source = open_source(saved(tmp_path, page_xml(lines)))
    assert texts(source) == ["eins ", "zwei", "drei"]
    assert problems(source) == [""] * 3
    for i in (1, 2):  # lines 50 apart: 37.5 above the baseline, 12.5 below, 7.5 longer at both ends
        width, height = source.size(i)
        assert (width, height) == (315, 51)
        top = 50 * i + 69 - 38
        assert np.array_equal(pixels(source.picture(i))[:, 10:-10], pixels(drawn())[top : top + 51, 52:347])


def test_ocrd(tmp_path: Path) -> None:
    """A workspace with several image folders; the folder in imageFilename tells; prefixed names; indexed texts; words."""
    words = "".join(
        f'<pc:Word id="w{i}"><pc:Coords points="0,0 9,0 9,9"/><pc:TextEquiv index="0"><pc:Unicode>{w}</pc:Unicode>'
        "</pc:TextEquiv></pc:Word>"
        for i, w in enumerate(("aus", "Wörtern"))
    )
    glyphs = "".join(
        f'<pc:Glyph id="g{c}"><pc:TextEquiv><pc:Unicode>{c}</pc:Unicode></pc:TextEquiv></pc:Glyph>' for c in "abc"
    )
    lines = (
        f'<pc:TextLine id="a"><pc:Coords points="{rectangle(0)}"/>{words}<pc:TextEquiv index="2"><pc:Unicode>schlecht'
        '</pc:Unicode></pc:TextEquiv><pc:TextEquiv index="1" conf="0.9"><pc:Unicode>gut</pc:Unicode></pc:TextEquiv>'
        f'<pc:TextEquiv index="1"><pc:Unicode>auch</pc:Unicode></pc:TextEquiv></pc:TextLine>'
        f'<pc:TextLine id="b"><pc:Coords points="{rectangle(1)}"/>{words}</pc:TextLine>'
        f'<pc:TextLine id="c"><pc:Coords points="{rectangle(2)}"/><pc:Word id="w">{glyphs}</pc:Word></pc:TextLine>'
    )
    namespace = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
    xml = (
        f'<?xml version="1.0"?><!-- <alto> --><pc:PcGts xmlns:pc="{namespace}" pcGtsId="F1">'
        '<pc:Page imageFilename="OCR-D-IMG-BIN/F1.png" imageWidth="400" imageHeight="300"><pc:TextRegion id="r">'
        f"{lines}</pc:TextRegion></pc:Page></pc:PcGts>"
    )
    (tmp_path / "OCR-D-GT").mkdir()
    (tmp_path / "OCR-D-GT" / "F1.xml").write_text(xml, encoding="utf-8")
    for folder, page in (("OCR-D-IMG", Image.new("L", (400, 300))), ("OCR-D-IMG-BIN", drawn())):
        (tmp_path / folder).mkdir()
        page.save(tmp_path / folder / "F1.png")
    source = open_source(tmp_path)
    assert texts(source) == ["gut", "aus Wörtern", "abc"]
    assert_strips(source, drawn())
    xml = xml.replace("OCR-D-IMG-BIN/", "")
    (tmp_path / "OCR-D-GT" / "F1.xml").write_text(xml, encoding="utf-8")
    problem = problems(open_source(tmp_path))[0]
    assert problem == "has two page pictures: OCR-D-IMG-BIN/F1.png and OCR-D-IMG/F1.png; keep one"


def test_points_of_2010(tmp_path: Path) -> None:
    corners = "".join(f'<Point x="{x}" y="{y}"/>' for x, y in ((45, 45), (355, 45), (355, 75), (45, 75)))
    line = f'<TextLine id="l"><Coords>{corners}</Coords><TextEquiv><Unicode>alt</Unicode></TextEquiv></TextLine>'
    assert_strips(open_source(saved(tmp_path, page_xml(line))), drawn(), 1)


def test_a_picture_of_another_size_or_shape(tmp_path: Path) -> None:
    folder = saved(tmp_path / "half", page_xml(LINES), drawn().resize((200, 150), Image.Resampling.BOX))
    source = open_source(folder)
    assert source.size(1) == (156, 16)  # 45..355 and 95..125, halved, and whole pixels around
    assert source.picture(1).size == (156, 16)
    source = open_source(saved(tmp_path / "near", page_xml(LINES), drawn().resize((400, 302))))
    assert problems(source) == [""] * 3
    source = open_source(saved(tmp_path / "other", page_xml(LINES), drawn(400, 310)))
    assert problems(source) == [
        "lies on a page of 400 x 300, but p1.png has another shape, 400 x 310; is it the right picture, and upright?"
    ] * 3  # fmt: skip
    source = open_source(saved(tmp_path / "untold", page_xml(LINES, size=(0, 0)), drawn(400, 310)))
    assert problems(source) == [""] * 3


def test_exif_and_picture_formats(tmp_path: Path) -> None:
    for suffix, rotation in ((".tif", None), (".jpg", None), (".jpg", Image.Transpose.ROTATE_90)):
        folder = tmp_path / f"{suffix}{rotation}"
        folder.mkdir()
        (folder / "p1.xml").write_text(page_xml(LINES, picture=f"p1{suffix}"), encoding="utf-8")
        exif = Image.Exif()
        page = drawn()
        if rotation is not None:  # stored lying on its side, with the note to turn it by 90 degrees clockwise
            page, exif[0x0112] = page.transpose(rotation), 6
        page.save(folder / f"p1{suffix}", exif=exif, quality=100)
        source = open_source(folder)
        for i in range(3):
            assert source.size(i) == (310, 30)
            assert np.abs(pixels(source.picture(i)).astype(int) - strip(i, drawn())).max() < 12


def test_lines_with_problems(tmp_path: Path) -> None:
    coords = {
        "two points": ("10,10 20,20", "has an outline of 2 points; three or more make an area"),
        "a point": ("5,5 5,5 5,5", "has an outline without area; draw it around the line"),
        "a stroke": ("10,10 60,60 110,110", "has an outline without area; draw it around the line"),
        "away": ("500,10 600,10 600,50 500,50", "lies outside its page of 400 x 300 pixels"),
        "nothing": ("", "has neither outline nor baseline; mark where the line is"),
        "odd": ("1,2 3", "has coordinates that are not pairs of numbers ('1,2 3'); x,y x,y ..."),
        "words": ("a,b c,d", "has coordinates that are not pairs of numbers ('a,b c,d'); x,y x,y ..."),
        "not a number": (
            "nan,1 2,3 4,5",
            "has coordinates that are not pairs of numbers ('nan,1 2,3 4,5'); x,y x,y ...",
        ),
        "far": ("1e9,1 2,3 4,5", "has coordinates that are not pairs of numbers ('1e9,1 2,3 4,5'); x,y x,y ..."),
        "many": ("1,2 " * 10_001, "has 10,001 points; at most 10,000 are read"),
    }
    lines = "".join(page_line(i, name, coords=written) for i, (name, (written, _)) in enumerate(coords.items()))
    source = open_source(saved(tmp_path, page_xml(lines + page_line(0, "good"))))
    assert texts(source) == [*coords, "good"]
    assert problems(source) == [problem for _, problem in coords.values()] + [""]
    with pytest.raises(DataError, match=r"p1\.png#l0: has no place on a page"):
        source.picture(0)
    assert source.size(len(coords)) == (310, 30)


def test_a_page_without_picture(tmp_path: Path) -> None:
    folder = saved(tmp_path / "a", page_xml(LINES, picture="scans/0007.tif"))
    (folder / "p1.png").rename(folder / "other.png")
    source = open_source(folder)
    assert problems(source) == [
        "has no page picture: looked for '0007.tif' or 'p1.*' beside p1.xml and in the other folders; put it there"
    ] * 3  # fmt: skip
    (folder / "other.png").write_bytes(b"no picture")
    (folder / "other.png").rename(folder / "0007.tif")
    assert (
        problems(open_source(folder)) == ["0007.tif: is not a picture that can be read (PNG, JPEG, TIFF, WebP ...)"] * 3
    )


def test_pictures_with_another_ending_or_named_as_the_xml(tmp_path: Path) -> None:
    assert_strips(open_source(saved(tmp_path / "a", page_xml(LINES, picture="p1.TIFF"))), drawn())
    (tmp_path / "a" / "p1.png").rename(tmp_path / "a" / "scan 7.png")
    (tmp_path / "a" / "p1.xml").write_text(page_xml(LINES, picture="C:\\scans\\Scan 7.TIF"))
    assert_strips(open_source(tmp_path / "a"), drawn())
    assert_strips(open_source(saved(tmp_path / "b", page_xml(LINES, picture=""))), drawn())
    assert_strips(open_source(saved(tmp_path / "c", page_xml(LINES, picture="nowhere.png"))), drawn())
    assert_strips(open_source(saved(tmp_path / "d", page_xml(LINES, picture="P1.PNG"))), drawn())


@pytest.mark.parametrize("name", ["../secret.png", "{0}/secret.png", "file://{0}/secret.png", "..\\secret.png"])
def test_nothing_outside_is_opened(tmp_path: Path, name: str) -> None:
    drawn().save(tmp_path / "secret.png")
    folder = saved(tmp_path / "a" / "b", page_xml(LINES, picture=name.format(tmp_path)))
    (folder / "p1.png").unlink()
    for where in (folder, folder / "p1.xml"):
        assert all("looked for 'secret.png'" in problem for problem in problems(open_source(where)))
    drawn().save(folder / "secret.png")
    assert_strips(open_source(folder), drawn())


def test_recognised_by_looking(tmp_path: Path) -> None:
    both = saved(tmp_path / "both" / "page", page_xml(LINES))
    saved(tmp_path / "both" / "alto", alto_xml(alto_line(0, '<String CONTENT="x"/>')), name="p2")
    (both / "p1.txt").write_text("the text of the page, not of a line")
    assert find_reader(tmp_path / "both")[0] == "PAGE"
    assert len(open_source(tmp_path / "both")) == 3
    assert find_reader(tmp_path / "both" / "alto")[0] == "ALTO"
    utf16 = tmp_path / "u" / "p1.xml"
    saved(tmp_path / "u", page_xml(LINES))
    utf16.write_bytes(page_xml(LINES).replace("UTF-8", "UTF-16").encode("utf-16"))
    assert_strips(open_source(utf16), drawn())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.xml").write_text("<html><PcGts/></html>")
    with pytest.raises(DataError, match="in a known format"):
        open_source(tmp_path / "other")


def test_cut_lines_beside_pages_are_lines(tmp_path: Path) -> None:
    folder = saved(tmp_path, page_xml(LINES))
    Image.new("L", (30, 20)).save(folder / "l1.png")
    (folder / "l1.gt.txt").write_text("cut already")
    assert find_reader(folder)[0] == "gt.txt"


def test_a_picture_that_shrank(tmp_path: Path) -> None:
    source = open_source(saved(tmp_path, page_xml(LINES)))
    drawn(200, 150).save(tmp_path / "p1.png")
    with pytest.raises(DataError, match=r"p1\.png: has 200 x 150 pixels now, fewer than when its lines were listed"):
        source.picture(0)


def test_a_mac_s_notes_are_passed_over(tmp_path: Path) -> None:
    folder = saved(tmp_path / "a", page_xml(LINES))
    (folder / "._p1.xml").write_bytes(b"\x00\x05\x16\x07 no xml")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        archive.writestr("__MACOSX/._p1.xml", b"\x00\x05\x16\x07")
    for where in (folder, tmp_path / "a.zip"):
        assert texts(open_source(where)) == ["eins", "zwei & drei", ""]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" a  b ", " a  b "),
        ("\n    a b \n  ", "a b"),
        (" \n a\n", "a"),
        ("a\nb", "a\nb"),
        (" a\n", " a"),
        (" \n ", ""),
        ("", ""),
        (f"a{' ' * 50_000}b{chr(10) * 50_000}c", f"a{' ' * 50_000}b{chr(10) * 50_000}c"),
    ],
)
def test_white_space_with_a_line_break_at_the_ends_is_xml_s_own(written: str, kept: str) -> None:
    assert _without_breaks(written) == kept
