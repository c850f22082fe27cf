"""Rendered lines as settings ask for them: their characters, and their texts from real labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from crnn.core.charsets import NAMES, named_set
from crnn.data.labels import label_problem
from crnn.data.sources import LineSource
from crnn.data.sources.columns import labels
from crnn.data.synth.source import synthetic_pair
from crnn.data.synth.text import PRINTABLE_ASCII
from crnn.errors import ConfigError
from crnn.training.characters import listed_characters
from crnn.training.checks import SET_PREFIX, choice
from crnn.training.config import TrainConfig

RENDERED = "rendered"
"""Stands for lines rendered on the fly in a list of training lines."""
LABELS = "labels"
"""Stands for the labels of the real training lines in `data.rendered.text_file`."""
MOST_LABELS = 500_000
"""So many different ones are rendered anew."""


def own_labels(config: TrainConfig, real: Sequence[LineSource]) -> list[str] | None:
    """Labels of the real training lines, each once, if they are to be rendered anew; else None.

    Raises:
        ConfigError: where there are no real lines.
    """
    if config.data.rendered.text_file != LABELS:
        return None
    if not real:
        raise ConfigError(
            f"data.rendered.text_file={LABELS}: there are no real lines to take labels from; add them, "
            f"data.train=[FOLDER,{RENDERED}], or give a text file (one of that name as ./{LABELS})"
        )
    texts = (text for source in real for text in labels(source) if label_problem(text) is None)
    return list(islice(dict.fromkeys(texts), MOST_LABELS))


def drawn_characters(config: TrainConfig, own: Sequence[str] | None) -> str:
    """The characters of rendered lines: as set, of the charset, of the labels they repeat, or printable ASCII.

    Raises:
        ConfigError: for an unknown ``set:NAME``.
    """
    setting = config.data.rendered.characters
    if setting and setting.startswith(SET_PREFIX):
        choice("data.rendered.characters", setting, tuple(SET_PREFIX + name for name in NAMES))
        return "".join(named_set(setting.removeprefix(SET_PREFIX)))
    listed = listed_characters(config.charset)
    if setting or listed:
        return setting or "".join(listed or ())
    return "".join(sorted({c for text in own for c in " ".join(text.split())})) if own else PRINTABLE_ASCII


def rendered_pair(config: TrainConfig, characters: str, own: Sequence[str] | None) -> tuple[LineSource, LineSource]:
    """(endless training lines, validation lines) in different fonts and words."""
    rendered = config.data.rendered
    return synthetic_pair(
        lines=rendered.lines,
        val_lines=rendered.val_lines,
        seed=config.seed,
        characters=characters,
        fonts=rendered.fonts,
        text_file=Path(rendered.text_file) if rendered.text_file and own is None else None,
        min_length=rendered.min_length,
        max_length=rendered.max_length,
        wear=rendered.wear,
        short_epochs=rendered.short_epochs,
        languages=rendered.languages,
        labels=own,
        text_order=rendered.text_order,
    )
