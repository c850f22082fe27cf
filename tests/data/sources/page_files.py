"""Drawn pages, and what the tools of others would write about them."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

PAGE_13 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"
PAGE_19 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
PAPER, INK = 230, 20


def drawn(width: int = 400, height: int = 300, lines: int = 3) -> Image.Image:
    """A page of paper 230 with a strip of vertical strokes for each line at y = 50, 100, ...: 20 high, 300 wide from
    x = 50; the stroke's grey tells line and place."""
    page = Image.new("L", (width, height), PAPER)
    draw = ImageDraw.Draw(page)
    for i in range(lines):
        for x in range(50, 350, 10):
            draw.rectangle((x, 50 * i + 50, x + 3, 50 * i + 69), fill=INK + 10 * i + x // 50)
    return page


def pixels(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture)


def strip(i: int, page: Image.Image) -> NDArray[np.uint8]:
    """What a box around line i holds."""
    return pixels(page)[50 * i + 45 : 50 * i + 75, 45:355]


def rectangle(i: int, separator: str = ",") -> str:
    """Points of the box around line i."""
    top, bottom = 50 * i + 45, 50 * i + 75
    return " ".join(f"{x}{separator}{y}" for x, y in ((45, top), (355, top), (355, bottom), (45, bottom)))


def page_xml(lines: str, picture: str = "p1.png", size: tuple[int, int] = (400, 300), namespace: str = PAGE_19) -> str:
    """PAGE of one region."""
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<PcGts xmlns="{namespace}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{namespace} '
        f'{namespace}/pagecontent.xsd">\n<Metadata><Creator>a tool</Creator><Created>2024-01-01T00:00:00Z</Created>'
        "<LastChange>2024-01-01T00:00:00Z</LastChange></Metadata>\n"
        f'<Page imageFilename="{picture}" imageWidth="{size[0]}" imageHeight="{size[1]}">\n<TextRegion id="r1">'
        f'<Coords points="0,0 400,0 400,300 0,300"/>\n{lines}\n</TextRegion></Page></PcGts>'
    )


def page_line(i: int, text: str = "", coords: str | None = None, baseline: str | None = None) -> str:
    """A TextLine of PAGE."""
    marks = f'<Coords points="{rectangle(i) if coords is None else coords}"/>'
    marks += f'<Baseline points="{baseline}"/>' if baseline is not None else ""
    return f'<TextLine id="l{i}">{marks}<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>\n'


def alto_xml(
    lines: str,
    picture: str | None = "p1.png",
    page: str = 'WIDTH="400" HEIGHT="300"',
    unit: str = "pixel",
    namespace: str = "http://www.loc.gov/standards/alto/ns-v4#",
) -> str:
    """ALTO of one block."""
    file = f"<sourceImageInformation><fileName>{picture}</fileName></sourceImageInformation>" if picture else ""
    declared = f' xmlns="{namespace}"' if namespace else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<alto{declared}><Description><MeasurementUnit>{unit}</MeasurementUnit>'
        f'{file}</Description><Tags><OtherTag ID="LT1" LABEL="default"/></Tags>\n<Layout><Page ID="p" '
        f'PHYSICAL_IMG_NR="1" {page}><PrintSpace HPOS="0" VPOS="0" WIDTH="400" HEIGHT="300"><TextBlock ID="b1">\n'
        f"{lines}\n</TextBlock></PrintSpace></Page></Layout></alto>"
    )


def alto_line(i: int, content: str, box: bool = True, more: str = "", shape: str = "") -> str:
    """A TextLine of ALTO; `content` is its Strings."""
    where = f'HPOS="45" VPOS="{50 * i + 45}" WIDTH="310" HEIGHT="30"' if box else ""
    polygon = f'<Shape><Polygon POINTS="{shape}"/></Shape>' if shape else ""
    return f'<TextLine ID="l{i}" {where} {more}>{polygon}{content}</TextLine>\n'


def saved(folder: Path, xml: str, picture: Image.Image | None = None, name: str = "p1") -> Path:
    """NAME.xml and NAME.png in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.xml").write_text(xml, encoding="utf-8")
    (picture or drawn()).save(folder / f"{name}.png")
    return folder


def stacked(pictures: list[Image.Image]) -> tuple[Image.Image, list[tuple[int, int, int, int]]]:
    """A page with pictures one below the other, and the (left, top, width, height) of each."""
    pitch = max(40, max(one.height for one in pictures) + 20)
    boxes = [(10 + i % 50, 10 + pitch * i, *one.size) for i, one in enumerate(pictures)]
    page = Image.new("L", (max(300, max(x + w for x, _, w, _ in boxes) + 10), pitch * len(pictures) + 20), PAPER)
    for one, (left, top, *_) in zip(pictures, boxes, strict=True):
        page.paste(one, (left, top))
    return page, boxes


def transkribus_export(folder: Path, texts: list[str], pictures: list[Image.Image]) -> Path:
    """PAGE in a folder of its own, two pages, their pictures one folder up, METS beside."""
    (folder / "book" / "page").mkdir(parents=True)
    (folder / "book" / "mets.xml").write_text('<mets xmlns="http://www.loc.gov/METS/"/>')
    for name, some in (("0001", slice(0, 2)), ("0002", slice(2, None))):
        page, boxes = stacked(pictures[some])
        page.save(folder / "book" / f"{name}.png")
        lines = ""
        for i, (text, (x, y, w, h)) in enumerate(zip(texts[some], boxes, strict=True)):
            corners = f"{x},{y} {x + w},{y} {x + w},{y + h} {x},{y + h}"
            lines += page_line(i, escape(text), corners, baseline=f"{x},{y + h - 3} {x + w},{y + h - 3}")
        xml = page_xml(lines, f"{name}.png", page.size, PAGE_13)
        (folder / "book" / "page" / f"{name}.xml").write_text(xml, encoding="utf-8")
    return folder


def alto_pages(folder: Path, texts: list[str], pictures: list[Image.Image]) -> Path:
    """ALTO and the page's picture side by side."""
    page, boxes = stacked(pictures)
    lines = ""
    for text, (x, y, w, h) in zip(texts, boxes, strict=True):
        box = f'HPOS="{x}" VPOS="{y}" WIDTH="{w}" HEIGHT="{h}"'
        lines += f"<TextLine {box}><String CONTENT={quoteattr(text)}/></TextLine>"
    size = f'WIDTH="{page.width}" HEIGHT="{page.height}"'
    return saved(folder, alto_xml(lines, page=size), page)
