"""The whole network: the reference shapes, its settings, and that a reading never depends on its neighbours."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from crnn.errors import ConfigError
from crnn.model.config import BackboneConfig, LstmConfig, NetworkConfig
from crnn.model.crnn import CRNN
from crnn.training.config import config_folder, register, to_config

MODELS = {path.stem: path for path in sorted(Path(config_folder()).glob("model/*.yaml"))}
HEIGHT, CLASSES = 32, 96


def config_of(name: str) -> NetworkConfig:
    return NetworkConfig.from_dict(yaml.safe_load(MODELS[name].read_text(encoding="utf-8")))


def make(name: str, height: int = HEIGHT) -> CRNN:
    """A network that answers as strongly as a trained one; a fresh one is nearly deaf, which hides what leaks."""
    torch.manual_seed(11)
    network = CRNN(config_of(name), CLASSES, height).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.5)
    nn.init.normal_(network.head.weight, 0, 0.3)
    return network


def variant(**changes: Any) -> NetworkConfig:
    return NetworkConfig("variant", BackboneConfig([4], ["2x2"], 6), LstmConfig(**{"hidden_size": 5, **changes}))


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tiny() -> CRNN:
    return make("crnn_tiny")


# shapes and sizes


@pytest.mark.parametrize("name", ["crnn", "crnn_small"])
@torch.inference_mode()
def test_the_lstm_reads_16_by_batch_by_512_one_column_of_features_per_step(name: str) -> None:
    network = make(name)
    seen: dict[str, Tensor] = {}
    network.backbone.register_forward_hook(lambda _, __, features: seen.update(features=features))
    network.lstm.register_forward_pre_hook(lambda _, inputs: seen.update(sequence=inputs[0]))
    output = network(torch.randn(3, 1, 32, 64), torch.full((3,), 64))
    assert seen["features"].shape == (3, 512, 1, 16)
    assert seen["sequence"].shape == (16, 3, 512)
    for t in range(16):
        assert torch.equal(seen["sequence"][t], seen["features"][:, :, 0, t])  # (B, D)
    assert output.log_probs.shape == (16, 3, CLASSES)
    assert output.lengths.tolist() == [16, 16, 16]


def test_numbers_of_parameters() -> None:
    counts = {name: sum(p.numel() for p in CRNN(config_of(name), 96, 32).parameters()) for name in MODELS}
    assert counts["crnn"] == 8_229_920  # "about 8.23 million"
    assert 1_000_000 < counts["crnn_small"] < 2_000_000
    assert counts["crnn_tiny"] < 100_000


@pytest.mark.parametrize("height", [32, 48, 64, 96])
@pytest.mark.parametrize("name", ["crnn", "crnn_fast", "crnn_small", "crnn_tiny"])
@torch.inference_mode()
def test_any_height(name: str, height: int) -> None:
    network = CRNN(config_of(name), CLASSES, height).eval()
    assert network(torch.randn(1, 1, height, 20), torch.tensor([20])).log_probs.shape == (5, 1, CLASSES)


@torch.inference_mode()
def test_output_length_is_the_real_t_for_every_width(tiny: CRNN) -> None:
    widths = 0
    for width in range(8, 401):
        output = tiny(torch.zeros(1, 1, 32, width), torch.tensor([width]))
        assert output.log_probs.shape[0] == tiny.output_length(width) == int(output.lengths[0]), width
        widths += 1
    assert widths == 393


@pytest.mark.parametrize("name", ["crnn", "crnn_small"])
@torch.inference_mode()
def test_output_length_of_the_large_networks(name: str) -> None:
    network = make(name)
    assert network.step == 4
    for width in (8, 11, 50, 131, 400):
        output = network(torch.zeros(1, 1, 32, width), torch.tensor([width]))
        assert output.log_probs.shape[0] == network.output_length(width) == int(output.lengths[0]), width


@torch.inference_mode()
def test_answers_are_float32_log_probabilities(tiny: CRNN) -> None:
    images = torch.randn(2, 1, 32, 40)
    for widths in (torch.tensor([40, 40]), torch.tensor([40, 13])):
        log_probs, lengths = tiny(images, widths)
        assert log_probs.dtype == torch.float32
        torch.testing.assert_close(log_probs.exp().sum(2), torch.ones(10, 2))
        assert lengths.dtype == torch.int64
        assert lengths.tolist() == (widths // 4).tolist()
    kinds: list[torch.dtype] = []
    hook = tiny.head.register_forward_hook(lambda _, __, scores: kinds.append(scores.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        assert tiny(images, torch.tensor([40, 40])).log_probs.dtype == torch.float32
    hook.remove()
    assert kinds == [torch.float32]


# settings


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("hidden_size", 7),
        ("num_layers", 3),
        ("bias", False),
        ("dropout", 0.25),
        ("bidirectional", False),
        ("proj_size", 3),
    ],
)
def test_every_setting_reaches_nn_lstm(setting: str, value: Any) -> None:
    assert getattr(LstmConfig(), setting) != value
    network = CRNN(variant(**{setting: value}), 4, 8)
    expected = {**asdict(LstmConfig()), "hidden_size": 5, setting: value}
    assert {name: getattr(network.lstm, name) for name in expected} == expected
    assert network.lstm.batch_first is False
    for widths in ([12, 12], [12, 7]):
        assert network(torch.zeros(2, 1, 8, 12), torch.tensor(widths)).log_probs.shape == (6, 2, 4)


def test_the_settings_are_all_that_nn_lstm_has() -> None:
    derived = {"input_size", "batch_first", "mode"}
    plain = {name for name in nn.LSTM.__constants__ if not name.startswith("_")}
    assert set(asdict(LstmConfig())) == plain - derived


@pytest.mark.parametrize("features", [6, 40])
def test_input_size_follows_the_backbone(features: int) -> None:
    config = variant()
    config.backbone.features = features
    assert CRNN(config, 4, 8).lstm.input_size == features


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_size": 0}, "hidden_size and lstm.num_layers must be 1"),
        ({"num_layers": 0}, "hidden_size and lstm.num_layers must be 1"),
        ({"dropout": 1.0}, "lstm.dropout=1.0: must be 0 or more and below 1"),
        ({"dropout": -0.1}, "lstm.dropout=-0.1: must be 0 or more and below 1"),
        ({"dropout": 0.1, "num_layers": 1}, "acts between layers"),
        ({"proj_size": -1}, "lstm.proj_size=-1: must be 0"),
        ({"proj_size": 5}, "lstm.proj_size=5: must be 0"),
    ],
)
def test_bad_lstm_settings_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CRNN(variant(**changes), 4, 8)


def test_a_bad_backbone_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"image\.height=33"):
        CRNN(NetworkConfig(), 4, 33)


def test_a_config_survives_the_way_to_a_card_and_back() -> None:
    for config in (variant(proj_size=2, bias=False), *map(config_of, MODELS)):
        assert NetworkConfig.from_dict(config.to_dict()) == config


def test_a_card_from_before_there_were_column_pools_means_a_convolution() -> None:
    old = config_of("crnn_tiny").to_dict()
    del old["backbone"]["column_pool"]
    assert NetworkConfig.from_dict(old) == config_of("crnn_tiny")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "x", "backbone": {}},
        {"name": "x", "backbone": {}, "lstm": {"hidden": 3}},
        {"name": "x", "backbone": [1], "lstm": {}},
        {"name": "x", "backbone": {"height": 3}, "lstm": {}},
        {"name": "x", "backbone": {"name": 3}, "lstm": {}},
        {"name": "x", "backbone": {"options": [1]}, "lstm": {}},
        {"name": "x", "backbone": {}, "lstm": {"bidirectional": -1}},
        None,
    ],
)
def test_what_describes_no_network_is_refused(data: Any) -> None:
    with pytest.raises(ConfigError, match="not the description of a network"):
        NetworkConfig.from_dict(data)


@pytest.mark.parametrize(
    ("room", "key", "most"),
    [
        ("backbone", "channels", 8192),
        ("backbone", "features", 8192),
        ("lstm", "hidden_size", 8192),
        ("lstm", "proj_size", 8192),
        ("lstm", "num_layers", 64),
    ],
)
def test_a_file_asks_for_networks_up_to_a_size(room: str, key: str, most: int) -> None:
    data = variant().to_dict()
    for value, allowed in ((0, True), (most, True), (most + 1, False), (-1, False), (3.0, False), (True, False)):
        data[room][key] = [3, value, 3] if key == "channels" else value
        if allowed:
            assert NetworkConfig.from_dict(data).to_dict() == data
            continue
        with pytest.raises(ConfigError, match=r"^not the description of a network: sizes must be .* up to 8192$"):
            NetworkConfig.from_dict(data)


def test_a_file_asks_for_64_convolutions_at_most() -> None:
    data = variant().to_dict()
    data["backbone"]["channels"] = [3] * 64
    assert NetworkConfig.from_dict(data).to_dict() == data
    data["backbone"]["channels"] = [3] * 65
    with pytest.raises(ConfigError, match=r"^not the description of a network: more than 64 convolutions$"):
        NetworkConfig.from_dict(data)


def test_one_of_everything_is_a_network() -> None:
    config = NetworkConfig("least", BackboneConfig([1], ["none"], 1), LstmConfig(1, 1))
    assert CRNN(config, 2, 1)(torch.zeros(1, 1, 1, 3), torch.tensor([3])).log_probs.shape == (3, 1, 2)
    assert CRNN(variant(proj_size=4), 4, 8).head.in_features == 8


def test_the_shipped_files_are_complete_and_the_classic_one_is_the_default() -> None:
    assert list(MODELS) == ["crnn", "crnn_fast", "crnn_small", "crnn_tiny"]
    for name, path in MODELS.items():
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert written == config_of(name).to_dict(), name  # nothing is left to a default that the file does not show
        assert written["name"] == name
    assert config_of("crnn") == NetworkConfig()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_shipped_model_builds_as_hydra_composes_it(name: str) -> None:
    register()
    with initialize_config_dir(config_folder(), version_base="1.3"):
        config = to_config(compose("train", [f"model={name}"]))
    assert config.model == config_of(name)
    assert CRNN(config.model, CLASSES, config.image.height).step == 4


# independence


def batch_of(lines: list[Tensor], width: int, garbage: float) -> tuple[Tensor, Tensor]:
    """Lines (1, H, w) in one batch, noise of strength `garbage` right of them."""
    images = garbage * torch.randn(len(lines), 1, HEIGHT, width)
    for image, line in zip(images, lines, strict=True):
        image[:, :, : line.shape[2]] = line
    return images, torch.tensor([line.shape[2] for line in lines])


def assert_same_as_alone(network: CRNN, lines: list[Tensor], width: int, garbage: float) -> None:
    log_probs, lengths = network(*batch_of(lines, width, garbage))
    assert log_probs.shape[0] == network.output_length(width)
    for index, line in enumerate(lines):
        alone = network(line[None], torch.tensor([line.shape[2]])).log_probs
        assert len(alone) == lengths[index] == network.output_length(line.shape[2])
        torch.testing.assert_close(log_probs[: len(alone), index], alone[:, 0], rtol=0, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    widths=st.lists(st.integers(4, 90), min_size=1, max_size=5),
    extra=st.integers(0, 20),
    garbage=st.sampled_from([0.0, 1.0, 50.0]),
    seed=st.integers(0, 2**32 - 1),
)
@torch.inference_mode()
def test_a_line_is_read_the_same_alone_and_in_any_batch(
    tiny: CRNN, widths: list[int], extra: int, garbage: float, seed: int
) -> None:
    torch.manual_seed(seed)
    lines = [torch.randn(1, HEIGHT, width) for width in widths]
    assert_same_as_alone(tiny, lines, max(widths) + extra, garbage)


@pytest.mark.parametrize("name", ["crnn", "crnn_small"])
@torch.inference_mode()
def test_the_large_networks_read_a_line_the_same_alone_and_in_a_batch(name: str) -> None:
    network = make(name)
    lines = [torch.randn(1, HEIGHT, width) for width in (64, 45, 7)]
    assert_same_as_alone(network, lines, 72, 10.0)


@pytest.mark.parametrize("name", ["crnn", "crnn_fast", "crnn_small", "crnn_tiny"])
@torch.inference_mode()
def test_equal_widths_take_the_short_way_to_the_same_numbers(name: str) -> None:
    network = make(name)
    packed: list[bool] = []
    network.lstm.register_forward_pre_hook(lambda _, inputs: packed.append(not isinstance(inputs[0], Tensor)))
    images, widths = torch.randn(2, 1, HEIGHT, 50), torch.tensor([50, 50])
    short = network(images, widths)
    long = network(torch.cat([images, torch.randn(2, 1, HEIGHT, 13)], dim=3), widths)
    assert packed == [False, True]
    assert short.lengths.tolist() == long.lengths.tolist() == [12, 12]
    torch.testing.assert_close(long.log_probs[:12], short.log_probs, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_lines_hear_what_they_read(tiny: CRNN) -> None:
    """The network of these tests is not deaf: another picture gives other numbers, by far more than the tolerance."""
    line = torch.randn(1, 1, HEIGHT, 40)
    other = line.clone()
    other[..., 36:] = torch.randn(1, 1, HEIGHT, 4)
    a, b = (tiny(image, torch.tensor([40])).log_probs for image in (line, other))
    assert (a[0] - b[0]).abs().max() > 1e-4  # right to left: the last columns are heard at the first step


def test_in_training_no_gradient_flows_into_the_padding(tiny: CRNN) -> None:
    network = copy.deepcopy(tiny).train()
    torch.manual_seed(5)
    images, widths = torch.randn(3, 1, HEIGHT, 48), torch.tensor([48, 21, 10])
    images.requires_grad_()
    log_probs, lengths = network(images, widths)
    sum(log_probs[:length, index, 1:9].sum() for index, length in enumerate(lengths.tolist())).backward()
    assert images.grad is not None
    for gradient, width in zip(images.grad, widths.tolist(), strict=True):
        assert gradient[:, :, :width].abs().sum(dim=(0, 1)).gt(0).all(), width
        assert not gradient[:, :, width:].any(), width


def test_in_training_what_lies_in_the_padding_changes_nothing(tiny: CRNN) -> None:
    network = copy.deepcopy(tiny).train()
    lines = [torch.randn(1, HEIGHT, width) for width in (40, 22)]
    answers = [network(*batch_of(lines, 48, garbage)).log_probs for garbage in (0.0, 30.0)]
    torch.testing.assert_close(answers[0], answers[1], rtol=0, atol=0)
