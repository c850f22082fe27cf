"""What can be wrong with a label, whatever its picture shows. Runs without torch."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Mapping

from crnn.core.charset import Charset, describe, required_steps
from crnn.core.text import TextRules
from crnn.core.transform import MAX_HEIGHT, LineTransform
from crnn.errors import CharsetError, printable

EMPTY_LABEL = "empty label"
CONTROL_CHARACTER = "control character in the label"
UNKNOWN_CHARACTER = "character not in the charset"
CANNOT_FIT = "label cannot fit its width"
SHOWN = 100
"""Characters of a label in a message, at most: what to do about it stands behind them."""
LONE_SURROGATE = "lone surrogate"
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character in UTF-16, which JSON can spell and no file in UTF-8 can hold."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
"""A control character: Unicode's category Cc."""


def label_problem(text: str) -> tuple[str, str] | None:
    """(reason, detail) of a label that no model can learn, or None."""
    if not text.strip():
        return EMPTY_LABEL, "write what the picture says, or remove the line"
    control = CONTROL.search(text)
    if control:
        return CONTROL_CHARACTER, f"U+{ord(control[0]):04X} at position {control.start() + 1}; remove it"
    half = SURROGATE.search(text)
    if half:
        return LONE_SURROGATE, f"U+{ord(half[0]):04X} at position {half.start() + 1}; write the whole character"
    return None


def runs_against(counts: Mapping[str, int], rules: TextRules) -> str:
    """What there is to say where most letters run from right to left and `rules` let lines run from left to right.

    Such labels begin where their pictures end, and nothing is learned from them.

    Args:
        counts: of each symbol in the labels.
        rules: of the model.
    """
    ways: Counter[bool] = Counter()
    for symbol, count in counts.items():
        if (way := unicodedata.bidirectional(symbol[0])) in ("L", "R", "AL"):
            ways[way != "L"] += count
    if rules.direction != "ltr" or ways[True] <= ways[False]:
        return ""
    return (
        f"{ways[True] / ways.total():.0%} of the letters run from right to left, and lines are taken to run from left "
        "to right: set charset.direction=rtl, or auto where some lines do"
    )


def fit_problem(text: str, charset: Charset, size: tuple[int, int], transform: LineTransform) -> tuple[str, str] | None:
    """(reason, detail) of a label with unknown characters or more of them than CTC can place, or None."""
    try:
        labels = charset.encode(text)
    except CharsetError:
        unknown = charset.unknown(text)
        quoted = shlex.quote(f"charset.extra={''.join(unknown)}")
        named = ", ".join(describe(symbol) for symbol in unknown[:3])
        return UNKNOWN_CHARACTER, f"{named} not among {len(charset)}; add with {quoted}"
    if not labels:  # by the charset's rules nothing is left of it
        shown = printable(repr(text), SHOWN)
        return EMPTY_LABEL, f"{shown} holds nothing but what the text rules take away; remove the line"
    needed = required_steps(labels)
    width = transform.scaled_width(*size)
    if needed > width // transform.multiple:
        scaled = f"height {transform.height}" if transform.width is None else f"image.width {transform.width}"
        return CANNOT_FIT, (
            f"{printable(repr(text), SHOWN)} needs {needed} time steps, {size[0]} x {size[1]} pixels at {scaled} give "
            f"{width // transform.multiple}; is the label right? {_room_for(needed, size, transform)}"
        )
    return None


def _room_for(needed: int, size: tuple[int, int], transform: LineTransform) -> str:
    """The setting with which a picture of `size` has `needed` time steps, as a remedy."""
    if transform.width is not None:
        return f"else raise image.width to {needed * transform.multiple}"
    height = -(-needed * transform.multiple * size[1] // size[0] // 16) * 16
    if height > MAX_HEIGHT:
        return f"no image.height up to {MAX_HEIGHT} gives as many; correct or remove the line"
    return f"else raise image.height to {height}"
