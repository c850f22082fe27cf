"""Whether settings can be what they are, before anything is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crnn.core.charsets import NAMES, SET_PREFIX
from crnn.core.text import CHOICES
from crnn.data.sources.views import MOST_WEIGHT
from crnn.data.synth.source import check_lengths
from crnn.errors import ConfigError

if TYPE_CHECKING:
    from crnn.training.config import CharsetConfig, RenderedConfig


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
