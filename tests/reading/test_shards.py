"""`crnn recognize --shard I/N` and `--merge`: every line once, whatever dies in between."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import crnn
import crnn.reading.merge as merging
from crnn.cli import main
from crnn.errors import ConfigError, DataError
from crnn.models import bundled
from crnn.reading.job import make_job, options_of
from crnn.reading.shards import Shard, read_shard, whole_rows

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "train" / "images"
DIES = """
import os, sys
from crnn.reading import shards
real, shards._FLUSH = shards.read_items, 2
def dying(*words):
    for n, row in enumerate(real(*words)):
        if n == 5:
            os.kill(os.getpid(), 9)
        yield row
shards.read_items = dying
from crnn.cli import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """17 pictures of lines, and one that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, path in enumerate(sorted(SAMPLE.iterdir())[:17]):
        (folder / f"{number}.png").write_bytes(path.read_bytes())
    (folder / "5.5.png").write_bytes(b"no picture")
    return folder


def rows(*words: object, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What `crnn recognize` prints of it all."""
    main(["recognize", *map(str, words)])
    return capfd.readouterr().out.splitlines()


@pytest.mark.parametrize("format", ["text", "tsv", "jsonl"])
def test_shares_make_the_whole(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], format: str) -> None:
    expected = rows(pictures, "--format", format, capfd=capfd)
    codes = []
    for number in (3, 1, 2, 5, 4):
        words = ["recognize", str(pictures), "--format", format, "--shard", f"{number}/5", "--out", str(tmp_path)]
        codes.append(main(words))
    assert sorted(codes) == [0, 0, 0, 0, 1]  # one picture is none
    assert not list(tmp_path.glob("*.part"))
    assert (tmp_path / f"part-00002-of-00005.{format}").read_text("utf-8").splitlines() == expected[3:7]
    assert main(["recognize", "--merge", str(tmp_path), "--out", str(tmp_path / "all")]) == 1
    assert (tmp_path / "all").read_text("utf-8").splitlines() == expected
    assert len(expected) == 18
    capfd.readouterr()
    assert main(["recognize", "--merge", str(tmp_path)]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines() == expected
    assert err == "crnn: 18 rows of 5 parts; there are pictures that could not be read in the parts 2\n"
    part = tmp_path / f"part-00002-of-00005.{format}"
    before = part.read_bytes()
    assert main(["recognize", "--merge", str(tmp_path), "--out", str(part)]) == 2
    assert f"{part}: is what a part is called; name another file" in capfd.readouterr().err
    assert part.read_bytes() == before
    for given, named in (
        (["--model", "nothing", "--nbest", "5"], "--model, --nbest"),
        (["--beam", "0", "--format", "tsv"], "--beam, --format"),
    ):
        assert main(["recognize", "--merge", str(tmp_path), *given]) == 2
        assert f"no model reads here, so {named} would change nothing; leave it out" in capfd.readouterr().err
    if format == "jsonl":
        assert ["error" in json.loads(row) for row in expected].count(True) == 1


def test_a_killed_share_goes_on(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    expected = rows(pictures, "--format", "jsonl", capfd=capfd)
    words = ["recognize", str(pictures), "--format", "jsonl", "--shard", "2/2", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", DIES, *words], capture_output=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    part = tmp_path / "part-00002-of-00002.jsonl.part"
    assert part.read_text("utf-8").splitlines() == expected[9:13]
    with part.open("a", encoding="utf-8") as file:
        file.write('{"path": "half a r')
    assert main(["recognize", "--merge", str(tmp_path)]) == 2
    assert "not finished: 1/2, 2/2; start each again with --shard I/N" in capfd.readouterr().err
    assert main(words) == 0
    assert "part-00002-of-00002.jsonl: 9 rows, 4 of them from before" in capfd.readouterr().err
    final = tmp_path / "part-00002-of-00002.jsonl"
    assert final.read_text("utf-8").splitlines() == expected[9:]
    before = final.stat().st_mtime_ns
    assert main(words) == 0
    assert "is finished already" in capfd.readouterr().err
    assert final.stat().st_mtime_ns == before
    assert not part.exists()


def some_pictures(pictures: Path, folder: Path) -> Path:
    """Four pictures of lines, 0.png to 3.png."""
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.png").write_bytes((pictures / f"{number}.png").read_bytes())
    return folder


def test_inputs_that_change_after_they_were_listed(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One goes and one comes: as many as before, and each share would be full, with others than it says."""
    lines, out = some_pictures(pictures, tmp_path / "lines"), tmp_path / "out"
    expected = rows(lines, capfd=capfd)
    reader = crnn.load(threads=1)
    job = make_job([str(lines)], bundled(), options_of("text", 1, "float32", {}))
    (lines / "0.png").rename(lines / "4.png")
    for number in (1, 2):
        with pytest.raises(DataError, match=r"part-0000\d-of-00002\.text: the inputs changed while they were read"):
            read_shard(reader, [str(lines)], Shard(number, 2), job, out)
        assert (out / f"part-0000{number}-of-00002.text.part").read_bytes() == b""
    assert not list(out.glob("*.text"))
    (lines / "4.png").rename(lines / "0.png")
    assert [read_shard(reader, [str(lines)], Shard(number, 2), job, out) for number in (2, 1)] == [0, 0]
    capfd.readouterr()
    assert main(["recognize", "--merge", str(out)]) == 0
    assert capfd.readouterr().out.splitlines() == expected


def test_the_exit_code_tells_of_all_rows(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Also of those that an earlier process wrote; an empty text is no sign of it."""
    lines, out = some_pictures(pictures, tmp_path / "lines"), tmp_path / "out"
    (lines / "1.png").write_bytes(b"no picture")
    words = ["recognize", str(lines), "--shard", "1/1", "--out", str(out)]
    final = out / "part-00001-of-00001.text"
    about = out / "part-00001-of-00001.about.json"
    part = out / f"{final.name}.part"
    assert main(words) == 1
    assert main(words) == 1  # finished
    assert main(["recognize", "--merge", str(out)]) == 1
    final.rename(part)  # as if it had been killed after the third row
    part.write_bytes(b"".join(part.read_bytes().splitlines(keepends=True)[:3]))
    assert main(words) == 1
    assert json.loads(about.read_bytes())["failed"] == 1
    final.rename(part)  # as if it had been killed after the first one
    part.write_bytes(part.read_bytes().splitlines(keepends=True)[0])
    (lines / "1.png").write_bytes((lines / "2.png").read_bytes())
    assert main(words) == 0
    assert "failed" not in json.loads(about.read_bytes())
    part.touch()  # of a process that was killed when it saw that all was done
    assert main(["recognize", "--merge", str(out)]) == 0
    assert main(words) == 0
    assert not part.exists()


def test_what_was_begun_otherwise_is_refused(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "lines", tmp_path / "out"
    folder.mkdir()
    for path in sorted(pictures.iterdir())[:4]:
        (folder / path.name).write_bytes(path.read_bytes())
    other = tmp_path / "other.onnx"
    other.write_bytes(Path(crnn.__file__).with_name("models").joinpath("latin.onnx").read_bytes())
    words = ["recognize", str(folder), "--shard", "1/2", "--out", str(out)]
    assert main(words) == 0
    for more, message in (
        (["--format", "jsonl"], "the options (format) changed"),
        (["--beam", "3"], "the options (beam) changed"),
        (["--lexicon", str(pictures / "5.5.png")], "the options (lexicon) changed"),
    ):
        capfd.readouterr()
        assert main([*words, *more]) == 2
        assert f"part 1 was begun with something else: {message}" in capfd.readouterr().err
    assert main([*words, "--model", str(other)]) == 0  # the same file elsewhere
    with other.open("ab") as file:
        file.write(b"\x72\x00")  # an empty field of metadata
    assert main([*words, "--model", str(other)]) == 2
    assert "the model changed" in capfd.readouterr().err
    (folder / "new.png").write_bytes(b"")
    assert main(words) == 2
    assert "the inputs (4 pictures then, 5 now, or other names) changed" in capfd.readouterr().err
    main(["recognize", str(folder), "--shard", "2/2", "--out", str(out)])
    capfd.readouterr()
    assert main(["recognize", "--merge", str(out), "--out", str(tmp_path / "all")]) == 2
    assert "parts 1 and 2 do not belong together: the inputs" in capfd.readouterr().err
    assert not (tmp_path / "all").exists()


def test_merge_counts(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    some = [str(pictures / "1.png"), str(pictures / "2.png")]
    for number in range(1, 6):  # more shares than pictures
        assert main(["recognize", *some, "--shard", f"{number}/5", "--out", str(tmp_path / "out")]) == 0
    out = tmp_path / "out"
    target = tmp_path / "all.txt"
    assert main(["recognize", "--merge", str(out), "--out", str(target)]) == 0
    assert len(target.read_text("utf-8").splitlines()) == 2
    full = next(path for path in sorted(out.glob("*.text")) if path.stat().st_size)
    row = full.read_bytes()
    for damaged, there in ((row + row, 2), (b"", 0), (row[:-1], -1)):
        full.write_bytes(damaged)
        capfd.readouterr()
        assert main(["recognize", "--merge", str(out), "--out", str(target)]) == 2
        said = "ends within a row" if there < 0 else f"has {there} whole rows of 1"
        assert f"{full.name}: {said}; delete it, read it again" in capfd.readouterr().err
    full.unlink()
    assert main(["recognize", "--merge", str(out)]) == 2
    assert f"not finished: {int(full.name[5:10])}/5; start" in capfd.readouterr().err
    other, good = out / "part-00001-of-00002.about.json", (out / "part-00001-of-00005.about.json").read_text()
    other.write_text(good)
    assert main(["recognize", "--merge", str(out)]) == 2
    assert "holds parts of 2 and 5 shares" in capfd.readouterr().err
    for damaged in (
        "{",
        "{}",
        "[]",
        "3",
        "null",
        "[" * 100_000,
        good.replace('"text"', "[]"),
        good.replace("2,", '"2",'),
    ):
        assert damaged != good
        other.write_text(damaged)
        assert main(["recognize", "--merge", str(out)]) == 2
        assert f"{other}: is damaged; delete it and its part" in capfd.readouterr().err
    assert main(["recognize", "--merge", str(pictures)]) == 2
    assert "holds no parts" in capfd.readouterr().err


def test_a_part_that_cannot_be_read(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["recognize", str(pictures / "1.png"), "--shard", "1/1", "--out", str(tmp_path)]) == 0
    part, target = tmp_path / "part-00001-of-00001.text", tmp_path / "all"
    part.write_bytes(b"\xff\n")
    capfd.readouterr()
    assert main(["recognize", "--merge", str(tmp_path), "--out", str(target)]) == 2
    assert f"{part}: is damaged (no UTF-8)" in capfd.readouterr().err
    monkeypatch.setattr(merging, "_rows", lambda path: path.unlink() or 1)  # gone after it was counted
    assert main(["recognize", "--merge", str(tmp_path), "--out", str(target)]) == 2
    assert f"{part}: cannot be read (No such file" in capfd.readouterr().err
    assert not target.exists()


def test_shares_differ_by_one_at_most() -> None:
    for total, count in ((0, 3), (1, 7), (10, 3), (18, 5), (1000, 7)):
        ranges = [Shard(number, count).range(total) for number in range(1, count + 1)]
        assert [i for start, stop in ranges for i in range(start, stop)] == list(range(total))
        sizes = {stop - start for start, stop in ranges}
        assert max(sizes) - min(sizes) <= 1
    assert Shard.parse("2/8").name == "part-00002-of-00008"
    for wrong in ("0/8", "9/8", "1", "a/b", "1/0", "-1/8", "1/8/2", "1/100000", "²/8", ""):
        with pytest.raises(ConfigError, match="is no share; 1/8 to 8/8 are the eight shares of 8"):
            Shard.parse(wrong)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x.png", "--shard", "9/8", "--out", "o"], "--shard '9/8' is no share"),
        (["x.png", "--shard", "1/8"], "--shard goes with --out DIR"),
        (["-", "--shard", "1/8", "--out", "o"], "'-' (standard input) cannot be one of them"),
        (["x.png", "--merge", "o"], "--merge takes one folder, and no pictures"),
    ],
)
def test_options_that_do_not_go_together(words: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["recognize", *words]) == 2
    assert message in capfd.readouterr().err
    assert not Path("o").exists()


def test_half_a_row_is_cut() -> None:
    for before, after, count in ((b"", b"", 0), (b"a\nb", b"a\n", 1), (b"half", b"", 0), (b"a\nb\n", b"a\nb\n", 2)):
        file = io.BytesIO(before)
        assert whole_rows(file) == count
        assert (file.getvalue(), file.tell()) == (after, len(after))
    long = io.BytesIO(b"row\n" * 400_000 + b"x" * 2**21)  # the half row is longer than what is read at once
    assert whole_rows(long) == 400_000
    assert len(long.getvalue()) == 1_600_000


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_one_process_writes_a_share(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import fcntl

    path = tmp_path / "part-00001-of-00001.text.part"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        words = ["recognize", str(pictures / "1.png"), "--shard", "1/1", "--out", str(tmp_path)]
        assert main(words) == 2
        assert "another process is writing it" in capfd.readouterr().err
    assert main(words) == 0


def write_tar(path: Path, pictures: list[Path]) -> None:
    with tarfile.open(path, "w") as archive:
        for number, picture in enumerate(pictures):
            archive.add(picture, f"{number:03d}.png")
        archive.add(__file__, "notes.txt")


def write_parquet(path: Path, pictures: list[Path]) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    images = pyarrow.array([p.read_bytes() for p in pictures], pyarrow.binary())
    table = pyarrow.table({"image": images, "text": [p.name for p in pictures]})
    parquet.write_table(table, path, row_group_size=3)


def write_lmdb(path: Path, pictures: list[Path]) -> None:
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(path), map_size=2**26) as base, base.begin(write=True) as change:
        for number, picture in enumerate(pictures, 1):
            change.put(b"image-%09d" % number, picture.read_bytes())
            change.put(b"label-%09d" % number, b"x")
        change.put(b"num-samples", str(len(pictures)).encode())


@pytest.mark.parametrize(
    ("name", "write", "inside"),
    [("s.tar", write_tar, "003.png"), ("s.parquet", write_parquet, "1:0"), ("s.lmdb", write_lmdb, "image-000000004")],
)
def test_sets_are_read_as_their_pictures(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, write: object, inside: str
) -> None:
    chosen = [pictures / f"{number}.png" for number in (1, 2, 3, 4, 6, 7, 8)] + [pictures / "5.5.png"]
    write(tmp_path / name, chosen)  # type: ignore[operator]
    texts = rows(*chosen, capfd=capfd)
    assert rows(tmp_path / name, capfd=capfd) == texts
    for number in (1, 2, 3):
        words = ["--shard", f"{number}/3", "--out", str(tmp_path / "out"), "--format", "jsonl"]
        assert main(["recognize", str(tmp_path / name), *words]) == (1 if number == 3 else 0)
    capfd.readouterr()
    assert main(["recognize", "--merge", str(tmp_path / "out")]) == 1
    found = [json.loads(row) for row in capfd.readouterr().out.splitlines()]
    assert [row.get("text", "") for row in found] == texts
    assert found[3]["path"] == f"{tmp_path / name}:{inside}"
    assert "error" in found[7]


def test_tables_without_texts(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Or with several columns that may be the text: nobody asks for it here."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import ipc, parquet

    chosen = [pictures / f"{number}.png" for number in (1, 2, 3, 4)]
    texts = rows(*chosen, capfd=capfd)
    images = pyarrow.table({"image": [p.read_bytes() for p in chosen]})
    named = pyarrow.table({"file_name": [p.name for p in chosen]})
    more = images.append_column("a", named[0]).append_column("b", named[0]).append_column("scan", images[0])
    parquet.write_table(images, tmp_path / "images.parquet", row_group_size=3)
    parquet.write_table(more, tmp_path / "more.parquet")
    parquet.write_table(named, pictures / "named.parquet")
    for name, write in (("file.arrow", ipc.new_file), ("stream.arrow", ipc.new_stream)):
        with write(str(tmp_path / name), images.schema) as out:
            out.write_table(images, max_chunksize=3)
    for path in (*sorted(tmp_path.iterdir()), pictures / "named.parquet"):
        assert rows(path, capfd=capfd) == texts, path
    (pictures / "named.parquet").unlink()
    for column, table in (
        ("n", pyarrow.table({"n": [1, 2]})),
        ("front", pyarrow.table({"front": images[0], "back": images[0]})),
    ):
        parquet.write_table(table, tmp_path / "odd.parquet")
        assert main(["recognize", str(tmp_path / "odd.parquet")]) == 1
        err = capfd.readouterr().err
        assert f"odd.parquet: {'has no column of pictures' if column == 'n' else 'may have its pictures in'}" in err
        assert column in err
        assert "data." not in err  # there is no such option


def test_a_cut_set_is_one_error(pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_tar(tmp_path / "whole.tar", [pictures / "1.png", pictures / "2.png"])
    data = (tmp_path / "whole.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[:1600])
    (tmp_path / "none.parquet").write_bytes(b"PAR1 and no more")
    assert main(["recognize", str(tmp_path / "cut.tar"), str(tmp_path / "none.parquet"), str(pictures / "1.png")]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[-1]
    assert "cut.tar: " in err
    assert "none.parquet: " in err


@pytest.mark.parametrize(
    ("name", "write", "inside"),
    [("s.tar", write_tar, "001.png"), ("s.parquet", write_parquet, "0:1"), ("s.lmdb", write_lmdb, "image-000000002")],
)
def test_what_is_wrong_with_a_picture_of_a_set_says_which(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, write: object, inside: str
) -> None:
    (tmp_path / "junk.png").write_bytes(b"junk")
    write(tmp_path / name, [pictures / "1.png", tmp_path / "junk.png"])  # type: ignore[operator]
    assert main(["recognize", str(tmp_path / name), "--format", "jsonl"]) == 1
    out, err = capfd.readouterr()
    said = f"{tmp_path / name}:{inside}: is not a picture that can be read (PNG, JPEG, TIFF, WebP ...)"
    assert err == f"crnn: {said}\n"
    assert json.loads(out.splitlines()[1]) == {"path": f"{tmp_path / name}:{inside}", "error": said}


@pytest.mark.parametrize(("name", "write"), [("s.tar", write_tar), ("s.parquet", write_parquet)])
def test_a_set_without_pictures_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, write: object
) -> None:
    write(tmp_path / name, [])  # type: ignore[operator]
    assert main(["recognize", str(tmp_path / name)]) == 1
    assert capfd.readouterr().err == f"crnn: {tmp_path / name}: holds no pictures\n"


@pytest.mark.parametrize("wrong", ["nothing", "no*.png"])
def test_a_mistyped_name_fails_in_each_share(
    wrong: str, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for share in ("1/3", "2/3", "3/3"):
        words = ["recognize", "bundled", str(pictures), str(tmp_path / wrong), "--shard", share, "--out"]
        assert main([*words, str(tmp_path / "out")]) == 2
        assert "; all shares are of one list, so none is read" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
