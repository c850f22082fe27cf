"""Weights in float16: half the size, the same readings, refused where they cost accuracy."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import crnn
from crnn.cli import main
from crnn.data.sources import open_source
from crnn.errors import ModelFileError
from crnn.export import half
from crnn.export.half import export_half
from crnn.export.parity import spread_pictures
from crnn.export.torch_backend import read_network, read_safetensors


def test_half_the_size_and_the_same_readings(
    trained: Path, line_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, target = trained / "checkpoints" / "best.ckpt", tmp_path / "half.safetensors"
    whole = tmp_path / "whole.safetensors"
    for file, words in ((target, ["--half"]), (whole, [])):
        assert main(["export", str(checkpoint), "--to", "safetensors", *words, "-o", str(file)]) == 0
    assert "CER on 12 lines" in capsys.readouterr().out
    weights = read_safetensors(target)[1]
    assert {t.dtype for t in weights.values() if t.ndim > 1} == {torch.float16}
    assert {t.dtype for t in weights.values() if t.ndim == 1} == {torch.float32}
    assert target.stat().st_size < 0.65 * whole.stat().st_size
    assert {p.dtype for p in read_network(target)[1].parameters()} == {torch.float32}  # read as float32
    lines = spread_pictures(open_source(line_folder / "val"))
    texts = [[line.text for line in crnn.load(file).recognize(lines)] for file in (target, whole)]
    assert texts[0] == texts[1]
    assert any(texts[0])


def test_it_is_refused_where_it_costs_accuracy(
    trained: Path, line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, network = read_network(trained / "checkpoints" / "best.ckpt")
    val, target = open_source(line_folder / "val"), tmp_path / "m.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(half, "MAX_LOSS", -1.0)
        with pytest.raises(ModelFileError, match=r"m\.safetensors: not written: CER on 12 lines .* keep float32"):
            export_half(card, network, target, val)
    with torch.no_grad():
        network.head.weight[1, 0] = 1e6  # more than float16 holds
    with pytest.raises(ModelFileError, match="not written: log-probabilities"):
        export_half(card, network, target, val)
    assert not list(tmp_path.iterdir())


def test_onnx_keeps_float32(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(trained / "checkpoints" / "best.ckpt"), "--half"]) == 2
    assert "--half goes with --to safetensors" in capsys.readouterr().err
