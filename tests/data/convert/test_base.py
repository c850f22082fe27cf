"""What tells one line from another."""

from __future__ import annotations

from pathlib import Path

from crnn.data.convert.base import DIGEST_BYTES, Sample, Writer, digest
from crnn.data.sources.extra import MAX_TEXT_BYTES


def test_digests_tell_lines_apart() -> None:
    lines = [
        ("", b""),
        ("a", b""),
        ("", b"a"),
        ("ab", b"c"),
        ("a", b"bc"),
        ("1", b"\0x"),
        ("1\0x", b""),
        ("\udcff", b""),
    ]
    found = {digest(text, data) for text, data in lines}
    assert len(found) == len(lines)
    assert {len(one) for one in found} == {DIGEST_BYTES}
    assert Sample(3, 5, "x", "ab", b"c", ".png").digest() == digest("ab", b"c")


class Kept(Writer):
    """Keeps nothing."""

    description, suffix = "", ".tar"

    def start(self, state: dict[str, int] | None) -> None: ...

    def put(self, sample: Sample) -> bool:
        return False

    def state(self) -> dict[str, int]:
        return {}

    def finish(self) -> None: ...

    def close(self) -> None: ...


def test_one_file_or_a_folder_of_several() -> None:
    for name, single in (("x.tar", True), ("a/X.TAR", True), ("tar", False), ("x.tar.part", False)):
        writer = Kept(Path(name), 7)
        assert (writer.single, writer.path, writer.shard_bytes, writer.side) == (single, Path(name), 7, "train")

    class Folder(Kept):
        suffix = ""

    assert not Folder(Path("x"), 7).single


def test_labels_of_the_most_bytes_are_kept() -> None:
    writer = Kept(Path("x"), 7)
    assert writer.refusal("é" * (MAX_TEXT_BYTES // 2)) == writer.refusal("") == ""
    assert writer.refusal("é" * (MAX_TEXT_BYTES // 2) + "x") == "has 65,537 bytes; at most 65,536 are read"


def test_digests_are_the_same_in_every_version() -> None:
    """A conversion that was stopped is gone on with by a later one."""
    assert digest("ab", b"c").hex() == "61718a74fe66a5c9622acce433e75a07"
