"""All entries of a source in one pass, column by column: many times as fast as asking for each position."""

from __future__ import annotations

from collections.abc import Iterator

from crnn.data.sources.base import LineEntry, LineSource
from crnn.data.sources.indexed import IndexedSource
from crnn.data.sources.views import Concatenation, Selection


def entries(source: LineSource) -> Iterator[LineEntry]:
    """`LineSource.entry` of every position, in order."""
    if isinstance(source, IndexedSource):
        yield from map(LineEntry, *(source.index.column(name) for name in LineEntry._fields))
    elif isinstance(source, Concatenation):
        for one in source.sources:
            yield from entries(one)
    elif isinstance(source, Selection) and _in_order(source):
        wanted = iter(source.positions.tolist())
        position = next(wanted, None)
        for here, entry in enumerate(entries(source.source)):
            if here == position:
                yield entry
                position = next(wanted, None)
                if position is None:
                    return
    else:
        yield from map(source.entry, range(len(source)))


def labels(source: LineSource) -> Iterator[str]:
    """The text of every position, in order."""
    if isinstance(source, IndexedSource):
        yield from source.index.column("text")
    elif isinstance(source, Concatenation):
        for one in source.sources:
            yield from labels(one)
    else:
        for entry in entries(source):
            yield entry.text


def _in_order(source: Selection) -> bool:
    """Whether positions rise, and are many enough for a pass over all lines."""
    positions = source.positions
    return len(positions) * 4 > len(source.source) and bool((positions[1:] > positions[:-1]).all())
