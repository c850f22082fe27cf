"""Tar shards, as WebDataset reads them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import webdataset
from given_lines import given, into, noise

from crnn.data.convert.base import Sample
from crnn.data.convert.tar_writer import TarWriter


def test_read_with_webdataset(tmp_path: Path) -> None:
    lines = given(25)
    lines.lines[2] = (lines.lines[2][0], noise(2, "JPEG"))
    into(lines, tmp_path / "out", "tar", shard_bytes=12_000)
    shards = sorted(str(file) for file in (tmp_path / "out").iterdir())
    assert [Path(shard).name for shard in shards] == [f"lines-00000{i}.tar" for i in range(len(shards))]
    assert len(shards) > 2
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    wanted = [i for i in range(25) if i not in (7, 20)]
    assert [sample["txt"].decode() for sample in samples] == [f"text {i} " for i in wanted]
    assert [sample.get("png", sample.get("jpg")) for sample in samples] == [
        noise(i, "JPEG" if i == 2 else "PNG") for i in wanted
    ]
    assert "jpg" in samples[2]
    assert [sample["__key__"] for sample in samples[:2]] == ["000000000", "000000001"]
    assert all(Path(shard).stat().st_size <= 20_480 for shard in shards)


def test_the_same_lines_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        into(given(7), tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert (tmp_path / "a.tar").stat().st_size % tarfile.RECORDSIZE == 0
    with tarfile.open(tmp_path / "a.tar") as archive:
        members = archive.getmembers()
    assert [member.name for member in members[:2]] == ["000000000.png", "000000000.txt"]
    assert {(m.mtime, m.uid, m.gid, m.mode, m.uname) for m in members} == {(0, 0, 0, 0o644, "")}


def test_one_file_grows_beyond_the_size_of_a_shard(tmp_path: Path) -> None:
    into(given(25), tmp_path / "x.tar", shard_bytes=5_000)
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".tar"] == ["x.tar"]


def test_what_was_written_since_is_forgotten(tmp_path: Path) -> None:
    """A picture that could be read before, and cannot now, leaves nothing behind."""
    writer = TarWriter(tmp_path / "out", 40_000)
    writer.start(None)
    samples = [Sample(i, i, "x", "t", noise(i), ".png") for i in range(30)]
    for sample in samples[:13]:
        writer.put(sample)
    state = writer.state()
    for sample in samples[13:]:
        writer.put(sample)
    writer.close()
    assert len(list((tmp_path / "out").iterdir())) == 3
    writer = TarWriter(tmp_path / "out", 40_000)
    writer.start(state)
    writer.finish()
    with tarfile.open(tmp_path / "out" / "lines-000001.tar") as archive:
        assert len(archive.getnames()) == 2
    assert (tmp_path / "out" / "lines-000001.tar").stat().st_size == tarfile.RECORDSIZE
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["lines-000000.tar", "lines-000001.tar"]


def shards_of(folder: Path, shard_bytes: int, sizes: list[int]) -> list[list[str]]:
    writer = TarWriter(folder, shard_bytes)
    writer.start(None)
    for i, size in enumerate(sizes):
        writer.put(Sample(i, i, "x", "t", bytes(size), ".png"))
    writer.finish()
    writer.close()
    found = []
    for file in sorted(folder.iterdir()):
        assert file.stat().st_size % tarfile.RECORDSIZE == 0
        with tarfile.open(file) as archive:
            found.append([name for name in archive.getnames() if name.endswith(".png")])
    return found


def test_a_shard_ends_before_it_grows_beyond_its_size(tmp_path: Path) -> None:
    """A line takes its picture, its text, and a header for each: 2,048 bytes here; the end mark takes 1,024."""
    a, b, c = (f"00000000{i}.png" for i in range(3))
    assert shards_of(tmp_path / "1", 2 * 2048 + 1024, [512] * 3) == [[a, b], [c]]
    assert shards_of(tmp_path / "2", 2 * 2048 + 1023, [512] * 3) == [[a], [b], [c]]
    assert shards_of(tmp_path / "3", 2 * 2048 + 1024, [512, 513, 512]) == [[a], [b], [c]]
    assert shards_of(tmp_path / "4", 10, [5, 0]) == [[a], [b]]  # each has one at least


def test_good_moments_and_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.tar_writer.SAVE_EVERY", 3)
    writer = TarWriter(tmp_path / "x.tar", 10**6)
    writer.start(None)
    assert [writer.put(Sample(i, i, "x", "t", b"", ".png")) for i in range(7)] == [False, False, True] * 2 + [False]
    writer.close()
    for text, refused in (("\ufeffa", True), ("a\n", True), ("a\r", True), ("a\ufeff", False), ("\na", False)):
        assert bool(writer.refusal(text)) is refused
    monkeypatch.setattr("crnn.data.convert.base.MAX_TEXT_BYTES", 4)
    assert writer.refusal("éé") == ""
    assert writer.refusal("ééx") == "has 5 bytes; at most 4 are read"


def test_closing(tmp_path: Path) -> None:
    """Whatever was put is on disk then; before the start and after the end there is nothing to do."""
    writer = TarWriter(tmp_path / "x.tar", 10**6)
    writer.close()
    writer.start(None)
    writer.put(Sample(0, 0, "x", "t", b"abc", ".png"))
    assert (tmp_path / "x.tar").stat().st_size == 0  # in Python's buffer
    writer.close()
    assert (tmp_path / "x.tar").stat().st_size == 4 * 512
    writer.close()


def test_the_state_says_what_is_on_disk(tmp_path: Path) -> None:
    writer = TarWriter(tmp_path / "out", 3000)
    writer.start(None)
    assert writer.state() == {"shard": 0, "size": 0}
    for number in range(2):
        writer.put(Sample(number, number, "x", "t", b"abc", ".png"))
        assert writer.state() == {"shard": number, "size": 2048}
        assert (tmp_path / "out" / f"lines-00000{number}.tar").stat().st_size == 2048
    writer.close()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["lines-000000.tar", "lines-000001.tar"]


def test_a_finished_archive_is_whole_on_disk(tmp_path: Path) -> None:
    writer = TarWriter(tmp_path / "x.tar", 10**6)
    writer.start(None)
    writer.put(Sample(0, 0, "x", "t", b"abc", ".png"))
    writer.finish()
    assert (tmp_path / "x.tar").stat().st_size == tarfile.RECORDSIZE
    writer.close()
