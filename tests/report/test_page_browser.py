"""The page in a real browser: clicks, keys, search, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_reader import Lines

from crnn.report.evaluation import Evaluation
from crnn.report.page import write_page

HOSTILE = "<img src=x onerror='window.broken=1'></script><script>window.broken=1</script>"
COUNT = 200


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 lines: the first five read ``c`` for ``e``, number 7 is hostile, number 9 has a doubtful label."""
    labels = [f"the letter {i:03d}" for i in range(COUNT)]
    labels[7] = HOSTILE
    evaluation = Evaluation("lines", reader=HOSTILE, pictures=Lines(labels))  # type: ignore[arg-type]
    for i, label in enumerate(labels):
        reading = label.replace("e ", "c ") if i < 5 else label[:-1] if i in (7, 8) else label
        evaluation.add(
            {9: "something else", 10: label.upper()}.get(i, reading), label, 0.5 + i / 500, where=f"labels.tsv:{i + 1}"
        )
    evaluation.lines[10].symbols = tuple("THE L")  # the second and the fourth next to the one before
    evaluation.lines[10].marks.extend([v for x in (2, 3, 20, 21, 40) for v in (0.9, x, x + 1)])
    evaluation.lines[9].log_reading, evaluation.lines[9].log_label = -0.1, -80.0
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(path, [evaluation])
    return path


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    """The opened page; in the end it must have said nothing on the console and asked for nothing."""
    context = browser.new_context(color_scheme="light", viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("dialog", lambda dialog: said.append(dialog.message))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(page_file.as_uri())
    opened.wait_for_selector("#list li")
    yield opened
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    context.close()


def numbers(page: Any) -> list[int]:
    """Of the lines shown so far, in the order of the data."""
    return page.eval_on_selector_all("#list li", "rows => rows.map(row => Number(row.dataset.number))")


def test_a_confusion_shows_its_lines_alone(page: Any) -> None:
    button = page.get_by_role("button", name="e read as c, 5 times")
    button.click()
    assert sorted(numbers(page)) == [0, 1, 2, 3, 4]
    assert page.inner_text("#count") == "5 of 200 lines"
    assert button.get_attribute("aria-pressed") == "true"
    assert page.inner_text("#only").startswith("e → c")
    page.click("#only")
    assert page.inner_text("#count") == "200 of 200 lines"
    assert button.get_attribute("aria-pressed") == "false"


def test_keys_move_open_and_search(page: Any) -> None:
    def current() -> str | None:
        row = page.query_selector("#list li[aria-current=true]")
        assert row is None or row.evaluate("row => row === document.activeElement")
        return row and row.get_attribute("data-place")

    for key, place in (("j", "0"), ("ArrowDown", "1"), ("j", "2"), ("k", "1"), ("ArrowUp", "0"), ("k", "0")):
        page.keyboard.press(key)
        assert current() == place, key
    page.keyboard.press("Enter")
    assert "labels.tsv:10" in page.inner_text("#list li.open .more")
    page.keyboard.press("Enter")
    assert page.query_selector("#list li.open") is None
    page.keyboard.press("/")
    page.keyboard.type("LETTER 12")
    assert sorted(numbers(page)) == list(range(120, 130))
    page.keyboard.press("Escape")
    assert page.input_value("#search") == ""
    assert page.inner_text("#count") == "200 of 200 lines"
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("?")
    assert page.is_hidden("#help")
    page.keyboard.press("d")
    assert page.get_attribute("html", "data-theme") == "dark"


def test_orders_and_filters(page: Any) -> None:
    assert numbers(page)[0] == 9
    page.keyboard.press("l")
    assert page.input_value("#order") == "doubt"
    assert numbers(page)[0] == 9
    assert "label?" in page.inner_text("#list li:first-child .side")
    page.select_option("#order", "data")
    assert numbers(page)[:3] == [0, 1, 2]
    page.select_option("#order", "unsure")
    assert numbers(page)[:3] == [0, 1, 2]
    page.select_option("#filter", "wrong")
    assert sorted(numbers(page)) == [0, 1, 2, 3, 4, 7, 8, 9, 10]
    page.select_option("#filter", "more")
    assert sorted(numbers(page)) == [0, 1, 2, 3, 4, 7, 8, 9]  # not 10, which differs in case alone
    page.select_option("#filter", "doubt")
    assert numbers(page) == [9]
    page.select_option("#filter", "right")
    assert page.inner_text("#count") == "191 of 200 lines"


def test_characters_side_by_side_take_turns_in_two_rows(page: Any) -> None:
    """The pictures are 64 pixels wide, five times as large on the page."""
    page.keyboard.press("/")
    page.keyboard.type("letter 010")
    assert numbers(page) == [10]
    rows = page.eval_on_selector_all(".strip em", "all => all.map(one => one.className === 'down')")
    assert rows == [False, True, False, True, False]  # 5 pixels apart, or more than 80


def test_labels_are_text_whatever_they_hold(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("onerror")
    assert numbers(page) == [7]
    assert page.eval_on_selector("#list li", "row => row.querySelectorAll('img, script').length") == 1  # its picture
    assert HOSTILE in page.get_attribute("#list li", "aria-label")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert HOSTILE in page.inner_text("#list li .more")
    assert page.evaluate("window.broken") is None


def test_lines_are_made_when_they_come_into_sight(page: Any) -> None:
    page.wait_for_timeout(200)
    assert len(numbers(page)) < COUNT
    for _ in range(100):
        page.evaluate("scrollTo(0, document.body.scrollHeight), 0")
        if len(numbers(page)) == COUNT:
            break
        page.wait_for_timeout(100)
    assert page.inner_text("#end") == "These are all."


def test_every_line_and_control_has_a_name(page: Any) -> None:
    assert page.get_by_role("searchbox", name="Search").count() == 1
    assert page.get_by_role("combobox", name="Order").count() == 1
    assert page.get_by_role("listitem", name="1: label the letter 009, reading something else").count() == 1
    assert page.get_by_role("img", name="Reliability curve").count() == 1
    nameless = page.eval_on_selector_all(
        "button:not([hidden]), select, input",
        "all => all.filter(one => !(one.labels?.length || one.ariaLabel || one.innerText)).length",
    )
    assert nameless == 0


def test_it_fits_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
