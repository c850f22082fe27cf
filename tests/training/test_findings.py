"""What is said about validation lines that no reading can get right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from tests_support import ListSource

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.module import PreparedLines
from crnn.data.sources.base import LineEntry
from crnn.training import findings

CHARSET, TRANSFORM = Charset.from_texts(["0123456789"]), LineTransform(32)


def said_of(*texts: str) -> list[str]:
    """Of lines of 16 x 16 pixels: eight time steps."""
    source = ListSource([LineEntry(text, f"val.tsv:{i + 1}", f"{i}.png") for i, text in enumerate(texts)])
    lines = PreparedLines(source, lambda _: np.full((len(texts), 2), 16, np.int32), [])
    said: list[str] = []
    folder: Any = SimpleNamespace(say=said.append)
    findings._say_unfit(lines, CHARSET, TRANSFORM, folder)
    return said


def test_labels_with_more_characters_than_time_steps_are_named() -> None:
    steps = TRANSFORM.scaled_width(16, 16) // TRANSFORM.multiple
    fits, long = "12" * steps, "12" * steps + "1"
    assert said_of(fits[:steps], "1") == []
    [note] = said_of("1", long, fits[: steps + 1], "x")  # x is none of the charset: another note's
    assert note.startswith(
        "note: 2 of 4 validation lines have more characters than time steps; they count as errors; the first is "
        f"val.tsv:2: '{long}' needs {2 * steps + 1} time steps, 16 x 16 pixels at height 32 give {steps}; "
    )
