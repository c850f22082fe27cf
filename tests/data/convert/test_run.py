"""Everything we read, to everything we write; stopped anywhere and gone on with; nothing left out without a word."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from given_lines import Given, given, into, noise, of_texts, save_often, tree
from PIL import Image
from tests_support import peak_memory

from crnn.core.transform import LineTransform
from crnn.data.check import check_lines
from crnn.data.convert import convert, run
from crnn.data.convert.base import DIGEST_BYTES
from crnn.data.convert.part import Part
from crnn.data.convert.pictures import read_content
from crnn.data.convert.registry import WRITERS
from crnn.data.sources import LineEntry, open_source
from crnn.data.sources.columns import labels
from crnn.data.synth.source import synthetic_pair
from crnn.errors import DataError

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))
from makers import MAKERS, OPTIONS, TEXTS

TARGETS = {**{name: name for name in WRITERS}, "one parquet": "x.parquet", "one tar": "x.tar"}
"""Name -> name of the result; a format where it has no ending."""


def target(folder: Path, name: str) -> tuple[Path, str | None]:
    return folder / TARGETS[name], None if "." in TARGETS[name] else TARGETS[name]


@pytest.mark.parametrize("made", MAKERS)
def test_every_source_to_some_targets(made: str, tmp_path: Path) -> None:
    """Two for each, in turn, so that each target has a dozen sources."""
    first = list(MAKERS).index(made)
    convert_to([list(TARGETS)[(first + step) % len(TARGETS)] for step in (0, 3)], made, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("made", MAKERS)
def test_every_source_to_every_target(made: str, tmp_path: Path) -> None:
    convert_to(list(TARGETS), made, tmp_path)


def convert_to(targets: list[str], made: str, tmp_path: Path) -> None:
    source = open_source(MAKERS[made](tmp_path / "lines"), OPTIONS.get(made))
    wanted = check_lines(source, LineTransform()).fingerprint
    for name in targets:
        path, to = target(tmp_path, name)
        done = convert(lambda _: source, path, to)
        assert (done.lines, done.fingerprint, done.left_out) == (len(TEXTS), wanted, {}), name
        copy = open_source(path)
        assert list(labels(copy)) == TEXTS
        for i in range(len(TEXTS)):
            content, kept = source.content(i), copy.content(i)
            assert not isinstance(kept, Image.Image)
            if isinstance(content, Image.Image):  # cut from a page
                assert copy.picture(i).tobytes() == content.tobytes()
            else:
                assert read_content(kept, "") == read_content(content, "")
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted({"lines", path.name})
        if path.is_dir():
            path.rename(tmp_path / "lines" / f"done {name}")
        else:
            path.unlink()


ENDINGS = [
    "tsv",
    "csv",
    "json",
    "jsonl",
    "txt",
    "gt.txt",
    "zip",
    "tar.gz",
    "mdb",
    "arrow",
    "xml",
    "png",
    "part",
    "v1.0",
]


@pytest.mark.parametrize("name", WRITERS)
def test_folders_whatever_their_names_end_in(name: str, tmp_path: Path) -> None:
    """A folder is read as what is in it."""
    for ending in ENDINGS:
        path = tmp_path / f"out.{ending}"
        assert into(given(3), path, name).lines == 3, ending
        assert path.is_dir()
        assert list(labels(open_source(path))) == [f"text {i} " for i in range(3)], ending


@pytest.mark.parametrize("name", TARGETS)
def test_rendered_lines(name: str, tmp_path: Path) -> None:
    """They have no files: PNG, with every pixel."""
    source = synthetic_pair(1, 12, seed=3, fonts="bundled", max_length=8)[1]
    path, to = target(tmp_path, name)
    done = convert(lambda _: source, path, to)
    assert done.fingerprint == check_lines(source, LineTransform()).fingerprint
    copy = open_source(path)
    assert [copy.picture(i).tobytes() for i in range(12)] == [source.picture(i).tobytes() for i in range(12)]


@pytest.mark.parametrize("name", TARGETS)
def test_goes_on_where_it_was_stopped(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte what one go makes; several stops in one conversion, before the first safe point and in the end."""
    save_often(monkeypatch)
    (tmp_path / "whole").mkdir()
    whole, to = target(tmp_path / "whole", name)
    once = into(given(50), whole, to)
    assert once.lines == 48
    path, _ = target(tmp_path, name)
    for stop in (3, 17, 18, 37, 49):
        with pytest.raises(KeyboardInterrupt):
            into(given(50, stop_at=stop), path, to)
        assert not path.exists()
    done = into(given(50), path, to)
    assert done.resumed_at > (0 if name == "one parquet" or name == "parquet" else 40)
    assert (done.lines, done.fingerprint, done.left_out) == (once.lines, once.fingerprint, once.left_out)
    assert tree(path) == tree(whole)
    skipped = [p.with_name(f"{p.name}.skipped.tsv").read_text() for p in (whole, path)]
    assert skipped[0] == skipped[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([path.name, f"{path.name}.skipped.tsv", "whole"])


_KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import pytest
from pathlib import Path
from given_lines import Given, given, into, save_often
save_often(pytest.MonkeyPatch())
count = 0
def content(self, position, kept=Given.content):
    if position == 33:
        os.kill(os.getpid(), signal.SIGKILL)
    return kept(self, position)
Given.content = content
into(given(50), Path(sys.argv[2]), sys.argv[3] or None)
"""


@pytest.mark.parametrize("name", TARGETS)
def test_goes_on_after_kill_9(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_often(monkeypatch)
    (tmp_path / "whole").mkdir()
    whole, to = target(tmp_path / "whole", name)
    into(given(50), whole, to)
    path, _ = target(tmp_path, name)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(Path(__file__).parent), str(path), to or ""], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert into(given(50), path, to).resumed_at > 0
    assert tree(path) == tree(whole)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("when", ["writer finished", "read back", "table moved", "result moved"])
def test_goes_on_after_a_stop_near_the_end(
    name: str, when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    whole, to = target(tmp_path / "whole", name)
    into(given(50), whole, to)
    path, _ = target(tmp_path, name)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if when == "writer finished":
            patch.setattr("crnn.data.convert.run.read_back", stop)
        elif when == "read back":
            patch.setattr("crnn.data.convert.part.Part.finish", stop)
        elif when == "table moved":
            patch.setattr("pathlib.Path.rename", stop)
        else:
            patch.setattr("crnn.data.convert.part.Part.remove", stop)
        into(given(50), path, to)
    assert path.exists() is (when == "result moved")
    done = into(given(50), path, to)
    assert (done.lines, done.left_out.total(), len(done.fingerprint)) == (48, 2, 64)
    assert tree(path) == tree(whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([path.name, f"{path.name}.skipped.tsv", "whole"])


@pytest.mark.parametrize("name", TARGETS)
def test_goes_on_after_the_last_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line was a safe point, so that none is left to write."""
    save_often(monkeypatch)
    (tmp_path / "whole").mkdir()
    whole, to = target(tmp_path / "whole", name)
    into(given(47), whole, to, shard_bytes=1)
    path, _ = target(tmp_path, name)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("crnn.data.convert.run.read_back", stop)
        into(given(47), path, to, shard_bytes=1)
    done = into(given(47), path, to, shard_bytes=1)
    assert (done.lines, done.resumed_at) == (45, 47)
    assert tree(path) == tree(whole)


def test_lines_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    lines = given(30)
    lines.lines[3] = (lines.lines[3][0], b"no picture")
    lines.lines[4] = (lines.lines[4][0], b"")
    lines.lines[5] = (lines.lines[5][0], tmp_path / "gone.png")
    lines.lines[6] = (lines.lines[6][0]._replace(text="a\udcff"), noise(6))
    lines.lines[8] = (lines.lines[8][0]._replace(where="table\t9\n"), b"no picture")
    done = into(lines, tmp_path / "out", "lmdb")
    assert done.lines == 23
    assert done.left_out == {"unusable row": 1, "unreadable picture": 5, "label the format cannot keep": 1}
    assert done.skipped == tmp_path / "out.skipped.tsv"
    rows = [line.split("\t") for line in done.skipped.read_text(encoding="utf-8").splitlines()]
    assert rows[0] == ["where", "picture", "reason", "detail"]
    assert [row[0] for row in rows[1:]] == [f"table:{i}" for i in (4, 5, 6, 7, 8)] + [r"table\t9\n", "table:21"]
    assert {len(row) for row in rows} == {4}
    assert "is not a picture" in rows[1][3]
    assert "is empty" in rows[2][3]
    assert "gone.png: cannot be read (No such file or directory)" in rows[3][3]
    assert rows[4][3] == r"holds '\udcff' at 2, which is no character; correct it"
    assert rows[5][3] == "has no tab"


def test_unusable_lines_stay_as_they_are(tmp_path: Path) -> None:
    """An empty label, and a picture that breaks off, are lines of the source; what a training does is its own affair."""
    lines = given(7)
    lines.lines[1] = (lines.lines[1][0]._replace(text=""), noise(1))
    lines.lines[2] = (lines.lines[2][0], noise(2)[:600])
    for name in TARGETS:
        path, to = target(tmp_path, name)
        done = into(lines, path, to)
        assert (done.lines, done.left_out) == (7, {})
        assert done.unusable == {"empty label": 1, "unreadable picture": 1}
        copy = open_source(path)
        assert copy.entry(1).text == ""
        assert not isinstance(content := copy.content(2), Image.Image)
        assert read_content(content, "") == noise(2)[:600]


def test_nothing_to_write(tmp_path: Path) -> None:
    lines = Given([(LineEntry("a", "table:1", "a.png", "has no tab"), b"")])
    with pytest.raises(
        DataError, match=r"out: none of the lines can be written, the first is: table:1: a.png: unusable"
    ):
        into(lines, tmp_path / "out", "gt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TARGETS)
def test_disk_full(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear error; with room again, the same call goes on."""
    save_often(monkeypatch)
    path, to = target(tmp_path, name)
    few, many = (0, 12) if name in ("tsv", "gt") else (0, 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(path: Path, data: bytes, write: object = Path.write_bytes) -> int:
        nonlocal few
        few += 1
        if few > many:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, data)  # type: ignore[operator]

    with monkeypatch.context() as patch:
        if many:
            patch.setattr(Path, "write_bytes", full)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (25_000, hard))
        try:
            with pytest.raises(DataError) as caught:
                into(given(50), path, to, shard_bytes=2**20 if name == "parquet" else 21_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be written (")
    assert "; make room, or name another place" in message
    assert "\n" not in message
    assert not path.exists()
    done = into(given(50), path, to, shard_bytes=2**20 if name == "parquet" else 21_000)
    assert done.lines == 48
    if name not in ("parquet", "one parquet"):
        assert "lines are safe, the same command goes on from there" in message
        assert done.resumed_at > 0


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"file/out.tar: cannot be written \(.+\); make room, or name another place$"):
        into(given(3), tmp_path / "file" / "out.tar")


def test_memory_does_not_grow_with_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """50 pictures of 160,000 bytes are 8 MB; some are held, never all."""
    save_often(monkeypatch)
    monkeypatch.setattr("crnn.data.convert.parquet_writer._GROUP_BYTES", 10**5)

    picture = noise(1)

    class Made(Given):
        def content(self, position: int) -> bytes:
            return picture + b"x" * 160_000

    lines = Made([(LineEntry("a", "row", f"{i:03d}.png"), b"") for i in range(50)])
    into(Made(lines.lines[:3]), tmp_path / "warm", "tar")
    for name in TARGETS:
        path, to = target(tmp_path, name)
        peak = peak_memory(lambda path=path, to=to: into(lines, path, to, shard_bytes=10**6), times=1)
        assert peak < 3_000_000, name


LABELS = [
    *(
        "plain",
        " leading",
        "trailing ",
        "  ",
        "",
        "نص عربي",
        "שָׁלוֹם",
        "नि",
        "e\u0301",
        "👨‍👩‍👧‍👦",
        "\u202eabc",
        "\u200b",
        "\u2028",
        "a\u0085b",
    ),
    *(
        "a\tb",
        "\t",
        "a\nb",
        "a\n",
        "a\r",
        "a\r\n",
        "a\rb",
        "\n",
        "a\0b",
        "\ufeffbom",
        "a\ufeff",
        "x" * 10_000,
        "字" * 10_000,
    ),
    *('"quoted"', "'", "a,b;c", "=1+1", "\\n", "#", "a/b", "../..", "%00", "<b>", "\x1b[31m", "\x7f", "x" * 70_000),
]
REFUSED = {
    "lmdb": {"x" * 70_000},
    "parquet": {"x" * 70_000},
    "tar": {"a\n", "a\r", "a\r\n", "\n", "\ufeffbom", "x" * 70_000},
    "tsv": {"a\tb", "\t", "a\nb", "a\n", "a\r", "a\r\n", "a\rb", "\n", "a\0b"},
    "gt": {"a\r", "\ufeffbom"},
}


@pytest.mark.parametrize("name", WRITERS)
def test_labels_to_the_code_point(name: str, tmp_path: Path) -> None:
    done = into(of_texts(LABELS), tmp_path / "out", name)
    kept = [text for text in LABELS if text not in REFUSED[name]]
    assert list(labels(open_source(tmp_path / "out"))) == kept
    assert done.left_out.total() == len(LABELS) - len(kept) == len(REFUSED[name])
    assert done.skipped
    table = done.skipped.read_text(encoding="utf-8").splitlines()[1:]
    assert [row.split("\t")[0] for row in table] == [f"row {i}" for i, t in enumerate(LABELS) if t in REFUSED[name]]


def test_release_reaches_every_reader(tmp_path: Path) -> None:
    released = []
    source = open_source(MAKERS["lmdb"](tmp_path / "lines"))
    source.reader.release = lambda: released.append(1)  # type: ignore[attr-defined]
    run.release(source)
    from crnn.data.sources.views import Concatenation, Selection

    run.release(Selection(Concatenation([source, source]), [0]))
    assert len(released) == 3


def test_readers_let_go_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all of a database stays mapped while it is copied."""
    monkeypatch.setattr(run, "_RELEASE_EVERY", 3)
    events: list[object] = []

    class Reader:
        def release(self) -> None:
            events.append("release")

    lines = given(7)
    lines.reader = Reader()  # type: ignore[attr-defined]
    kept = lines.content
    lines.content = lambda position: events.append(position) or kept(position)  # type: ignore[method-assign]
    into(lines, tmp_path / "x.tar")
    assert events == [0, "release", 1, 2, 3, "release", 4, 5, 6, "release", "release"]


def test_how_far_it_is_can_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_often(monkeypatch)
    seen: list[tuple[int, str]] = []

    def watch(items, count, what):  # type: ignore[no-untyped-def]
        seen.append((count, what))
        return items

    def go(stop_at: int = -1) -> None:
        convert(lambda _: given(30, stop_at), tmp_path / "x.tar", watch=watch)

    with pytest.raises(KeyboardInterrupt):
        go(24)
    go()
    assert seen == [(30, "writing"), (8, "writing"), (28, "reading back")]


def test_no_lines_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        into(Given([]), tmp_path / "out", "gt")
    assert str(caught.value) == f"{tmp_path}/out: none of the lines can be written"
    assert list(tmp_path.iterdir()) == []


def test_what_is_told_of_a_conversion(tmp_path: Path) -> None:
    done = into(given(5), tmp_path / "x.tar")
    assert (done.target, done.lines, done.skipped, done.resumed_at) == (tmp_path / "x.tar", 5, None, 0)
    assert (done.left_out, done.unusable) == ({}, {})
    long = given(2)
    long.lines[1] = (long.lines[1][0]._replace(where="w" * 3000), b"")
    table = into(long, tmp_path / "y.tar").skipped
    assert table
    assert len(table.read_text(encoding="utf-8").splitlines()[1].split("\t")[0]) == 2000


def test_a_state_of_one_shard_size_is_not_gone_on_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_often(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        into(given(30, stop_at=24), tmp_path / "out", "tar")
    for options, other in (({"shard_bytes": 1}, "--shard-size"), ({"side": "test"}, "side")):
        with pytest.raises(DataError, match=f"stopped after 22 lines and had other {other};"):
            convert(
                lambda _: given(30),
                tmp_path / "out",
                "tar",
                {"lines": "the given ones"},
                **{"shard_bytes": 20_000, **options},
            )  # type: ignore[arg-type]


def test_pictures_are_read_back_by_a_thread_for_each_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to eight."""
    seen: list[int] = []
    kept = run.read_back

    def read_back(result, digests, lines, watch, threads):  # type: ignore[no-untyped-def]
        seen.append(threads)
        return kept(result, digests, lines, watch, 1)

    monkeypatch.setattr(run, "read_back", read_back)
    for number, cores in enumerate((3, 8, 9, None)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        into(given(2), tmp_path / f"{number}.tar")
    assert seen == [3, 8, 8, 1]


def test_what_a_state_counts_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in Python's buffers, which a killed process loses."""
    save_often(monkeypatch)
    kept = Part.save
    seen = []

    def save(part: Part) -> None:
        if part.state.written:
            sizes = part.digests.stat().st_size, part.skipped.stat().st_size
            seen.append(sizes == (DIGEST_BYTES * part.state.written, part.state.skipped_bytes))
        kept(part)

    monkeypatch.setattr(Part, "save", save)
    into(given(30), tmp_path / "x.tar")
    assert seen == [True] * 6
