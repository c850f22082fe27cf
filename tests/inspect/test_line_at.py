"""A line among those of several sources."""

from __future__ import annotations

import pytest
from tests_support import ListSource

from crnn.data.sources.base import LineEntry
from crnn.inspect.results import line_at


def test_positions_go_on_from_source_to_source() -> None:
    sources = [
        ListSource([LineEntry("a", f"{name}{i}", "a.png") for i in range(n)], name)
        for name, n in (("x", 2), ("y", 0), ("z", 1))
    ]
    found = [line_at(sources, position) for position in range(3)]
    assert [(source.name, position) for source, position in found] == [("x", 0), ("x", 1), ("z", 0)]
    with pytest.raises(IndexError, match="0"):
        line_at(sources, 3)
