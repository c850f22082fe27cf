"""The first look at a path."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from crnn.data.sources import open_source
from crnn.data.sources import place as place_module
from crnn.data.sources.place import Place

NAMES = ["b.png", "a/z.txt", "c/a/x.PNG", "a.txt", ".hidden.txt", "README.md", "c/License", "c/notice.txt", "a/b.xyz"]
SORTED = [".hidden.txt", "README.md", "a.txt", "b.png", "a/b.xyz", "a/z.txt", "c/License", "c/notice.txt", "c/a/x.PNG"]
"""Near the root first."""


def folder(root: Path) -> Path:
    for name in NAMES:
        (root / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "x" / name).write_bytes(b"content")
    return root / "x"


def zipped(root: Path) -> Path:
    with zipfile.ZipFile(root / "x.data", "w") as archive:
        for name in NAMES:
            archive.writestr(name, "x")
    return root / "x.data"


def tarred(root: Path) -> Path:
    with tarfile.open(root / "x.data", "w") as archive:
        for name in NAMES:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return root / "x.data"


@pytest.mark.parametrize("make", [folder, zipped, tarred])
def test_what_is_in_it(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    place = Place(make(tmp_path))
    assert place.names == SORTED
    assert place.top == SORTED[:4]
    assert place.labels == ["a.txt", "a/b.xyz", "a/z.txt"]
    assert place.pictures == ["b.png", "c/a/x.PNG"]
    assert place.tree is not None
    assert (place.is_folder, place.is_archive) == ((True, False) if make is folder else (False, True))
    assert place.suffix == ("" if make is folder else ".data")
    assert place.has("none", "b.png", "a.txt") == "b.png"
    assert place.has("none") is None
    assert place.has("a") is None


@pytest.mark.parametrize("make", [folder, zipped, tarred])
def test_no_more_names_than_may_be_looked_at(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    for most in (9, 5):
        monkeypatch.setattr(place_module, "LOOK_AT", most)
        assert len(Place(make(tmp_path)).names) == most
    if make is folder:
        assert {name.count("/") for name in Place(tmp_path / "x").names} == {0, 1}  # the near ones


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.TXT").write_bytes(b"ab" * 40_000)
    place = Place(tmp_path / "x.TXT")
    assert (place.suffix, place.is_folder, place.is_archive, place.tree) == (".txt", False, False, None)
    assert place.head == b"ab" * 32_768  # 64 KiB
    assert place.names == place.top == place.labels == place.pictures == []
    assert Place(tmp_path).head == b""
    (tmp_path / "x.TXT").unlink()
    assert Place(tmp_path / "x.TXT").head == b""


def test_archives_are_told_by_their_content(tmp_path: Path) -> None:
    for head, archive in (
        (b"PK\x03\x04", True),
        (b"PK\x05\x06", True),
        (b"PK\x01\x02", False),
        (b"xPK\x03\x04", False),
    ):
        (tmp_path / "x.zip").write_bytes(head + bytes(600))
        assert Place(tmp_path / "x.zip").is_archive is archive


def test_a_damaged_tar_has_no_names(tmp_path: Path) -> None:
    path = tarred(tmp_path)
    path.write_bytes(path.read_bytes()[:700])
    assert Place(path).names == []


def test_links_to_folders_are_names_and_not_followed(tmp_path: Path) -> None:
    folder(tmp_path)
    os.symlink(tmp_path / "x", tmp_path / "x" / "a" / "circle")
    assert Place(tmp_path / "x").names == sorted([*SORTED, "a/circle"], key=lambda name: (name.count("/"), name))


@pytest.mark.parametrize("archive", [False, True])
def test_a_table_among_many_pictures_is_found(archive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else names such as word_1.png would be taken for labels."""
    monkeypatch.setattr(place_module, "LOOK_AT", 3)
    root = tmp_path / "x"
    root.mkdir()
    files = {f"word{i % 4}_{i}.png": b"x" for i in range(9)} | {"zz_labels.csv": b"path,text\nword1_1.png,other\n"}
    for name, data in files.items():
        (root / name).write_bytes(data)
    if archive:
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped_files:
            for name, data in files.items():
                zipped_files.writestr(name, data)
        root = tmp_path / "x.zip"
    assert "zz_labels.csv" in Place(root).names
    source = open_source(root)
    assert [source.entry(i).text for i in range(len(source))] == ["other"]
