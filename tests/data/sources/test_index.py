"""Many lines in few arrays: any text comes back, in memory, from disk, and in other processes."""

from __future__ import annotations

import json
import os
import pickle
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.data.sources import index as index_module
from crnn.data.sources import open_source
from crnn.data.sources.base import Row
from crnn.data.sources.index import LineIndex
from crnn.data.sources.indexed import IndexedSource
from crnn.errors import DataError

ROWS = [Row("a b ", "t:1", "x.png"), Row("", "t:2", "y.png", "why", "7:9", "page"), Row("नि\n", "t:3", "z")]
TEXT = st.text(st.characters(), max_size=8)


@given(st.lists(st.builds(Row, *[TEXT] * 6), max_size=20))
def test_every_row_comes_back(rows: list[Row]) -> None:
    index = LineIndex.build(rows)
    assert [index.row(i) for i in range(len(index))] == rows
    assert list(index.column("text")) == [row.text for row in rows]
    assert [index.key(i) for i in range(len(index))] == [row.key for row in rows]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_a_pass_over_all_reads_some_at_a_time(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "BLOCK", 2)
    texts = ["ab", "", "c", "né", "", "fgh", "i"][:count]
    assert list(LineIndex.build([Row(text, "", "") for text in texts]).column("text")) == texts


def test_an_index_of_another_layout_or_not_whole_is_not_opened(tmp_path: Path) -> None:
    folder = LineIndex.build(ROWS).save(tmp_path / "a" / "b" / "index").folder
    assert folder == tmp_path / "a" / "b" / "index"
    meta = json.loads((folder / "index.json").read_text())
    assert (meta["lines"], meta["notes"]) == (3, [])
    for change, words in (
        ({"format": meta["format"] + 1}, "index format"),
        ({"lines": 2}, "not whole"),
        ({"lines": 4}, "not whole"),
    ):
        (folder / "index.json").write_text(json.dumps(meta | change))
        with pytest.raises(ValueError, match=words):
            LineIndex.open(folder)


def test_an_index_with_a_column_of_another_is_not_opened(tmp_path: Path) -> None:
    for name in (ROWS[0]._fields[0], ROWS[0]._fields[-1]):
        folder = LineIndex.build(ROWS).save(tmp_path / name).folder
        assert folder is not None
        np.save(folder / f"{name}_ends.npy", np.array([0, 0], dtype=np.int64))
        with pytest.raises(ValueError, match="not whole"):
            LineIndex.open(folder)
        np.save(folder / f"{name}_ends.npy", np.array([None]), allow_pickle=True)  # could run anything
        with pytest.raises(ValueError, match=r"memory-mapped|allow_pickle"):
            LineIndex.open(folder)


def test_notes_and_content_travel(tmp_path: Path) -> None:
    index = LineIndex.build(ROWS)
    index.notes.append("said")
    for each in (pickle.loads(pickle.dumps(index)), index.save(tmp_path / "index")):
        assert each.notes == ["said"]
        assert [each.row(i) for i in range(3)] == ROWS
        each.release()
        assert (each.row(2), each.notes, len(each)) == (ROWS[2], ["said"], 3)
    assert pickle.loads(pickle.dumps(each)).folder == tmp_path / "index"
    assert index.folder is None


def test_a_folder_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "other").write_text("")  # neither an index nor empty
    with pytest.raises(OSError, match="index"):
        LineIndex.build(ROWS).save(tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_positions_outside_are_refused() -> None:
    assert LineIndex.build(ROWS).row(0) == ROWS[0]
    for position in (-1, 3):
        with pytest.raises(IndexError):
            LineIndex.build(ROWS).row(position)


def test_on_disk(tmp_path: Path) -> None:
    index = LineIndex.build(ROWS).save(tmp_path / "cache" / "index")
    assert index.folder == tmp_path / "cache" / "index"
    assert [index.row(i) for i in range(3)] == ROWS
    assert len(pickle.dumps(index)) < 500  # a folder's name, not its content
    with get_context("spawn").Pool(1) as pool:
        assert pool.map(index.row, range(3)) == ROWS
    assert LineIndex.build(ROWS).save(tmp_path / "cache" / "index").row(1) == ROWS[1]  # another process was first
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["index"]
    (tmp_path / "cache" / "index" / "text_ends.npy").unlink()
    with pytest.raises(OSError, match="text_ends"):
        LineIndex.open(tmp_path / "cache" / "index")


@pytest.fixture
def lines(line_folder: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(line_folder / "val", tmp_path / "lines")
    return tmp_path / "lines"


def test_cached_index_is_taken_until_the_files_change(lines: Path, tmp_path: Path) -> None:
    listed: list[str] = []

    def watch(rows):  # type: ignore[no-untyped-def]
        for row in rows:
            listed.append(row.where)
            yield row

    def opened() -> IndexedSource:
        source = open_source(lines, cache=tmp_path / "cache", watch=watch)
        assert isinstance(source, IndexedSource)
        return source

    first = opened()
    assert len(listed) == len(first) == 12
    assert opened().signature == first.signature
    assert len(listed) == 12
    table = lines / "labels.tsv"
    stamp = table.stat().st_mtime_ns
    text = table.read_text()
    time.sleep(0.02)
    table.write_text(text[:-2] + ("7" if text[-2] != "7" else "8") + "\n")  # as long as before
    os.utime(table, ns=(stamp, stamp))  # and as old, for who looks at that alone
    changed = opened()
    assert changed.signature != first.signature
    assert len(listed) == 24
    assert changed.entry(11).text != text.rstrip().rsplit("\t", 1)[1]
    [folder] = (tmp_path / "cache").iterdir()
    (folder / "index.json").write_text("{}")
    assert opened().entry(11) == changed.entry(11)  # a damaged index is made anew
    assert len(listed) == 36
    (lines / "images" / "000.png").write_bytes(b"other")  # a picture is part of it too
    opened()
    assert len(listed) == 48


def test_no_lines_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("\n")
    with pytest.raises(DataError, match=r"has no lines \(a folder with labels\.tsv"):
        open_source(tmp_path, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_links_to_nowhere_that_no_line_needs(lines: Path, tmp_path: Path) -> None:
    (lines / "circle.png").symlink_to("circle.png")
    (lines / "gone").symlink_to("nowhere")
    source = open_source(lines, cache=tmp_path / "cache")
    assert len(source) == 12
    (lines / "gone").unlink()
    assert open_source(lines).signature != source.signature
