"""The picture of the evaluation page in the README, of lines rendered by this project.

    pip install -e ".[test-browser]" && apt-get install chromium
    python scripts/picture_report.py

reads 160 rendered lines with the bundled model, writes the page, and photographs it: figures by day, lines by night.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

import crnn
from crnn.data.synth.source import synthetic_pair
from crnn.errors import CrnnError
from crnn.files import write_atomic
from crnn.report.page import report

SIZE = (1060, 1120)
"""Of each half, in pixels."""
WIDTH = 1500
"""Of the picture."""
LANGUAGES = ("en", "de", "fr")
MOVES = 2
"""Lines down before the picture of the list is taken."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window.

    Raises:
        CrnnError: if there is none.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        raise CrnnError("no Chromium found; apt-get install chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program)
        yield browser
        browser.close()


def photographs(page: Path) -> list[Image.Image]:
    """The head of the page, light, and its list of lines, dark."""
    taken = []
    with chromium() as browser:
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme, viewport={"width": SIZE[0], "height": SIZE[1]})
            opened = context.new_page()
            opened.goto(page.as_uri())
            opened.wait_for_selector("#list li")
            if scheme == "dark":
                opened.select_option("#order", "long")
                opened.select_option("#filter", "wrong")
                opened.evaluate("document.activeElement.blur()")
                opened.evaluate("document.getElementById('lines').scrollIntoView()")
                for _ in range(MOVES):
                    opened.keyboard.press("j")
                opened.wait_for_timeout(500)
            taken.append(Image.open(io.BytesIO(opened.screenshot())).convert("RGB"))
    return taken


def save_small(picture: Image.Image, output: Path) -> None:
    """`WIDTH` wide and in 256 colours."""
    small = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)
    with write_atomic(output) as temporary:
        small.quantize(256, Image.Quantize.FASTOCTREE).save(temporary, "PNG", optimize=True)
    print(f"{output}: {output.stat().st_size / 1000:.0f} kB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=160, help="rendered lines (160)")
    parser.add_argument("-o", "--output", default=".figures/report.png", help="the picture (.figures/report.png)")
    args = parser.parse_args()
    lines = synthetic_pair(
        lines=args.lines, val_lines=args.lines, seed=7, languages=list(LANGUAGES), fonts="bundled", wear=1.0
    )[1]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        report(page, crnn.load(threads=1), lines)
        halves = photographs(page)
    both = Image.new("RGB", (2 * SIZE[0], SIZE[1]))
    for number, half in enumerate(halves):
        both.paste(half, (number * SIZE[0], 0))
    save_small(both, Path(args.output))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ImportError as error:
        sys.exit(f"error: {error}; pip install 'crnn[test-browser]'")
    except CrnnError as error:
        sys.exit(f"error: {error}")
