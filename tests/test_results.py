"""scripts/results.py: every cell of its table is what the readings say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import editdistance
import numpy as np
import pytest
from tests_support import script

import crnn
from crnn.data.sources import open_source
from crnn.errors import CrnnError

ECHO = '#!/bin/sh\n[ "$2 $3 $4 $5 $6" = "stdout --psm 7 -l eng" ] || exit 1\n'
"""A program in Tesseract's place."""


def figures(pairs: list[tuple[str, str]]) -> tuple[float, float]:
    """(CER, share that is right) of (reading, label), by hand."""
    wrong, characters = (sum(n) for n in zip(*((editdistance.eval(a, b), len(b)) for a, b in pairs), strict=True))
    return wrong / characters, sum(a == b for a, b in pairs) / len(pairs)


def cells(pairs: list[tuple[str, str]]) -> list[str]:
    """lines, CER, WER, exact; CER and exact ignoring case; exact of letters and digits."""
    folded = [(a.lower(), b.lower()) for a, b in pairs]
    bare = [tuple("".join(c for c in text if c.isalnum()) for text in pair) for pair in folded]
    cer, exact = figures(pairs)
    wrong, words = (
        sum(n) for n in zip(*((editdistance.eval(a.split(), b.split()), len(b.split())) for a, b in pairs), strict=True)
    )
    numbers = [cer, wrong / words, exact, *figures(folded), sum(a == b for a, b in bare) / len(bare)]
    return [str(len(pairs)), *(f"{number:.2%}" for number in numbers)]


def row_of(printed: str, reader: str) -> list[str]:
    """The same cells of a printed row."""
    [row] = [line.strip("| ").split(" | ") for line in printed.splitlines() if f" | {reader} | " in line]
    assert row[0] == "receipts"
    assert float(row[9].replace(",", "")) > 0  # lines/s
    return row[2:9]


@pytest.fixture
def data(line_folder: Path, tmp_path: Path) -> Path:
    """A folder of sets with one of them: capitals and spaces that no reading has; a picture that cannot be read."""
    lines = tmp_path / "data" / "sroie" / "val"
    shutil.copytree(line_folder / "val", lines)
    rows = [row.split("\t") for row in (lines / "labels.tsv").read_text().splitlines()]
    texts = [text.upper() if i % 2 else text.replace("a", "a ") for i, (_, text) in enumerate(rows)]
    texts[0] += "-"
    (lines / "labels.tsv").write_text("".join(f"{row[0]}\t{text}\n" for row, text in zip(rows, texts, strict=True)))
    shutil.copytree(lines, tmp_path / "data" / "sroie" / "test")
    (tmp_path / "data" / "sroie" / "test" / "images" / "003.png").write_bytes(b"no picture")
    return tmp_path / "data"


def test_our_row(
    data: Path, trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results, model = script("results"), trained / "model.onnx"
    words = ["results", "--data", str(data), "--no-tesseract", f"receipts={model}"]
    monkeypatch.setattr("sys.argv", [*words, "--split", "val"])
    assert results.main() == 0
    source = open_source(data / "sroie" / "val")
    readings = crnn.load(model).recognize([source.picture(i) for i in range(12)])
    pairs = [(reading.text, source.entry(i).text) for i, reading in enumerate(readings)]
    printed = capsys.readouterr()
    assert row_of(printed.out, "crnn_tiny") == cells(pairs)
    assert len(set(cells(pairs)[3::2][:2])) == 2  # case matters here
    assert "Tesseract" not in printed.out
    assert not printed.err
    monkeypatch.setattr("sys.argv", words)
    assert results.main() == 0
    printed = capsys.readouterr()
    assert row_of(printed.out, "crnn_tiny") == cells([pair for i, pair in enumerate(pairs) if i != 3])
    assert "receipts: 1 lines left out: " in printed.err
    assert "003.png" in printed.err


@pytest.mark.skipif(os.name == "nt", reason="the program in Tesseract's place is a shell script")
def test_tesseracts_row(
    data: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results, program = script("results"), tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    words = ["results", "--data", str(data), "--split", "val", f"receipts={trained / 'model.onnx'}"]
    monkeypatch.setattr("sys.argv", words)
    source = open_source(data / "sroie" / "val")
    labels = [source.entry(i).text for i in range(12)]
    texts = tmp_path / "texts"
    readings = [label if i < 4 else f"{label[:2]} b" for i, label in enumerate(labels)]
    texts.write_text(
        "".join(f"  {reading}\n\n\f" for reading in readings)
    )  # as it prints them: blanks around, a form feed after each
    program.write_text(f'{ECHO}cat "{texts}"\n')
    program.chmod(0o755)
    assert results.main() == 0
    expected = cells([(" ".join(a.split()), b) for a, b in zip(readings, labels, strict=True)])
    assert row_of(capsys.readouterr().out, "Tesseract") == expected
    for given in (1, 11, 13):
        texts.write_text("one\f" * given)
        with pytest.raises(CrnnError, match=f"tesseract gave {given} readings for 12 pictures"):
            results.main()


def test_sets_and_models_are_named(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = script("results")
    for word in ("receipts", "receipt=bundled", "receipts="):
        monkeypatch.setattr("sys.argv", ["results", "--data", str(data), word])
        with pytest.raises(SystemExit):
            results.main()
        assert f"{word!r}: write NAME=MODEL, NAME one of receipts, captcha" in capsys.readouterr().err


def test_a_wider_crop_is_the_picture_with_paper_around_it(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = script("results")
    lines = open_source(data / "sroie" / "val")
    wider = results.WiderCrops(lines, 0.4)
    assert [wider.entry(i).text for i in range(len(wider))] == [lines.entry(i).text for i in range(len(lines))]
    for position in range(len(lines)):
        before, after = (np.asarray(s.picture(position).convert("RGB")).astype(int) for s in (lines, wider))
        high, wide = before.shape[:2]
        more = round(high / 0.4) - high
        assert wider.size(position) == after.shape[1::-1] == (wide + more // 2, high + more)
        top, left = more // 2, more // 4
        assert np.array_equal(after[top : top + high, left : left + wide], before)
        after[top : top + high, left : left + wide] = after[0, 0]
        assert np.array_equal(np.unique(after.reshape(-1, 3), axis=0), [np.median(before.reshape(-1, 3), axis=0)])
