"""All entries of a source in one pass, column by column: many times as fast as asking for each position."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import compress
from operator import attrgetter
from typing import TypeVar

import numpy as np

from crnn.data.sources.base import LineEntry, LineSource
from crnn.data.sources.index import LineIndex
from crnn.data.sources.indexed import IndexedSource
from crnn.data.sources.views import Concatenation, Selection, Whole

T = TypeVar("T")


def entries(source: LineSource) -> Iterator[LineEntry]:
    """`LineSource.entry` of every position, in order."""
    return _over(source, lambda index: map(LineEntry, *(index.column(name) for name in LineEntry._fields)), lambda e: e)


def column(source: LineSource, name: str) -> Iterator[str]:
    """A field of `LineEntry` of every position, in order."""
    return _over(source, lambda index: index.column(name), attrgetter(name))


def labels(source: LineSource) -> Iterator[str]:
    """The text of every position, in order."""
    return column(source, "text")


def readable_labels(source: LineSource) -> Iterator[str]:
    """The text of every position whose row was understood, in order."""
    both = zip(labels(source), column(source, "problem"), strict=True)
    return (text for text, problem in both if not problem)


def _over(source: LineSource, whole: Callable[[LineIndex], Iterable[T]], one: Callable[[LineEntry], T]) -> Iterator[T]:
    """What `whole` finds in an index, or `one` in an entry where there is no index to go over."""
    if isinstance(source, IndexedSource):
        yield from whole(source.index)
        source.index.release()
    elif isinstance(source, Concatenation):
        for part in source.sources:
            yield from _over(part, whole, one)
    elif isinstance(source, Whole):
        yield from _over(source.source, whole, one)
    elif isinstance(source, Selection) and _in_order(source):
        wanted = np.zeros(source.positions[-1] + 1, dtype=np.bool_)
        wanted[source.positions] = True
        yield from compress(_over(source.source, whole, one), wanted.tobytes())
    else:
        yield from (one(source.entry(position)) for position in range(len(source)))


def _in_order(source: Selection) -> bool:
    """Whether positions rise, and are many enough for a pass over all lines."""
    positions = source.positions
    return len(positions) * 20 > len(source.source) and bool((positions[1:] > positions[:-1]).all())
