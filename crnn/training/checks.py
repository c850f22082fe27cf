"""Whether settings can be what they are, before anything is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crnn.core.charsets import NAMES, SET_PREFIX
from crnn.core.text import CHOICES
from crnn.core.transform import LineTransform
from crnn.data.sources.views import MOST_WEIGHT
from crnn.data.split import SplitRule
from crnn.data.synth.source import check_lengths
from crnn.errors import ConfigError
from crnn.machine import MOST_THREADS

if TYPE_CHECKING:
    from crnn.training.config import CharsetConfig, RenderedConfig, TrainConfig


MOST_WORKERS = 256
"""Processes that load lines."""


def check_settings(config: TrainConfig) -> None:
    """Refuse what cannot be, or contradicts something else, with a ConfigError that names the setting, its value and
    what is allowed."""
    choice("loss.reduction", config.loss.reduction, ("batch", "mean", "sum"))
    choice("finetune", config.finetune, ("full", "head_first"))
    if config.finetune == "head_first" and config.init is None:
        raise ConfigError("finetune=head_first: is for a training from a model; name it with init=..., or leave it out")
    choice("data.unknown", config.data.unknown, ("error", "drop"))
    choice("data.cache", config.data.cache, ("none", "memory", "disk"))
    check_charset(config.charset)
    choice("trainer.strategy", config.trainer.strategy, ("auto", "ddp"))
    choice("trainer.precision", config.trainer.precision, ("auto", "32-true", "bf16-mixed", "16-mixed"))
    if config.model.lstm.proj_size and config.export.format == "onnx":
        raise ConfigError(
            f"model.lstm.proj_size={config.model.lstm.proj_size}: ONNX has no LSTM with projections; "
            "set export.format=safetensors, or proj_size=0"
        )
    check_concat(config.augment.concat, config.image.width, config.charset.direction)
    above("trainer.wait_minutes", config.trainer.wait_minutes, 0)
    above("data.cache_mb", config.data.cache_mb, 0)
    above("data.max_width", config.data.max_width, 0)
    above("data.batch_pixels", config.data.batch_pixels, 0)
    above("optimizer.lr", config.optimizer.peak, 0)
    at_least("optimizer.lr", config.optimizer.peak, 0)  # and finite
    above("optimizer.clip", config.optimizer.clip, 0)
    at_least("optimizer.weight_decay", config.optimizer.weight_decay, 0)
    above("stop.patience", config.stop.patience, -1)
    at_least("stop.min_delta", config.stop.min_delta, 0)
    at_least("trainer.num_nodes", config.trainer.num_nodes, 1)
    not_empty({"data.root": config.data.root, "init": config.init, "runs_dir": config.runs_dir, "name": config.name})
    check_rendered(config.data.rendered)
    check_weights(config.data.weights or ())
    SplitRule(**vars(config.split))  # refuses what is no rule
    if not 0 <= config.seed < 2**32:
        raise ConfigError(f"seed={config.seed}: must be 0 or more and below {2**32}")
    above("data.workers", config.data.workers or 0, -1)
    if (config.data.workers or 0) > MOST_WORKERS:
        raise ConfigError(f"data.workers={config.data.workers}: each is a process; at most {MOST_WORKERS} are started")
    if (config.trainer.threads or 0) > MOST_THREADS:
        raise ConfigError(f"trainer.threads={config.trainer.threads}: at most {MOST_THREADS} are started")
    for name, number in (
        ("data.batch_size", config.data.batch_size),
        ("trainer.max_epochs", config.trainer.max_epochs),
        ("trainer.max_minutes", config.trainer.max_minutes),
        ("trainer.checkpoint_every", config.trainer.checkpoint_every),
        ("trainer.threads", config.trainer.threads),
    ):
        if number is not None:
            above(name, number, 0)
    for name, value in (
        ("loss.shortcut", config.loss.shortcut),
        ("loss.smoothing", config.loss.smoothing),
        ("optimizer.warmup", config.optimizer.warmup),
        ("optimizer.final", config.optimizer.final),
        ("ema.decay", config.ema.decay),
        ("data.max_dropped", config.data.max_dropped),
    ):
        if not 0 <= value < 1:
            raise ConfigError(f"{name}={value}: must be 0 or more and below 1")


def check_network(config: TrainConfig) -> None:
    """Refuse a network that cannot be, or pictures that it cannot take, with a ConfigError.

    With ``init`` both are the model's, and a backbone of an installed package is tried when it is made.
    """
    if config.init is not None:
        return
    image, backbone = config.image, config.model.backbone
    config.model.check(image.height)
    if backbone.name == "conv":
        LineTransform(image.height, image.width, multiple=backbone.shrinkage[1])


def check_export(config: TrainConfig) -> None:
    """Refuse a format of model files that is not there, with a ConfigError."""
    if config.export.format != "none":
        from crnn.export.export import FORMATS  # loads torch: what else is wrong has been said by now

        FORMATS.find(config.export.format, f"export.format={config.export.format}:", ("none",))


def choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a value that is not among `allowed` with a ConfigError."""
    if value not in allowed:
        raise ConfigError(f"{name}={value}: is unknown; allowed are {', '.join(allowed)}")


def above(name: str, value: float, bound: float) -> None:
    """Refuse a value that is not above `bound` with a ConfigError."""
    if not value > bound:
        raise ConfigError(f"{name}={value}: must be above {bound}")


def at_least(name: str, value: float, bound: float) -> None:
    """Refuse a value that is not finite, or below `bound`, with a ConfigError."""
    if not bound <= value < math.inf:
        raise ConfigError(f"{name}={value}: must be a number of {bound} or more")


def check_weights(weights: Sequence[float]) -> None:
    """Refuse weights of training sources by which one would never be read, with a ConfigError."""
    for weight in weights:
        if not 0 < weight <= MOST_WEIGHT:
            raise ConfigError(
                f"data.weights={list(weights)}: {weight} is no weight; each must be above 0 and {MOST_WEIGHT} at most; "
                "to leave a source out, take it from data.train"
            )


def not_empty(settings: Mapping[str, str | None]) -> None:
    """Refuse the first that is an empty text, with a ConfigError: read as a path, that is the current folder."""
    for name, value in settings.items():
        if value == "":
            raise ConfigError(f"{name}=: is empty; is a variable of the command line not set? (null leaves it out)")


def check_rendered(rendered: RenderedConfig) -> None:
    """Refuse numbers by which no line can be rendered, with a ConfigError."""
    at_least("data.rendered.lines", rendered.lines, 1)
    at_least("data.rendered.val_lines", rendered.val_lines, 1)
    at_least("data.rendered.short_epochs", rendered.short_epochs, 0)
    if not 0 <= rendered.wear <= 1:
        raise ConfigError(f"data.rendered.wear={rendered.wear}: must be 0..1")
    check_lengths(rendered.min_length, rendered.max_length)


def check_concat(share: float, width: int | None, direction: str) -> None:
    """Refuse lines side by side where that has no meaning, with a ConfigError."""
    if share and width is not None:
        raise ConfigError(
            f"augment.concat={share}: image.width={width} would squeeze two lines into the width of one; set "
            "image.width=null or augment.concat=0"
        )
    if share and direction != "ltr":
        raise ConfigError(
            f"augment.concat={share}: joins lines that run from left to right, and charset.direction={direction}; "
            "set augment.concat=0"
        )


def check_charset(charset: CharsetConfig) -> None:
    """Refuse unknown rules and sets, and settings that contradict each other, with a ConfigError that names them."""
    for name, allowed in CHOICES.items():
        choice(f"charset.{name}", getattr(charset, name), allowed)
    choice("charset.unit", charset.unit, ("grapheme", "codepoint"))
    above("charset.min_count", charset.min_count, 0)
    named = [name for name in ("source", "symbols") if getattr(charset, name) is not None]
    if len(named) > 1:
        raise ConfigError(
            f"charset.source={charset.source}: charset.symbols names the characters too; give one of them, and further "
            "characters with charset.extra"
        )
    if named and charset.min_count > 1:
        raise ConfigError(
            f"charset.min_count={charset.min_count}: counts characters of the training labels, but charset.{named[0]} "
            "names them; leave one of them out"
        )
    if charset.source is not None and charset.source.startswith(SET_PREFIX):
        choice("charset.source", charset.source, tuple(SET_PREFIX + name for name in NAMES))
