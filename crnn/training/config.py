"""The schema of all settings. The defaults that users see, with their comments, stand in ``configs/train.yaml``."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from crnn.data.augment_config import AugmentConfig
from crnn.data.recorded import RENDERED
from crnn.errors import ConfigError
from crnn.model.config import NetworkConfig
from crnn.models import NAMES
from crnn.training.checks import check_export, check_network, check_settings

AUTO = "auto"
"""``init``: see `settled_init`."""
BUNDLED_NETWORK = "crnn_small"
"""The settings of the model in the box, in ``configs/model``; its pictures are `ImageConfig`'s."""


LR, LR_FROM_MODEL = 2e-3, 1e-3
"""Peak learning rates from random weights, and from a model's."""


@dataclass
class ImageConfig:
    """Size of the pictures that the network reads."""

    height: int = 32
    width: int | None = None


@dataclass
class CharsetConfig:
    """Characters, and the text rules of labels; see `crnn.training.characters`."""

    source: str | None = None
    symbols: str | None = None
    extra: str = ""
    grow: bool = False
    min_count: int = 1
    form: str = "NFC"
    unit: str = "grapheme"
    whitespace: str = "keep"
    case: str = "keep"
    direction: str = "ltr"


@dataclass
class RenderedConfig:
    """Lines rendered on the fly; see `crnn.data.synth`."""

    lines: int = 4096
    val_lines: int = 400
    fonts: str = "auto"
    characters: str | None = None
    languages: list[str] = field(default_factory=lambda: ["en"])
    text_file: str | None = None
    text_order: int = 0
    min_length: int = 1
    max_length: int = 28
    short_epochs: int = 3
    wear: float = 1.0


@dataclass
class DataConfig:
    """Lines to train and validate on, and how they come in batches."""

    root: str | None = None
    train: Any = None
    """A path or a list of paths."""
    val: Any = None
    weights: list[float] | None = None
    name_pattern: str | None = None
    text_column: str | None = None
    image_column: str | None = None
    unknown: str = "error"
    max_dropped: float = 0.02
    max_width: int = 4096
    decode_check: bool = True
    trim: bool | None = None
    cache: str = "none"
    cache_mb: float = 2048
    batch_size: int | None = None
    batch_pixels: int = 1048576
    workers: int | None = None
    rendered: RenderedConfig = field(default_factory=RenderedConfig)


@dataclass
class SplitConfig:
    """Which lines are held out, where none are named for validation; see `crnn.data.split`."""

    by: str = "auto"
    pattern: str | None = None
    share: float = 0.1
    test_share: float = 0.0


@dataclass
class LossConfig:
    """Parts of the loss; see `crnn.training.loss`."""

    reduction: str = "batch"
    shortcut: float = 0.1
    smoothing: float = 0.0


@dataclass
class OptimizerConfig:
    """AdamW and the course of its learning rate."""

    lr: float | None = None
    """The highest of its course; None is what `LR` says."""
    weight_decay: float = 1e-2
    warmup: float = 0.1
    final: float = 0.001
    clip: float = 5.0
    fused: bool = True

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        return LR if self.lr is None else self.lr


@dataclass
class EmaConfig:
    """Averaged weights; see `crnn.training.averaging`."""

    enabled: bool = False
    decay: float = 0.999


@dataclass
class StopConfig:
    """When to stop before the last epoch."""

    patience: int = 0
    min_delta: float = 0.0


@dataclass
class TrainerConfig:
    """Length, processes, precision and progress of a training."""

    max_epochs: int | None = None
    max_minutes: float | None = None
    accelerator: str = "auto"
    devices: Any = "auto"
    num_nodes: int = 1
    strategy: str = "auto"
    wait_minutes: float = 30.0
    precision: str = "auto"
    threads: int | None = None
    channels_last: bool = True
    checkpoint_every: int | None = None
    progress: bool = True


@dataclass
class ExportConfig:
    """The model file at the end."""

    format: str = "onnx"


@dataclass
class TrainConfig:
    """All settings of a training."""

    name: str | None = None
    runs_dir: str = "runs"
    resume: str | None = None
    init: str | None = None
    finetune: str = "full"
    seed: int = 1
    model: NetworkConfig = field(default_factory=NetworkConfig)
    image: ImageConfig = field(default_factory=ImageConfig)
    charset: CharsetConfig = field(default_factory=CharsetConfig)
    data: DataConfig = field(default_factory=DataConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    ema: EmaConfig = field(default_factory=EmaConfig)
    stop: StopConfig = field(default_factory=StopConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    export: ExportConfig = field(default_factory=ExportConfig)


def default_model() -> str:
    """``crnn`` where there is a GPU, ``crnn_small`` where there is none."""
    import torch

    return "crnn" if torch.cuda.is_available() else "crnn_small"


def schema() -> DictConfig:
    """All settings with their types; anything else is refused."""
    made: DictConfig = OmegaConf.structured(TrainConfig)
    for free in (made.augment.extra, made.model.backbone.options):  # names of installed parts; checked by those
        OmegaConf.set_struct(free, False)
    return made


def register() -> None:
    """Make schema and resolvers known to Hydra; may be called again."""
    ConfigStore.instance().store(name="schema", node=schema())
    OmegaConf.register_new_resolver("crnn.default_model", default_model, replace=True)


def config_folder() -> str:
    """The folder of the configuration files: ``configs/`` of the source tree this file lies in, or ``crnn.configs``.

    Raises:
        ConfigError: if neither is there.
    """
    tree = Path(__file__).parents[2]
    spec = importlib.util.find_spec("crnn.configs")
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    if (tree / "pyproject.toml").is_file():  # else beside this package lie other people's packages
        places.insert(0, tree / "configs")
    for place in places:
        if (place / "train.yaml").is_file():
            return str(place)
    raise ConfigError(f"train.yaml is in none of {', '.join(map(str, places))}; reinstall crnn")


def listed_paths(setting: object) -> list[str]:
    """The paths of ``data.train`` or ``data.val``: one, several or none."""
    return [setting] if isinstance(setting, str) else [str(path) for path in setting or []]  # type: ignore[attr-defined]


def settled_init(config: TrainConfig) -> str | None:
    """What ``init`` stands for.

    ``auto`` is the model in the box where there are real lines to train on, and network and pictures are its own: what
    is printed is read better from there, the fewer the lines the more (scripts/README.md).
    """
    if config.init != AUTO:
        return config.init
    real = config.data.root or any(path != RENDERED for path in listed_paths(config.data.train))
    if not real or config.image != ImageConfig():
        return None
    own = OmegaConf.load(Path(config_folder()) / "model" / f"{BUNDLED_NETWORK}.yaml")
    return NAMES[0] if config.model == OmegaConf.to_object(OmegaConf.merge(NetworkConfig(), own)) else None


def settled(config: TrainConfig) -> TrainConfig:
    """The settings with what `init` stands for, and a number for the learning rate."""
    config = replace(config, init=settled_init(config))
    own = LR_FROM_MODEL if config.init else LR
    lr = own if config.optimizer.lr is None else config.optimizer.lr
    return replace(config, optimizer=replace(config.optimizer, lr=lr))


def to_config(node: Any) -> TrainConfig:
    """A plain `TrainConfig` from a composed Hydra config, checked across settings.

    What it starts from and the learning rate are settled, where settings leave them open.

    Raises:
        ConfigError: naming the setting, its value and what is allowed.
    """
    config = OmegaConf.to_object(node)
    assert isinstance(config, TrainConfig)  # noqa: S101  # for mypy
    config = settled(config)
    check_settings(config)
    check_network(config)
    check_export(config)
    return config
