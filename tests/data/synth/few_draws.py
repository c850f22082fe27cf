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


def digest(rows: Iterable[object]) -> str:
    """Of all rows as text, short enough to be read."""
    return hashlib.sha256("\n".join(map(str, rows)).encode()).hexdigest()[:12]
