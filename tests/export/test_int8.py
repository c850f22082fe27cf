"""Models in int8: nearly the same readings, none that depends on its batch, refused where they cost accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from PIL import Image

import crnn
from crnn.cli import main
from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.onnx_backend import OnnxBackend
from crnn.core.transform import LineTransform
from crnn.data.sources import open_source
from crnn.errors import ModelFileError
from crnn.export import quantize
from crnn.export.export import export_model
from crnn.export.parity import spread_pictures
from crnn.export.quantize import check_alone, make_int8, write_int8
from crnn.export.torch_backend import write_safetensors
from crnn.model.config import BackboneConfig, LstmConfig, NetworkConfig
from crnn.model.crnn import CRNN


@pytest.fixture(scope="module")
def network(line_folder: Path) -> tuple[ModelCard, CRNN]:
    source = open_source(line_folder / "train")
    charset = Charset.from_texts(source.entry(i).text for i in range(len(source)))
    config = NetworkConfig("test", BackboneConfig([8, 16, 24, 32], ["2x2", "2x2", "2x1", "2x1"], 64), LstmConfig(24, 2))
    torch.manual_seed(3)
    net = CRNN(config, charset.classes, 32).eval()
    with torch.no_grad():
        net.head.weight.mul_(8)  # readings that are not all blank
    return ModelCard(charset, LineTransform(32), config.to_dict()), net


@pytest.fixture(scope="module")
def floating(network: tuple[ModelCard, CRNN], line_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("int8") / "float.onnx"
    export_model(*network, path, "onnx", spread_pictures(open_source(line_folder / "val")))
    return path


def test_convolutions_but_the_first_are_int8_and_no_scale_is_dynamic(
    floating: Path, network: tuple[ModelCard, CRNN], line_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "int8.onnx"
    pictures = spread_pictures(open_source(line_folder / "train"))
    write_int8(floating, path, network[0], pictures)
    model = onnx.load(str(path))
    assert (model.producer_name, model.producer_version) == ("crnn", crnn.__version__)
    graph = model.graph
    kinds = [node.op_type for node in graph.node]
    assert not [kind for kind in kinds if "Dynamic" in kind]
    made = {name: node.op_type for node in graph.node for name in node.output}
    inputs = [made.get(node.input[0]) for node in graph.node if node.op_type == "Conv"]
    assert inputs.count("DequantizeLinear") == len(inputs) - 1 == 4
    constants = {tensor.name for tensor in graph.initializer}
    scales = [node.input[1] for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert scales
    assert set(scales) <= constants
    weights = [
        onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.data_type == TensorProto.INT8
    ]
    kernels = [array for array in weights if array.ndim == 4]
    assert len(kernels) == 4
    assert max(int(np.abs(array.astype(int)).max()) for array in kernels) <= 64  # no overflow without VNNI
    assert len({line.size for line in pictures}) > 3  # of several widths
    check_alone(OnnxBackend(path), pictures, path)


def test_it_reads_about_the_same(
    floating: Path, network: tuple[ModelCard, CRNN], line_folder: Path, tmp_path: Path
) -> None:
    val = open_source(line_folder / "val")
    result = make_int8(floating, tmp_path / "m.onnx", network[0], open_source(line_folder / "train"), val, Path("m"))
    assert result.lines == len(val)
    assert result.before.lines == result.after.lines == len(val)
    pictures = spread_pictures(val)
    both = [crnn.load(path) for path in (floating, tmp_path / "m.onnx")]
    readings = [[line.text for line in reader.recognize(pictures)] for reader in both]
    assert any(readings[0])
    logits = [
        reader.backend.run(
            reader.card.transform(pictures[0])[None], np.array([reader.card.transform(pictures[0]).shape[2]])
        )
        for reader in both
    ]
    difference = float(np.abs(logits[0][0] - logits[1][0]).max())
    assert 0 < difference < 0.5  # int8, and yet the same network
    assert both[1].card.training["int8"]["lines"] == len(open_source(line_folder / "train"))


def test_a_network_with_a_max_over_the_rows(line_folder: Path, tmp_path: Path, network: tuple[ModelCard, CRNN]) -> None:
    card, _ = network
    backbone = BackboneConfig([8, 16, 24, 32], ["2x2", "2x2", "2x1", "2x1"], 64, "max")
    config = NetworkConfig("test", backbone, LstmConfig(24, 2))
    torch.manual_seed(3)
    net = CRNN(config, card.charset.classes, 32).eval()
    card = ModelCard(card.charset, card.transform, config.to_dict())
    floating, path = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    pictures = spread_pictures(open_source(line_folder / "val"))
    export_model(card, net, floating, "onnx", pictures)
    write_int8(floating, path, card, pictures)
    check_alone(OnnxBackend(path, 1), pictures, path)
    graph = onnx.load(str(path)).graph
    assert (
        len([tensor for tensor in graph.initializer if tensor.data_type == TensorProto.INT8 and len(tensor.dims) == 4])
        == 4
    )
    line = card.transform(pictures[0])[None]
    widths = np.array([line.shape[3]])
    small, large = (OnnxBackend(file, 1).run(line, widths)[0] for file in (path, floating))
    assert 0 < np.abs(small - large).max() < 0.2


def test_a_loss_of_accuracy_is_refused(
    floating: Path,
    network: tuple[ModelCard, CRNN],
    line_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quantize, "MAX_LOSS", -1.0)
    val = open_source(line_folder / "val")
    with pytest.raises(ModelFileError, match=r"named: not written: CER on 12 lines .* keep float32"):
        make_int8(floating, tmp_path / "m.onnx", network[0], val, val, Path("named"))


def test_a_reading_that_depends_on_its_batch_is_refused(floating: Path, line_folder: Path) -> None:
    backend = OnnxBackend(floating)
    pictures = spread_pictures(open_source(line_folder / "val"))
    check_alone(backend, pictures, floating)
    run = backend.run

    def leaky(images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return run(images / np.abs(images).max() * len(images), widths)

    backend.run = leaky  # type: ignore[method-assign]
    with pytest.raises(ModelFileError, match="reads otherwise beside others"):
        check_alone(backend, pictures, floating)


def test_the_command(
    network: tuple[ModelCard, CRNN], line_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card, net = network
    checkpoint = tmp_path / "net.safetensors"
    write_safetensors(checkpoint, card, net)
    assert main(["export", str(checkpoint), "--int8"]) == 2
    assert "does not say what it was trained on; name the lines" in capsys.readouterr().err
    assert main(["export", str(checkpoint), "--int8", "--to", "safetensors"]) == 2
    assert "--int8 goes with --to onnx" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]
    assert main(["export", str(checkpoint), "--int8", "--data", str(line_folder / "val")]) in (0, 2)
    printed = capsys.readouterr()
    assert "CER on 12 lines" in printed.out + printed.err
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == (["net.int8.onnx", "net.safetensors"] if printed.out else ["net.safetensors"])


@pytest.mark.parametrize("kept", [0, 1])
def test_a_network_without_convolutions_to_make_int8_of(
    kept: int, floating: Path, network: tuple[ModelCard, CRNN], tmp_path: Path
) -> None:
    model = onnx.load(str(floating))
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    for node in convolutions[kept:]:
        node.op_type = "MaxPool"
    onnx.save(model, str(tmp_path / "few.onnx"))
    with pytest.raises(ModelFileError, match=f"its network has {kept} convolutions, .* keep float32"):
        write_int8(tmp_path / "few.onnx", tmp_path / "int8.onnx", network[0], [Image.new("L", (90, 32), 255)])
    assert not (tmp_path / "int8.onnx").exists()
