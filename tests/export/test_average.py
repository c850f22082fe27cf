"""The mean of several models' weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import crnn
from crnn.cli import main
from crnn.errors import ConfigError
from crnn.export.average import averaged
from crnn.export.torch_backend import read_network, write_safetensors
from crnn.models import bundled


def test_each_weight_is_the_weighted_mean(trained: Path) -> None:
    last, best = (trained / "checkpoints" / f"{name}.ckpt" for name in ("last", "best"))
    first, second = (read_network(path)[1].state_dict() for path in (last, best))
    assert any(not torch.equal(first[name], second[name]) for name in first)
    for weights, share in (([3, 1], 0.75), (None, 0.5)):
        mean = averaged([last, best], weights)[1].state_dict()
        for name in (name for name, value in mean.items() if value.is_floating_point()):
            assert torch.allclose(mean[name], share * first[name] + (1 - share) * second[name], atol=1e-6)
    card, alone = averaged([last])
    assert card == read_network(last)[0]
    assert all(torch.equal(value, first[name]) for name, value in alone.state_dict().items())


def test_what_has_no_mean_is_refused(trained: Path, tmp_path: Path) -> None:
    last = trained / "checkpoints" / "last.ckpt"
    for weights in ([1], [1, 0], [1, 1, 1]):
        with pytest.raises(ConfigError, match="must be 2 numbers above 0"):
            averaged([last, last], weights)
    characters = len(read_network(last)[0].charset)
    said = (
        rf"latin\.safetensors: does not have the characters \(179, and {characters}\) and network of .*last\.ckpt; only"
    )
    with pytest.raises(ConfigError, match=said):
        averaged([last, bundled(".safetensors")])
    with pytest.raises(ConfigError, match=r"does not have the height, width or grey levels of"):
        averaged([last, _greyer(last, tmp_path)])


def _greyer(checkpoint: Path, folder: Path) -> Path:
    card, network = read_network(checkpoint)
    other = replace(card, transform=replace(card.transform, mean=0.25))
    write_safetensors(folder / "other.safetensors", other, network)
    return folder / "other.safetensors"


def test_export_writes_the_mean(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a checkpoint with a run folder's best one, at a temperature of its own."""
    last, out = trained / "checkpoints" / "last.ckpt", tmp_path / "mean.safetensors"
    assert main(["export", "--average", str(trained), str(last), "-o", str(out)]) == 0
    assert "temperature" in capsys.readouterr().out
    mean = averaged([last, trained / "checkpoints" / "best.ckpt"])[1].state_dict()
    written = read_network(out)[1].state_dict()
    assert all(torch.equal(written[name], value) for name, value in mean.items())
    assert crnn.load(out).card.charset == crnn.load(last).card.charset
    assert main(["export", str(last), "-o", str(out), "--average", "bundled"]) == 2
    assert "latin.safetensors: does not have the characters" in capsys.readouterr().err
