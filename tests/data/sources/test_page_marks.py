"""From a page's measures to pixels of its picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from tests_support import encoded

from crnn.data.sources.page_marks import MarkedPage, MeasuredPicture, measure
from crnn.errors import DataError


def picture(width: int, height: int, dpi: tuple[float, float] | None = None) -> bytes:
    return encoded(Image.new("L", (width, height)), **({"dpi": dpi} if dpi else {}))


def page(width: float, height: float, per_inch: float | None = None) -> MarkedPage:
    return MarkedPage("p.png", width, height, per_inch, [])


def scale(marked: MarkedPage, content: bytes) -> tuple[float, float]:
    found = measure(marked, "p.png", content)
    assert found[:3] == ("p.png", *Image.open(io.BytesIO(content)).size)
    return found.scale


@pytest.mark.parametrize(
    ("width", "height", "wanted"),
    [
        (400, 300, (1.0, 1.0)),
        (401, 301, (1.0, 1.0)),  # a pixel more or less is a matter of counting
        (399, 299, (1.0, 1.0)),
        (401.5, 301, (400 / 401.5, 300 / 301)),
        (401, 301.5, (400 / 401, 300 / 301.5)),
        (200, 150, (2.0, 2.0)),
        (800, 600, (0.5, 0.5)),
        (400, 302.9, (1.0, 300 / 302.9)),  # of another shape by less than 1 %
        (0, 300, (1.0, 1.0)),
        (400, 0, (1.0, 1.0)),
        (-1, -1, (1.0, 1.0)),
    ],
)
def test_pixels(width: float, height: float, wanted: tuple[float, float]) -> None:
    assert scale(page(width, height), picture(400, 300)) == pytest.approx(wanted)


@pytest.mark.parametrize(("width", "height"), [(400, 303.1), (404.1, 300), (300, 400), (400, 296)])
def test_another_shape_is_refused(width: float, height: float) -> None:
    with pytest.raises(DataError, match=r"lies on a page of .*, but p\.png has another shape, 400 x 300; is it the"):
        measure(page(width, height), "p.png", picture(400, 300))


def test_units_of_an_inch() -> None:
    content = picture(400, 300, (200.0, 100.0))
    assert scale(page(0, 0, 1200), content) == pytest.approx((200 / 1200, 100 / 1200), rel=1e-3)
    assert scale(page(4000, 3000, 1200), content) == (0.1, 0.1)  # what the page says of itself comes first
    assert scale(page(401, 301, 254), picture(400, 300)) == pytest.approx((400 / 401, 300 / 301))
    for marked, given in ((page(0, 0, 0), content), (page(0, 0, 254), picture(400, 300)), (page(0, 300, 0), content)):
        with pytest.raises(DataError, match="is not measured in pixels, and neither WIDTH and HEIGHT of its page"):
            measure(marked, "p.png", given)
    for dpi in ((1.0, 200.0), (200.0, 1.0)):
        with pytest.raises(DataError, match=r"nor the resolution of p\.png tell how many these are"):
            measure(page(0, 0, 254), "p.png", encoded(Image.new("L", (9, 9)), "TIFF", dpi=dpi))
    assert scale(page(0, 0, 254), encoded(Image.new("L", (9, 9)), "TIFF", dpi=(2, 3))) == (2 / 254, 3 / 254)


def test_what_is_kept() -> None:
    assert measure(page(20, 10), "a.png", picture(40, 20)) == MeasuredPicture("a.png", 40, 20, (2.0, 2.0))
    with pytest.raises(DataError, match=r"^a\.png: "):
        measure(page(20, 10), "a.png", b"none")
