"""Two training lines side by side as one: longer lines than the data has, and other neighbours for its words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.sources.base import LineEntry, LineSource
from crnn.data.sources.views import View

_EPOCHS_KEPT = 2


JOINING = (0, 0x6A6F696E)
"""Sets these draws apart from others of the same seed and epoch, such as those of batches."""


class _Plan(NamedTuple):
    """Of one epoch; three arrays (N,)."""

    joined: NDArray[np.bool_]
    partners: NDArray[np.int64]
    gaps: NDArray[np.float64]
    """0..1, the smallest to the widest gap."""


class Joined(View):
    """The lines of a source, some of them with another line of the same epoch on their right; an endless source.

    Every line comes once in an epoch as a left part; which ones are joined, and with which, follows from seed and
    epoch. Two lines that would be wider than `max_width`, or whose text the charset could not write, stay apart.

    Args:
        source: usable lines.
        charset, transform: of the model; lines are joined by a space if the charset has it.
        share: probability of a line to be joined.
        max_width: of a joined line, in pixels after scaling.
        seed: of the choice.
        epochs: lines are joined in the first so many epochs.
    """

    endless = True

    def __init__(
        self,
        source: LineSource,
        charset: Charset,
        transform: LineTransform,
        share: float,
        max_width: int,
        seed: int,
        epochs: int,
    ) -> None:
        self.name = source.name
        self._source = source
        self._charset = charset
        self._transform = transform
        self._share = share
        self._max_width = max_width
        self._seed = seed
        self._epochs = epochs
        self._space = " " if " " in charset else ""
        self._plans: dict[int, _Plan] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_plans": {}}

    def __len__(self) -> int:
        return len(self._source)

    def find(self, position: int) -> tuple[LineSource, int]:
        """The left part."""
        return self._source, position if self._source.endless else position % len(self)

    def _plan(self, epoch: int) -> _Plan:
        if epoch not in self._plans:
            for stale in [key for key in self._plans if abs(key - epoch) >= _EPOCHS_KEPT]:
                del self._plans[stale]
            rng = np.random.default_rng([self._seed, epoch, *JOINING])
            joined = rng.random(len(self)) < (self._share if epoch < self._epochs else 0.0)
            self._plans[epoch] = _Plan(joined, rng.permutation(len(self)), rng.random(len(self)))
        return self._plans[epoch]

    def _gaps(self, draws: NDArray[np.float64]) -> NDArray[np.int64]:
        """Widths in pixels: of a space a quarter to three quarters of the height, else an eighth to a quarter."""
        least, most = (0.25, 0.75) if self._space else (0.125, 0.25)
        steps = np.rint((least + (most - least) * draws) * self._transform.height / self._transform.multiple)
        needed = 3 if self._space else 1  # by CTC: the space, and a blank between it and another on each side
        return np.maximum(needed, steps).astype(np.int64) * self._transform.multiple

    def sizes(self, epoch: int, own: NDArray[np.int32]) -> NDArray[np.int32]:
        """(N, 2) of an epoch's lines, from those of the source in it; as if all texts could be joined."""
        plan, widths = self._plan(epoch), self._transform.scaled_widths(own)
        wide = widths + self._gaps(plan.gaps) + widths[plan.partners]
        joined = plan.joined & (wide <= self._max_width)
        together = np.stack([wide, np.full_like(wide, self._transform.height)], 1)
        return np.where(joined[:, None], together, own).astype(np.int32)

    def _parts(self, position: int) -> tuple[int, int | None, int]:
        """Positions of left and right part (None if there is none), and the gap in pixels."""
        epoch, line = divmod(position, len(self))
        plan, (source, left) = self._plan(epoch), self.find(position)
        if not plan.joined[line]:
            return left, None, 0
        right = self.find(epoch * len(self) + int(plan.partners[line]))[1]
        gap = int(self._gaps(plan.gaps[line : line + 1])[0])
        widths = [self._transform.scaled_width(*source.size(part)) for part in (left, right)]
        fits = widths[0] + gap + widths[1] <= self._max_width
        if not fits or self._charset.unknown(self._text(left, right)):
            return left, None, 0
        return left, right, gap

    def _text(self, left: int, right: int) -> str:
        return self._space.join(self._charset.normalize(self._source.entry(part).text) for part in (left, right))

    def entry(self, position: int) -> LineEntry:
        left, right, _ = self._parts(position)
        entry = self._source.entry(left)
        if right is None:
            return entry
        other = self._source.entry(right)
        return LineEntry(
            self._text(left, right), f"{entry.where} + {other.where}", f"{entry.picture} + {other.picture}"
        )

    def size(self, position: int) -> tuple[int, int]:
        left, right, gap = self._parts(position)
        if right is None:
            return self._source.size(left)
        widths = [self._transform.scaled_width(*self._source.size(part)) for part in (left, right)]
        return widths[0] + gap + widths[1], self._transform.height

    def content(self, position: int) -> Image.Image:
        return self.picture(position)

    def picture(self, position: int) -> Image.Image:
        left, right, gap = self._parts(position)
        first = self._source.picture(left)
        if right is None:
            return first
        parts = [first, self._source.picture(right)]
        scaled = [np.asarray(self._transform.resize(part, self._transform.check_width(part.size))) for part in parts]
        edges = [np.median(pixels[[0, -1]]) for pixels in scaled]
        paper = np.linspace(edges[0], edges[1], gap)  # no edge where two greys of paper meet
        between = np.tile(np.rint(paper).astype(np.uint8), (self._transform.height, 1))
        return Image.fromarray(np.concatenate([scaled[0], between, scaled[1]], axis=1))
