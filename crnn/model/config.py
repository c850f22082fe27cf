"""The settings that describe a network; without torch, so that a wrong one is refused at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from crnn.errors import ConfigError

MAX_SIZE = 8192
"""Largest number of channels, features or hidden units that a model file may ask for."""
MAX_LAYERS = 64
POOLS = {"none": (1, 1), "2x2": (2, 2), "2x1": (2, 1)}
"""Name -> how much height and width shrink."""
COLUMN_POOLS = ("conv", "max")
"""How the rows that are left become one."""


@dataclass
class BackboneConfig:
    """Which backbone: ours, with the arguments of `ConvBackbone` but the height; or one that an installed package adds.

    The latter (`name` is not ``conv``) takes `options` alone.
    """

    channels: list[int] = field(default_factory=lambda: [64, 128, 256, 256, 512, 512])
    pools: list[str] = field(default_factory=lambda: ["2x2", "2x2", "none", "2x1", "none", "2x1"])
    features: int = 512
    column_pool: str = "conv"
    name: str = "conv"
    options: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """The arguments of the backbone; raises ConfigError for options of ours, which has none."""
        own = asdict(self)
        name, options = own.pop("name"), own.pop("options")
        if name == "conv" and options:
            raise ConfigError(
                f"model.backbone.options={options}: are for backbones of installed packages (model.backbone.name); "
                f"conv has {', '.join(own)}"
            )
        return own if name == "conv" else options

    @property
    def shrinkage(self) -> tuple[int, int]:
        """By how much ours shrinks (height, width); the latter is its pixels of width per time step."""
        sizes = [POOLS[pool] for pool in self.pools]
        return math.prod(down for down, _ in sizes), math.prod(across for _, across in sizes)

    def check(self, height: int) -> None:
        """Refuse what ours cannot be made of; of a package's own nothing is known here.

        Args:
            height: H of the pictures in pixels.

        Raises:
            ConfigError: if the lists differ in length, a pool or column pool is unknown, a size is not positive, or
                the height does not divide.
        """
        self.settings()
        if self.name != "conv":
            return
        if len(self.channels) != len(self.pools) or not self.channels:
            raise ConfigError(
                f"backbone: {len(self.channels)} channels, {len(self.pools)} pools; each convolution needs one"
            )
        unknown = [pool for pool in self.pools if pool not in POOLS]
        if unknown:
            raise ConfigError(f"backbone.pools: {unknown[0]!r} is unknown; allowed are {', '.join(POOLS)}")
        if self.column_pool not in COLUMN_POOLS:
            raise ConfigError(
                f"backbone.column_pool: {self.column_pool!r} is unknown; allowed are {', '.join(COLUMN_POOLS)}"
            )
        if min(*self.channels, self.features) < 1:
            raise ConfigError("backbone.channels and backbone.features must be 1 or more")
        rows, _ = self.shrinkage
        if height < rows or height % rows:
            raise ConfigError(
                f"image.height={height}: this backbone needs a multiple of {rows} (such as 32, 48, 64, 96)"
            )

    def to_dict(self) -> dict[str, Any]:
        """What a model card keeps."""
        return self.settings() if self.name == "conv" else {"name": self.name, "options": self.settings()}


@dataclass
class LstmConfig:
    """Every parameter of `torch.nn.LSTM` that is a choice; `input_size` follows from the backbone.

    `batch_first` is not one: it changes the layout only, and the layout here is (T, B, D).
    """

    hidden_size: int = 256
    num_layers: int = 2
    bias: bool = True
    dropout: float = 0.0
    bidirectional: bool = True
    proj_size: int = 0

    def check(self) -> None:
        """Refuse what `torch.nn.LSTM` would refuse, and dropout that nothing would drop, with a ConfigError."""
        if self.hidden_size < 1 or self.num_layers < 1:
            raise ConfigError("lstm.hidden_size and lstm.num_layers must be 1 or more")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"lstm.dropout={self.dropout}: must be 0 or more and below 1")
        if self.dropout and self.num_layers == 1:
            raise ConfigError("lstm.dropout acts between layers and lstm.num_layers=1 has none; set lstm.dropout=0")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ConfigError(
                f"lstm.proj_size={self.proj_size}: must be 0 (off) or below {self.hidden_size}, hidden_size"
            )


@dataclass
class NetworkConfig:
    """What rebuilds a network, besides its charset."""

    name: str = "crnn"
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    lstm: LstmConfig = field(default_factory=LstmConfig)

    def check(self, height: int) -> None:
        """Refuse what no network can be made of, at pictures of `height` pixels, with a ConfigError."""
        self.backbone.check(height)
        self.lstm.check()

    def to_dict(self) -> dict[str, Any]:
        """For a card: plain values."""
        return {"name": self.name, "backbone": self.backbone.to_dict(), "lstm": asdict(self.lstm)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NetworkConfig:
        """Rebuild from stored values; raises ConfigError for anything that is not a network of reasonable size."""
        try:
            config = cls(str(data["name"]), BackboneConfig(**data["backbone"]), LstmConfig(**data["lstm"]))
            backbone, lstm = config.backbone, config.lstm
            if not isinstance(backbone.name, str) or not isinstance(backbone.options, dict):
                raise TypeError("a backbone has a name, and options by name")
            if type(lstm.bidirectional) is not bool:
                raise TypeError(f"bidirectional is {lstm.bidirectional!r}, neither true nor false")
            sizes = [*backbone.channels, backbone.features, lstm.hidden_size, lstm.num_layers, lstm.proj_size]
        except (KeyError, TypeError) as error:
            raise ConfigError(f"not the description of a network: {error}") from None
        if not all(type(size) is int and 0 <= size <= MAX_SIZE for size in sizes) or lstm.num_layers > MAX_LAYERS:
            raise ConfigError(f"not the description of a network: sizes must be whole numbers up to {MAX_SIZE}")
        if len(backbone.channels) > MAX_LAYERS:
            raise ConfigError(f"not the description of a network: more than {MAX_LAYERS} convolutions")
        return config
