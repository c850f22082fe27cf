"""`crnn synth`: what it writes is what was rendered, and the label is what the picture shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import ListSource

from crnn.cli import main
from crnn.data.sources import ReadOptions, open_source
from crnn.data.sources.base import LineEntry
from crnn.data.synth.sheet import HEIGHT, LABEL, MARGIN, WIDTH, contact_sheet
from crnn.data.synth.source import synthetic_pair

BUNDLED = ("--max-length", "12")


def synth(*words: object) -> int:
    return main(["synth", *map(str, words)])


@pytest.fixture(autouse=True)
def only_bundled_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.synth.fonts.system_folders", lambda: [])


def test_a_set_is_what_was_rendered(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert synth(tmp_path / "set", "--lines", 12, "--seed", 5, "--languages", "basic", *BUNDLED) == 0
    assert "12 lines rendered and read back" in capfd.readouterr().out
    rendered = synthetic_pair(lines=12, val_lines=12, seed=5, max_length=12)[0]
    written = open_source(str(tmp_path / "set"), ReadOptions())
    assert len(written) == 12
    for position in range(12):
        assert written.entry(position).text == rendered.entry(position).text
        assert np.array_equal(np.asarray(written.picture(position)), np.asarray(rendered.picture(position)))


def test_sides_differ_and_options_reach_the_lines(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("".join(f"ab {number}\n" for number in range(30)), encoding="utf-8")
    for side in ("train", "val"):
        words = (tmp_path / side, "--lines", 8, "--side", side, "--text", own, "--characters", "ab 0123456789")
        assert synth(*words, "--wear", 0) == 0
    train, val = (
        {source.entry(i).text for i in range(8)}
        for source in (open_source(str(tmp_path / side), ReadOptions()) for side in ("train", "val"))
    )
    assert train | val <= set(own.read_text().splitlines())
    assert not train & val
    assert synth(tmp_path / "lines.tar", "--lines", 4, *BUNDLED) == 0
    assert (tmp_path / "lines.tar").is_file()


def test_a_sheet_shows_the_lines(tmp_path: Path) -> None:
    assert synth("--sheet", tmp_path / "sheet.png", "--lines", 5, "--languages", "basic", *BUNDLED) == 0
    sheet = Image.open(tmp_path / "sheet.png")
    lines = synthetic_pair(lines=5, val_lines=5, seed=1, max_length=12)[0]
    assert np.array_equal(np.asarray(sheet), np.asarray(contact_sheet(lines)))
    assert sheet.size == (3 * (WIDTH + MARGIN) + MARGIN, 2 * (HEIGHT + LABEL + MARGIN) + MARGIN)
    first = lines.picture(0)
    width = min(WIDTH, round(first.width * HEIGHT / first.height))
    shown = np.asarray(sheet)[MARGIN : MARGIN + HEIGHT, MARGIN : MARGIN + width]
    assert abs(float(shown.mean()) - float(np.asarray(first).mean())) < 12
    assert sheet.crop((MARGIN, MARGIN + HEIGHT, MARGIN + WIDTH, MARGIN + HEIGHT + LABEL)).getextrema()[0] < 200


def test_where_lines_and_labels_are_on_a_sheet() -> None:
    """Cells of 308 x 54 pixels in rows of three; what is too wide is cut, and there is paper between."""

    class Lines(ListSource):
        def picture(self, position: int) -> Image.Image:
            picture = super().picture(position)
            return picture.resize((400, 16)) if position == 4 else picture

    lines = Lines([LineEntry("wide " * (60 if i == 4 else 1), "", "") for i in range(50)])
    sheet = np.asarray(contact_sheet(lines))
    assert sheet.shape == (8 + 16 * 54, 8 + 3 * 308)  # 48 of them
    assert contact_sheet(lines, 7).size == (932, 170)
    covered = np.zeros(sheet.shape, dtype=bool)
    for number in range(48):
        x, y = 8 + number % 3 * 308, 8 + number // 3 * 54
        line = lines.picture(number)
        line = np.asarray(line.resize((line.width * 2, 32), Image.Resampling.BILINEAR))[:, :300]
        assert np.array_equal(sheet[y : y + 32, x : x + line.shape[1]], line), number
        label = sheet[y + 32 : y + 46, x : x + 300]
        assert label.min() < 170, number
        assert (label[:, 60:].min() < 170) == (number == 4)
        covered[y : y + 32, x : x + line.shape[1]] = covered[y + 32 : y + 46, x : x + 302] = True
    assert (sheet[~covered] == 255).all()
    [only] = np.flatnonzero((np.asarray(contact_sheet(lines, 1)) < 255).any(1)[40:])[:1]
    assert 1 <= only <= 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing to write: name a folder"),
        (("OUT", "--lines", "0"), "--lines 0: from 1 to"),
        (("OUT", "--characters", "set:klingon"), "--characters set:klingon: there is no such set; sets are digits"),
        (("OUT", "--text-order", "3"), "--text-order 3 goes with --text FILE"),
        (("OUT", "--wear", "2"), "wear=2.0: must be 0..1"),
        (("OUT", "--seed", "-1"), "seed=-"),
        (("OUT", "--fonts", "nowhere"), "nowhere: there is no such font file or folder"),
        (("OUT", "--text", "nothing.txt"), "nothing.txt: cannot be read"),
        (("--sheet", "no/folder/sheet.png", "--lines", "3"), "no/folder/sheet.png: cannot be written"),
    ],
)
def test_bad_input(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert synth(*words) == 2
    errors = capfd.readouterr().err
    assert message in errors
    assert errors.startswith("crnn: ")
    assert errors.count("\n") == 1
    assert not any(tmp_path.iterdir())
