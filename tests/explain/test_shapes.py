"""The printed shapes are those of the real tensors, and the symbolic ones come to the same numbers."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from PIL import Image
from rich.console import Console

from crnn.core.card import CARD_KEY, ModelCard
from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.errors import ConfigError, CrnnError, DataError, ModelFileError
from crnn.explain.lstm_parameters import lstm_parameters, lstm_total
from crnn.explain.shapes import Stage, explain_shapes, render, stages, symbols
from crnn.export.onnx_writer import write_onnx
from crnn.export.torch_backend import write_safetensors
from crnn.model.config import BackboneConfig, LstmConfig, NetworkConfig
from crnn.model.crnn import CRNN

TINY = BackboneConfig([3, 5, 6], ["2x2", "none", "2x2"], 7)
SETTINGS = list(itertools.product((1, 2, 3), (True, False), (True, False), (0, 4)))
"""layers, bidirectional, bias, proj_size"""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def tiny(layers: int = 2, bidirectional: bool = True, bias: bool = True, proj: int = 0) -> CRNN:
    lstm = LstmConfig(9, layers, bias, 0.0, bidirectional, proj)
    return CRNN(NetworkConfig("tiny", TINY, lstm), 11, 16)


def evaluate(shape: tuple[str, ...], numbers: dict[str, int]) -> tuple[int, ...]:
    return tuple(eval(part, {"__builtins__": {}}, dict(numbers)) for part in shape)


def by_name(found: list[Stage]) -> dict[str, tuple[int, ...]]:
    return {stage.name: stage.example for stage in found}


def printed(*args: object, width: int | None = None, batch: int = 1, picture: str | None = None) -> str:
    """What `explain_shapes` prints for a target (a Path) or settings."""
    file = io.StringIO()
    target = str(args[0]) if args and isinstance(args[0], Path) else None
    settings = [str(arg) for arg in args if not isinstance(arg, Path)]
    explain_shapes(target, settings, picture, width, batch, Console(file=file))
    return file.getvalue()


@pytest.mark.parametrize(("layers", "bidirectional", "bias", "proj"), SETTINGS)
def test_parameters_are_the_real_ones_and_their_symbols_come_to_their_shapes(
    layers: int, bidirectional: bool, bias: bool, proj: int
) -> None:
    lstm = torch.nn.LSTM(7, 9, layers, bias=bias, bidirectional=bidirectional, proj_size=proj)
    numbers = {"input": 7, "hidden": 9, "layers": layers, "directions": 1 + bidirectional, "proj": proj}
    found = lstm_parameters(lstm)
    assert {p.name: p.shape for p in found} == {name: tuple(p.shape) for name, p in lstm.named_parameters()}
    assert len(found) == layers * (1 + bidirectional) * (2 + 2 * bias + (proj > 0))
    for parameter in found:
        assert evaluate(parameter.symbolic, numbers) == parameter.shape, parameter
        assert parameter.reason
        assert parameter.reason.startswith("right to left") == parameter.name.endswith("_reverse")
    total = eval(lstm_total(lstm), {"__builtins__": {}}, numbers)
    assert total == sum(p.numel() for p in lstm.parameters())


@pytest.mark.parametrize(("layers", "bidirectional", "bias", "proj"), SETTINGS)
def test_stages_are_the_real_tensors_and_their_symbols_come_to_their_shapes(
    layers: int, bidirectional: bool, bias: bool, proj: int
) -> None:
    network = tiny(layers, bidirectional, bias, proj).eval()
    found = stages(network, 35, 3)
    images = torch.zeros(3, 1, 16, 35)
    features = network.backbone(images, None)
    output, (h_n, c_n) = network.lstm(features.squeeze(2).permute(2, 0, 1))
    log_probs = network(images, torch.full((3,), 35)).log_probs
    real = {"images": images, "features": features, "output": output, "h_n": h_n, "c_n": c_n, "log_probs": log_probs}
    seen = by_name(found)
    for name, tensor in real.items():
        assert seen[name] == tuple(tensor.shape), name
    numbers = {"B": 3, "H": 16, "W": 35, "T": 8, "C": 11, "input": 7, "hidden": 9, "layers": layers}
    numbers |= {"directions": 1 + bidirectional, "proj": proj}
    assert symbols(network, 35, 3) == numbers
    for stage in found:
        assert evaluate(stage.shape, numbers) == stage.example, stage


@pytest.mark.parametrize("model", ["crnn", "crnn_fast", "crnn_small", "crnn_tiny"])
@pytest.mark.parametrize(("height", "width", "batch"), [(32, 64, 1), (48, 101, 2), (64, 8, 3)])
def test_every_stage_of_the_shipped_networks(model: str, height: int, width: int, batch: int) -> None:
    from crnn.explain.network import network_of_settings

    network, _ = network_of_settings([f"model={model}", f"image.height={height}"])
    found = stages(network, width, batch)
    convolutions, pools = network.config.backbone.channels, network.config.backbone.pools
    names = [stage.name for stage in found]
    assert [name for name in names if name.startswith("conv")] == [f"conv {i + 1}" for i in range(len(convolutions))]
    assert len([name for name in names if name.startswith("pool")]) == len(pools) - pools.count("none")
    for stage in found:
        assert evaluate(stage.shape, symbols(network, width, batch)) == stage.example, stage


def test_a_max_over_the_rows_is_said() -> None:
    from crnn.explain.network import network_of_settings

    network, _ = network_of_settings(["model=crnn_tiny", "model.backbone.column_pool=max", "image.height=48"])
    found = {stage.name: stage for stage in stages(network, 64, 2)}
    assert found["features"].what.startswith(
        "the largest of each column over the height that is left, convolution 1 x 1"
    )
    assert found["features"].example == (2, 64, 1, 16)


def test_the_reference_picture_of_the_classic_network() -> None:
    torch.manual_seed(0)
    assert by_name(stages(CRNN(NetworkConfig(), 96, 32), 64, 2)) == {
        "images": (2, 1, 32, 64),
        "conv 1": (2, 64, 32, 64),
        "pool 1": (2, 64, 16, 32),
        "conv 2": (2, 128, 16, 32),
        "pool 2": (2, 128, 8, 16),
        "conv 3": (2, 256, 8, 16),
        "conv 4": (2, 256, 8, 16),
        "pool 4": (2, 256, 4, 16),
        "conv 5": (2, 512, 4, 16),
        "conv 6": (2, 512, 4, 16),
        "pool 6": (2, 512, 2, 16),
        "features": (2, 512, 1, 16),
        "sequence": (16, 2, 512),
        "output": (16, 2, 512),
        "h_n": (4, 2, 256),
        "c_n": (4, 2, 256),
        "log_probs": (16, 2, 96),
    }


def test_a_look_leaves_the_network_as_it_was() -> None:
    network = tiny().train()
    network.backbone.norms[0].eval()
    modes = [module.training for module in network.modules()]
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    stages(network, 32, 2)
    assert [module.training for module in network.modules()] == modes
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())


def test_the_network_survives_a_failing_look(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny().train()
    monkeypatch.setattr(network.lstm, "forward", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stages(network, 32)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(("width", "batch", "words"), [(3, 1, "3 pixels"), (32, 0, "0 lines"), (64, 9999, "smaller")])
def test_what_cannot_be_looked_at_is_refused(width: int, batch: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        stages(tiny(), width, batch)


def test_print_without_a_terminal_is_plain_and_whole() -> None:
    file = io.StringIO()
    console = Console(file=file, width=70)
    network = tiny(3, True, True, 4)
    render(network, 32, 2, console)
    text = file.getvalue()
    assert console.width == 70
    assert "\x1b" not in text
    assert "…" not in text
    rows = {line.split("│")[0].strip(): line for line in text.splitlines() if "│" in line}
    for stage in stages(network, 32, 2):
        assert f"│ ({', '.join(map(str, stage.example))})" in rows[stage.name]
        assert f"│ ({', '.join(stage.shape)})" in rows[stage.name]
    for parameter in lstm_parameters(network.lstm):
        assert f"│ ({', '.join(map(str, parameter.shape))}" in rows[parameter.name]
        assert f"│ ({', '.join(parameter.symbolic)}" in rows[parameter.name]
    assert len([line for line in rows if line]) == len(stages(network, 32, 2)) + len(lstm_parameters(network.lstm))
    in_lstm = sum(p.numel() for p in network.lstm.parameters())
    assert f"{lstm_total(network.lstm)} = {in_lstm:,}\n" in text
    assert "B = 2, H = 16, W = 32, T = 8, C = 11, input = 7, hidden = 9, layers = 3, directions = 2, proj = 4" in text
    assert f"{sum(p.numel() for p in network.parameters()):,} parameters, {in_lstm:,} of them" in text
    assert max(map(len, text.splitlines()[1:-2])) <= 120


def test_a_narrow_terminal_loses_nothing() -> None:
    file = io.StringIO()
    render(tiny(), 32, 1, Console(file=file, width=60, force_terminal=True, no_color=True))
    assert "…" not in file.getvalue()
    assert "weight_hh_l1_reverse" in file.getvalue()


def test_settings_are_those_of_a_training() -> None:
    text = printed("model=crnn", "model.lstm.hidden_size=128", "image.height=48", "model.lstm.proj_size=20")
    assert text.startswith("crnn: 48 x 64 pixels make T = 16 time steps of 512 features;")
    assert "C = 96, input = 512, hidden = 128, layers = 2, directions = 2, proj = 20;" in text
    assert not GlobalHydra.instance().is_initialized()


def test_charset_and_width_of_the_settings_count() -> None:
    tiny = "model=crnn_tiny"
    assert "W = 64, T = 16, C = 96," in printed(tiny)
    assert "W = 64, T = 16, C = 97," in printed(tiny, "charset.extra='ï'")
    assert "C = 4," in printed(tiny, "charset.symbols=abc")
    assert "C = 3," in printed(tiny, "charset.symbols=abba")  # named twice counts once, as in training
    assert "W = 80, T = 20," in printed(tiny, "image.width=80")
    assert "W = 61, T = 15," in printed(tiny, "image.width=80", width=61)
    assert "B = 5," in printed(tiny, batch=5)


def test_a_picture_is_scaled_as_in_training(tmp_path: Path) -> None:
    path = tmp_path / "line.png"
    Image.fromarray(np.zeros((64, 301), np.uint8)).save(path)
    assert "H = 32, W = 152, T = 38," in printed("model=crnn_tiny", picture=str(path))
    assert "H = 48, W = 224, T = 56," in printed("model=crnn_tiny", "image.height=48", picture=str(path))
    with pytest.raises(ConfigError, match="not both"):
        printed("model=crnn_tiny", picture=str(path), width=64)
    Image.fromarray(np.zeros((8, 9000), np.uint8)).save(tmp_path / "long.png")
    with pytest.raises(DataError, match="at most 32768"):
        printed("model=crnn_tiny", picture=str(tmp_path / "long.png"))
    with pytest.raises(DataError, match="cannot be opened"):
        printed("model=crnn_tiny", picture=str(tmp_path / "none.png"))


@pytest.fixture(scope="module")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    lstm = LstmConfig(12, 2, True, 0.3, True, 0)
    network = CRNN(NetworkConfig("mine", BackboneConfig([4, 4], ["2x2", "2x2"], 10), lstm), 6, 16).eval()
    card = ModelCard(Charset(tuple("abcde")), LineTransform(16, 96, 1000), network.config.to_dict())
    files = {kind: folder / f"model.{kind}" for kind in ("onnx", "safetensors", "ckpt")}
    write_onnx(files["onnx"], card, network)
    write_safetensors(files["safetensors"], card, network)
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"hyper_parameters": {CARD_KEY: card.to_dict()}, "state_dict": state}, files["ckpt"])
    return files


@pytest.mark.parametrize("kind", ["onnx", "safetensors", "ckpt"])
def test_a_model_file_says_its_own_shapes(model_files: dict[str, Path], kind: str) -> None:
    text = printed(model_files[kind])
    assert text.startswith(f"model.{kind} (mine): 16 x 96 pixels make T = 24 time steps of 10 features;")
    assert "nn.LSTM(10, 12, num_layers=2, dropout=0.3, bidirectional=True)\n" in text
    assert "C = 6, input = 10, hidden = 12, layers = 2, directions = 2, proj = 0;" in text
    assert "W = 40, T = 10," in printed(model_files[kind], width=40)
    with pytest.raises(ConfigError, match="at most 1000"):
        printed(model_files[kind], width=1001)
    with pytest.raises(ConfigError, match="settings"):
        printed(model_files[kind], "model=crnn")


def test_a_card_without_a_network_is_refused(tmp_path: Path) -> None:
    files = 0
    for network in ({}, {"name": "x", "backbone": {}, "lstm": {"hidden_size": "9"}}, {"name": "x", "backbone": 3}):
        card = ModelCard(Charset(("a",)), LineTransform(), network)
        path = tmp_path / "bad.ckpt"
        torch.save({"hyper_parameters": {CARD_KEY: card.to_dict()}, "state_dict": {}}, path)
        with pytest.raises(ModelFileError, match=r"bad\.ckpt: its card does not describe a network"):
            printed(path)
        files += 1
    assert files == 3


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("model=foo", "there is no such model; there are crnn, crnn_fast, crnn_small, crnn_tiny"),
        ("model.lstm.hidden=3", "there is no setting model.lstm.hidden; did you mean model.lstm.hidden_size?"),
        ("model.lstm.hidden_size=abc", "'abc' of type 'str' could not be converted to Integer"),
        ("model.lstm.hidden_size=9999999999999999999999", "Overflow"),
        ("model.lstm.hidden_size=99999999999", "memory"),
        ("model.lstm.hidden_size=${nope}", "'nope' not found"),
        ("model.lstm.proj_size=-1", "lstm.proj_size=-1"),
        ("model.lstm.num_layers=0", "num_layers"),
        ("model.backbone.channels=[]", "backbone"),
        ("image.height=33", "image.height=33"),
        ("image.width=63", "image.width=63"),
        ("image.height=???", "missing"),
        ("experiment=nope", "there is no such experiment"),
        ("charset.form=x", "charset.form=x"),
        ("loss.reduction=x", "loss.reduction=x"),
        ("image.height", "image.height: has no value; write image.height=..."),
        ("model=[a", "[a"),
        ("a b", "a b"),
        ("=3", "has no name"),
        ("model=crnn,crnn_small", "Ambiguous"),
    ],
)
def test_bad_settings_are_refused_in_one_line(setting: str, words: str) -> None:
    with pytest.raises(CrnnError) as caught:
        printed(setting)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not any(noise in str(caught.value) for noise in ("search path", "http", "object_type", "raised from"))
    assert not GlobalHydra.instance().is_initialized()


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("model")
    for name in ("notes.txt", "none.onnx"):
        with pytest.raises(ModelFileError, match=name):
            printed(tmp_path / name)
