"""`crnn synth`: what it writes is what was rendered, and the label is what the picture shows."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tests_support import ListSource

from crnn.cli import main
from crnn.data.sources import ReadOptions, open_source
from crnn.data.sources.base import LineEntry
from crnn.data.synth import command
from crnn.data.synth import sheet as sheet_module
from crnn.data.synth.sheet import HEIGHT, LABEL, MARGIN, WIDTH, contact_sheet
from crnn.data.synth.source import synthetic_pair
from crnn.errors import ConfigError

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


def test_a_sheet_shows_the_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert synth("--sheet", tmp_path / "sheet.png", "--lines", 5, "--languages", "basic", *BUNDLED) == 0
    assert capfd.readouterr().out == f"{tmp_path / 'sheet.png'}: a sheet of lines\n"
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
        (("lines.zip",), "lines.zip: is written as no such file; name a folder, .lmdb, .parquet or .tar"),
        (("OUT", "--lines", "0"), "--lines 0: from 1 to"),
        (("OUT", "--characters", "set:klingon"), "--characters set:klingon: there is no such set; sets are digits"),
        (("OUT", "--text-order", "3"), "--text-order 3 goes with --text FILE"),
        (("OUT", "--wear", "2"), "wear=2.0: must be 0..1"),
        (("OUT", "--seed", "-1"), "seed=-1: must be 0 or more"),
        (("OUT", "--fonts", "nowhere"), "nowhere: there is no such font file or folder"),
        (("OUT", "--text", "nothing.txt"), "nothing.txt: cannot be read"),
        (("--sheet", "no/folder/sheet.png", "--lines", "3"), "no/folder/sheet.png: cannot be written (No such file"),
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


def test_labels_are_cut_to_their_column_and_drawn_below(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[tuple[int, int], str]] = []

    class Pen:
        def __init__(self, sheet: Image.Image) -> None:
            self.sheet = sheet

        def textlength(self, label: str, font: object) -> float:
            return 100.0 * len(label)

        def text(self, place: tuple[int, int], label: str, fill: int, font: object) -> None:
            written.append((place, label))
            assert 0 < fill < 255

    monkeypatch.setattr(sheet_module.ImageDraw, "Draw", Pen)
    lines = ListSource([LineEntry(text, "", "") for text in ("abc", "abcd", "", "abcdefgh")])
    contact_sheet(lines)
    assert written == [((8, 41), "abc"), ((316, 41), "abc"), ((624, 41), ""), ((8, 95), "abc")]


def test_labels_of_other_scripts_are_in_a_font_of_the_lines() -> None:
    class Face:
        def __init__(self, characters: str) -> None:
            self.characters = characters

        def covers(self, text: str) -> bool:
            return set(text) <= set(self.characters)

        def at(self, size: int) -> tuple[str, int]:
            return self.characters, size

    lines = ListSource([])
    assert sheet_module._font_of(lines, "中") is None
    lines.fonts = [Face("中"), Face("中文\u2e80ab")]  # type: ignore[attr-defined]
    for label, font in (
        ("中", ("中", 12)),
        ("中文", ("中文\u2e80ab", 12)),
        ("a\u2e80", ("中文\u2e80ab", 12)),
        ("ab", None),
        ("a\u2e7f", None),
        ("", None),
        ("中x", None),
    ):
        assert sheet_module._font_of(lines, label) == font, label


def test_labels_are_in_dejavu_or_pillows_own_font(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    font = sheet_module._label_font()
    assert (font.getname()[0], font.size) == ("DejaVu Sans", 10)  # type: ignore[union-attr]
    for folder in (None, tmp_path):
        monkeypatch.setattr(sheet_module, "bundled_folder", lambda folder=folder: folder)
        assert sheet_module._label_font().getlength("label") > 0


def test_a_flat_line_on_a_sheet() -> None:
    """Scaled to 32 rows; a column is left of the narrowest."""

    class Lines(ListSource):
        def picture(self, position: int) -> Image.Image:
            return Image.new("RGB", ((1, 20, 299, 301, 2)[position], (90, 32, 32, 32, 64)[position]))

    lines = Lines([LineEntry("", "", "")] * 5)
    black = np.asarray(contact_sheet(lines)) == 0
    widths = [int(black[8 + i // 3 * 54, 8 + i % 3 * 308 :][:308].sum()) for i in range(5)]
    assert widths == [1, 20, 299, 300, 1]
    assert black.sum() == 32 * sum(widths)
    assert contact_sheet(lines, 3).size == (932, 62)
    assert contact_sheet(lines, 4).size == (932, 116)


def test_numbers_of_lines_at_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def pair(**given: object) -> tuple[str, str]:
        asked.append(given)
        return "train", "val"

    monkeypatch.setattr(command, "synthetic_pair", pair)
    words = {
        "side": "train", "seed": 4, "fonts": None, "characters": None, "languages": "de,fr", "text": None,
        "text_order": 0, "min_length": 2, "max_length": 9, "wear": 0.5,
    }  # fmt: skip
    assert command.MOST_LINES == 10**8
    for lines in (1, 10**8):
        assert command.source_of(Namespace(lines=lines, **words)) == "train"
    assert (
        command.source_of(Namespace(lines=5, **words | {"side": "val", "fonts": ["x"], "characters": "set:digits"}))
        == "val"
    )
    assert asked[0] == {
        "lines": 1, "val_lines": 1, "seed": 4, "characters": "".join(map(chr, range(32, 127))), "fonts": "auto",
        "text_file": None, "min_length": 2, "max_length": 9, "wear": 0.5, "languages": ["de", "fr"], "text_order": 0,
    }  # fmt: skip
    assert (asked[2]["fonts"], set(asked[2]["characters"]) >= set("0123456789")) == (["x"], True)  # type: ignore[call-overload]
    for lines in (0, 10**8 + 1):
        with pytest.raises(ConfigError, match="from 1 to 100,000,000 are allowed"):
            command.source_of(Namespace(lines=lines, **words))
    assert command.source_of(Namespace(lines=5, **words | {"text": "x.txt", "text_order": 2})) == "train"


def test_what_kind_of_file_is_written(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    kinds: list[object] = []

    def convert(make, target, to, given, watch):  # type: ignore[no-untyped-def]
        kinds.append(to)
        if target.name == "stop":
            raise KeyboardInterrupt
        assert make(None) == "lines"
        assert "'seed': '4'" in given["rendered"]
        return SimpleNamespace(lines=1234, fingerprint="f")

    monkeypatch.setattr(command, "convert", convert)
    monkeypatch.setattr(command, "source_of", lambda args: "lines")
    words = dict.fromkeys(command._OPTIONS) | {"seed": 4, "sheet": None}
    for name, to, kind in (
        ("x", None, "tsv"),
        ("x.v2", None, "tsv"),
        ("x.lmdb", None, None),
        ("x.parquet", None, None),
        ("x.tar", None, None),
        ("x.tar", "jsonl", "jsonl"),
    ):
        assert command.run(Namespace(output=name, to=to, **words)) == 0
        assert kinds.pop() == kind
    assert "x: 1,234 lines rendered and read back, fingerprint f" in capfd.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr(command, "time", SimpleNamespace(perf_counter=iter((100.0, 102.5)).__next__))
        assert command.run(Namespace(output="x", to=None, **words)) == 0
    assert "x: 494 lines/s, writing and reading back included" in capfd.readouterr().out
    assert command.run(Namespace(output="stop", to=None, **words)) == 130
    assert "the same command goes on where it was" in capfd.readouterr().err
