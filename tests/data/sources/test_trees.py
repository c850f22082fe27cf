"""Folders and archives as one thing: names in order, contents, what is not there, what is too large."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest

from crnn.data.sources import trees, walks
from crnn.data.sources.trees import Folder, Tar, Tree, Zip, is_hidden, is_tar, open_tree
from crnn.data.sources.walks import files_and_links, walk
from crnn.errors import DataError

FILES = {"b.txt": b"bb", "a/2.txt": b"2", "a/b/c.txt": b"", "a/10.txt": b"ten", "B.txt": b"B"}
ORDER = ["B.txt", "b.txt", "a/10.txt", "a/2.txt", "a/b/c.txt"]
"""The files of a folder before the folders in it, sorted by code points."""


def folder(root: Path) -> Path:
    for name, data in FILES.items():
        (root / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "x" / name).write_bytes(data)
    return root / "x"


def zipped(root: Path) -> Path:
    with zipfile.ZipFile(root / "x.zip", "w") as archive:
        archive.mkdir("a") if hasattr(archive, "mkdir") else archive.writestr("a/", "")
        for name, data in FILES.items():
            archive.writestr(name, data)
    return root / "x.zip"


def tarred(root: Path) -> Path:
    with tarfile.open(root / "x.tar", "w") as archive:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return root / "x.tar"


KINDS = {"folder": (folder, Folder), "zip": (zipped, Zip), "tar": (tarred, Tar)}


@pytest.fixture(params=KINDS)
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    make, kind = KINDS[request.param]
    opened = open_tree(make(tmp_path))
    assert type(opened) is kind
    return opened


def bytes_of(tree: Tree, name: str) -> bytes:
    found = tree.content(name)
    return found.read_bytes() if isinstance(found, Path) else found


def test_names_and_contents(tree: Tree) -> None:
    assert list(tree.names()) == ORDER
    assert {name: bytes_of(tree, name) for name in ORDER} == FILES
    assert all(tree.has(name) for name in ORDER)
    for name in ("a", "c.txt", "a/c.txt", "", "../x", "a/../b.txt"):
        assert not tree.has(name)
    assert tree.text("a/10.txt") == "ten"


def test_what_is_not_there_is_named(tree: Tree) -> None:
    for name in ("a/none.txt", "none\n"):
        with pytest.raises(DataError, match=r"none.*: there is no such picture$"):
            tree.content(name)
    with pytest.raises(DataError, match="there is no such" if isinstance(tree, Tar) else "must stay within"):
        tree.content("../b.txt")


def test_a_name_that_is_spelt_almost_so_is_named(tmp_path: Path) -> None:
    for name in ("Scan 1.PNG", "a/u\u0308ber.png", "a/other.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    tree = Folder(tmp_path)
    for name, other, kind in (
        ("scan 1.png", "Scan 1.PNG", "other upper and lower case"),
        ("a/\xfcber.png", "u\u0308ber.png", "characters composed otherwise"),
        ("scan 1.PNG", "Scan 1.PNG", "other upper and lower case"),
    ):
        with pytest.raises(DataError) as caught:
            tree.content(name)
        assert str(caught.value) == (
            f"{tmp_path / name}: there is no such picture; there is '{other}', with {kind}: write names as the files "
            "have them, or rename these"
        )
    for name in ("b/other.png", "a/otherr.png", "other.png"):
        with pytest.raises(DataError, match=r"there is no such picture$"):
            tree.content(name)
    with pytest.raises(DataError, match=r"must stay within .*no drive; write names relative to it$"):
        tree.content("/home/other.png")


def test_travels_without_what_is_open(tree: Tree) -> None:
    bytes_of(tree, "b.txt")
    again = pickle.loads(pickle.dumps(tree))
    assert type(again) is type(tree)
    assert again.root == tree.root
    assert bytes_of(again, "a/2.txt") == b"2"


def test_parts(tmp_path: Path) -> None:
    for make in (zipped, tarred):
        path = make(tmp_path)
        assert list(open_tree(path).parts()) == [path]
    root = folder(tmp_path)
    assert list(Folder(root).parts()) == [
        root, root / "B.txt", root / "b.txt", root / "a", root / "a/10.txt", root / "a/2.txt", root / "a/b",
        root / "a/b/c.txt",
    ]  # fmt: skip
    assert list(walk(root / "a")) == [(root / "a", ["10.txt", "2.txt"]), (root / "a/b", ["c.txt"])]
    with pytest.raises(DataError, match=r"none: folder cannot be read \(No such file"):
        list(walk(tmp_path / "none"))


@pytest.mark.skipif(os.name == "nt", reason="links to folders need rights there")
def test_files_behind_links_to_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, other = folder(tmp_path), tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    for name in ("x.txt", "deep/y.txt"):
        (other / name).write_text(name)
    (root / "link").symlink_to(other)
    (other / "again").symlink_to(other / "deep")  # within what was seen
    (root / "a" / "circle").symlink_to(root)
    (root / "a" / "above").symlink_to(tmp_path)
    (root / "nowhere").symlink_to(tmp_path / "none")
    found = [path.relative_to(root).as_posix() for path in files_and_links(root)]
    assert found == [
        ".", "B.txt", "b.txt", "nowhere", "a", "a/10.txt", "a/2.txt", "a/b", "a/b/c.txt", "link", "link/x.txt",
        "link/deep", "link/deep/y.txt",
    ]  # fmt: skip
    monkeypatch.setattr(walks, "MOST_LINKED", 0)
    assert [path.relative_to(root).as_posix() for path in files_and_links(root)] == found[:11]


@pytest.mark.parametrize("make", [zipped, tarred])
def test_members_of_the_most_bytes_are_read(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    opened = open_tree(make(tmp_path))
    monkeypatch.setattr(trees, "MAX_BYTES", 3)
    assert opened.content("a/10.txt") == b"ten"
    monkeypatch.setattr(trees, "MAX_BYTES", 2)
    with pytest.raises(DataError, match=r"x\.\w+:a/10\.txt: has 3 bytes; allowed are 2"):
        opened.content("a/10.txt")


def test_a_tar_that_was_cut_since(tmp_path: Path) -> None:
    path = tarred(tmp_path)
    opened = Tar(path)
    member = opened._table()["a/10.txt"]
    whole = path.read_bytes()
    for keep, found in ((member.offset + 3, b"ten"), (member.offset + 2, None)):
        path.write_bytes(whole[:keep])
        if found:
            assert opened.content("a/10.txt") == found
        else:
            with pytest.raises(DataError, match=r"x\.tar:a/10\.txt: the archive ends before it does"):
                opened.content("a/10.txt")
    path.unlink()
    with pytest.raises(DataError, match=r"x\.tar: cannot be read \(No such file"):
        pickle.loads(pickle.dumps(opened)).content("a/10.txt")


def test_pictures_of_a_folder_may_lie_in_its_archive(tmp_path: Path) -> None:
    root = folder(tmp_path)
    with zipfile.ZipFile(root / "images.zip", "w") as archive:
        archive.writestr("p.png", "picture")
        archive.writestr("b.txt", "not this")
    opened = Folder(root)
    assert opened.has("p.png")
    assert opened.content("p.png") == b"picture"
    assert bytes_of(opened, "b.txt") == b"bb"  # what lies in the folder itself wins
    assert not opened.has("q.png")
    with pytest.raises(DataError, match=r"^q\.png: there is no such picture in .*x or its images\.zip$"):
        opened.content("q.png")


def test_what_is_no_tree(tmp_path: Path) -> None:
    for name, words in (
        ("x.zip", "is not a whole zip archive; copy or download it again"),
        ("X.ZIP", "is not a whole zip archive"),
        ("x.txt", "is neither a folder nor a zip or tar archive"),
    ):
        (tmp_path / name).write_bytes(b"none")
        with pytest.raises(DataError, match=rf"{name}: {words}"):
            open_tree(tmp_path / name)
    (tmp_path / "x.TAR").write_bytes(b"none")
    assert type(open_tree(tmp_path / "x.TAR")) is Tar  # whose error is then seen
    assert type(open_tree(tarred(tmp_path).rename(tmp_path / "plain"))) is Tar
    assert type(open_tree(zipped(tmp_path).rename(tmp_path / "other"))) is Zip


def test_a_tar_that_ends_in_a_zip_archive_is_a_tar(tmp_path: Path) -> None:
    """The mark of a zip archive is looked for at the end of a file."""
    inner = zipped(tmp_path).read_bytes()
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, data in {"a.txt": b"a", "more.zip": inner}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert zipfile.is_zipfile(tmp_path / "x.tar")
    assert list(open_tree(tmp_path / "x.tar").names()) == ["a.txt", "more.zip"]
    (tmp_path / "x.tar").rename(tmp_path / "plain")
    assert list(open_tree(tmp_path / "plain").names()) == ["a.txt", "more.zip"]


def test_the_mark_of_a_tar(tmp_path: Path) -> None:
    for content, found in (
        (bytes(257) + b"ustar", True),
        (bytes(257) + b"ustar\0more", True),
        (bytes(256) + b"ustar", False),
        (bytes(258) + b"ustar", False),
        (bytes(257) + b"usta", False),
        (b"", False),
    ):
        (tmp_path / "x").write_bytes(content)
        assert is_tar(tmp_path / "x") is found
    assert not is_tar(tmp_path / "none")
    assert not is_tar(tmp_path)


def test_names_in_archives_of_other_systems(tmp_path: Path) -> None:
    """UTF-8 that does not say so, code page 437, and Windows' separators."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, system in (("M\u00fcller.png", 3), ("caf\u00e9.png", 3), ("images\\a.png", 0), ("b\\c.png", 3)):
            info = zipfile.ZipInfo("x")
            info.filename, info.create_system = name, system
            archive.writestr(info, name.encode())
    raw = path.read_bytes()
    for name, written in (("M\u00fcller.png", "utf-8"), ("caf\u00e9.png", "cp437")):  # without the flag
        raw = raw.replace(name.encode(), name.encode(written).ljust(len(name.encode()), b"_"))
    parts = bytearray(raw)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = parts.find(mark)
        while at >= 0:
            parts[at + flags + 1] &= ~0x08 & 0xFF
            at = parts.find(mark, at + 4)
    path.write_bytes(bytes(parts))
    tree = Zip(path)
    assert sorted(tree.names()) == sorted(["M\u00fcller.png", "caf\u00e9.png_", "images/a.png", "b\\c.png"])
    assert tree.has("images/a.png")
    assert tree.content("images/a.png") == b"images\\a.png"
    assert tree.content("M\u00fcller.png") == "M\u00fcller.png".encode()


def test_an_archive_of_a_later_version_is_named(tmp_path: Path) -> None:
    path = zipped(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[raw.find(b"PK\x01\x02") + 6] = 99  # version needed
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"x\.zip: is not a readable zip archive \(zip file version 9\.9\)"):
        list(Zip(path).names())


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("._a.xml", True), ("b/._a.xml", True), ("__MACOSX/a.xml", True), ("a.xml", False), ("b.c/a.xml", False)],
)
def test_hidden(name: str, hidden: bool) -> None:
    assert is_hidden(name) == hidden


def test_texts_of_a_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file or from the bytes of a member: the same limit, the same words."""
    for make in (folder, zipped, tarred):
        opened = open_tree(make(tmp_path))
        monkeypatch.setattr("crnn.data.sources.utf8.MAX_LABEL_BYTES", 3)
        assert opened.text("a/10.txt") == "ten"
        monkeypatch.setattr("crnn.data.sources.utf8.MAX_LABEL_BYTES", 2)
        with pytest.raises(DataError, match=r"a/10\.txt: has 0 MiB; labels of at most 64 MiB are read"):
            opened.text("a/10.txt")


def test_folders_and_links_in_a_folder(tmp_path: Path) -> None:
    """A folder is no file; a link to a file is one; one to a folder is not followed."""
    root = folder(tmp_path)
    (root / "link.txt").symlink_to("b.txt")
    (root / "circle").symlink_to(root)
    opened = Folder(root)
    assert list(opened.names()) == ["B.txt", "b.txt", "link.txt", "a/10.txt", "a/2.txt", "a/b/c.txt"]
    assert not opened.has("a")
    assert not opened.has("x" * 5000)
    assert bytes_of(opened, "link.txt") == b"bb"
    for name in ("a", "\0", "x" * 5000):
        with pytest.raises(DataError, match="there is no such picture"):
            opened.content(name)


def test_damaged_members_are_named(tmp_path: Path) -> None:
    path = zipped(tmp_path)
    raw = bytearray(path.read_bytes())
    at = raw.find(b"ten")
    raw[at] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"x\.zip:a/10\.txt: cannot be read \(Bad CRC-32"):
        Zip(path).content("a/10.txt")
    assert Zip(path).content("a/2.txt") == b"2"
    with pytest.raises(DataError, match=r"gone\.zip: is not a readable zip archive \(.*No such file"):
        Zip(tmp_path / "gone.zip").has("a")


def test_archives_of_two_members_of_one_name(tmp_path: Path) -> None:
    """As when unpacked, the last one counts."""
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for data in (b"old", b"newer"):
            info = tarfile.TarInfo("a.txt")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert list(open_tree(tmp_path / "x.tar").names()) == ["a.txt"]
    assert open_tree(tmp_path / "x.tar").content("a.txt") == b"newer"
