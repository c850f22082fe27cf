"""Model files of every format that there has been, as they were written: they open, and read what they read then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import crnn
from crnn.cli import main
from crnn.core.card import CARD_KEY, FORMAT
from crnn.errors import ModelFileError

FOLDER = Path(__file__).parent / "golden"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
PICTURES = sorted(FOLDER.glob("*.png"))


def with_card(source: Path, target: Path, **entries: object) -> Path:
    """A copy of a .onnx file with other entries in its card."""
    import onnx

    model = onnx.load(str(source))
    card = next(entry for entry in model.metadata_props if entry.key == CARD_KEY)
    card.value = json.dumps({**json.loads(card.value), **entries})
    onnx.save(model, str(target))
    return target


def test_every_format_is_there_and_small() -> None:
    names = {f"format{number}.{kind}" for number in range(1, FORMAT + 1) for kind in ("onnx", "safetensors")}
    assert (
        set(EXPECTED)
        == names
        == {path.name for path in FOLDER.iterdir()} - {"expected.json"} - {path.name for path in PICTURES}
    )
    assert all((FOLDER / name).stat().st_size < 100_000 for name in names)
    assert len(PICTURES) == 8


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_they_read_the_same(name: str) -> None:
    reader = crnn.load(FOLDER / name, threads=1, device="cpu")
    assert reader.card.stored_format == int(name[6])
    assert (reader.card.crnn == "") == (reader.card.stored_format == 1)
    readings = reader.recognize(PICTURES)
    texts, sure = zip(*EXPECTED[name], strict=True)
    assert len(set(texts)) > 4
    assert tuple(reading.text for reading in readings) == texts
    assert [reading.confidence for reading in readings] == pytest.approx(sure, abs=2e-3)


def test_what_each_format_brought() -> None:
    old = crnn.load(FOLDER / "format1.onnx").card
    assert (old.charset.whitespace, old.charset.direction, old.decoder) == ("keep", "ltr", {"name": "greedy"})
    new = crnn.load(FOLDER / "format2.onnx").card
    assert (new.charset.whitespace, new.charset.direction) == ("strip", "auto")
    assert (new.decoder["name"], new.temperature) == ("beam", 1.5)


def test_a_newer_one_is_refused_with_the_version_to_install(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    newer = FORMAT + 1
    path = with_card(
        FOLDER / "format2.onnx", tmp_path / "new.onnx", format=newer, crnn="0.7.2", charset="of a new kind"
    )
    said = (
        f"{path}: model format {newer} is newer than this crnn reads ({FORMAT}); crnn 0.7.2 wrote it: "
        "pip install -U 'crnn>=0.7.2'"
    )
    with pytest.raises(ModelFileError) as caught:
        crnn.load(path)
    assert str(caught.value) == said
    for words in (["recognize", str(path), str(PICTURES[0])], ["inspect", str(path)]):
        assert main(words) == 2
        assert capfd.readouterr() == ("", f"crnn: {said}\n")
    unknown = with_card(FOLDER / "format2.onnx", tmp_path / "odd.onnx", format=0)
    with pytest.raises(ModelFileError, match=rf"odd\.onnx: model format 0 is unknown; formats are 1\.\.{FORMAT}"):
        crnn.load(unknown)
