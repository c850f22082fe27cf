"""XML that means harm, or is broken: refused in one line, and nothing outside is read."""

from __future__ import annotations

import importlib
import re
import zipfile
from pathlib import Path

import pytest
from page_files import page_line, page_xml, saved

from crnn.data.sources import ReadOptions, open_source, xml_safe
from crnn.data.sources.page_xml import PageXmlReader
from crnn.data.sources.trees import Folder, Zip
from crnn.data.sources.xml_safe import head_of, is_xml, parse_xml, root_name, whole_of
from crnn.errors import DataError

ENTITIES = "declares entities in its DOCTYPE, which are never expanded; remove the DOCTYPE"
BOMB = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


def with_doctype(doctype: str, text: str = "x") -> str:
    return page_xml(page_line(0, text)).replace("<PcGts", f"<!DOCTYPE PcGts {doctype}>\n<PcGts", 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("entities", "text"),
    [
        (BOMB, "&j;"),
        ('<!ENTITY x SYSTEM "file://{0}/secret.txt">', "&x;"),
        ('<!ENTITY % p SYSTEM "file://{0}/secret.dtd"> %p;', "&fromdtd;"),
        ('<!ENTITY x "harmless">', "&x;"),
    ],
    ids=["bomb", "external", "parameter", "harmless"],
)
def test_entities_are_refused(tmp_path: Path, entities: str, text: str, encoding: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "secret.dtd").write_text('<!ENTITY fromdtd "secret">')
    xml = with_doctype(f"[{entities.format(tmp_path)}]", text).replace("UTF-8", encoding.upper())
    folder = saved(tmp_path / "a", "")
    (folder / "p1.xml").write_bytes(xml.encode(encoding))
    for where in (folder, folder / "p1.xml"):
        with pytest.raises(DataError) as caught:
            open_source(where)
        assert str(caught.value) == f"{folder / 'p1.xml'}: {ENTITIES}"
    attribute = page_xml(page_line(0)).replace("<PcGts", f"<!DOCTYPE PcGts [{BOMB}]><PcGts a='&j;'", 1)
    with pytest.raises(DataError, match="declares entities"):
        parse_xml(attribute.encode(), "a.xml")


def test_the_second_belt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the look at the beginning ever miss a declaration, the parser itself reads and expands nothing."""
    monkeypatch.setattr(xml_safe, "_beginning", lambda head: ("PcGts", False))
    with pytest.raises(DataError, match="declares entities"):
        parse_xml(with_doctype('[<!ENTITY x "y">]').encode(), "a.xml")


def test_a_doctype_without_entities_is_not_followed(tmp_path: Path) -> None:
    """The file that it names is not read: its default attribute does not appear."""
    (tmp_path / "p.dtd").write_text("<!ATTLIST PcGts pcGtsId CDATA 'from outside'>")
    xml = with_doctype(f'SYSTEM "file://{tmp_path}/p.dtd"')
    assert parse_xml(xml.encode(), "a.xml").get("pcGtsId") is None
    assert open_source(saved(tmp_path / "a", xml)).entry(0).text == "x"
    missing = with_doctype('SYSTEM "http://127.0.0.1:9/p.dtd"')
    assert parse_xml(missing.encode(), "a.xml").get("pcGtsId") is None


def test_nothing_is_included(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="{tmp_path}/secret.txt"/>'
    assert open_source(saved(tmp_path / "a", page_xml(page_line(0, include)))).entry(0).text == ""


def test_broken_xml(tmp_path: Path) -> None:
    """With line and column, also in a folder; comments and instructions do not matter."""
    good = page_xml(page_line(0, "<!-- no --><?pi x?>x")).replace("<PcGts", "<!-- <alto> --><?pi?><PcGts", 1)
    folder = saved(tmp_path / "a", good)
    assert open_source(folder).entry(0).text == "x"
    cut = good[: good.index("</TextRegion>")]
    mismatched = good.replace("</TextRegion>", "</TextLine>")
    for name, xml, place in (("cut", cut, r"\d+:\d+"), ("other", mismatched, r"8:12"), ("empty", "", r"1:1")):
        (folder / f"{name}.xml").write_text(xml, encoding="utf-8")
        with pytest.raises(
            DataError, match=rf"a/{name}\.xml:{place}: is not XML that can be read \(.+\); correct it"
        ) as e:
            next(PageXmlReader(folder / f"{name}.xml", ReadOptions()).rows())
        assert "\n" not in str(e.value)
        source = open_source(folder)
        assert [source.entry(i).text for i in range(len(source))] == ["x", ""]
        assert re.fullmatch(rf"{folder}/{name}\.xml:{place}", source.entry(1).where)
        assert source.entry(1).problem.startswith("is not XML that can be read (")
        (folder / f"{name}.xml").unlink()
    (folder / "bytes.xml").write_bytes(good.encode().replace(b">x<", b">\xff\xfe<"))
    with pytest.raises(DataError, match=r"bytes\.xml:6:\d+: is not XML"):
        open_source(folder / "bytes.xml")


def test_size_and_depth_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for depth in (500, 100_000):
        deep = page_xml("<TextRegion>" * depth + "</TextRegion>" * depth)
        with pytest.raises(DataError, match=r"p1\.xml:\d+:\d+: is not XML that can be read \(.*depth"):
            open_source(saved(tmp_path / "deep", deep))
    folder = saved(tmp_path / "large", page_xml(page_line(0, "x")))
    with (folder / "p1.xml").open("ab") as file:
        file.truncate(xml_safe.MAX_LABEL_BYTES + 2**20)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("was read"))
    with pytest.raises(DataError, match=r"p1\.xml: has 65 MiB; XML of at most 64 MiB is read; divide it by page"):
        open_source(folder)
    monkeypatch.setattr(xml_safe, "MAX_LABEL_BYTES", 100)
    with pytest.raises(DataError, match=r"a\.xml: has 2 MiB; XML of at most 64 MiB is read"):
        parse_xml(deep.encode(), "a.xml")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<a", None),
        (b"<a>", "a"),
        (b"<x:a xmlns:x='y' b='<c>'", None),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <c> --><x:a b='d'>cut in mid", "a"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>\n<d>", "d"),
        (b"<!DOCTYPE a [<!ENTITY b '<c>'>", "a"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"), "a"),
        (b"<?xml version='1.0' encoding='latin-1'?><a b='\xe4'/>", "a"),
        (b"<?xml version='1.0' encoding='nonsense'?><a/>", None),
        (b"PK\x03\x04", None),
        (b"", None),
    ],
)
def test_root_names(head: bytes, name: str | None) -> None:
    assert root_name(head) == name


def test_without_lxml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path, page_xml(page_line(0, "x")))
    real = importlib.import_module

    def without(name: str, package: str | None = None) -> object:
        if name.startswith("lxml"):
            raise ModuleNotFoundError("No module named 'lxml'", name="lxml")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(DataError, match=r'pip install "crnn\[formats\]"'):
        open_source(folder)


def test_files_in_folders_and_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as is looked at, or all, whatever holds them; the largest that is read has exactly so many bytes."""
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "x.xml").write_bytes(b"<a>1234567</a>")
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr("x.xml", b"<a>1234567</a>")
    monkeypatch.setattr(xml_safe, "HEAD", 5)
    for tree in (Folder(tmp_path / "f"), Zip(tmp_path / "f.zip")):
        assert head_of(tree, "x.xml") == b"<a>12"
        assert head_of(tree, "y.xml") == b""
        assert whole_of(tree, "x.xml") == b"<a>1234567</a>"
        with pytest.raises(DataError, match=r"y\.xml: there is no such picture"):
            whole_of(tree, "y.xml")
    folder = Folder(tmp_path / "f")
    monkeypatch.setattr(xml_safe, "MAX_LABEL_BYTES", 14)
    assert whole_of(folder, "x.xml") == b"<a>1234567</a>"
    assert parse_xml(b"<a>1234567</a>", "x").tag == "a"
    monkeypatch.setattr(xml_safe, "MAX_LABEL_BYTES", 13)
    for read in (lambda: whole_of(folder, "x.xml"), lambda: parse_xml(b"<a>1234567</a>", "x.xml")):
        with pytest.raises(DataError, match=r"x\.xml: has 0 MiB; XML of at most 64 MiB is read; divide it by page"):
            read()


def test_files_that_go_away_while_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Folder(tmp_path)
    monkeypatch.setattr(Folder, "content", lambda self, name: tmp_path / name)
    assert head_of(tree, "x.xml") == b""
    with pytest.raises(DataError) as caught:
        whole_of(tree, "x.xml")
    assert str(caught.value) == f"{tmp_path}/x.xml: cannot be read (No such file or directory)"


def test_names_of_xml_files() -> None:
    assert [is_xml(name) for name in ("a.xml", "A.XML", "a/b.Xml", "xml", "a.xml.bak", "a.xmls")] == [True] * 3 + [
        False
    ] * 3
