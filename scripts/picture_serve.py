"""The picture of the service's page in the README, of lines rendered by this project.

    pip install -e ".[serve,test-browser]" && apt-get install chromium
    python scripts/picture_serve.py

starts `crnn serve`, has its page read rendered lines, and photographs it: readings on a desk by day, the choice of a
line from a photograph on a telephone by night.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from picture_report import chromium, save_small
from PIL import Image

from crnn.data.synth.source import synthetic_pair
from crnn.errors import CrnnError

DESK = (980, 1000)
PHONE = (390, 760)
"""Parts of the picture, in pixels."""
GAP = 40
BACKGROUND = (203, 209, 217)
SHOWN = (11, 15, 2)
"""Of the rendered lines: those that are read; the first one is corrected."""
SHEET = (1, 11, 14, 6, 8, 9, 3)
"""And those on the sheet that is photographed."""
WAIT_SECONDS = 120


@contextmanager
def service() -> Iterator[str]:
    """The address of a service.

    Raises:
        CrnnError: if it does not start.
    """
    command = [sys.executable, "-m", "crnn.cli", "serve", "--port", "0"]
    with tempfile.TemporaryFile("w+") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            for _ in range(10 * WAIT_SECONDS):
                log.seek(0)
                said = log.read()
                if found := re.search(r"http://127\.0\.0\.1:\d+", said):
                    yield found[0]
                    return
                if process.poll() is not None:
                    break
                time.sleep(0.1)
            raise CrnnError(f"the service does not start: {said}")
        finally:
            process.terminate()


def render(folder: Path) -> tuple[list[Path], str, Path]:
    """Rendered lines, what the first of them says, and a sheet with several of them."""
    source = synthetic_pair(1, 16, seed=21, languages=["en", "de", "fr"], fonts="bundled", wear=1.0)[1]
    pictures = [source.picture(i) for i in range(len(source))]
    for i, picture in enumerate(pictures):
        picture.save(folder / f"line-{i}.png")
    sheet = Image.new("L", (640, 760), 232)
    for row, i in enumerate(SHEET):
        line = pictures[i]
        line = line.resize((min(540, round(line.width * 34 / line.height)), 34))
        sheet.paste(line, (50, 50 + 96 * row))
    sheet.save(folder / "photograph.png")
    return [folder / f"line-{i}.png" for i in SHOWN], source.entry(SHOWN[0]).text, folder / "photograph.png"


def photograph(page: Any) -> Image.Image:
    """What the page shows now."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def desk(browser: Any, address: str, lines: list[Path], correction: str) -> Image.Image:
    """Readings; the first is corrected, and the place of one of its characters shown."""
    page = browser.new_context(
        color_scheme="light", viewport=dict(zip(("width", "height"), DESK, strict=True))
    ).new_page()
    page.goto(address)
    page.select_option("#nbest", "3")
    page.set_input_files("#files", [str(line) for line in lines])
    fields = page.locator(".edit input")
    fields.nth(len(lines) - 1).wait_for()
    fields.first.fill(correction)
    fields.first.press("Enter")
    page.wait_for_selector("#cards>li.kept")
    page.evaluate("scrollTo(0, 0)")
    page.locator("#cards>li").first.locator("[role=option]").nth(4).hover()
    return photograph(page)


def phone(browser: Any, address: str, sheet: Path) -> Image.Image:
    """The choice of a line."""
    size = dict(zip(("width", "height"), PHONE, strict=True))
    page = browser.new_context(color_scheme="dark", viewport=size, has_touch=True, is_mobile=True).new_page()
    page.goto(address)
    page.set_input_files("#camera", str(sheet))
    page.wait_for_selector("#crop-box:focus")
    area = page.locator("#crop-picture").bounding_box()
    scale = area["width"] / 640
    page.mouse.move(area["x"] + 38 * scale, area["y"] + 138 * scale)
    page.mouse.down()
    page.mouse.move(area["x"] + 602 * scale, area["y"] + 188 * scale)
    page.mouse.up()
    return photograph(page)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", default=".figures/serve.png", help="the picture (.figures/serve.png)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, service() as address, chromium() as browser:
        lines, correction, sheet = render(Path(folder))
        parts = [desk(browser, address, lines, correction), phone(browser, address, sheet)]
    whole = Image.new("RGB", (DESK[0] + PHONE[0] + 3 * GAP, max(DESK[1], PHONE[1]) + 2 * GAP), BACKGROUND)
    whole.paste(parts[0], (GAP, GAP))
    whole.paste(parts[1], (DESK[0] + 2 * GAP, (whole.height - PHONE[1]) // 2))
    save_small(whole, Path(args.output))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ImportError as error:
        sys.exit(f"error: {error}; pip install 'crnn[serve,test-browser]'")
    except CrnnError as error:
        sys.exit(f"error: {error}")
