"""LMDB databases of deep-text-recognition-benchmark and PARSeq."""

from __future__ import annotations

import gc
import io
import pickle
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests_support import line_of, problems_of, texts_of

from crnn.data.facts import picture_facts
from crnn.data.sources import LineSource, extra, lmdb_base, open_source
from crnn.data.sources.registry import find_reader
from crnn.errors import DataError

TEXTS = ["eins", "zwei drei", " mit Leerzeichen ", "नि", 'Tab\tund "Zitat"']


def png(i: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (40 + i, 20), 10 * i).save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, texts: Sequence[str | bytes] = TEXTS, subdir: bool = True, padding: int = 0) -> Path:
    """As deep-text-recognition-benchmark's create_lmdb_dataset.py does it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(path), map_size=2**40, subdir=subdir, sync=False) as base, base.begin(write=True) as transaction:
        for number, text in enumerate(texts, start=1):
            transaction.put(b"image-%09d" % number, png(number - 1) + bytes(padding))
            transaction.put(b"label-%09d" % number, text if isinstance(text, bytes) else text.encode())
        transaction.put(b"num-samples", str(len(texts)).encode())
    return path


def change(path: Path, puts: dict[bytes, bytes], deletes: Sequence[bytes] = ()) -> Path:
    with lmdb.open(str(path), sync=False) as database, database.begin(write=True) as transaction:
        for key, value in puts.items():
            transaction.put(key, value)
        for key in deletes:
            assert transaction.delete(key)
    return path


def wanted(i: int) -> tuple[str, tuple[int, int], object]:
    return TEXTS[i], (40 + i, 20), 10 * i


def test_folder_and_single_files(tmp_path: Path) -> None:
    write(tmp_path / "one.lmdb", subdir=False)
    write(tmp_path / "two.mdb", subdir=False)
    for path in (write(tmp_path / "folder"), tmp_path / "one.lmdb", tmp_path / "two.mdb"):
        assert find_reader(path)[0] == "lmdb"
        source = open_source(path)
        assert [line_of(source, i) for i in range(len(source))] == [wanted(i) for i in range(5)]
        assert problems_of(source) == [""] * 5
        file = path / "data.mdb" if path.is_dir() else path
        assert source.entry(1).where == f"{file}:label-000000002"
        assert source.entry(1).picture == "image-000000002"


def test_nested_databases_are_one(tmp_path: Path) -> None:
    write(tmp_path / "real" / "ArT" / "train", ["a", "b"])
    write(tmp_path / "real" / "COCO", ["c"])
    write(tmp_path / "real" / "x.lmdb", ["d", "e"], subdir=False)
    (tmp_path / "real" / "README.md").write_text("what this is")
    source = open_source(tmp_path / "real")
    assert texts_of(source) == ["d", "e", "a", "b", "c"]  # of a folder: its files, then those below, sorted
    assert [source.size(i)[0] for i in range(5)] == [40, 41, 40, 41, 40]
    assert [source.entry(i).picture for i in range(1, 5)] == [
        "x.lmdb/image-000000002",
        "ArT/train/image-000000001",
        "ArT/train/image-000000002",
        "COCO/image-000000001",
    ]
    assert source.entry(4).where == f"{tmp_path}/real/COCO/data.mdb:label-000000001"
    assert len({str(part) for part in find_reader(tmp_path / "real")[1].parts()}) == 3


def test_travels(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a"))
    everything = [line_of(source, i) for i in range(5)]
    assert len(pickle.dumps(find_reader(tmp_path / "a")[1])) < 500  # a path, not what it has open
    assert [line_of(pickle.loads(pickle.dumps(source)), i) for i in range(5)] == everything
    with get_context("fork").Pool(2) as pool:  # to spawned ones all formats travel in test_contract.py
        assert pool.starmap(line_of, [(source, i % 5) for i in range(20)]) == everything * 4
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda i: line_of(source, i % 5), range(200))) == everything * 40


def read_many(source: LineSource) -> list[tuple[str, tuple[int, int], object]]:
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda i: line_of(source, i % 5), range(40)))


def test_forked_while_threads_read(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a"))
    here = read_many(source)
    with get_context("fork").Pool(2) as pool:
        later = pool.map_async(read_many, [source] * 6)
        assert read_many(source) == here
        assert later.get(60) == [here] * 6


def test_opened_once_in_a_process_and_closed_with_its_last_reader(tmp_path: Path) -> None:
    """LMDB refuses to open a database twice; two sources of it, or another name of it, share one."""
    write(tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    sources = [open_source(tmp_path / "a"), open_source(tmp_path / "a"), open_source(tmp_path / "link")]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(lambda s: line_of(s, 0), sources)) == [wanted(0)] * 3
    del sources
    gc.collect()
    others = lmdb.open(str(tmp_path / "a"), readonly=True, lock=False)
    with pytest.raises(DataError, match=r"data\.mdb: cannot be opened \(.*already open"):
        open_source(tmp_path / "a")
    others.close()
    assert len(open_source(tmp_path / "a")) == 5


def test_passes_over_all_lines_do_not_keep_the_database_mapped(tmp_path: Path) -> None:
    file = write(tmp_path / "a") / "data.mdb"
    source = open_source(tmp_path / "a")
    assert not still_open(file)
    source.picture(0)
    assert still_open(file)
    picture_facts(source)
    assert not still_open(file)
    assert line_of(source, 1) == wanted(1)


def still_open(file: Path) -> bool:
    gc.collect()
    return str(file.resolve()) in lmdb_base._environments


def test_only_reads(tmp_path: Path) -> None:
    """No lock file appears, nothing is written, and the map is as large as the file, not as the writer's terabyte."""
    folder = write(tmp_path / "a")
    (folder / "lock.mdb").unlink()
    before = (folder / "data.mdb").stat()
    source = open_source(folder)
    assert [line_of(source, i) for i in range(5)] == [wanted(i) for i in range(5)]
    assert [path.name for path in folder.iterdir()] == ["data.mdb"]
    assert (folder / "data.mdb").stat().st_mtime_ns == before.st_mtime_ns
    opened = lmdb_base.environment(folder / "data.mdb")
    assert opened.info()["map_size"] == before.st_size
    assert opened.flags()["readahead"] is False
    assert opened.flags()["lock"] is False
    assert opened.flags()["readonly"] is True


def test_missing_keys_are_lines_with_a_problem(tmp_path: Path) -> None:
    folder = change(write(tmp_path / "a"), {}, deletes=[b"label-000000002", b"image-000000004"])
    source = open_source(folder)
    assert texts_of(source) == ["eins", "", TEXTS[2], TEXTS[3], TEXTS[4]]
    assert problems_of(source) == ["", "is missing", "", "has no picture: the key image-000000004 is missing", ""]
    assert source.entry(1).where.endswith("data.mdb:label-000000002")
    with pytest.raises(DataError, match=r"a/image-000000004: there is no such key in .*data\.mdb"):
        source.picture(3)
    assert problems_of(open_source(change(write(tmp_path / "b"), {}, [b"label-000000005"])))[4] == "is missing"


def test_missing_pictures_that_other_keys_hide(tmp_path: Path) -> None:
    """As many keys as there should be, but one of them is another; seen when the picture is asked for."""
    folder = change(write(tmp_path / "a"), {b"author": b"x"}, [b"image-000000001"])
    source = open_source(folder)
    assert problems_of(source) == [""] * 5  # no pass over all pictures
    with pytest.raises(DataError, match="image-000000001: there is no such key"):
        source.size(0)


def test_other_keys_do_no_harm(tmp_path: Path) -> None:
    extra_keys = {b"path-000000001": b"x.png", b"zz": b"z", b"image-x": b"", b"a": b"b"}
    source = open_source(change(write(tmp_path / "a"), extra_keys))
    assert (texts_of(source), problems_of(source)) == (TEXTS, [""] * 5)


def test_wrong_count(tmp_path: Path) -> None:
    fewer = open_source(change(write(tmp_path / "a"), {b"num-samples": b"3", b"label-x": b"?"}))
    assert texts_of(fewer) == [*TEXTS, "?"]
    outside = "is outside label-000000001 .. label-000000003, which num-samples=3 counts"
    assert problems_of(fewer) == ["", "", "", outside, outside, outside]
    more = open_source(change(write(tmp_path / "b"), {b"num-samples": b"7"}))
    assert problems_of(more) == [""] * 5 + ["is missing"] * 2
    zero_based = change(write(tmp_path / "c"), {b"label-000000000": b"first", b"image-000000000": png(9)})
    assert problems_of(open_source(zero_based))[0].startswith("is outside label-000000001")
    for count in (b"1000000000000", b"12", b"five", b"-1", b"", "٣".encode(), b"9" * 5000):
        folder = change(tmp_path / "c", {b"num-samples": count})
        if count == b"12":
            assert len(open_source(folder)) == 13  # as many as there are keys: each missing one is named
            continue
        with pytest.raises(DataError, match=r"data\.mdb: num-samples='.*', but there are 13 keys, two for each line"):
            open_source(folder)
    with pytest.raises(DataError, match=r"data\.mdb: has no key num-samples; .* image-%09d and label-%09d from 1"):
        open_source(change(write(tmp_path / "d"), {}, [b"num-samples"]))
    with pytest.raises(DataError, match="has no lines"):
        open_source(write(tmp_path / "e", []))


def test_labels_that_are_no_text(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a", ["gut", "Käse".encode("latin-1"), b"x" * (extra.MAX_TEXT_BYTES + 1)]))
    assert texts_of(source) == ["gut", "K�se", ""]
    assert problems_of(source) == [
        "",
        "is not UTF-8 (byte 0xE4 at 1); write it anew in UTF-8",
        "has a label of 65,537 bytes; at most 65,536 are read",
    ]


def test_huge_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_base, "MAX_BYTES", 50)
    source = open_source(write(tmp_path / "a"))
    with pytest.raises(DataError, match=r"image-000000001: has \d+ bytes; allowed are 50"):
        source.picture(0)
    for most in (len(png(0)), len(png(0)) - 1):
        monkeypatch.setattr(lmdb_base, "MAX_BYTES", most)
        if most == len(png(0)):
            assert source.content(0) == png(0)
        else:
            with pytest.raises(DataError, match=f"has {most + 1} bytes; allowed are {most}"):
                source.content(0)


READ_ALL = """
import sys
from crnn.data.sources import open_source
from crnn.errors import DataError
for path in sys.argv[1:]:
    try:
        source = open_source(path)
        for i in range(len(source)):
            source.content(i)
        print("whole")
    except DataError as error:
        print(error)
"""


def in_another_process(*paths: Path) -> list[str]:
    """A missing page of a mapped file ends the process; so the test must not be that process."""
    done = subprocess.run([sys.executable, "-c", READ_ALL, *paths], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    said = done.stdout.splitlines()
    assert len(said) == len(paths)
    return said


@pytest.mark.parametrize("tail", ["cut", "zeros"])
def test_cut_databases(tail: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "whole", [f"line {i}" for i in range(300)], padding=3000)
    whole = (folder / "data.mdb").read_bytes()
    paths = []
    for keep in (0, 10, 100, 4096, 5000, 8192, 20_000, len(whole) // 2, len(whole) - 70_000, len(whole) - 1):
        if tail == "zeros" and keep > len(whole) - 65536:
            continue
        paths.append(tmp_path / str(keep))
        paths[-1].mkdir()
        content = whole[:keep].ljust(len(whole) if tail == "zeros" else keep, b"\0")
        (paths[-1] / "data.mdb").write_bytes(content)
    first, *others = in_another_process(folder, *paths)
    assert first == "whole"
    for path, said in zip(paths, others, strict=True):
        assert f"{path}/data.mdb: " in said
        assert "copy or download it again" in said


def test_damaged_pages(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", [f"line {i}" for i in range(300)], padding=3000)
    file = folder / "data.mdb"
    whole = bytearray(file.read_bytes())
    root = [int.from_bytes(whole[page + 128 : page + 136], "little") for page in (0, 4096)]
    for page in root:
        if page < len(whole) // 4096:
            whole[page * 4096 : page * 4096 + 4096] = bytes(4096)
    file.write_bytes(whole)
    assert "data.mdb: is damaged (" in in_another_process(folder)[0]


PAGE = 512
"""Bytes in a page of the files made here by hand."""


def meta(last: int, transaction: int, page: int = PAGE, magic: int = 0xBEEFC0DE, version: int = 1) -> bytes:
    """A meta page: its header, magic number and version, address and size of the map, two trees, the last page ..."""
    head = bytes(16) + struct.pack("=II", magic, version) + bytes(16)
    return (head + struct.pack("=I", page) + bytes(92) + struct.pack("=QQ", last, transaction)).ljust(PAGE, b"\0")


def test_the_later_of_two_meta_pages_says_how_long_the_file_is(tmp_path: Path) -> None:
    file = tmp_path / "x.mdb"
    for first, second in ((meta(3, 7), meta(9, 6)), (meta(9, 6), meta(3, 7)), (meta(3, 10), meta(9, 2))):
        file.write_bytes(first + second + b"x" * (2 * PAGE))  # pages 0 .. 3
        assert lmdb_base.require_whole(file) == 4 * PAGE
        file.write_bytes(first + second + b"x" * (3 * PAGE))  # more is no matter
        assert lmdb_base.require_whole(file) == 5 * PAGE
        file.write_bytes(first + second + b"x" * (2 * PAGE - 1))
        with pytest.raises(DataError, match=r"x\.mdb: has 2,047 of 2,048 bytes; copy or download it again \(if"):
            lmdb_base.require_whole(file)
    file.write_bytes(meta(3, 6) + meta(9, 7) + b"x" * (2 * PAGE))
    with pytest.raises(DataError, match="has 2,048 of 5,120 bytes"):
        lmdb_base.require_whole(file)


def test_sixteen_pages_of_zeros_at_the_end_were_never_written(tmp_path: Path) -> None:
    file = tmp_path / "x.mdb"
    head = meta(29, 1) + meta(0, 0)
    pages = bytearray(28 * PAGE)
    for place, whole in ((28 * PAGE - 1, True), (12 * PAGE, True), (12 * PAGE - 1, False), (0, False)):
        pages[:] = bytes(28 * PAGE)
        pages[place] = 1
        file.write_bytes(head + pages)
        if whole:
            assert lmdb_base.require_whole(file) == 30 * PAGE
        else:
            with pytest.raises(DataError, match="ends with nothing but zeros; copy or download it again"):
                lmdb_base.require_whole(file)


def test_meta_pages() -> None:
    assert lmdb_base._meta(meta(3, 7)) == (7, 3, 512)
    assert lmdb_base._meta(meta(2**40, 2**41, 65536)) == (2**41, 2**40, 65536)
    for other in (meta(3, 7, 511), meta(3, 7, 65537), meta(3, 7, magic=1), meta(3, 7, version=2), b"", bytes(4096)):
        with pytest.raises(ValueError, match="page"):
            lmdb_base._meta(other)
    with pytest.raises(struct.error):
        lmdb_base._meta(meta(3, 7)[:151])
    assert lmdb_base._meta(meta(3, 7)[:152]) == (7, 3, 512)


def test_files_that_are_no_database_say_so(tmp_path: Path) -> None:
    file = tmp_path / "x.mdb"
    for content in (meta(3, 7)[:100], meta(3, 7) + bytes(3 * PAGE), meta(3, 7, 64) + bytes(3 * PAGE)):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"x\.mdb: is not a whole LMDB database; copy or download it again"):
            lmdb_base.require_whole(file)
    with pytest.raises(DataError, match=r"none: cannot be read \(No such file"):
        lmdb_base.require_whole(tmp_path / "none")


def test_which_files_are_databases(tmp_path: Path) -> None:
    for name, content, taken in (
        ("data.mdb", meta(3, 7), True),
        ("X.LMDB", meta(3, 7), True),
        ("x.mdb", meta(3, 7)[:24], True),
        ("x.mdb", meta(3, 7)[:23], False),
        ("data.mdb", bytes(5000), True),  # cut or never written: to be told so, not passed over
        ("data.mdb", b"", True),
        ("x.mdb", bytes(5000), False),
        ("x.db", meta(3, 7), False),
        ("data.mdb", b"other" + bytes(5000), False),
    ):
        (tmp_path / name).write_bytes(content)
        assert lmdb_base._is_database_file(tmp_path / name) is taken, (name, taken)
    assert not lmdb_base._is_database_file(tmp_path / "none.mdb")


def test_counts_at_the_bounds(tmp_path: Path) -> None:
    """A database may say it has as many lines as it has keys; the last picture counts, one behind it does not."""
    keys = {b"label-000000001": b"a", b"image-000000001": png(0), b"num-samples": b"3"}
    source = open_source(change(tmp_path / "a", keys))
    assert problems_of(source) == ["", "is missing", "is missing"]
    with pytest.raises(DataError, match="num-samples='4', but there are 3 keys"):
        open_source(change(tmp_path / "a", {b"num-samples": b"4"}))
    folder = change(write(tmp_path / "b", ["a", "b"]), {b"image-000000003": png(2), b"zz": b""}, [b"image-000000002"])
    assert problems_of(open_source(folder)) == ["", "has no picture: the key image-000000002 is missing"]
    folder = change(write(tmp_path / "c", ["a", "b"]), {b"zz": b"", b"image-": b"", b"label-": b"x"})
    assert problems_of(open_source(folder))[1:] == ["", ""]
    assert problems_of(open_source(folder))[0].startswith("is outside label-000000001 .. label-000000002")


def test_changed_databases_are_indexed_anew(tmp_path: Path) -> None:
    folder = write(tmp_path / "a")
    assert texts_of(open_source(folder, cache=tmp_path / "cache")) == TEXTS
    gc.collect()
    change(folder, {b"label-000000001": b"uno"})
    assert texts_of(open_source(folder, cache=tmp_path / "cache")) == ["uno", *TEXTS[1:]]


def test_keys_stay_within(tmp_path: Path) -> None:
    write(tmp_path / "secret")
    reader = find_reader(write(tmp_path / "a" / "b").parent)[1]
    assert reader.content("b/image-000000001") == png(0)
    for key in ("../secret/image-000000001", "/etc/image-000000001", "b/../../secret/image-000000001"):
        with pytest.raises(DataError, match=r"must stay within .*: no '\.\.'"):
            reader.content(key)
    for key in ("b/none", "c/image-000000001", "b/" + "x" * 600, "b/\0", "b/"):
        with pytest.raises(DataError) as caught:
            reader.content(key)
        assert "\n" not in str(caught.value)


def test_other_databases_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"Standard Jet DB" + bytes(5000))  # Access calls its files .mdb too
    for path in (tmp_path, tmp_path / "data.mdb"):
        with pytest.raises(DataError, match="in a known format"):
            open_source(path)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a")
    monkeypatch.setitem(sys.modules, "lmdb", None)
    assert find_reader(tmp_path / "a")[0] == "lmdb"  # looking needs no package
    with pytest.raises(DataError) as caught:
        open_source(tmp_path / "a")
    assert str(caught.value) == 'lmdb is needed to read this and not installed: pip install "crnn[formats]"'


def test_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert extra.need("lmdb") is lmdb
    with pytest.raises(DataError, match=r'none_such is needed .*: pip install "crnn\[formats\]"$'):
        extra.need("none_such.deeper")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "half_there.py").write_text("import its_own_need\n")
    with pytest.raises(DataError, match=r"half_there: fails to import \(No module named 'its_own_need'\)"):
        extra.need("half_there")
    (tmp_path / "built_wrong.py").write_text("raise ImportError('libc:\\n too old')\n")
    with pytest.raises(DataError, match=r"built_wrong: fails to import \(libc: too old\); install it again"):
        extra.need("built_wrong")


def test_no_torch() -> None:
    code = "import sys, crnn.data.sources; assert not {'torch', 'lmdb', 'pyarrow', 'lxml'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


HARD = st.text(max_size=30) | st.sampled_from(["", " ", "שלום", "🙂🏽", "a\nb", "\r\n", "\ufeffx", "é", "\x00"])


@settings(max_examples=5, deadline=None)
@given(st.lists(HARD, min_size=30, max_size=60))
def test_every_text_comes_back(texts: list[str]) -> None:
    """Few databases of many texts: each takes its time to be written."""
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(write(Path(folder) / "a", texts))
        assert texts_of(source) == texts
        assert source.size(len(texts) - 1) == (39 + len(texts), 20)


def test_a_reader_travels_as_its_path(tmp_path: Path) -> None:
    """Also with a database open, which stays with the one that opened it."""
    reader = find_reader(write(tmp_path / "a"))[1]
    assert reader.content("image-000000002") == png(1)
    copy = pickle.loads(pickle.dumps(reader))
    assert (copy.path, copy.options, copy._used) == (reader.path, reader.options, {})
    assert copy.content("image-000000003") == png(2)
    assert list(copy._used) == list(reader._used) == [tmp_path / "a" / "data.mdb"]
    reader.release()
    assert reader._used == {}
    assert reader.content("image-000000001") == png(0)


def test_a_database_that_another_part_of_the_program_has_open(tmp_path: Path) -> None:
    """LMDB allows no second one; what it says is passed on."""
    write(tmp_path / "a")
    with (
        lmdb.open(str(tmp_path / "a"), readonly=True, lock=False),
        pytest.raises(DataError, match=r"data\.mdb: cannot be opened \(.*already open"),
    ):
        lmdb_base.environment(tmp_path / "a" / "data.mdb")


def test_a_database_without_its_count(tmp_path: Path) -> None:
    file = change(write(tmp_path / "a", ["a"]), {}, [b"num-samples"]) / "data.mdb"
    with (
        lmdb_base.environment(file).begin(buffers=True) as transaction,
        pytest.raises(DataError, match=r"data\.mdb: has no key num-samples; it is another kind of database"),
    ):
        lmdb_base._samples(transaction, file)


def test_which_pictures_there_are(tmp_path: Path) -> None:
    more = {b"image-000000004": b"", b"image-x": b"", b"imagf": b""}
    folder = change(write(tmp_path / "a", ["a", "b", "c"]), more, [b"image-000000002"])
    with lmdb_base.environment(folder / "data.mdb").begin(buffers=True) as transaction:
        assert lmdb_base._samples(transaction, folder) == 3
        assert list(lmdb_base._image_numbers(transaction, 3)) == [0, 1, 0, 1]
        assert list(lmdb_base._image_numbers(transaction, 4)) == [0, 1, 0, 1, 1]
