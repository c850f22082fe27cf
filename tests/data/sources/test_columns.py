"""One pass over all entries gives what asking for each of them gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import ListSource

from crnn.data.sources import LineEntry, LineSource, open_source
from crnn.data.sources.base import Row
from crnn.data.sources.columns import column, entries, labels, readable_labels
from crnn.data.sources.index import BLOCK, LineIndex, Strings
from crnn.data.sources.views import Concatenation, Selection


def same(source: LineSource) -> None:
    wanted = [source.entry(i) for i in range(len(source))]
    assert list(entries(source)) == wanted
    assert list(labels(source)) == [entry.text for entry in wanted]
    assert list(readable_labels(source)) == [entry.text for entry in wanted if not entry.problem]
    assert list(column(source, "picture")) == [entry.picture for entry in wanted]


def test_every_kind_of_source(line_folder: Path, tmp_path: Path) -> None:
    for cache in (None, tmp_path):
        one, two = open_source(line_folder / "train", cache=cache), open_source(line_folder / "val", cache=cache)
        both = Concatenation([one, two])
        listed = ListSource([LineEntry("a", "b", "c", "d", "e"), LineEntry("", "", "")])
        for source in (one, both, listed, Concatenation([two, listed])):
            same(source)
            for positions in (
                [],
                [0],
                [1, 0],
                [0, 0],
                range(len(source)),
                range(0, len(source), 2),
                range(1, len(source)),
            ):
                same(Selection(source, positions))
        same(Selection(Selection(both, range(5, 55)), range(3, 45, 2)))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="skipped: no /proc to see mapped files in")
def test_a_pass_leaves_no_pages_mapped(line_folder: Path, tmp_path: Path) -> None:
    def resident() -> int:
        """KiB of the index in memory."""
        pages, inside = 0, False
        for row in Path("/proc/self/smaps").read_text().splitlines():
            if row[0] in "0123456789abcdef" and "-" in row.split()[0]:
                inside = str(tmp_path) in row
            elif inside and row.startswith("Rss:"):
                pages += int(row.split()[1])
        return pages

    source = open_source(line_folder / "train", cache=tmp_path)
    before = resident()
    reading = entries(source)
    first = next(reading)
    assert resident() > before
    list(reading)
    del reading
    assert resident() <= before
    assert source.entry(0) == first


@given(st.lists(st.text(st.characters(), max_size=5), max_size=30))
def test_strings_in_blocks(texts: list[str]) -> None:
    column = LineIndex.build(Row(text, "", "") for text in texts).column("text")
    assert isinstance(column, Strings)
    assert list(column) == texts == [column[i] for i in range(len(column))]


@pytest.mark.parametrize("lines", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_borders_of_blocks(lines: int) -> None:
    texts = [("é" if i % 3 else "") + str(i) for i in range(lines)]
    assert list(LineIndex.build(Row(text, "", "") for text in texts).column("text")) == texts
