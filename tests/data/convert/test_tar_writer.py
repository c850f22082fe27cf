"""Tar shards, as WebDataset reads them."""

from __future__ import annotations

import tarfile
from pathlib import Path

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
