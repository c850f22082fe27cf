"""The settings that describe a network; without torch, so that a wrong one is refused at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from crnn.errors import ConfigError

MAX_SIZE = 8192
"""Largest number of channels, features or hidden units that a model file may ask for."""
MAX_LAYERS = 64


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


@dataclass
class NetworkConfig:
    """What rebuilds a network, besides its charset."""

    name: str = "crnn"
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    lstm: LstmConfig = field(default_factory=LstmConfig)

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
