"""Readings written into PAGE and ALTO: what changes, and all that does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from page_files import PAGE_13, alto_line, alto_xml, page_line, page_xml

from crnn.data.sources.alto import AltoReader
from crnn.data.sources.base import ReadOptions
from crnn.data.sources.outlines import box
from crnn.data.sources.page_reader import PageReader
from crnn.data.sources.page_xml import PageXmlReader
from crnn.errors import DataError
from crnn.reading.page_writer import Placed, PlacedLine, with_readings

PAGE_10 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2010-03-19"


def placed(text: str) -> PlacedLine:
    """Each word 20 wide, 30 from the one before."""
    words = [Placed(word, 0.75, box(10.4 + 30 * i, 5.2, 20, 8)) for i, word in enumerate(text.split())]
    return PlacedLine(Placed(text, 0.5, box(10, 5, 100, 8)), words)


def written(xml: str, kind: type[PageReader], tmp_path: Path, *texts: str | None) -> tuple[str, Any, list[str]]:
    """(the XML with readings, its root, what its lines say when it is read)."""
    (tmp_path / "p.xml").write_text(xml)
    reader = kind(tmp_path / "p.xml", ReadOptions())
    lines = [None if text is None else placed(text) for text in texts]
    new = with_readings(xml.encode(), "p.xml", reader, [lines])
    root = etree.fromstring(new)
    return new.decode(), root, [line.text for page in reader.pages(root) for line in page.lines]


def first(root: Any, name: str) -> Any:
    return next(root.iter(f"{{*}}{name}"))


def test_a_line_of_page_xml(tmp_path: Path) -> None:
    old = (
        '<TextLine id="l0" custom="readingOrder {index:0;} bold {offset:2; length:3;} place { offset : 1;}" '
        'production="printed"><Coords points="0,0 9,0 9,9"/><Baseline points="0,8 9,8"/><!-- seen -->'
        '<Word id="l0_w1"><Coords points="0,0 1,0 1,1"/><TextEquiv><Unicode>old</Unicode></TextEquiv></Word>'
        '<TextEquiv index="1"><Unicode>older</Unicode></TextEquiv><TextEquiv index="0"><Unicode>old</Unicode>'
        '</TextEquiv><TextStyle bold="true"/></TextLine>'
    )
    text, root, texts = written(page_xml(old + page_line(1, "kept")), PageXmlReader, tmp_path, "a  <b>", None)
    assert texts == ["a  <b>", "kept"]
    assert "older" not in text
    line = first(root, "TextLine")
    kinds = [etree.QName(one).localname for one in line.iterchildren("{*}*")]
    assert kinds == ["Coords", "Baseline", "Word", "Word", "TextEquiv", "TextStyle"]
    assert "<!-- seen -->" in text
    assert dict(line.attrib) == {"id": "l0", "custom": "readingOrder {index:0;}", "production": "printed"}
    words = line.findall("{*}Word")
    assert [word.get("id") for word in words] == ["l0_w1", "l0_w2"]
    assert [word.findtext("{*}TextEquiv/{*}Unicode") for word in words] == ["a", "<b>"]
    assert [word.find("{*}Coords").get("points") for word in words] == [
        "10,5 30,5 30,13 10,13",
        "40,5 60,5 60,13 40,13",
    ]
    assert words[0].find("{*}TextEquiv").get("conf") == "0.7500"
    assert line.find("{*}TextEquiv").get("conf") == "0.5000"
    assert first(root, "Created").text == "2024-01-01T00:00:00Z"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", first(root, "LastChange").text)
    assert first(root, "LastChange").text != first(root, "Created").text


def test_ids_of_words_are_new_ones(tmp_path: Path) -> None:
    line = page_line(0)
    taken = '<TextLine id="l0_w1"><Coords points="0,0 9,0 9,9"/></TextLine>'
    _, root, _ = written(page_xml(line + taken + line), PageXmlReader, tmp_path, "a b", None, "c")
    assert [one for one in root.xpath("//@id") if one.startswith("l0_w")] == ["l0_w2", "l0_w3", "l0_w1", "l0_w4"]


def test_the_text_of_a_region_is_that_of_its_lines(tmp_path: Path) -> None:
    old = "<TextEquiv index='1' conf='0.1'><PlainText>old</PlainText><Unicode>o<!-- c -->ld</Unicode></TextEquiv>"
    kept = page_line(1, "ke<!-- of two parts -->pt")
    text, root, _ = written(page_xml(page_line(0) + kept + old + old), PageXmlReader, tmp_path, "new", None)
    [equiv] = first(root, "TextRegion").findall("{*}TextEquiv")
    assert [one.text for one in equiv] == ["new\nkept"] * 2
    assert not equiv.attrib
    assert "old" not in text
    _, root, _ = written(page_xml(page_line(0)), PageXmlReader, tmp_path, "new")
    assert not first(root, "TextRegion").findall("{*}TextEquiv")


def test_the_text_of_tables_and_of_regions_around_regions(tmp_path: Path) -> None:
    def old(name: str) -> str:
        return f"<TextEquiv><Unicode>{name}</Unicode></TextEquiv>"

    cell = f'<TableRegion id="t"><TableCell id="c">{page_line(0)}{old("cell")}</TableCell>{old("table")}</TableRegion>'
    inner = f'<TextRegion id="i">{page_line(1)}</TextRegion>{page_line(2)}{old("outer")}'
    xml = page_xml(cell + inner)
    _, root, _ = written(xml, PageXmlReader, tmp_path, "a", "b", "c")
    assert [one.findtext("{*}TextEquiv/{*}Unicode") for one in root.iter("{*}TableRegion", "{*}TableCell")] == [
        "a",
        "a",
    ]
    assert first(root, "TextRegion").findtext("{*}TextEquiv/{*}Unicode") == "a\nb\nc"


def test_the_text_of_a_region_stays_where_that_of_its_lines_is_not_known(tmp_path: Path) -> None:
    """Nothing was read in the second region; one line of the third has neither text nor reading."""
    precious = "<TextEquiv index='1'><Unicode>precious</Unicode></TextEquiv>"
    more = "".join(
        f'</TextRegion><TextRegion id="{name}"><Coords points="0,0 9,0 9,9"/>{lines}{precious}'
        for name, lines in (("b", page_line(1, "kept")), ("c", page_line(2) + page_line(3)))
    )
    _, root, _ = written(page_xml(page_line(0) + precious + more), PageXmlReader, tmp_path, "new", None, "new", None)
    texts = [one.findtext("{*}TextEquiv/{*}Unicode") for one in root.iter("{*}TextRegion")]
    assert texts == ["new", "precious", "precious"]


def test_pages_that_are_left_alone(tmp_path: Path) -> None:
    xml = alto_xml(alto_line(0, '<String CONTENT="one"/>'))
    page = xml[xml.index("<Page") : xml.index("</Layout>")]
    (tmp_path / "p.xml").write_text(xml := xml.replace("</Layout>", page.replace("one", "two") + "</Layout>"))
    reader = AltoReader(tmp_path / "p.xml", ReadOptions())
    root = etree.fromstring(with_readings(xml.encode(), "p.xml", reader, [None, [placed("new")]]))
    assert [string.get("CONTENT") for string in root.iter("{*}String")] == ["one", "new"]


def test_page_xml_of_2010(tmp_path: Path) -> None:
    points = '<Coords><Point x="0" y="0"/><Point x="9" y="0"/><Point x="9" y="9"/></Coords>'
    xml = page_xml(f'<TextLine id="l0">{points}</TextLine>', namespace=PAGE_10)
    _, root, texts = written(xml, PageXmlReader, tmp_path, "ab")
    assert texts == ["ab"]
    word = first(root, "Word")
    assert [(one.get("x"), one.get("y")) for one in word.iterfind("{*}Coords/{*}Point")][:2] == [
        ("10", "5"),
        ("30", "5"),
    ]
    for equiv in root.iter("{*}TextEquiv"):
        assert [etree.QName(one).localname for one in equiv] == ["PlainText", "Unicode"]
        assert not equiv.attrib


def test_a_word_smaller_than_a_unit_has_an_area(tmp_path: Path) -> None:
    (tmp_path / "p.xml").write_text(page_xml(page_line(0)))
    reader = PageXmlReader(tmp_path / "p.xml", ReadOptions())
    tiny = PlacedLine(Placed("a", 1, box(10, 5, 9, 8)), [Placed("a", 1, box(10.6, 5.6, 0.2, 0.2))])
    root = etree.fromstring(with_readings(page_xml(page_line(0)).encode(), "p.xml", reader, [[tiny]]))
    assert first(root, "Word").find("{*}Coords").get("points") == "10,5 11,5 11,6 10,6"


@pytest.mark.parametrize("text", ["one two", "", "  ", " a", "a ", "  a   b  c ", "a-", "\u00a0x y"])
def test_a_line_of_alto(tmp_path: Path, text: str) -> None:
    old = '<String CONTENT="old" ID="s1"/><SP/><String CONTENT="er" SUBS_TYPE="HypPart1" SUBS_CONTENT="x"/>'
    shape = "0,0 9,0 9,9"
    xml = alto_xml(alto_line(0, f'{old}<HYP CONTENT="-"/>', shape=shape) + alto_line(1, '<String CONTENT="kept"/>'))
    _, root, texts = written(xml, AltoReader, tmp_path, text, None)
    assert texts == [text, "kept"]
    line = first(root, "TextLine")
    kinds = [etree.QName(one).localname for one in line]
    words = text.split(" ") if text.strip(" ") else []
    words = [word for word in words if word]
    assert kinds == ["Shape", *["String", "SP"] * (max(len(words), 1) - 1), "String"]
    strings = line.findall("{*}String")
    if len(words) < 2:
        return
    assert dict(strings[1].attrib) | {"CONTENT": ""} == {
        **{"CONTENT": "", "HPOS": "40", "VPOS": "5", "WIDTH": "21", "HEIGHT": "9", "WC": "0.7500"}
    }


def test_what_strings_of_alto_said_beside_their_text(tmp_path: Path) -> None:
    """What all say stays, ids stay in order, and that it was corrected by hand is true no more."""
    both = 'STYLEREFS="S1" LANG="{}" CS="true" TAGREFS="T1"'
    old = f'<String ID="a" CONTENT="x" {both.format("de")}/><String ID="b" CONTENT="x" {both.format("fr")}/>'
    xml = alto_xml(alto_line(0, old, more='CS="true"') + alto_line(1, "", more='CS="true"'))
    xml = xml.replace('<TextBlock ID="b1"', '<TextBlock ID="b1" CS="true"')
    _, root, _ = written(xml, AltoReader, tmp_path, "one two three", None)
    strings = first(root, "TextLine").findall("{*}String")
    assert [string.get("ID") for string in strings] == ["a", "b", None]
    assert {string.get("STYLEREFS") for string in strings} == {"S1"}
    assert {string.get(name) for string in strings for name in ("LANG", "CS", "TAGREFS")} == {None}
    assert [one.get("CS") for one in root.iter("{*}TextLine", "{*}TextBlock")] == [None, None, "true"]


def test_an_empty_line_of_alto_has_a_place(tmp_path: Path) -> None:
    _, root, _ = written(alto_xml(alto_line(0, "")), AltoReader, tmp_path, "")
    string = first(root, "String")
    assert [string.get(name) for name in ("CONTENT", "HPOS", "WIDTH", "WC")] == ["", "10", "100", "0.5000"]


def test_the_rest_of_a_file_stays(tmp_path: Path) -> None:
    """Comments, processing instructions, indentation, namespaces, text outside of lines."""
    indented = (
        "<?xml version='1.0' encoding='UTF-8'?>\n<?tool made it?><!-- first -->"
        f'<p:PcGts xmlns:p="{PAGE_13}">\n\t<p:Page imageFilename="p1.png" imageWidth="400" imageHeight="300">\n'
        '\t\t<p:TextRegion id="r">\n\t\t\t<!-- here -->\n\t\t\t<p:TextLine id="l">\n'
        '\t\t\t\t<p:Coords points="0,0 9,0 9,9"/>\n{}'
        '\t\t\t</p:TextLine>\n\t\t</p:TextRegion>\n\t\t<p:TextRegion id="e"/>\n\t</p:Page>\n</p:PcGts>\n'
    )
    new = (
        '\t\t\t\t<p:Word id="l_w1">\n\t\t\t\t\t<p:Coords points="10,5 30,5 30,13 10,13"/>\n'
        '\t\t\t\t\t<p:TextEquiv conf="0.7500">\n\t\t\t\t\t\t<p:Unicode>Ä</p:Unicode>\n\t\t\t\t\t</p:TextEquiv>\n'
        '\t\t\t\t</p:Word>\n\t\t\t\t<p:TextEquiv conf="0.5000">\n\t\t\t\t\t<p:Unicode>Ä</p:Unicode>\n'
        "\t\t\t\t</p:TextEquiv>\n"
    )
    text, _, _ = written(indented.replace("{}", ""), PageXmlReader, tmp_path, "Ä")
    assert text == indented.replace("{}", new)


def test_the_xml_declaration_says_no_more_than_before(tmp_path: Path) -> None:
    for xml in (page_xml(page_line(0)), alto_xml(alto_line(0, ""))):
        kind = PageXmlReader if "PcGts" in xml else AltoReader
        text, _, _ = written(xml, kind, tmp_path, "a")
        assert ("standalone" in text) == ("standalone" in xml)


def test_what_xml_cannot_hold_is_marked(tmp_path: Path) -> None:
    for xml, kind in ((page_xml(page_line(0)), PageXmlReader), (alto_xml(alto_line(0, "")), AltoReader)):
        _, _, texts = written(xml, kind, tmp_path, "a\x01b\ufffe\ud800c𝔠")
        assert texts == ["a\ufffdb\ufffd\ufffdc𝔠"]


def test_strangers_xml_is_parsed_as_carefully_as_when_it_is_read(tmp_path: Path) -> None:
    xml = page_xml(page_line(0)).replace("<PcGts", '<!DOCTYPE x [<!ENTITY e SYSTEM "/etc/hostname">]>\n<PcGts')
    (tmp_path / "p.xml").write_text(xml)
    with pytest.raises(DataError, match="declares entities"):
        with_readings(xml.encode(), "p.xml", PageXmlReader(tmp_path / "p.xml", ReadOptions()), [[placed("a")]])
