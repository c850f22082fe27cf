"""Every kind of model file opens, reads as it did, and what cannot be opened says so."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from explain_support import noise, tiny

from crnn.core.onnx_backend import OnnxBackend
from crnn.errors import ModelFileError
from crnn.explain.line import sample_picture, trace
from crnn.explain.model import Opened, open_model, read_onnx
from crnn.export.onnx_writer import write_onnx
from crnn.export.torch_backend import write_safetensors
from crnn.model.config import BackboneConfig, LstmConfig, NetworkConfig
from crnn.model.crnn import CRNN
from crnn.models import bundled


def log_probs(opened: Opened) -> torch.Tensor:
    images = torch.from_numpy(opened.card.transform.normalize(noise(96, opened.card.transform.height)))[None, None]
    with torch.no_grad():
        return opened.network(images, torch.tensor([96])).log_probs


@pytest.mark.parametrize(("layers", "bidirectional", "bias"), itertools.product((1, 2), (True, False), (True, False)))
def test_onnx_weights_come_back(tmp_path: Path, layers: int, bidirectional: bool, bias: bool) -> None:
    opened = tiny(layers, bidirectional, bias)
    write_onnx(tmp_path / "m.onnx", opened.card, opened.network)
    again = open_model(str(tmp_path / "m.onnx"))
    assert again.name == "m.onnx"
    assert torch.allclose(log_probs(again), log_probs(opened), rtol=0, atol=1e-4)
    for name, weight in opened.network.lstm.named_parameters():
        assert torch.equal(dict(again.network.lstm.named_parameters())[name], weight), name


@pytest.mark.parametrize("pool", ["conv", "max"])
def test_onnx_weights_come_back_where_norms_were_folded(tmp_path: Path, pool: str) -> None:
    """A convolution without a pool is followed by its batch norm at once, and the export makes one of the two."""
    torch.manual_seed(1)
    backbone = BackboneConfig([3, 5, 6], ["2x2", "none", "2x1"], 7, pool)
    network = CRNN(NetworkConfig("folded", backbone, LstmConfig(5, 1)), 7, 16).eval()
    for norm in network.backbone.norms:
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.2, 2)
    opened = Opened("x", tiny().card, network)
    card = type(opened.card)(opened.card.charset, opened.card.transform, network.config.to_dict())
    write_onnx(tmp_path / "m.onnx", card, network)
    assert torch.allclose(log_probs(open_model(str(tmp_path / "m.onnx"))), log_probs(opened), rtol=0, atol=1e-5)


def test_the_bundled_file_for_services_reads_as_onnxruntime_reads_it() -> None:
    card, network = read_onnx(bundled(".onnx"))
    opened = Opened("bundled", card, network)
    line = trace(opened, sample_picture())
    theirs, _ = OnnxBackend(bundled(".onnx")).run(line.images.numpy(), np.array([line.images.shape[3]]))
    assert np.abs(theirs[:, 0] - line.log_probs).max() < 1e-3
    assert line.text == "Long memory, 1997"


@pytest.mark.parametrize("name", [None, "bundled", "latin"])
def test_the_bundled_model_is_the_default(name: str | None) -> None:
    opened = open_model(name)
    assert opened.name == "the bundled model"
    assert not opened.network.training
    assert next(opened.network.parameters()).dtype == torch.float32


def test_safetensors_and_run_folders_open(tmp_path: Path) -> None:
    opened = tiny()
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("")
    write_safetensors(run / "model.safetensors", opened.card, opened.network)
    for path in (run, run / "model.safetensors"):
        assert torch.equal(log_probs(open_model(str(path))), log_probs(opened))
        assert open_model(str(path)).name == path.name


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    import onnx

    opened = tiny()
    (tmp_path / "notes.onnx").write_text("notes")
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x08\xff\xff\xff")
    write_onnx(tmp_path / "m.onnx", opened.card, opened.network)
    model = onnx.load(str(tmp_path / "m.onnx"))
    model.graph.node[0].op_type = "ConvInteger"
    onnx.save(model, str(tmp_path / "int8.onnx"))
    model = onnx.load(str(tmp_path / "m.onnx"))
    del model.graph.initializer[:]
    onnx.save(model, str(tmp_path / "empty.onnx"))
    del model.metadata_props[:]
    onnx.save(model, str(tmp_path / "foreign.onnx"))
    for name, words in {
        "notes.onnx": "not a model file",
        "broken.onnx": "not a readable ONNX model",
        "int8.onnx": r"is in int8.*name the \.safetensors or \.ckpt",
        "empty.onnx": "weights cannot be found",
        "foreign.onnx": "no model card",
        "none.ckpt": "cannot be read",
        "": "has no model in it",
    }.items():
        with pytest.raises(ModelFileError, match=words) as caught:
            open_model(str(tmp_path / name))
        assert "\n" not in str(caught.value)
