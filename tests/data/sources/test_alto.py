"""ALTO: versions, dialects, units and texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from page_files import alto_line, alto_xml, drawn, pixels, rectangle, saved, strip
from PIL import Image

from crnn.data.sources import LineSource, open_source
from crnn.data.sources.registry import find_reader

STRINGS = '<String CONTENT="{}"/>'


def texts(source: LineSource) -> list[str]:
    return [source.entry(i).text for i in range(len(source))]


def problems(source: LineSource) -> list[str]:
    return [source.entry(i).problem for i in range(len(source))]


def assert_strips(source: LineSource, lines: int) -> None:
    assert problems(source) == [""] * lines
    for i in range(lines):
        assert source.size(i) == source.picture(i).size == (310, 30)
        assert np.array_equal(pixels(source.picture(i)), strip(i, drawn()))


@pytest.mark.parametrize("version", ["", *(f"http://www.loc.gov/standards/alto/ns-v{n}#" for n in (2, 3, 4))])
def test_versions(tmp_path: Path, version: str) -> None:
    lines = alto_line(0, STRINGS.format("eins")) + alto_line(1, STRINGS.format(""))
    folder = saved(tmp_path, alto_xml(lines, namespace=version))
    assert find_reader(folder)[0] == find_reader(folder / "p1.xml")[0] == "ALTO"
    source = open_source(folder)
    assert texts(source) == ["eins", ""]
    assert_strips(source, 2)
    assert source.entry(1).where == f"{folder / 'p1.xml'}:5"
    assert (source.entry(1).picture, source.entry(1).group) == ("p1.png#l1", "p1.png")


def test_abbyy(tmp_path: Path) -> None:
    """Boxes, SP and HYP; the other half of a divided word is not taken from SUBS_CONTENT; polygons with commas."""
    word = '<String CONTENT="{}" WC="0.9" HPOS="1" VPOS="1" WIDTH="9" HEIGHT="9"{}/>'
    lines = (
        alto_line(0, word.format("Ein", "") + '<SP WIDTH="9"/>' + word.format("Bei", ' SUBS_TYPE="HypPart1" SUBS_CONTENT="Beispiel"') + '<HYP CONTENT="&#xAD;"/>')
        + alto_line(1, word.format("spiel", ' SUBS_TYPE="HypPart2" SUBS_CONTENT="Beispiel"') + "<SP/>" + word.format("x-", "") + "<HYP/>", shape=rectangle(1))
        + alto_line(2, word.format("drei", "") + word.format("Wörter", "") + word.format("hier", "") + '<HYP CONTENT="¬"/>')
    )  # fmt: skip
    source = open_source(saved(tmp_path, alto_xml(lines, namespace="http://www.loc.gov/standards/alto/ns-v2#")))
    assert texts(source) == ["Ein Bei-", "spiel x-", "drei Wörter hier¬"]
    assert_strips(source, 3)


def test_escriptorium_and_kraken(tmp_path: Path) -> None:
    """Polygons and baselines of numbers without commas; tags; text in one String; a box as flat as its baseline."""
    lines = (
        alto_line(
            0,
            STRINGS.format(" ") + STRINGS.format("mit Maske"),
            more='BASELINE="50 69 349 69" TAGREFS="LT1"',
            shape=rectangle(0, " "),
        )
        + alto_line(
            1, STRINGS.format("ohne Kasten"), box=False, more='BASELINE="50 119 349 119"', shape=rectangle(1, " ")
        )
        + '<TextLine ID="x" HPOS="50" VPOS="169" WIDTH="299" HEIGHT="0" BASELINE="50 169 349 169"><String CONTENT="ohne Maske"/></TextLine>'
        + '<TextLine ID="y" BASELINE="50,219 349,219"><String CONTENT="nur Grundlinie"/></TextLine>'
    )
    source = open_source(saved(tmp_path, alto_xml(lines), drawn(lines=4)))
    assert texts(source) == [" mit Maske", "ohne Kasten", "ohne Maske", "nur Grundlinie"]
    assert problems(source) == [""] * 4
    for i in (0, 1):
        assert np.array_equal(pixels(source.picture(i)), strip(i, drawn()))
    assert source.size(2) == source.size(3) == (315, 51)


def test_transkribus(tmp_path: Path) -> None:
    """No fileName, a unit that is not true, a baseline that is one number."""
    lines = alto_line(0, STRINGS.format("eins"), more='BASELINE="69"')
    source = open_source(saved(tmp_path, alto_xml(lines, picture=None, unit="mm10")))
    assert_strips(source, 1)


def test_units(tmp_path: Path) -> None:
    """Scaled by the page's size where it is told, else by the picture's resolution."""

    def opened(name: str, xml: str, dpi: tuple[float, float] | None) -> LineSource:
        folder = saved(tmp_path / name, xml)
        drawn().save(folder / "p1.png", **({"dpi": dpi} if dpi else {}))
        return open_source(folder)

    # 254 dpi: a tenth of a millimetre is a pixel; 300 dpi: four 1200ths are
    same = alto_line(0, STRINGS.format("x"))
    quarter = '<TextLine HPOS="180" VPOS="180" WIDTH="1240" HEIGHT="120"><String CONTENT="x"/></TextLine>'
    assert_strips(opened("mm10", alto_xml(same, unit="mm10", page=""), (254, 254)), 1)
    assert_strips(opened("inch", alto_xml(quarter, unit="inch1200", page=""), (300, 300)), 1)
    size = 'WIDTH="1600" HEIGHT="1200"'
    assert_strips(opened("page", alto_xml(quarter, unit="inch1200", page=size), (72, 72)), 1)
    assert_strips(opened("pixel", alto_xml(same, page=""), None), 1)
    for name, unit, dpi in (("untold", "mm10", None), ("unknown", "furlong", (300.0, 300.0))):
        found = problems(opened(name, alto_xml(same, unit=unit, page=""), dpi))
        assert found[0].startswith("is not measured in pixels, and neither WIDTH and HEIGHT of its page nor the resolution of p1.png")  # fmt: skip
    found = problems(opened("shape", alto_xml(same, page='WIDTH="300" HEIGHT="300"'), None))
    assert found[0].startswith("lies on a page of 300 x 300, but p1.png has another shape, 400 x 300")


def test_further_pages_have_no_picture(tmp_path: Path) -> None:
    xml = alto_xml(alto_line(0, STRINGS.format("eins")))
    page = xml[xml.index("<Page") : xml.index("</Layout>")]
    source = open_source(saved(tmp_path, xml.replace("</Layout>", f"{page}</Layout>")))
    assert problems(source) == ["", "stands on page 2 of its file; write one XML file for each page picture"]


def test_bad_boxes(tmp_path: Path) -> None:
    lines = (
        '<TextLine HPOS="5" VPOS="5" WIDTH="0" HEIGHT="9"><String CONTENT="flat"/></TextLine>'
        '<TextLine HPOS="5" VPOS="x" WIDTH="9" HEIGHT="9"><String CONTENT="x"/></TextLine>'
        '<TextLine VPOS="5" WIDTH="9" HEIGHT="9" BASELINE="7"><String CONTENT="no"/></TextLine>'
    )
    assert problems(open_source(saved(tmp_path, alto_xml(lines)))) == [
        "has an outline without area; draw it around the line",
        "has coordinates that are not pairs of numbers ('5 x 9 9'); x,y x,y ...",
        "has neither outline nor baseline; mark where the line is",
    ]


def test_the_names_of_lines_without_ids(tmp_path: Path) -> None:
    source = open_source(saved(tmp_path, alto_xml('<TextLine HPOS="45" VPOS="45" WIDTH="310" HEIGHT="30"/>')))
    assert source.entry(0).picture == "p1.png#line 1"
    assert isinstance(source.content(0), Image.Image)


@pytest.mark.parametrize("corner", ['HPOS="" VPOS=""', 'HPOS="1 2" VPOS="3 4"', 'HPOS="1 2 3" VPOS=""'])
def test_sides_that_are_no_numbers_are_one_line_s_problem(corner: str, tmp_path: Path) -> None:
    bad = f'<TextLine ID="l0" {corner} WIDTH="300" HEIGHT="20"><String CONTENT="x"/></TextLine>'
    source = open_source(saved(tmp_path, alto_xml(bad + alto_line(1, STRINGS.format("zwei")))))
    first, second = problems(source)
    assert "HPOS, VPOS, WIDTH and HEIGHT" in first or "pairs of numbers" in first
    assert second == ""
