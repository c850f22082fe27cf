"""Members of archives: what of them is read on the way, which headers are plain, how many there may be."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from crnn.data.sources import tar_headers
from crnn.data.sources.tar_headers import Member, inside, tar_members, tar_members_and_heads
from crnn.errors import DataError

SIZES = (0, 1, 10, 511, 512, 513, 1024, 1535, 1536, 1537, 5000)


def content(size: int) -> bytes:
    return bytes(i * 7 % 251 + 1 for i in range(size))


def archive(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], kind: int = tarfile.USTAR_FORMAT) -> Path:
    with tarfile.open(path, "w", format=kind) as file:
        for info, data in members:
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def file(name: str, **given: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in given.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize("notes", [False, True])
def test_members_and_how_they_begin(notes: bool, tmp_path: Path) -> None:
    """In the four blocks that are read at once are the header, and with notes two blocks before it."""
    given = [(file(f"{size}.txt", mtime=1.5 if notes else 1), content(size)) for size in SIZES]
    path = archive(tmp_path / "x.tar", given, tarfile.PAX_FORMAT)
    whole = path.read_bytes()
    found = list(tar_members_and_heads(path))
    assert [member.size for member, _ in found] == list(SIZES)
    assert [member.name for member, _ in found] == [f"{size}.txt" for size in SIZES]
    for member, head in found:
        assert whole[member.offset : member.offset + member.size] == content(member.size)
        assert head == content(member.size)[: 512 if notes else 1536]


def test_only_notes_that_rename_take_the_slow_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content that reads like them is none."""
    given = [(file("a.txt", mtime=1.5), b"1 path=x\n size=3\n")]
    path = archive(tmp_path / "x.tar", given, tarfile.PAX_FORMAT)
    monkeypatch.setattr(tar_headers, "_by_tarfile", None)
    assert [(member.name, head) for member, head in tar_members_and_heads(path)] == [("a.txt", given[0][1])]
    archive(tmp_path / "x.tar", [(file("é" * 60, mtime=1.5), b"")], tarfile.PAX_FORMAT)
    with pytest.raises(TypeError):
        list(tar_members(path))


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
def test_folders_and_links_are_no_members(kind: int, tmp_path: Path) -> None:
    members = [
        (file("a", type=tarfile.DIRTYPE), b""),
        (file("a/1.txt"), b"x"),
        (file("a/link", type=tarfile.SYMTYPE, linkname="1.txt"), b""),
        (file("a/2.txt"), b"yz"),
        (file("./a/3.txt"), b""),
    ]
    found = list(tar_members(archive(tmp_path / "x.tar", members, kind)))
    assert [(name, size) for name, _, size in found] == [("a/1.txt", 1), ("a/2.txt", 2), ("a/3.txt", 0)]


def header(name: str = "a.txt", size: int = 700, kind: int = tarfile.USTAR_FORMAT) -> bytearray:
    info = file(name)
    info.size = size
    return bytearray(info.tobuf(kind))


def summed(block: bytearray) -> bytes:
    """With its checksum put right."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_plain_headers() -> None:
    read = tar_headers._kind_and_size
    assert read(bytes(header())) == (b"0", 700)
    assert read(bytes(header(size=0o77777777777))) == (b"0", 8**11 - 1)
    assert read(bytes(header(kind=tarfile.GNU_FORMAT))) == (b"0", 700)
    old = header()
    old[156:157] = b"\0"
    assert read(summed(old)) == (b"0", 700)
    full = header()
    full[157:257] = b"\xff" * 100
    full[345:500] = b"\xff" * 155
    assert read(summed(full)) == (b"0", 700)  # a sum near its largest
    assert read(bytes(512)) == (b"end", 0)
    assert read(bytes(513)) == (b"end", 0)
    for broken in (bytes(511), b"", bytes(header())[:511], bytes(511) + b"x", b"x" * 512):
        assert read(broken) == (b"", 0)


@pytest.mark.parametrize("place", [0, 50, 124, 135, 147, 156, 257, 263, 344, 345, 511])
def test_a_header_with_a_wrong_byte_is_not_plain(place: int) -> None:
    block = header()
    block[place] ^= 1
    assert tar_headers._kind_and_size(bytes(block)) == (b"", 0)


def test_headers_whose_numbers_are_none() -> None:
    for at, digits in ((124, b"\x80\0\0\0\0\0\0\0\0\0\2\xbc"), (124, b"00000000899\0"), (124, b"0000 000700\0")):
        block = header()
        block[at : at + len(digits)] = digits
        assert tar_headers._kind_and_size(summed(block)) == (b"", 0)
    for said in (b"        ", b"00x0000 ", b"0000009 "):
        block = header()
        block[148:156] = said
        assert tar_headers._kind_and_size(bytes(block)) == (b"", 0)


def test_names_in_headers() -> None:
    name = tar_headers._name
    assert name(bytes(header("a.txt"))) == "a.txt"
    assert name(bytes(header("./a/b.txt"))) == "a/b.txt"
    assert name(bytes(header("x" * 100))) == "x" * 100
    for long in ("d/" * 60 + "long.png", "p" * 155 + "/" + "n" * 100):
        assert name(bytes(header(long))) == long
    gnu = header("a.txt", kind=tarfile.GNU_FORMAT)
    gnu[345:348] = b"123"  # a time there, no part of the name
    assert name(bytes(gnu)) == "a.txt"
    full = header("p" * 155 + "/" + "n" * 100)
    full[500:512] = b"x" * 12  # behind the name
    assert name(bytes(full)) == "p" * 155 + "/" + "n" * 100
    assert name(b"\xffa\0") == "\udcffa"


def test_so_many_members_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "x.tar", [(file(f"{i}.txt"), b"") for i in range(3)])
    monkeypatch.setattr(tar_headers, "MAX_MEMBERS", 3)
    assert len(list(tar_members(path))) == 3
    monkeypatch.setattr(tar_headers, "MAX_MEMBERS", 2)
    with pytest.raises(DataError, match=r"x\.tar: has more than 2 members; divide it"):
        list(tar_members(path))


def test_names_stay_inside(tmp_path: Path) -> None:
    for good in ("a.png", "a/b.png", "a\\b.png", "a..b/c", "..a", "ab:c", "1:c.png", "é:c"):
        assert str(inside(good, tmp_path)) == good.replace("\\", "/")
    for bad in ("", "/a", "\\a", "../a", "a/../b", "a\\..\\b", "..", "c:a", "c:\\a"):
        with pytest.raises(DataError, match=r"must stay within .*: no '\.\.', no absolute path"):
            inside(bad, tmp_path)


@pytest.mark.parametrize(
    ("head", "packed"),
    [(b"\x1f\x8b", True), (b"BZh", True), (b"\xfd7zXZ", True), (b"\x28\xb5\x2f\xfd", True), (b"x\x1f\x8b", False)],
)
def test_compressed_archives_are_told_by_their_first_bytes(head: bytes, packed: bool, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(head + b"x" * 600)
    with pytest.raises(DataError, match="unpack it: members of a compressed" if packed else r"; damaged\?"):
        list(tar_members(tmp_path / "x"))


def test_an_empty_archive_has_no_members(tmp_path: Path) -> None:
    assert list(tar_members(archive(tmp_path / "x.tar", []))) == []
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(DataError, match="is not a readable tar archive"):
        list(tar_members(tmp_path / "empty"))
    with pytest.raises(DataError, match=r"none: cannot be read \(No such file"):
        list(tar_members(tmp_path / "none"))


def test_an_archive_may_end_right_behind_its_end_mark(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.tar", [(file("a.txt"), b"x" * 512)])
    whole = path.read_bytes()
    path.write_bytes(whole[: 512 + 512 + 512])
    assert list(tar_members(path)) == [Member("a.txt", 512, 512)]
    path.write_bytes(whole[: 512 + 512])
    with pytest.raises(DataError, match="has no end mark"):
        list(tar_members(path))
    path.write_bytes(whole[: 512 + 511])
    with pytest.raises(DataError, match="ends in the middle of a member"):
        list(tar_members(path))


@pytest.mark.parametrize(
    "notes", [b"19 GNU.sparse=123456", b"20 hdrcharset=BINARY\n", b"12 size=345\n", b"13 path=b.txt\n"]
)
def test_notes_that_change_a_member_take_the_slow_way(notes: bytes, tmp_path: Path) -> None:
    """Within the first block; a longer list of notes takes it too."""
    block = header("./PaxHeaders/a.txt", len(notes))
    block[156:157] = b"x"
    plain = bytes(header("a.txt", 5)) + b"12345" + bytes(507)
    (tmp_path / "x.tar").write_bytes(summed(block) + notes.ljust(512, b"\0") + plain + bytes(1024))
    seen: list[int] = []

    def slow(file: object, path: Path, position: int, end: int) -> object:
        seen.append(position)
        return iter(())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tar_headers, "_by_tarfile", slow)
        assert list(tar_members(tmp_path / "x.tar")) == []
    assert seen == [0]
    for size, way in ((512, []), (513, [0])):
        long = b"30 mtime=1.5\n".ljust(size, b" ")
        block = header("./PaxHeaders/a.txt", size)
        block[156:157] = b"x"
        body = long + bytes(-size % 512)
        (tmp_path / "y.tar").write_bytes(summed(block) + body + plain + bytes(1024))
        seen.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tar_headers, "_by_tarfile", slow)
            found = list(tar_members(tmp_path / "y.tar"))
        assert seen == way
        assert found == ([] if way else [Member("a.txt", 3 * 512, 5)])


def test_folders_and_files_are_what_their_names_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose name ends as a folder's, or the other way round, is left to tarfile."""
    seen: list[int] = []
    monkeypatch.setattr(tar_headers, "_by_tarfile", lambda file, path, position, end: seen.append(position) or iter(()))
    for name, kind, way in (("a/", b"5", []), ("a", b"5", [0]), ("a/", b"0", [0]), ("a", b"0", []), ("a", b"2", [0])):
        block = header(name, 0)
        block[156:157] = kind
        (tmp_path / "x.tar").write_bytes(summed(block) + bytes(1024))
        seen.clear()
        members = list(tar_members(tmp_path / "x.tar"))
        assert seen == way, (name, kind)
        assert members == ([Member("a", 512, 0)] if (name, kind) == ("a", b"0") else [])
