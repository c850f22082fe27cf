"""A result that is not what was written is never taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from given_lines import given, into, noise

from crnn.core.transform import LineTransform
from crnn.data.check import check_lines
from crnn.data.convert.base import digest
from crnn.data.convert.read_back import read_back
from crnn.data.progress import unwatched
from crnn.errors import DataError


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with texts beside pictures, before it was read back; its digests lie two folders up."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("crnn.data.convert.run.read_back", stop)
        into(given(7), tmp_path / "out", "gt")
    return tmp_path / "out.part" / "result" / "out"


def back(result: Path, lines: int = 7) -> str:
    return read_back(result, result.parents[1] / "digests", lines, unwatched)[0]


def test_the_fingerprint(written: Path) -> None:
    assert back(written) == check_lines(given(7), LineTransform()).fingerprint


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("book/003.png", noise(4)),
        ("book/003.png", noise(3) + b"\0"),
        ("book/003.png", b""),
        ("book/003.gt.txt", b"text 3\n"),
        ("book/003.gt.txt", b"\xff"),
    ],
)
def test_another_line_than_was_written(file: str, data: bytes, written: Path) -> None:
    (written / file).write_bytes(data)
    with pytest.raises(
        DataError, match=r"book/003\.gt\.txt: does not read as it was written \(1 such lines\); is the d"
    ):
        back(written)


def test_a_line_too_few_or_too_many(written: Path) -> None:
    with pytest.raises(DataError, match="8 lines were written, 7 are read; is the disk full"):
        back(written, 8)
    (written / "book" / "006.gt.txt").unlink()
    with pytest.raises(DataError, match="7 lines were written, 6 are read"):
        back(written)


def test_a_picture_that_is_gone(written: Path) -> None:
    (written / "book" / "006.png").unlink()
    with pytest.raises(DataError, match=r"book/006\.gt\.txt: does not read as it was written"):
        back(written)


def test_two_lines_that_changed_places(written: Path) -> None:
    for ending in (".png", ".gt.txt"):
        one, other = (written / "book" / f"00{i}{ending}" for i in (1, 2))
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(kept)
    with pytest.raises(DataError, match=r"2 such lines"):
        back(written)


def test_digests_of_more_or_fewer_lines(written: Path) -> None:
    """A table of digests that was cut within a line has none of it."""
    digests = written.parents[1] / "digests"
    whole = digests.read_bytes()
    for data, good in ((whole + b"x" * 15, True), (whole + b"x" * 16, False), (whole[:-1], False)):
        digests.write_bytes(data)
        if good:
            assert len(back(written)) == 64
        else:
            with pytest.raises(DataError, match="7 lines were written, 7 are read; is the disk full"):
                back(written)


def test_lines_that_a_training_drops_are_counted(written: Path) -> None:
    seen = []

    def watch(positions, count, what):  # type: ignore[no-untyped-def]
        seen.append((count, what))
        return positions

    lines = given(7)
    lines.lines[2] = (lines.lines[2][0], noise(2)[:600])
    (written / "book" / "002.png").write_bytes(noise(2)[:600])
    digests = [digest(entry.text, data) for entry, data in lines.lines]  # type: ignore[arg-type]
    (written.parents[1] / "digests").write_bytes(b"".join(digests))
    found = read_back(written, written.parents[1] / "digests", 7, watch, threads=1)[1]
    assert found == {"unreadable picture": 1}
    assert seen == [(7, "reading back")]
