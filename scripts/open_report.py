"""Opens the evaluation page of real lines in a browser, uses it, and says how long it took and what went wrong.

    pip install -e ".[test-browser]" && apt-get install chromium
    python scripts/open_report.py bundled receipts/val --lines 500 --screenshot receipts.png
    python scripts/open_report.py bundled receipts/val --lines 500 --repeat 10000

A confusion is clicked, lines are filtered, searched, opened and ordered with the keys. The exit code is 1 if the page
says anything on its console, asks for anything, or does not do what it should.
"""

from __future__ import annotations

import argparse
import copy
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import crnn
from crnn.data.sources import open_source
from crnn.errors import CrnnError
from crnn.report.doubts import look_again
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation
from crnn.report.page import write_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = (1200, 1000)
"""Of the window, in pixels."""


def judged(model: str, data: str, lines: int, repeat: int) -> Evaluation:
    """The first `lines` lines of `data`, again and again until there are `repeat`."""
    recognizer = crnn.load(None if model == "bundled" else model, threads=1)
    found = evaluate(recognizer, open_source(data), lines, keep_characters=True)
    found.reader = model
    look_again(recognizer, found)
    own, numbers = list(found.lines), found.table.numbers[:]
    width = len(numbers) // max(len(own), 1)
    while own and len(found.lines) < repeat:
        part = own[: repeat - len(found.lines)]
        found.lines += [copy.copy(line) for line in part]
        found.table.numbers.extend(numbers[: width * len(part)])
    return found


def use(page: Any) -> list[str]:
    """Click, filter and type on an open page; returns what did not do what it should."""
    wrong = []

    def count() -> str:
        return str(page.inner_text("#count"))

    def expect(what: str, is_so: bool) -> None:
        if not is_so:
            wrong.append(what)

    whole = count()
    confusion = page.query_selector(".confusion")
    if confusion:
        confusion.click()
        expect("a click on a confusion shows its lines alone", count() != whole and page.is_visible("#only"))
        page.click("#only")
        expect("a second click shows all lines again", count() == whole)
    page.evaluate("document.activeElement.blur()")
    page.select_option("#filter", "right")
    rows = page.eval_on_selector_all("#list .side b", "all => all.map(one => one.textContent)")
    expect("the filter leaves lines without errors", set(rows) <= {"right"})
    page.select_option("#filter", "all")
    page.evaluate("document.activeElement.blur()")
    for key in ("w", "j", "j", "k", "Enter"):
        page.keyboard.press(key)
    expect("j and k move, Enter opens", page.locator("#list li.open[data-place='0'] .more").count() == 1)
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("no line says this")
    expect("the search finds nothing where there is nothing", count().startswith("0 of "))
    page.keyboard.press("Escape")
    expect("Escape clears the search", count() == whole)
    for key, shown in (("?", True), ("?", False)):
        page.keyboard.press(key)
        expect("? opens and closes the keys", page.is_visible("#help") == shown)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("d")
    expect("d switches dark and light", page.evaluate("getComputedStyle(document.body).backgroundColor") != before)
    page.keyboard.press("d")
    expect("nothing is wider than the window", page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    return wrong


def opened(path: Path, screenshot: str | None) -> list[str]:
    """Open the page, use it, print how long it took; returns what went wrong."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise CrnnError("no Chromium found; apt-get install chromium")
    wrong: list[str] = []

    def note_request(url: str) -> None:
        if not url.startswith(("data:", path.as_uri())):
            wrong.append(f"asks for {url}")

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", lambda asked: note_request(asked.url))
        began = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_selector("#list li")
        seconds = time.perf_counter() - began
        load = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        print(f"first lines after {seconds:.2f} s, load event after {load / 1000:.2f} s; {page.inner_text('#count')}")
        began = time.perf_counter()
        wrong += use(page)
        print(f"clicks and keys: {time.perf_counter() - began:.2f} s")
        if screenshot:
            page.evaluate("document.activeElement.blur()")
            for part, scroll in (
                ("", "scrollTo(0, 0)"),
                ("-lines", "document.getElementById('lines').scrollIntoView()"),
            ):
                page.evaluate(scroll)
                page.wait_for_timeout(300)
                file = Path(screenshot)
                page.screenshot(path=file.with_name(f"{file.stem}{part}{file.suffix}"))
        browser.close()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a model file, run folder, or 'bundled'")
    parser.add_argument("data", help="labelled lines")
    parser.add_argument("--lines", type=int, default=500, help="that are read, the first ones (500)")
    parser.add_argument("--repeat", type=int, default=0, metavar="N", help="the same lines again until there are N")
    parser.add_argument("--screenshot", metavar="FILE.png", help="pictures of the head and, as FILE-lines, the list")
    args = parser.parse_args()
    evaluation = judged(args.model, args.data, args.lines, args.repeat)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        write_page(path, [evaluation])
        load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        print(f"{evaluation.source}: {len(evaluation.lines):,} lines, {path.stat().st_size / 1e6:.1f} MB{load}")
        wrong = opened(path, args.screenshot)
    for what in wrong:
        print(f"wrong: {what}")
    return int(bool(wrong))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ImportError as error:
        sys.exit(f"error: {error}; pip install 'crnn[test-browser]'")
    except CrnnError as error:
        sys.exit(f"error: {error}")
