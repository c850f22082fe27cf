"""Sources made of sources: some lines of one, several one after the other, a mixture with weights."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.labels import fit_problem
from crnn.data.sources.base import SPARE, Content, LineEntry, LineSource
from crnn.data.sources.indexed import IndexedSource
from crnn.errors import DataError

MOST_WEIGHT = 1000
"""Of a source in a mixture."""


class View:
    """A source whose lines are those of other sources; a subclass says which."""

    name: str
    endless = False

    def find(self, position: int) -> tuple[LineSource, int]:
        """The source of a line, and its position there."""
        raise NotImplementedError

    def entry(self, position: int) -> LineEntry:
        source, inner = self.find(position)
        return source.entry(inner)

    def size(self, position: int) -> tuple[int, int]:
        source, inner = self.find(position)
        return source.size(inner)

    def content(self, position: int) -> Content:
        source, inner = self.find(position)
        return source.content(inner)

    def picture(self, position: int) -> Image.Image:
        source, inner = self.find(position)
        return source.picture(inner)


class Selection(View):
    """The lines of `source` at `positions`."""

    def __init__(self, source: LineSource, positions: ArrayLike) -> None:
        self.name = source.name
        self.source = source
        self.positions: NDArray[np.int64] = np.asarray(positions, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.positions)

    def find(self, position: int) -> tuple[LineSource, int]:
        return self.source, int(self.positions[position])


class Whole(View):
    """All lines of one source; a subclass makes their pictures otherwise."""

    def __init__(self, source: LineSource) -> None:
        self.name = source.name
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def find(self, position: int) -> tuple[LineSource, int]:
        return self.source, position


def together(sources: Sequence[LineSource]) -> LineSource:
    """One source of one or several: all their lines, in order."""
    return sources[0] if len(sources) == 1 else Concatenation(sources)


class Concatenation(View):
    """All lines of several sources, in order."""

    def __init__(self, sources: Sequence[LineSource]) -> None:
        self.name = " + ".join(source.name for source in sources)
        self.sources = list(sources)
        self._ends = list(accumulate(len(source) for source in sources))

    def __len__(self) -> int:
        return self._ends[-1]

    def find(self, position: int) -> tuple[LineSource, int]:
        which = bisect_right(self._ends, position)
        return self.sources[which], position - (self._ends[which - 1] if which else 0)


def with_format(source: LineSource) -> str:
    """For messages: ``my_lines/train (labels.tsv)``, or the name alone where no format is known."""
    if isinstance(source, Concatenation):
        return " + ".join(map(with_format, source.sources))
    if isinstance(source, Selection):
        return with_format(source.source)
    format = source.format if isinstance(source, IndexedSource) else ""
    return f"{source.name} ({format})" if format else source.name


class Share(NamedTuple):
    """A source in a `Mixture`."""

    source: LineSource
    weight: float
    """How often each of its lines comes in an epoch: 1 once, 3 three times, 0.25 in every fourth epoch."""


class Mixture(View):
    """Lines of several sources, each as often as its weight says; an endless source.

    Within a source no line comes again before all others have come as often, whatever the weight.

    Args:
        shares: sources and weights.
        seed: of the order in which a source's lines are drawn.

    Raises:
        DataError: for a weight that is not above 0, or takes no line at all.
    """

    endless = True

    def __init__(self, shares: Sequence[Share], seed: int) -> None:
        for source, weight in shares:
            if not 0 < weight <= MOST_WEIGHT or round(weight * len(source)) < 1:
                raise DataError(f"{source.name}: weight {weight:g} takes none of its {len(source):,} lines; raise it")
        self.name = " + ".join(f"{weight:g} x {source.name}" for source, weight in shares)
        self._shares = list(shares)
        self._seed = seed
        self._counts = [round(weight * len(source)) for source, weight in shares]
        self._ends = list(accumulate(self._counts))
        self._orders: dict[tuple[int, int], NDArray[np.int64]] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_orders": {}}

    def __len__(self) -> int:
        return self._ends[-1]

    def _order(self, which: int, turn: int) -> NDArray[np.int64]:
        """In which order the lines of a source are drawn for the `turn`-th time."""
        if (which, turn) not in self._orders:
            stale = [key for key in self._orders if key[0] == which and key[1] < turn - 1]
            for key in stale:
                del self._orders[key]
            rng = np.random.default_rng([self._seed, which, turn])
            self._orders[which, turn] = rng.permutation(len(self._shares[which].source))
        return self._orders[which, turn]

    def find(self, position: int) -> tuple[LineSource, int]:
        epoch, line = divmod(position, len(self))
        which = bisect_right(self._ends, line)
        source = self._shares[which].source
        draw = epoch * self._counts[which] + line - (self._ends[which - 1] if which else 0)
        if source.endless:
            return source, draw
        turn, place = divmod(draw, len(source))
        return source, int(self._order(which, turn)[place])

    def positions(self, epoch: int) -> list[tuple[int, NDArray[np.int64]]]:
        """For each source: its number, and the positions of its lines in this epoch, in the mixture's order."""
        found = []
        for which, (share, count) in enumerate(zip(self._shares, self._counts, strict=True)):
            draws = np.arange(epoch * count, (epoch + 1) * count)
            if not share.source.endless:
                turns, places = np.divmod(draws, len(share.source))
                draws = np.concatenate([self._order(which, int(t))[places[turns == t]] for t in np.unique(turns)])
            found.append((which, draws))
        return found


class Fitting(View):
    """An endless source without the lines that CTC cannot place, and too wide ones: each is replaced by a spare one.

    Args:
        source: rendered lines.
        charset, transform: of the model that is to learn them.
        max_width: in pixels after scaling; None: any.
    """

    endless = True

    def __init__(
        self, source: LineSource, charset: Charset, transform: LineTransform, max_width: int | None = None
    ) -> None:
        self.name = source.name
        self._source = source
        self._charset = charset
        self._transform = transform
        self._max_width = max_width

    def __len__(self) -> int:
        return len(self._source)

    def find(self, position: int) -> tuple[LineSource, int]:
        for attempt in range(100):
            candidate = position + attempt * SPARE
            text, size = self._source.entry(candidate).text, self._source.size(candidate)
            if self._max_width is not None and self._transform.scaled_width(*size) > self._max_width:
                continue
            if fit_problem(text, self._charset, size, self._transform) is None:
                return self._source, candidate
        raise DataError(
            f"{self.name}: no rendered line fits its width; raise image.height, image.width or data.max_width, or "
            "lower data.rendered.max_length"
        )
