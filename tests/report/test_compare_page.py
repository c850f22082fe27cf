"""The page of a comparison, as a file and in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_reader import Lines
from hypothesis import given
from hypothesis import strategies as st

from crnn.cli import main
from crnn.report import compare_page
from crnn.report.compare import Comparison, compare
from crnn.report.compare_page import columns, render_comparison
from crnn.report.evaluation import Evaluation

HOSTILE = "</script><img src=x onerror='window.broken=1'>"
TEXT = st.text("abc ", max_size=12)


def compared() -> Comparison:
    """100 lines: A wins 0 to 19, B wins 20 to 23 (of which 23 is wrong in both), alike but wrong in 24, 25 is hostile."""
    labels = [f"the letter {i:03d}" for i in range(100)]
    labels[25] = HOSTILE
    a = Evaluation("lines", reader=HOSTILE, pictures=Lines(labels))  # type: ignore[arg-type]
    b = Evaluation("lines", reader="new.onnx", pictures=Lines(labels))  # type: ignore[arg-type]
    for i, label in enumerate(labels):
        mine, other = label, label
        if i < 20:
            other = label.replace("e ", "c ") + "x"
        elif i < 23:
            mine = label[:-1]
        elif i == 23:
            mine, other = "thc letter 02", "then letter 023"
        elif i == 24:
            mine = other = "something else"
        for one, reading in ((a, mine), (b, other)):
            one.add(reading, label, position=i, where=f"labels.tsv:{i + 1}")
    return compare(a, b)


@given(TEXT, TEXT, TEXT)
def test_columns_hold_all_three_texts(label: str, a: str, b: str) -> None:
    packed = columns(label, a, b)
    rows = [[one] * 3 if isinstance(one, str) else one for one in packed]
    assert ["".join(row[i] for row in rows) for i in range(3)] == [label, a, b]
    assert all(any(row) for row in rows)


def test_columns_by_hand() -> None:
    assert columns("the", "tha", "xthe") == [["", "", "x"], "th", ["e", "a", "e"]]
    assert columns("ab", "axxb", "ayb") == ["a", ["", "x", "y"], ["", "x", ""], "b"]


def test_the_verdict_stands_on_top() -> None:
    page = render_comparison(compared())
    assert page.index("A reads better.</b> CER ") < page.index("Figures") < page.index("id=lines")
    assert page.count("<script") == 2
    alike = compared()
    alike.lines[:23] = []
    nothing = compare_page._verdict(compare_again(alike))
    assert "These lines do not tell who reads better.</b>" in nothing
    assert "p = 1.0000" in nothing


def compare_again(found: Comparison) -> Comparison:
    """The same lines, judged anew."""
    both = [Evaluation("lines", reader=name, pictures=found.pictures) for name in "ab"]
    for line in found.lines:
        for one, reading in zip(both, (line.reading_a, line.reading_a), strict=True):
            one.add(reading, line.label, position=line.position)
    return compare(*both)


def test_too_many_lines_and_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_page, "MOST_LINES", 24)
    monkeypatch.setattr(compare_page, "MOST_PICTURES", 2)
    page = render_comparison(compared())
    assert "2 lines come with their picture" in page
    assert "The page lists 24 of 100 lines." in page
    assert page.count("data:image/") == 2
    assert "the letter 019" in page
    assert "the letter 024" not in page  # alike


def test_the_command(tmp_path: Path, line_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = (line_folder / "val" / "labels.tsv").read_text()
    (tmp_path / "a.tsv").write_text(rows)
    (tmp_path / "b.tsv").write_text("".join(row[:-1] + "x\n" for row in rows.splitlines()))
    words = ["compare", str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv"), str(line_folder / "val")]
    assert main([*words, "--html", str(tmp_path / "no" / "x.html")]) == 2
    assert "name a file in a folder that is there" in capfd.readouterr().err
    assert main([*words, "--html", str(tmp_path / "x.html")]) == 0
    assert "A reads better (CER 0.00% and " in capfd.readouterr().out
    assert "A reads better." in (tmp_path / "x.html").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"a.tsv", "b.tsv", "x.html"}


def test_in_a_browser(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    path.write_text(render_comparison(compared()), encoding="utf-8")
    page = browser.new_page(color_scheme="light", viewport={"width": 1100, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("data:", path.as_uri())) or said.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("#list li")

    def numbers() -> list[int]:
        return sorted(page.eval_on_selector_all("#list li", "rows => rows.map(row => Number(row.dataset.number))"))

    assert numbers() == list(range(24))  # where they differ
    for key, value, expected in (
        ("a", "a", list(range(20))),
        ("b", "b", [20, 21, 22, 23]),
        ("w", "wrong", [23, 24]),
        ("n", "differ", list(range(24))),
    ):
        page.keyboard.press(key)
        assert page.input_value("#filter") == value
        assert numbers() == expected, key
    page.select_option("#filter", "all")
    assert page.inner_text("#count") == "100 of 100 lines"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("b")
    page.select_option("#order", "data")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    row = page.locator("#list li[aria-current=true]")
    assert "B better" in row.inner_text()
    assert row.locator(".trio b.del").count() == 1  # the last character, which A has missed
    page.keyboard.press("Enter")
    assert "labels.tsv:21" in page.inner_text("#list li.open .more")
    page.select_option("#filter", "wrong")
    page.select_option("#order", "data")
    kinds = page.locator("#list li:first-child .trio b").evaluate_all("all => all.map(one => one.className)")
    assert [kind for kind in kinds if kind] == ["sub", "ins", "del"]
    page.keyboard.press("/")
    page.keyboard.type("onerror")
    page.select_option("#filter", "all")
    assert numbers() == [25]
    assert page.evaluate("window.broken") is None
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert said == []
    page.close()


def test_rows_stand_level_whatever_is_in_them(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    path.write_text(render_comparison(compared()), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector("#list li")
    page.keyboard.press("w")
    middles = page.locator("#list li:first-child .trio .cell").evaluate_all(
        "all => all.map(cell => [...cell.children].map(one => one.getBoundingClientRect())"
        ".map(box => Math.round(box.top + box.height / 2)))"
    )
    assert len(middles) > 5
    assert all(abs(a - b) <= 1 for cell in middles for a, b in zip(cell, middles[0], strict=True)), middles
    page.close()
