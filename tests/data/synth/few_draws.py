"""Random draws that are, again and again, the very bounds between two choices."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FewDraws(np.random.Generator):
    """A seeded generator whose `random` knows a few values only; all else is drawn as ever.

    Args:
        seed: of the draws.
        values: that `random` gives, each as likely.
    """

    def __init__(self, seed: int, values: Sequence[float] | NDArray[np.float64]) -> None:
        super().__init__(np.random.PCG64(seed))
        self._values = np.array(values)

    def random(self, size: Any = None, *_: Any) -> Any:  # type: ignore[override]
        drawn = self._values[self.integers(len(self._values), size=size)]
        return float(drawn) if size is None else drawn


class Told:
    """In place of a generator: gives what it was told, in this order, and keeps the bounds it is asked for.

    Args:
        draws: numbers, or lists of them where several are drawn at once.
    """

    def __init__(self, *draws: Any) -> None:
        self.draws, self.asked = list(draws), []  # type: ignore[var-annotated]

    def _next(self, *bounds: Any, size: Any = None) -> Any:
        self.asked.append((*bounds, size) if size is not None else bounds)
        drawn = self.draws.pop(0)
        return drawn if size is None else np.array(drawn)

    def uniform(self, low: float, high: float, size: Any = None) -> Any:
        return self._next(low, high, size=size)

    def integers(self, *bounds: int, size: Any = None) -> Any:
        return self._next(*bounds, size=size)

    def random(self, size: Any = None) -> Any:
        return self._next(size=size)

    def standard_normal(self, size: Any, dtype: Any) -> Any:
        return self._next(size=size).astype(dtype)


def digest(rows: Iterable[object]) -> str:
    """Of all rows as text, short enough to be read."""
    return hashlib.sha256("\n".join(map(str, rows)).encode()).hexdigest()[:12]
