"""Many lines in few arrays: any text comes back, in memory, from disk, and in other processes."""

from __future__ import annotations

import errno
import fcntl
import gc
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
from crnn.data.sources.index import FORMAT, LineIndex, remove_unused
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
    assert (meta["format"], meta["lines"], meta["notes"]) == (FORMAT, 3, [])
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
    before = first.signature
    del first
    gc.collect()
    changed = opened()
    assert changed.signature != before
    assert len(listed) == 24
    assert changed.entry(11).text != text.rstrip().rsplit("\t", 1)[1]
    [folder] = (tmp_path / "cache").iterdir()
    (folder / "index.json").write_text("{}")
    assert opened().entry(11) == changed.entry(11)  # a damaged index is made anew
    assert len(listed) == 36
    (lines / "images" / "000.png").write_bytes(b"other")  # a picture is part of it too
    opened()
    assert len(listed) == 48
    (lines / "images").rename(tmp_path / "elsewhere")
    try:
        (lines / "images").symlink_to(tmp_path / "elsewhere")
    except OSError:
        return  # no right to links
    behind = opened().signature
    (tmp_path / "elsewhere" / "001.png").write_bytes(b"other, behind a link")
    assert opened().signature != behind


def test_no_lines_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("\n")
    with pytest.raises(DataError, match=r"has no lines \(a folder with labels\.tsv"):
        open_source(tmp_path, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def change(lines: Path) -> None:
    (lines / "labels.tsv").write_text((lines / "labels.tsv").read_text() + "images/000.png\tmore\n")


def test_an_index_in_use_stays(lines: Path, tmp_path: Path) -> None:
    """Of a training that runs while another finds that the files have changed: it opens its index again later."""
    cache = tmp_path / "cache"
    source = open_source(lines, cache=cache)
    [folder] = cache.iterdir()
    change(lines)
    assert len(open_source(lines, cache=cache)) == 13
    source.index.release()  # type: ignore[attr-defined]
    assert [source.entry(i).where for i in (0, 11)] == [f"{lines}/labels.tsv:{i}" for i in (1, 12)]
    again = pickle.loads(pickle.dumps(source))
    del source
    change(lines)
    open_source(lines, cache=cache)
    assert folder.is_dir()
    assert len(again) == 12
    del again
    gc.collect()
    change(lines)
    newest = open_source(lines, cache=cache)
    assert [path.name for path in cache.iterdir()] == [newest.index.folder.name]  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="skipped: no fork here")
def test_an_index_in_use_by_another_process_stays(tmp_path: Path) -> None:
    """Also by a forked one whose parent has let go of it; nothing is left of a process that has ended."""
    folder = tmp_path / "index"
    index = LineIndex.build(ROWS).save(folder)
    ask, wait = os.pipe()
    child = os.fork()
    if not child:
        os.close(wait)
        os.read(ask, 1)
        index.release()
        os._exit(0 if index.row(1) == ROWS[1] else 1)
    del index
    gc.collect()
    remove_unused(folder)
    assert folder.is_dir()
    os.close(wait)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    remove_unused(folder)
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_being_removed_is_not_opened(tmp_path: Path) -> None:
    LineIndex.build(ROWS).save(tmp_path / "index")
    gc.collect()
    with (tmp_path / "index" / "index.json").open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            LineIndex.open(tmp_path / "index")
    assert LineIndex.open(tmp_path / "index").row(0) == ROWS[0]


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are opened there, and none is removed: nobody can tell whether it is in use."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert LineIndex.build(ROWS).save(tmp_path / "index").row(0) == ROWS[0]
    gc.collect()
    remove_unused(tmp_path / "index")
    assert (tmp_path / "index").is_dir()


def test_a_folder_without_an_index_is_removed(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "text.npy").write_text("half")
    remove_unused(tmp_path / "index")
    remove_unused(tmp_path / "index")  # which another process has removed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o755), (0o002, 0o775), (0o077, 0o700)])
def test_others_may_read_what_they_may_read_elsewhere(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        folder = LineIndex.build(ROWS).save(tmp_path / "cache" / "index").folder
    finally:
        os.umask(before)
    assert folder is not None
    assert {path.stat().st_mode & 0o777 for path in (folder, tmp_path / "cache")} == {mode}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {mode & 0o666}


def test_links_to_nowhere_that_no_line_needs(lines: Path, tmp_path: Path) -> None:
    (lines / "circle.png").symlink_to("circle.png")
    (lines / "gone").symlink_to("nowhere")
    source = open_source(lines, cache=tmp_path / "cache")
    assert len(source) == 12
    (lines / "gone").unlink()
    assert open_source(lines).signature != source.signature
