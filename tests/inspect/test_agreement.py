"""A check refuses what a training refuses, and nothing else; what it says about long labels can be read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import loose_lines, texts_of

from crnn.cli import main
from crnn.core.charset import Charset
from crnn.core.text import TextRules
from crnn.core.transform import LineTransform
from crnn.data.check import check_lines
from crnn.data.labels import CANNOT_FIT, fit_problem
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.views import together
from crnn.errors import DataError
from crnn.inspect.kinds import HTML_ENTITY, OUT_OF_REACH, ROTATED, TINY
from crnn.inspect.results import Settings
from crnn.inspect.run import inspect
from crnn.inspect.text_faults import LabelStatistics, TextFaults

TRANSFORM = LineTransform(32)


def made(folder: Path, labels: list[str]) -> LineSource:
    """Lines with pictures of 160 x 32 pixels, each of its own grey."""
    (folder / "images").mkdir(parents=True)
    for i in range(len(labels)):
        Image.new("L", (160, 32), 255 - i).save(folder / "images" / f"{i}.png")
    rows = "".join(f"images/{i}.png\t{label}\n" for i, label in enumerate(labels))
    (folder / "labels.tsv").write_text(rows, encoding="utf-8")
    return open_source(folder)


def test_validation_lines_are_judged_as_a_whole(tmp_path: Path) -> None:
    """Training joins them: a small set with a bad line beside a large good one is no reason to stop."""
    few, many = made(tmp_path / "few", ["a", ""]), made(tmp_path / "many", ["a"] * 8)
    settings = Settings(TRANSFORM, max_dropped=0.2)
    check_lines(together([few, many]), TRANSFORM).refuse_if_too_many(0.2)  # as training does
    assert inspect([many], [few, many], settings).refusals == []
    with pytest.raises(DataError, match=r"few \(labels.tsv\): 1 of 2 lines kept"):
        check_lines(few, TRANSFORM).refuse_if_too_many(0.2)
    (said,) = inspect([few, many], [], settings).refusals  # training sources each by itself
    assert said.startswith(f"{few.name}: 1 of 2 lines cannot be used; data.max_dropped allows 0.2")
    (said,) = inspect([many], [few, few, many], Settings(TRANSFORM, max_dropped=0.1)).refusals
    assert said.startswith(f"{few.name} + {few.name} + {many.name}: 2 of 12 lines cannot be used")
    assert inspect([many], [many], Settings(TRANSFORM, Charset.from_texts("b"))).refusals == [
        f"{many.name}: 8 of 8 lines cannot be used; nothing is left"
    ]


def test_the_remedy_stands_behind_a_long_label(tmp_path: Path) -> None:
    text = "wörd " * 2000
    reason, detail = fit_problem(text, Charset.from_texts([text]), (160, 32), TRANSFORM) or ("", "")
    assert reason == CANNOT_FIT
    assert len(detail) < 400
    assert detail.startswith("'wörd wörd")
    assert "… needs 10000 time steps, 160 x 32 pixels at height 32 give 40; is the label right? " in detail
    lines = made(tmp_path / "twice", ["a" * 150, "b" * 150])
    for i in range(2):
        Image.new("L", (3000, 32), 255).save(tmp_path / "twice" / "images" / f"{i}.png")
    first = inspect([lines], [], Settings(TRANSFORM)).tally.first["same picture, other label"][0].detail
    assert first.startswith("'bbb")
    assert first.endswith(f"aaa… in {tmp_path}/twice/labels.tsv:1")
    assert len(first) < 260 + len(str(tmp_path))


@pytest.mark.parametrize("look", [[], ["--headers-only"]])
def test_what_fits_is_told_of_trimmed_lines_where_training_trims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], look: list[str]
) -> None:
    """Of 60 rows the line fills 20: with them no label fits, without them each does."""
    text = "0123456789abcdef"
    folder = loose_lines(tmp_path / "lines", 8, 8, text)
    assert not len(check_lines(open_source(folder), TRANSFORM, Charset.from_texts([text])).kept)
    assert main(["check", str(folder), *look, "--fix", str(tmp_path / "mended")]) == 0
    said = capsys.readouterr().out
    assert "lines: 100%): paper around lines is cut off (data.trim)" in " ".join(said.split())
    assert CANNOT_FIT not in said
    assert texts_of(open_source(tmp_path / "mended")) == [text] * 8
    assert open_source(tmp_path / "mended").size(0) == (100, 60)  # pictures as they are


@pytest.mark.parametrize(("options", "kept", "beyond"), [([], 9, 0), (["--trim"], 10, 0), (["--no-trim"], 9, 1)])
def test_trimming_is_as_training_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], kept: int, beyond: int
) -> None:
    """One of ten lines is loose: its label fits once it is trimmed."""
    text = "0123456789abcdef"
    sides = [str(loose_lines(tmp_path / side, 10, 1, text)) for side in ("train", "val")]
    command = ["check", sides[0], "--val", sides[1], *options, "--json"]
    assert main([*command, "--fix", str(tmp_path / "mended")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["kept"] for one in told["sets"]] == [kept, 10]
    assert [one["trimmed"] for one in told["sets"]] == [options == ["--trim"], options != ["--no-trim"]]
    assert sum(kind["count"] for kind in told["kinds"] if kind["name"] == OUT_OF_REACH) == beyond
    assert len(texts_of(open_source(tmp_path / "mended" / "train"))) == kept


def test_paper_says_nothing_of_a_lines_shape(tmp_path: Path) -> None:
    """A line of 40 x 24 in a picture of 40 x 200 is not on its side."""
    folder = tmp_path / "lines"
    folder.mkdir()
    for i in range(8):
        grey = np.full((200, 60), 255, np.uint8)
        grey[90:110, 4:56:4] = grey[90:110, 5:56:4] = i
        Image.fromarray(grey).save(folder / f"{i}.png")
    (folder / "labels.tsv").write_text("".join(f"{i}.png\tabcdefgh\n" for i in range(8)), encoding="utf-8")
    sides = [
        inspect([open_source(folder)], [], Settings(TRANSFORM, trim=trim)).tally.counts.get(ROTATED, 0)
        for trim in (None, False)
    ]
    assert sides == [0, 8]


def test_validation_lines_are_judged_trimmed_as_training_has_them(tmp_path: Path) -> None:
    """One loose line among ten is no reason to trim training lines; the size of the picture itself stays its own."""
    text = "0123456789abcdef"
    train, val = (open_source(loose_lines(tmp_path / side, 10, 1, text)) for side in ("train", "val"))
    looked = inspect([train], [val], Settings(TRANSFORM))
    assert [one.kept for one in looked.sets] == [9, 10]
    assert not looked.tally.first.get(OUT_OF_REACH)
    for i in range(10):
        picture = Image.open(tmp_path / "train" / f"{i:03}.png").crop((0, 0, 100, 60)).resize((100, 20))
        picture.save(tmp_path / "train" / f"{i:03}.png")  # of a line in a page of 60 rows 7 are left
    tiny = inspect([open_source(tmp_path / "train")], [], Settings(TRANSFORM)).tally.first.get(TINY, [])
    assert tiny == []


@pytest.mark.parametrize("text", ["&lrm;x", "x&#8238;", "x&shy;", "&zwj;x", "&#xFEFF;x"])
def test_what_an_entity_hides_is_mended_too(text: str) -> None:
    """No label of the set holds the character itself."""
    statistics = LabelStatistics()
    assert list(statistics.watch([text])) == [text]
    assert TextFaults(statistics, TextRules()).repair(text)[0] == "x"


@pytest.mark.parametrize(("text", "mended"), [("a &amp;lt; b", "a < b"), ("&amp;amp;amp;", "&"), ("&amp;x;", "&x;")])
def test_entities_of_entities_are_mended_at_once(text: str, mended: str) -> None:
    assert TextFaults(LabelStatistics(), TextRules()).repair(text) == (mended, [HTML_ENTITY])


def test_characters_that_are_too_many_for_a_file_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    listed = "".join(chr(0x4E00 + i) for i in range(300))
    made(tmp_path / "lines", [listed[7], listed[299]])
    assert main(["check", str(tmp_path / "lines"), "--charset", listed]) == 0
    assert "with 300 given characters" in capfd.readouterr().out


def test_a_name_that_is_too_long_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    name = "x" * 300
    for words in (["check", name], ["evaluate", "a.jsonl", "--reference", name], ["compare", "a", "b", name]):
        assert main(words) == 2
        assert capfd.readouterr().err == f"crnn: {'x' * 199}…: File name too long\n"
