"""The pages in a browser: nothing is fetched, nothing fails, numbers appear where one points, languages switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from explain_support import noise, tiny

from crnn.explain.lesson import lesson_page
from crnn.explain.line import trace
from crnn.explain.line_page import line_page
from crnn.explain.saliency import saliency
from crnn.explain.saliency_page import saliency_page, stripes


class Opened:
    """A page in a window of its own, and what went wrong in it."""

    def __init__(self, browser: Any, path: Path, source: str, **options: Any) -> None:
        path.write_text(source, encoding="utf-8")
        self.wrong: list[str] = []
        self.page = browser.new_page(**options)
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on(
            "request",
            lambda request: request.url.startswith(("data:", path.as_uri())) or self.wrong.append(request.url),
        )
        self.page.goto(path.as_uri())

    def still(self, selector: str) -> Any:
        """A part of the page that has been scrolled to, the event of that (which hides what the pointer showed) over."""
        part = self.page.locator(selector)
        part.scroll_into_view_if_needed()
        self.page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(() => done()), 100))")
        return part

    def tip(self) -> str:
        return self.page.evaluate(
            "(box => box.style.visibility === 'visible' ? box.textContent : '')(document.querySelector('.tip'))"
        )

    def fits(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_long_names_stay_within_a_phone(browser: Any, tmp_path: Path) -> None:
    opened = tiny()
    line = trace(opened, noise(), f"/{60 * 'long'}.png")
    pages = {"line": line_page(opened, line), "saliency": saliency_page(opened, line, saliency(opened, line))}
    for name, source in pages.items():
        window = Opened(browser, tmp_path / f"{name}.html", source, viewport={"width": 390, "height": 800})
        assert window.fits(), name


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_line(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    opened = tiny()
    line = trace(opened, noise())
    window = Opened(
        browser,
        tmp_path / "x.html",
        line_page(opened, line, (2, 3)),
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )
    page = window.page
    assert window.fits()
    canvas = window.still("#heat-c canvas")
    canvas.hover(position={"x": 30, "y": 5})
    assert page.evaluate("currentColumn") == int(30 // page.evaluate("CW"))
    column, unit = page.evaluate("currentColumn"), page.evaluate("order('c')[0]")
    c = float(line.lstm.walks[2].c[column, unit])
    assert window.tip() == f"c  unit {unit}, column {column}\n{c:.3f}".replace("-", "−")
    canvas.click(position={"x": 30, "y": 5})
    assert page.input_value("#unit") == str(unit)
    assert f"= {c:.2f}".replace("-", "−") in page.inner_text("#now")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("currentColumn") == column + 1
    assert f"column {column + 1}" in page.inner_text(".sr")
    page.click("#walks button:first-child")
    assert "layer 1, left to right" in page.inner_text("#now")
    page.select_option("#order", "stored")
    assert page.evaluate("order('h')") == list(range(12))
    page.click("[data-lang=zh]")
    assert page.title() == "网络怎样读这一行"
    assert "单元 " in page.inner_text("#now")
    assert "第 1 层，从左往右" in page.inner_text("#walks button:first-child")
    assert "在权重中的位置" in page.inner_text("#order")
    window.still("#heat-c canvas").hover(position={"x": 30, "y": 5})
    assert window.tip().startswith("c  单元 0, 列 ")
    assert window.fits()
    assert_themes_switch(page, scheme)
    assert window.wrong == []
    page.close()


def assert_themes_switch(page: Any, scheme: str) -> None:
    """The button turns paper and maps from light to dark and back, whatever the system has."""

    def looks() -> tuple[str, int]:
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return paper, page.evaluate("palette('div')[3 * 128]")

    first = looks()
    page.click("#theme")
    second = looks()
    dark, light = (first, second) if scheme == "dark" else (second, first)
    assert dark[0] == "rgb(21, 23, 26)"
    assert dark[1] < 60  # the middle of the scale
    assert light[0] == "rgb(251, 250, 247)"
    assert light[1] > 200
    page.click("#theme")
    assert looks() == first


def test_saliency(browser: Any, tmp_path: Path) -> None:
    opened = tiny()
    line = trace(opened, noise())
    found = saliency(opened, line)
    window = Opened(
        browser, tmp_path / "x.html", saliency_page(opened, line, found), viewport={"width": 390, "height": 800}
    )
    page = window.page
    assert window.fits()
    window.still("#stripes canvas").click(position={"x": 40, "y": 25})  # the second row
    x = int(40 // page.evaluate("PX"))
    assert (
        window.tip()
        == f"“{page.evaluate('DATA.spans[1].text')}”  pixel column {x}\n{stripes(found)[1, x]:.2f} of the strongest"
    )
    assert f"said at column {found.columns[1]}" in page.inner_text("#which")
    window.still("#one canvas").hover(position={"x": 20, "y": 10})
    assert "of the strongest" in window.tip()
    window.still("#lstm canvas").hover(position={"x": 5, "y": 5})
    assert window.tip().startswith("column 0 hears column 0\n")
    window.still("#profile svg").hover()
    assert "CNN and LSTM: " in window.tip()
    page.click("[data-lang=zh]")
    assert f"在第 {found.columns[1]} 列读出" in page.inner_text("#which")
    window.still("#profile svg").hover()
    assert "CNN 与 LSTM: " in window.tip()
    assert page.locator("h1 [lang=zh]").inner_text() == page.title() == "文字是从哪里读出来的"
    assert_themes_switch(page, "light")
    assert window.wrong == []
    page.close()


def test_lesson(browser: Any, tmp_path: Path) -> None:
    opened = tiny()
    line = trace(opened, noise())
    window = Opened(browser, tmp_path / "x.html", lesson_page(opened, line), viewport={"width": 1000, "height": 800})
    page = window.page
    assert window.fits()
    assert page.locator("h1 [lang=en]").is_visible()
    page.click("[data-lang=zh]")
    assert page.locator("h1 [lang=zh]").is_visible()
    assert not page.locator("h1 [lang=en]").is_visible()
    assert page.title() == "用一行文字看懂 nn.LSTM"
    page.locator("#column").fill("7")
    walk, unit = line.lstm.walks[2], page.evaluate("U")
    assert f"c[7] = f · c[6] + i · g = {float(walk.f[7, unit]):.2f} · " in page.inner_text("#now")
    window.still("#output canvas").hover(position={"x": 50, "y": 3})
    assert window.tip().startswith(f"output[{page.evaluate('currentColumn')}, 0, 0] = ")
    page.click("[data-lang=en]")
    assert page.locator("h1 [lang=en]").is_visible()
    assert_themes_switch(page, "light")
    assert window.wrong == []
    page.close()
