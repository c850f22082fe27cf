"""The lines that a command names, and whether they are still the same."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from given_lines import given

from crnn.data.convert import convert
from crnn.data.convert.job import make_job
from crnn.data.sources import ReadOptions, open_source
from crnn.data.sources.columns import labels
from crnn.data.split import Split
from crnn.errors import DataError

NO = ReadOptions()


@pytest.fixture
def lines(line_folder: Path, tmp_path: Path) -> Path:
    """A copy of twelve lines with labels.tsv."""
    target = tmp_path / "lines"
    (target / "images").mkdir(parents=True)
    for file in sorted((line_folder / "val").rglob("*.*")):
        if file.is_file():
            (target / file.relative_to(line_folder / "val")).write_bytes(file.read_bytes())
    return target


def test_the_same_files_make_the_same_job(lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job([str(lines)], tmp_path / "out", NO)
    assert len(job.open(None)) == 12
    monkeypatch.chdir(tmp_path)
    for path in ("lines", "./lines/", "lines/../lines"):
        assert make_job([path], Path("out"), NO).names == job.names
    assert not any(str(tmp_path) in value for value in job.names.values())


def test_other_files_make_another(lines: Path, tmp_path: Path) -> None:
    seen = []

    def note(*options: object) -> None:
        names = make_job([str(lines)], tmp_path / "out", ReadOptions(*options)).names  # type: ignore[arg-type]
        assert names not in seen
        seen.append(names)

    note()
    note(None, "words")
    (lines / "images" / "000.png").touch()
    os.utime(lines / "images" / "000.png", (1, 1))
    note()
    (lines / "images" / "000.png").unlink()
    note()
    (lines / "images" / "new.png").write_bytes(b"x")
    note()
    (lines / "labels.tsv").write_text("images/001.png\tx\n")
    note()
    (lines / "images" / "nowhere.png").symlink_to("gone")
    note()


def test_what_is_written_beside_a_label_file_does_not_count(lines: Path) -> None:
    before = make_job([str(lines / "labels.tsv")], lines / "out.lmdb", NO).names
    for name in ("out.lmdb/data.mdb", "out.lmdb.part/state.json"):
        (lines / name).parent.mkdir()
        (lines / name).write_text("x")
    (lines / "out.lmdb.skipped.tsv").write_text("x")
    assert make_job([str(lines / "labels.tsv")], lines / "out.lmdb", NO).names == before
    (lines / "other.txt").write_text("x")
    assert make_job([str(lines / "labels.tsv")], lines / "out.lmdb", NO).names != before


@pytest.mark.parametrize("inside", [".", "out", "images/out.tar", "../lines/x/../out"])
def test_a_target_in_its_source(inside: str, lines: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(lines)
    for source in (lines, tmp_path / "link"):
        with pytest.raises(DataError, match=r"lines.*: lies in .*, which is read; name a place elsewhere$"):
            make_job([str(source)], lines / inside, NO)
    with pytest.raises(DataError, match="which is read"):
        make_job([str(lines / "labels.tsv")], lines / "labels.tsv", NO)


def test_a_target_beside_shards_of_one_side(tmp_path: Path) -> None:
    """FOLDER/train stands for files all over FOLDER, also for those that would be written there."""
    hub = tmp_path / "hub"
    convert(lambda _: given(5), hub / "data", "parquet")
    with pytest.raises(DataError, match=r"hub/copy: lies in .*hub, which is read; name a place elsewhere$"):
        make_job([str(hub / "train")], hub / "copy", NO)
    assert len(make_job([str(hub / "train")], tmp_path / "copy", NO).open(None)) == 5


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone: there is no such file or folder"):
        make_job([str(tmp_path / "gone")], tmp_path / "out", NO)


def test_one_side_of_a_split(lines: Path, tmp_path: Path) -> None:
    """As a run records it, of one or several sources."""
    both = [str(lines), str(lines / "labels.tsv")]
    whole = make_job(both, tmp_path / "out", NO).open(None)
    assert len(whole) == 24
    Split(np.arange(20), np.array([3, 22]), np.array([], dtype=np.int64)).save(tmp_path / "splits", whole)
    job = make_job(both, tmp_path / "out", NO, tmp_path / "splits" / "val.tsv")
    assert list(labels(job.open(None))) == [whole.entry(3).text, whole.entry(22).text]
    sides = {
        name: make_job(both, tmp_path / "out", NO, tmp_path / "splits" / f"{name}.tsv")
        for name in ("train", "val", "test")
    }
    assert [sides[name].side for name in sides] == ["train", "validation", "test"]
    assert len({job.names["--split"] for job in sides.values()}) == 3
    with pytest.raises(DataError, match=r"test\.tsv: names no lines"):
        sides["test"].open(None)
    with pytest.raises(DataError, match=r"gone\.tsv: cannot be read \(No such file"):
        make_job(both, tmp_path / "out", NO, tmp_path / "gone.tsv")
    with pytest.raises(DataError, match=r"train\.tsv: line 12 of .* is no longer|is no recorded split"):
        make_job(both[:1], tmp_path / "out", NO, tmp_path / "splits" / "train.tsv").open(None)


def test_the_index_is_kept_where_it_is_told(lines: Path, tmp_path: Path) -> None:
    source = make_job([str(lines)], tmp_path / "out", NO).open(tmp_path / "cache")
    assert list(labels(source)) == list(labels(open_source(lines)))
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_what_only_begins_like_the_target_counts(lines: Path) -> None:
    def names() -> dict[str, str]:
        return make_job([str(lines / "labels.tsv")], lines / "out", NO).names

    before = names()
    for beside in ("outer", "out.part2", "out.skipped.tsv2"):
        (lines / beside).write_text("x")
        assert names() != before
        (lines / beside).unlink()
        assert names() == before


def test_sides_and_what_is_watched(lines: Path, tmp_path: Path) -> None:
    assert make_job([str(lines)], tmp_path / "out", NO).side == "train"
    (tmp_path / "mine.tsv").write_text("position\tpicture\twhere\n3\timages/003.png\tx\n")
    job = make_job([str(lines)], tmp_path / "out", NO, tmp_path / "mine.tsv")
    assert job.side == "train"
    seen = []

    def watch(rows):  # type: ignore[no-untyped-def]
        for row in rows:
            seen.append(row.picture)
            yield row

    assert len(job.open(None, watch)) == 1
    assert seen == [f"images/{i:03d}.png" for i in range(12)]
