"""Texts from a user's own lines: whole, or new ones that a model of their characters writes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from crnn.errors import ConfigError, DataError

MOST_ORDER = 12
"""Characters of the longest context."""
_TRIES = 20
_EDGE = "\n"  # stands before the first and after the last character of a line; no line has it inside


class LineModel:
    """Writes new lines of which every part of ``order + 1`` characters stands in some line that it has seen.

    Args:
        lines: to learn from, without line breaks.
        order: how many characters decide about the next; the more, the closer new lines are to old ones.
        avoid: lines never to write, such as held-out ones.
    """

    def __init__(self, lines: Iterable[str], order: int, avoid: Iterable[str] = ()) -> None:
        self.order = order
        self._avoid = frozenset(avoid)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for line in lines:
            padded = _EDGE * order + line + _EDGE
            for i in range(order, len(padded)):
                counts[padded[i - order : i]][padded[i]] += 1
        self._next = {context: ("".join(found), np.cumsum(list(found.values()))) for context, found in counts.items()}

    def __call__(self, rng: np.random.Generator, longest: int) -> str:
        """A new line, cut after `longest` characters; empty if only lines to avoid could be written."""
        for _ in range(_TRIES):
            line = self._line(rng, longest)
            if line and line not in self._avoid:
                return line
        return ""

    def _line(self, rng: np.random.Generator, longest: int) -> str:
        written = _EDGE * self.order
        while len(written) < self.order + longest:
            follow, steps = self._next[written[len(written) - self.order :]]
            sign = follow[int(np.searchsorted(steps, rng.integers(int(steps[-1])), side="right"))]
            if sign == _EDGE:
                break
            written += sign
        return written[self.order :].strip()


def check_order(order: int, given: bool) -> None:
    """Refuse an order out of range, or one with no lines to learn from, with a ConfigError."""
    if not 0 <= order <= MOST_ORDER:
        raise ConfigError(f"data.rendered.text_order={order}: must be 0 (whole lines only) .. {MOST_ORDER}")
    if order and not given:
        raise ConfigError(
            f"data.rendered.text_order={order}: needs lines to learn from; give data.rendered.text_file=FILE, or "
            "text_file=labels beside real lines"
        )


def divided(
    lines: Iterable[str], fit: Callable[[str], str], where: str, min_length: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(lines for training, held-out lines): each once however often it stands there, every tenth held out.

    Args:
        lines: as they are.
        fit: leaves what can be rendered of one, or nothing.
        where: they come from, for messages.
        min_length: that `fit` asks for, for messages.

    Raises:
        DataError: for fewer than two different ones.
    """
    own: Sequence[str] = [line for line in dict.fromkeys(map(fit, lines)) if line]
    if len(own) < 2:
        raise DataError(
            f"{where}: has {len(own)} different lines that can be used; at least 2 are needed, of "
            f"{min_length} or more of the allowed characters"
        )
    return tuple(line for i, line in enumerate(own) if i % 10), tuple(own[::10])
