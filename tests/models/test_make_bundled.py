"""scripts/make_bundled.py: both files of a checkpoint, or none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import crnn
from crnn.core.decode.ngram import NgramModel
from crnn.data.recorded import recorded_lines
from crnn.data.sources.label_texts import usable_labels
from crnn.errors import ModelFileError
from crnn.report.calibration import fit_temperature
from crnn.report.evaluate import evaluate

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import make_bundled as script


def test_both_files_and_a_note_without_paths(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = trained / "checkpoints" / "best.ckpt"
    with monkeypatch.context() as patch:
        patch.setattr(script, "MAX_BYTES", 1000)
        with pytest.raises(ModelFileError, match=r"not written: .* are more than 0 MB together"):
            script.make_bundled([checkpoint], tmp_path, "tests", "ours", None)
    assert not list(tmp_path.iterdir())
    said = script.make_bundled([checkpoint], tmp_path, "tests", "ours", None)
    assert len(said) == 2
    begun = {"characters": {"labels": {"a": 3}, "rendered": ["b"], "earlier": "/there/old.ckpt"}}
    assert script.public_note(begun, "tests", "ours")["characters"] == {"labels": {"a": 3}, "rendered": ["b"]}
    assert all("sha256" in row for row in said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latin.onnx", "latin.safetensors"]
    for path in tmp_path.iterdir():
        card = crnn.load(path).card
        assert (card.training["experiment"], card.training["note"]) == ("tests", "ours")
        assert card.training["lines"] == {"train": 48, "val": 12}
        assert card.training["val/cer"] < 0.5
        assert card.training["characters"] == crnn.load(checkpoint).card.training["characters"]
        assert set(card.training["characters"]["labels"]) == set(card.charset.symbols)
        assert card.trim
        reader = crnn.load(checkpoint, trim=True)
        assert card.temperature == fit_temperature(reader, recorded_lines(reader.card.training, "val", checkpoint))
        assert str(trained.parent) not in card.to_json()
        assert '"/' not in card.to_json().replace('"/"', "")


def test_the_file_to_read_with_gets_a_language_model(trained: Path, tmp_path: Path) -> None:
    checkpoint = trained / "checkpoints" / "best.ckpt"
    script.make_bundled([checkpoint], tmp_path, "tests", "ours", None, texts=50)
    assert crnn.load(tmp_path / "latin.safetensors").card.decoder == {"name": "greedy"}
    card = crnn.load(tmp_path / "latin.onnx").card
    assert {name: card.decoder[name] for name in ("name", "lm_weight", "length_bonus")} == {
        "name": "beam", "lm_weight": 0.2, "length_bonus": 0.4
    }  # fmt: skip
    labels = usable_labels(recorded_lines(crnn.load(checkpoint).card.training, "train", checkpoint))
    assert script.general_decoder(card.charset, labels) == card.decoder  # nothing was rendered for this run
    few, more = (
        NgramModel.from_dict(script.general_decoder(card.charset, labels[:n])["lm"], len(card.charset))
        for n in (1, len(labels))
    )
    last = card.charset.encode(card.charset.normalize(labels[-1]))
    assert more.log_prob(last[:1], last[1]) > few.log_prob(last[:1], last[1])


def test_the_card_says_how_the_mean_of_several_reads(trained: Path, tmp_path: Path) -> None:
    last, best = (trained / "checkpoints" / f"{name}.ckpt" for name in ("last", "best"))
    script.make_bundled([last, best], tmp_path, "tests", "ours", None, weights=[3, 1])
    reader = crnn.load(tmp_path / "latin.onnx")
    figures = evaluate(reader, recorded_lines(crnn.load(last).card.training, "val", last)).counts
    assert reader.card.training["val/cer"] == figures.cer
    assert reader.card.training["val/exact"] == figures.exact_rate
