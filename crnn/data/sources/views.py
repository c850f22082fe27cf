"""Sources made of sources: some lines of one, or several one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from PIL import Image

from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.check import fit_problem
from crnn.data.sources.base import LineEntry, LineSource
from crnn.errors import DataError


class Selection:
    """The lines of `source` at `positions`."""

    endless = False

    def __init__(self, source: LineSource, positions: Sequence[int]) -> None:
        self.name = source.name
        self._source = source
        self._positions = list(positions)

    def __len__(self) -> int:
        return len(self._positions)

    def entry(self, position: int) -> LineEntry:
        return self._source.entry(self._positions[position])

    def size(self, position: int) -> tuple[int, int]:
        return self._source.size(self._positions[position])

    def picture(self, position: int) -> Image.Image:
        return self._source.picture(self._positions[position])


class Concatenation:
    """All lines of several sources, in order."""

    endless = False

    def __init__(self, sources: Sequence[LineSource]) -> None:
        self.name = " + ".join(source.name for source in sources)
        self._sources = list(sources)
        self._ends = list(accumulate(len(source) for source in sources))

    def __len__(self) -> int:
        return self._ends[-1]

    def _find(self, position: int) -> tuple[LineSource, int]:
        which = bisect_right(self._ends, position)
        return self._sources[which], position - (self._ends[which - 1] if which else 0)

    def entry(self, position: int) -> LineEntry:
        source, inner = self._find(position)
        return source.entry(inner)

    def size(self, position: int) -> tuple[int, int]:
        source, inner = self._find(position)
        return source.size(inner)

    def picture(self, position: int) -> Image.Image:
        source, inner = self._find(position)
        return source.picture(inner)


class Fitting:
    """An endless source without the lines that CTC cannot place: each is replaced by a later line of the source.

    Args:
        source: rendered lines.
        charset, transform: of the model that is to learn them.
    """

    endless = True
    _STRIDE = 2**40  # far beyond any epoch

    def __init__(self, source: LineSource, charset: Charset, transform: LineTransform) -> None:
        self.name = source.name
        self._source = source
        self._charset = charset
        self._transform = transform

    def __len__(self) -> int:
        return len(self._source)

    def _resolve(self, position: int) -> int:
        for attempt in range(100):
            candidate = position + attempt * self._STRIDE
            text, size = self._source.entry(candidate).text, self._source.size(candidate)
            if fit_problem(text, self._charset, size, self._transform) is None:
                return candidate
        raise DataError(f"{self.name}: no rendered line fits its width; raise image.height or image.width")

    def entry(self, position: int) -> LineEntry:
        return self._source.entry(self._resolve(position))

    def size(self, position: int) -> tuple[int, int]:
        return self._source.size(self._resolve(position))

    def picture(self, position: int) -> Image.Image:
        return self._source.picture(self._resolve(position))
