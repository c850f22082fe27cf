"""Rendered lines as settings ask for them: their characters, and their texts from real labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from crnn.core.charsets import NAMES, SET_PREFIX, named_set
from crnn.data.labels import label_problem
from crnn.data.recorded import RENDERED
from crnn.data.sources import LineSource
from crnn.data.sources.columns import readable_labels
from crnn.data.synth.source import drawable
from crnn.data.synth.text import PRINTABLE_ASCII
from crnn.errors import ConfigError
from crnn.training.characters import listed_characters
from crnn.training.checks import choice
from crnn.training.config import TrainConfig
from crnn.training.run_folder import RunFolder

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
    texts = (text for source in real for text in readable_labels(source) if label_problem(text) is None)
    return list(islice(dict.fromkeys(texts), MOST_LABELS))


def drawn_characters(config: TrainConfig, own: Sequence[str] | None, folder: RunFolder) -> str:
    """The characters of rendered lines: as set, of the charset, of the labels they repeat, or printable ASCII.

    With `init` those of the model that fonts draw; a resumed run keeps those it began with.

    Raises:
        ConfigError: for an unknown ``set:NAME``.
    """
    setting = config.data.rendered.characters
    if setting and setting.startswith(SET_PREFIX):
        choice("data.rendered.characters", setting, tuple(SET_PREFIX + name for name in NAMES))
        return "".join(named_set(setting.removeprefix(SET_PREFIX)))
    if setting:
        return setting
    if config.resume and (before := folder.read_json("data.json").get("rendered")):
        return str(before["characters"])
    listed = listed_characters(config.charset)
    if not listed:
        return "".join(sorted({c for text in own for c in " ".join(text.split())})) if own else PRINTABLE_ASCII
    if not config.init:
        return "".join(listed)
    drawn = drawable(listed, config.data.rendered.fonts)
    if left_out := len(listed) - len(drawn):
        folder.say(f"note: rendered lines have {len(drawn)} characters; {left_out} too few fonts here draw")
    return drawn


def rendered_options(config: TrainConfig, characters: str) -> dict[str, Any]:
    """Plain arguments of `synthetic_pair`: training lines and validation lines in different fonts and words."""
    settings = vars(config.data.rendered)
    text_file = settings["text_file"]
    own_file = str(Path(text_file).absolute()) if text_file and text_file != LABELS else None
    return {
        **settings,
        "languages": list(settings["languages"]),
        "seed": config.seed,
        "characters": characters,
        "text_file": own_file,
    }
