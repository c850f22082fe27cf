"""The CNN: sizes, its refusals, and that padding never reaches a line's columns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from crnn.errors import ConfigError
from crnn.model.backbones import ConvBackbone, column_mask
from crnn.model.config import POOLS, BackboneConfig

CRNN = BackboneConfig()
SMALL = BackboneConfig([24, 64, 128, 128], ["2x2", "2x2", "2x1", "2x1"], 512)
TINY = BackboneConfig([8, 16, 24, 32], ["2x2", "2x2", "2x1", "2x1"], 64)
MAX = BackboneConfig([8, 16, 24, 32], ["2x2", "2x2", "2x1", "2x1"], 64, "max")


@pytest.fixture(autouse=True)
def _one_thread_one_seed() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(3)


def make(config: BackboneConfig, height: int = 32) -> ConvBackbone:
    return ConvBackbone(config.channels, config.pools, config.features, height, config.column_pool).eval()


@pytest.mark.parametrize("config", [CRNN, SMALL])
@torch.inference_mode()
def test_32_by_64_gives_512_features_in_16_columns(config: BackboneConfig) -> None:
    assert make(config)(torch.randn(3, 1, 32, 64), None).shape == (3, 512, 1, 16)
    assert make(config)(torch.randn(3, 1, 32, 64), torch.tensor([64, 20, 4])).shape == (3, 512, 1, 16)


@pytest.mark.parametrize("config", [CRNN, SMALL, TINY])
@pytest.mark.parametrize("height", [32, 48, 64, 96])
@torch.inference_mode()
def test_any_height_ends_in_one_row(config: BackboneConfig, height: int) -> None:
    backbone = make(config, height)
    assert backbone(torch.randn(1, 1, height, 24), None).shape == (1, config.features, 1, 6)
    assert backbone.last.kernel_size == (height // 16, 1)


@pytest.mark.parametrize("height", [16, 32, 80, 96])
@torch.inference_mode()
def test_a_max_over_the_rows_has_the_same_weights_for_any_height(height: int) -> None:
    backbone, low = make(MAX, height), make(MAX, 16)
    assert backbone.last.kernel_size == (1, 1)
    low.load_state_dict(backbone.state_dict())
    assert backbone(torch.randn(1, 1, height, 24), None).shape == (1, 64, 1, 6)
    conv = sum(p.numel() for p in make(TINY, height).parameters())
    assert sum(p.numel() for p in backbone.parameters()) == conv - 32 * 64 * (height // 16 - 1)


@torch.inference_mode()
def test_a_max_takes_the_largest_row_of_each_column() -> None:
    backbone = make(MAX, 64)
    seen = []
    backbone.last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.randn(2, 1, 64, 40)
    backbone(image, None)
    x = image
    for conv, norm, pool in zip(backbone.convs, backbone.norms, backbone.pools, strict=True):
        x = torch.relu(norm(pool(conv(x))))
    assert x.shape[2] == 4
    assert torch.equal(seen[0], torch.stack([x[:, :, row] for row in range(4)]).max(0).values[:, :, None])


@torch.inference_mode()
def test_output_length_is_the_real_number_of_columns_for_every_width() -> None:
    backbone, widths = make(TINY), 0
    for width in range(8, 401):
        assert backbone(torch.zeros(1, 1, 32, width), None).shape[3] == backbone.output_length(width), width
        widths += 1
    assert widths == 393


@pytest.mark.parametrize("config", [CRNN, SMALL])
@pytest.mark.parametrize("width", [8, 9, 10, 11, 63, 117, 398])
@torch.inference_mode()
def test_output_length_of_the_large_networks(config: BackboneConfig, width: int) -> None:
    backbone = make(config)
    assert backbone(torch.zeros(1, 1, 32, width), None).shape[3] == backbone.output_length(width)


@pytest.mark.parametrize(
    ("pools", "step", "rows"), [(["none"], 1, 1), (["2x1"], 1, 2), (["2x2"], 2, 2), (["2x2", "2x1", "2x2"], 4, 8)]
)
@torch.inference_mode()
def test_the_pools_decide_on_step_and_rows(pools: list[str], step: int, rows: int) -> None:
    backbone = ConvBackbone([2] * len(pools), pools, 5, 16).eval()
    assert backbone.step == step
    assert backbone.last.kernel_size == (16 // rows, 1)
    assert backbone(torch.zeros(1, 1, 16, 21), None).shape == (1, 5, 1, 21 // step)


def test_pools_shrink_what_their_names_say() -> None:
    for name, size in POOLS.items():
        assert size == ((1, 1) if name == "none" else tuple(map(int, name.split("x"))))
    assert len(POOLS) == 3


@pytest.mark.parametrize(
    ("channels", "pools", "features", "height", "words"),
    [
        ([4, 4], ["2x2"], 8, 32, "2 channels, 1 pools"),
        ([4], ["2x2", "none"], 8, 32, "1 channels, 2 pools"),
        ([], [], 8, 32, "0 channels"),
        ([4], ["2x3"], 8, 32, "'2x3' is unknown; allowed are none, 2x2, 2x1"),
        ([0], ["none"], 8, 32, "1 or more"),
        ([4, -1], ["none", "none"], 8, 32, "1 or more"),
        ([4], ["none"], 0, 32, "1 or more"),
        ([4, 4], ["2x2", "2x1"], 8, 34, "image.height=34: .* multiple of 4"),
        ([4, 4], ["2x2", "2x1"], 8, 0, "image.height=0: .* multiple of 4"),
        ([4, 4], ["2x2", "2x1"], 8, -4, "image.height=-4: .* multiple of 4"),
    ],
)
def test_what_does_not_go_together_is_refused(
    channels: list[int], pools: list[str], features: int, height: int, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        ConvBackbone(channels, pools, features, height)


def test_an_unknown_column_pool_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"backbone\.column_pool: 'avg' is unknown; allowed are conv, max"):
        ConvBackbone([4], ["2x2"], 8, 32, "avg")


def test_options_are_for_backbones_of_packages() -> None:
    with pytest.raises(ConfigError, match=r"^model\.backbone\.options=\{'deep': 2\}: are for backbones of installed"):
        BackboneConfig(options={"deep": 2}).check(32)
    BackboneConfig(name="deep", options={"deep": 2}).check(33)  # known to the package alone


def test_convolutions_start_with_he_weights_for_what_they_give() -> None:
    backbone = make(SMALL)
    for conv in (*backbone.convs, backbone.last):
        fan_out = conv.out_channels * conv.kernel_size[0] * conv.kernel_size[1]
        assert float(conv.weight.std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.2)


def test_column_mask() -> None:
    mask = column_mask(torch.tensor([2, 0, 4]), 4)
    assert mask.shape == (3, 1, 1, 4)
    assert mask[:, 0, 0].tolist() == [[True, True, False, False], [False] * 4, [True] * 4]


def randomize_norms(module: nn.Module) -> None:
    """Statistics as after a training; with fresh ones, zeros stay zeros and hide what leaks."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.normal_(0, 0.5)
            norm.running_var.uniform_(0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, 0, 0.5)


@pytest.mark.parametrize("config", [TINY, MAX])
@pytest.mark.parametrize("width", [8, 13, 30, 31, 32, 33])
@torch.inference_mode()
def test_columns_of_a_line_are_those_of_the_line_alone(width: int, config: BackboneConfig) -> None:
    backbone = make(config)
    randomize_norms(backbone)
    images = 3 * torch.randn(2, 1, 32, 48)
    padded = backbone(images, torch.tensor([48, width]))
    alone = backbone(images[1:, :, :, :width], None)
    columns = backbone.output_length(width)
    torch.testing.assert_close(padded[1:, :, :, :columns], alone, rtol=0, atol=1e-5)
    assert not torch.allclose(backbone(images, None)[1:, :, :, :columns], alone, atol=1e-3)  # masks are what does it
