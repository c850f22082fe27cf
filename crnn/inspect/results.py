"""What an inspection is asked for, and what it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.crops import Crops, narrower
from crnn.data.sources.base import LineSource
from crnn.inspect.tally import Tally
from crnn.inspect.text_faults import TextFaults

MAX_WIDTH = 4096
"""Default of training's data.max_width."""
MAX_DROPPED = 0.02
"""Default of training's data.max_dropped."""


def line_at(sources: Sequence[LineSource], position: int) -> tuple[LineSource, int]:
    """The source that holds a line of a role, and its position there.

    Args:
        sources: of the role, one after the other.
        position: of the line among all of theirs.

    Raises:
        IndexError: if they have not so many.
    """
    for source in sources:
        if position < len(source):
            return source, position
        position -= len(source)
    raise IndexError(position)


@dataclass(frozen=True)
class Settings:
    """What lines are checked for.

    Args:
        transform: of the model; gives the width, and so the time steps, of each line.
        charset: of a model, or listed; None for the characters of the training labels.
        max_width: in pixels after scaling; wider lines are errors.
        max_dropped: share (0..1) of unusable lines up to which training accepts a source.
        decode: decode every picture; False reads headers only.
        threads: that many pictures are decoded at once.
        trim: training's ``data.trim``: paper around lines is cut off; None where they are cropped loosely.
    """

    transform: LineTransform
    charset: Charset | None = None
    max_width: int = MAX_WIDTH
    max_dropped: float = MAX_DROPPED
    decode: bool = True
    threads: int = 1
    trim: bool | None = None


@dataclass
class SetSummary:
    """Figures of one source."""

    role: str
    name: str
    shown: str
    """The name, and the format; see `crnn.data.sources.views.with_format`."""
    lines: int
    trimmed: bool = False
    """Whether paper around its lines is cut off first."""
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Lines that training leaves out, by reason."""
    widths: Counter[int] = field(default_factory=Counter)
    """Readable pictures by scaled width in pixels, in steps of 16."""
    lengths: Counter[int] = field(default_factory=Counter)
    """Labels by code points."""

    @property
    def readable(self) -> int:
        """Lines whose picture could be read."""
        return self.widths.total()


@dataclass
class Inspection:
    """The outcome of `inspect`."""

    settings: Settings
    charset: Charset | None
    """That labels were checked against; None if there is no label."""
    tally: Tally
    sets: list[SetSummary] = field(default_factory=list)
    characters: dict[str, Counter[str]] = field(default_factory=dict)
    """Role -> symbol -> how often it occurs."""
    notes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    """Why training would refuse these lines; empty if it would not."""
    text_faults: TextFaults | None = None
    """The judge of labels, which also repairs them."""
    crops: Crops | None = None
    """Which lines training trims."""

    def trims(self, role: str, number: int) -> LineTransform | None:
        """For what the lines of a role's source, counted from 0, are trimmed, as training does; None if not."""
        if self.crops is None or not (self.crops.training[number] if role == "train" else self.crops.validation):
            return None
        return narrower(self.settings.transform, self.settings.max_width)
