"""The CNN: pictures (B, 1, H, W) to one feature column per time step, (B, D, 1, T).

One class makes the classic CRNN and its smaller sisters; they differ in channels and pools only. The network's shape
follows Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-based Sequence Recognition", 2015, with
batch norm after each convolution and a last convolution as high as what is left; or, as Retsinas et al. have it ("Best
Practices for a Handwritten Text Recognition System", 2022), the largest value of each column goes on instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from crnn.core.plugins import Registry
from crnn.errors import ConfigError
from crnn.model.config import POOLS, BackboneConfig


def column_mask(lengths: Tensor, columns: int) -> Tensor:
    """(B, 1, 1, columns) True where a column belongs to the line; `lengths` is (B,)."""
    return (torch.arange(columns, device=lengths.device) < lengths[:, None])[:, None, None, :]


class Backbone(nn.Module):
    """The contract of every CNN. Other packages add one in the entry-point group ``crnn.backbones``.

    It is made with ``height=`` (H of the pictures in pixels) and the settings of ``model.backbone.options``, and raises
    ConfigError for what does not go together. A model file keeps its name and these settings, nothing else, and makes
    it once without memory (on torch's ``meta`` device) to look at the shapes of its weights.
    """

    features: int
    """D, the values of a feature column."""
    step: int
    """Pixels of width per time step."""

    def output_length(self, width: int) -> int:
        """T for a line of `width` pixels: floor(width / step), the one formula."""
        return width // self.step

    def forward(self, images: Tensor, widths: Tensor | None) -> Tensor:
        """Features of a batch.

        Args:
            images: (B, 1, H, W), float32, right of each line's true width anything.
            widths: (B,) true widths in pixels, None if nothing is padded.

        Returns:
            (B, D, 1, T), T = floor(W / step). The first ``widths // step`` columns of a line must not depend on what
            stands right of it: set the columns beyond to zero after every convolution wider than 1, see `column_mask`.
        """
        raise NotImplementedError


class ConvBackbone(Backbone):
    """3x3 convolutions, each with max-pool, batch norm and ReLU, then one convolution over the height that is left.

    The pool comes before norm and ReLU: those two cost as much as the convolutions at full size (measured: a third of
    the training step of `crnn_small`), and a max-pool first leaves them a quarter of the values.

    After every convolution the columns right of each line's true width are set to zero, which is what the line would
    see at its edge if it were alone.

    Args:
        channels: output channels of each 3x3 convolution.
        pools: ``none``, ``2x2`` or ``2x1`` (height only) after each.
        features: D, channels of the last convolution.
        height: H of the pictures in pixels.
        column_pool: ``conv``: the last convolution is as high as what is left, so that a feature knows its row.
            ``max``: the largest of each column, then a 1x1 convolution: fewer weights, the same for any height, and a
            line may sit higher or lower.

    Raises:
        ConfigError: as `BackboneConfig.check`.
    """

    def __init__(
        self, channels: Sequence[int], pools: Sequence[str], features: int, height: int, column_pool: str = "conv"
    ) -> None:
        super().__init__()
        config = BackboneConfig(list(channels), list(pools), features, column_pool)
        config.check(height)
        rows, self.step = config.shrinkage  # the latter: pixels of width per time step
        shrink = [POOLS[pool] for pool in pools]
        self.features = features
        inputs = [1, *channels[:-1]]
        # the bias would be undone by the batch norm that follows
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in zip(inputs, channels, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for o in channels)
        self.pools = nn.ModuleList(nn.MaxPool2d(size) if size != (1, 1) else nn.Identity() for size in shrink)
        self.across = [across for _, across in shrink]
        self.column_pool = column_pool
        left = height // rows if column_pool == "conv" else 1
        self.last = nn.Conv2d(channels[-1], features, (left, 1), bias=False)
        self.last_norm = nn.BatchNorm2d(features)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor, widths: Tensor | None) -> Tensor:
        """(B, 1, H, W) -> (B, D, 1, T). Each pool drops an odd column, which makes T = floor(W / step)."""
        x = images  # (B, 1, H, W)
        if widths is not None:  # filled, not multiplied: what stands there may be anything, even NaN
            x = x.masked_fill(~column_mask(widths, x.shape[3]), 0.0)
        shrunk = 1
        for conv, norm, pool, across in zip(self.convs, self.norms, self.pools, self.across, strict=True):
            x = torch.relu(norm(pool(conv(x))))  # (B, channels, rows, columns)
            shrunk *= across
            if widths is not None:
                x = x * column_mask(widths // shrunk, x.shape[3])
        if self.column_pool == "max":
            x = x.amax(2, keepdim=True)  # (B, channels, 1, T); padded columns are zero in every row, and stay so
        return torch.relu(self.last_norm(self.last(x)))  # (B, D, 1, T)


BACKBONES: Registry[Callable[..., Backbone]] = Registry(
    "backbone", {"conv": ConvBackbone}, "crnn.model.backbones.Backbone"
)
"""Name -> class."""


def make_backbone(name: str, settings: Mapping[str, Any], height: int) -> Backbone:
    """The backbone of this name; one of an installed package is tried on a small picture first.

    Raises:
        ConfigError: if there is none, it refuses its settings, or it does not keep the contract.
    """
    make = BACKBONES.find(name)
    try:
        backbone = make(height=height, **settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"backbone {name!r} cannot be made with height={height}, {settings}: {error}") from None
    if name not in BACKBONES:
        _try(name, backbone, height)
    return backbone


@torch.no_grad()
def _try(name: str, backbone: object, height: int) -> None:
    """Refuse a backbone whose features have another shape than it says, or depend on what stands right of a line."""
    if not isinstance(backbone, Backbone) or min(backbone.features, backbone.step) < 1:
        raise ConfigError(f"backbone {name!r} is no crnn.model.backbones.Backbone with features and step of 1 or more")
    if torch.empty(0).is_meta:  # only the shapes of weights are asked for
        return
    step, width = backbone.step, 9 * backbone.step - 1  # which makes 8 columns
    images = torch.linspace(0, 1, height * 12 * step).view(1, 1, height, 12 * step)
    backbone.eval()
    alone, padded = backbone(images[..., :width], None), backbone(images, torch.tensor([width]))
    backbone.train()
    for given, columns in ((alone, 8), (padded, 12)):
        if given.shape != (1, backbone.features, 1, columns):
            raise ConfigError(
                f"backbone {name!r} makes {tuple(given.shape)} of a picture of {columns} time steps; (1, "
                f"{backbone.features}, 1, {columns}) is what its features={backbone.features} and step={step} promise"
            )
    if not torch.allclose(alone, padded[..., :8], atol=1e-4):
        raise ConfigError(
            f"backbone {name!r}: the features of a line depend on what stands right of it; set the columns beyond "
            "`widths` to zero after every convolution, see crnn.model.backbones.column_mask"
        )
