"""Readers of labelled lines, and the registry that tells them apart."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import ListSource

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.sources import FORMATS, LineEntry, LineSource, ReadOptions, open_source, trees
from crnn.data.sources.base import SPARE
from crnn.data.sources.gt_text import GtTextReader
from crnn.data.sources.label_table import LabelTableReader
from crnn.data.sources.registry import find_reader
from crnn.data.sources.utf8 import MAX_LABEL_BYTES
from crnn.data.sources.views import Concatenation, Fitting, Selection, with_format
from crnn.errors import DataError

TEXTS = ["eins", "zwei drei", " führende Leerzeichen", "नि", 'Tab-los, "Zitat"']


def picture(i: int) -> Image.Image:
    return Image.fromarray(np.full((20, 40 + i), 10 * i, dtype=np.uint8))


def table(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    for i in range(len(TEXTS)):
        picture(i).save(folder / "images" / f"{i}.png")
    rows = "".join(f"images/{i}.png\t{text}\n" for i, text in enumerate(TEXTS))
    (folder / "labels.tsv").write_text(rows, encoding="utf-8")
    return folder


def table_with_zip(folder: Path) -> Path:
    table(folder)
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for i in range(len(TEXTS)):
            archive.write(folder / "images" / f"{i}.png", f"{i}.png")
            (folder / "images" / f"{i}.png").unlink()
    labels = (folder / "labels.tsv").read_text(encoding="utf-8").replace("images/", "")
    (folder / "labels.tsv").write_text(labels, encoding="utf-8")
    return folder


def gt_files(folder: Path) -> Path:
    for i, text in enumerate(TEXTS):
        inside = folder if i < 2 else folder / "deeper" / "down"
        inside.mkdir(parents=True, exist_ok=True)
        picture(i).save(inside / (f"{i}.png" if i != 3 else f"{i}.bin.png"))
        (inside / f"{i}.gt.txt").write_text(text + "\n" * (i % 2), encoding="utf-8")
    (folder / "unlabelled.png").write_bytes(b"")
    return folder


def reader_of(folder: Path) -> LabelTableReader:
    return LabelTableReader(folder, ReadOptions())


def opened_zip(reader: LabelTableReader) -> zipfile.ZipFile:
    assert isinstance(reader.tree, trees.Folder)
    assert reader.tree._archive is not None
    return reader.tree._archive._zip()


MAKERS: dict[str, Callable[[Path], Path]] = {"table": table, "table_with_zip": table_with_zip, "gt_files": gt_files}


@pytest.fixture(params=sorted(MAKERS))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> LineSource:
    return open_source(MAKERS[request.param](tmp_path / "lines"))


def read(source: LineSource, position: int) -> tuple[str, tuple[int, int], int]:
    return source.entry(position).text, source.size(position), np.asarray(source.picture(position)).max()


WANTED = [(text, (40 + i, 20), 10 * i) for i, text in enumerate(TEXTS)]


def test_contract(source: LineSource) -> None:
    assert isinstance(source, LineSource)
    assert not source.endless
    assert sorted(read(source, i) for i in range(len(source))) == sorted(WANTED)
    for i in range(len(source)):
        entry = source.entry(i)
        assert entry.problem == ""
        assert source.picture(i).mode == "L"
        assert str(i + 1) in entry.where or entry.where.endswith(".gt.txt")


def test_sources_travel(source: LineSource) -> None:
    """To other processes, after they have been used, and through threads; to spawned ones see test_contract.py."""
    here = [read(source, i) for i in range(len(source))]
    with get_context("fork").Pool(2) as pool:
        assert pool.starmap(read, [(source, i % 5) for i in range(40)]) == [here[i % 5] for i in range(40)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda i: read(source, i % 5), range(60))) == [here[i % 5] for i in range(60)]
    assert [read(pickle.loads(pickle.dumps(source)), i) for i in range(len(source))] == here


def test_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    table(tmp_path / "a")
    labels = (tmp_path / "a" / "labels.tsv").read_bytes()
    (tmp_path / "a" / "labels.tsv").write_bytes(b"\xef\xbb\xbf" + labels.replace(b"\n", b"\r\n") + b"\r\n")
    source = open_source(tmp_path / "a")
    assert [source.entry(i).text for i in range(len(source))] == TEXTS
    assert source.size(0) == (40, 20)


def test_unusable_rows_are_lines_with_a_problem(tmp_path: Path) -> None:
    table(tmp_path / "a")
    with (tmp_path / "a" / "labels.tsv").open("a", encoding="utf-8") as file:
        file.write("images/0.png no tab\n../secret.png\tx\nimages/none.png\ty\n")
    (tmp_path / "secret.png").write_bytes((tmp_path / "a" / "images" / "0.png").read_bytes())
    source = open_source(tmp_path / "a")
    assert len(source) == 8
    assert "a row is path<TAB>text, found 'images/0.png no tab'" in source.entry(5).problem
    with pytest.raises(DataError, match="must stay within"):
        source.picture(6)
    with pytest.raises(DataError, match="no such picture"):
        source.size(7)
    gt = gt_files(tmp_path / "b")
    (gt / "lonely.gt.txt").write_text("x")
    lonely = open_source(gt)
    problems = [lonely.entry(i).problem for i in range(len(lonely))]
    assert sum("has no picture beside it" in p for p in problems) == 1


def test_broken_label_files(tmp_path: Path) -> None:
    table(tmp_path / "a")
    (tmp_path / "a" / "labels.tsv").write_bytes("images/0.png\tgut\nimages/1.png\tKäse\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"labels\.tsv:2: is not UTF-8 \(byte 0xE4\); convert it from the encoding"):
        open_source(tmp_path / "a")
    (tmp_path / "a" / "labels.tsv").write_bytes(b"\n\n")
    with pytest.raises(DataError, match="has no lines"):
        open_source(tmp_path / "a")


def test_broken_archives(tmp_path: Path) -> None:
    folder = table_with_zip(tmp_path / "a")
    data = (folder / "images.zip").read_bytes()
    (folder / "images.zip").write_bytes(data[: len(data) // 2])
    source = open_source(folder)
    with pytest.raises(DataError, match=r"images\.zip: is not a readable zip archive"):
        source.picture(0)


def test_registry(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    picture(1).save(tmp_path / "pictures" / "1.png")
    with pytest.raises(DataError) as caught:
        open_source(tmp_path / "pictures")
    assert all(name in str(caught.value) for name in FORMATS)
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(tmp_path / "none")
    assert len(open_source(table(tmp_path / "t") / "labels.tsv")) == 5  # the table itself


def test_the_format_is_said(tmp_path: Path) -> None:
    """What lines were taken for: names of pictures are labels only where nobody is surprised by it."""
    lines = table(tmp_path / "lines")
    assert with_format(open_source(lines)) == f"{lines} (labels.tsv)"
    texts = gt_files(tmp_path / "texts")
    assert with_format(open_source(texts)) == f"{texts} (gt.txt)"
    (lines / "labels.tsv").rename(lines / "train.txt")
    both = Concatenation([open_source(lines), Selection(open_source(lines / "train.txt"), [0])])
    assert with_format(both) == f"{lines} (train.txt) + {lines}/train.txt (table)"
    for i in range(12):
        shutil.copy(lines / "images/0.png", texts.parent / f"{i % 3:03}_{i // 3:03}.png")
    shutil.rmtree(lines)
    shutil.rmtree(texts)
    names = open_source(tmp_path)
    assert with_format(names) == f"{tmp_path} (labels are the file names)"
    assert names.notes == [
        f"{tmp_path}: there are only pictures, so their names are taken for the labels, such as '000' of 000_000.png; "
        "if that is not what they say, write the labels to labels.tsv there, rows of picture<TAB>text"
    ]
    assert not open_source(tmp_path, ReadOptions(name_pattern="(?P<text>.+)_[0-9]+")).notes  # as asked
    assert with_format(ListSource([])) == "a list"


def test_views(tmp_path: Path) -> None:
    one, two = open_source(table(tmp_path / "a")), open_source(gt_files(tmp_path / "b"))
    both = Concatenation([one, two])
    assert len(both) == 10
    assert [read(both, i) for i in range(5)] == [read(one, i) for i in range(5)]
    assert [read(both, 5 + i) for i in range(5)] == [read(two, i) for i in range(5)]
    some = Selection(both, [7, 0, 7])
    assert [read(some, i) for i in range(len(some))] == [read(both, i) for i in (7, 0, 7)]


def read_in_threads(source: LineSource) -> list[tuple[str, tuple[int, int], int]]:
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda i: read(source, i % 5), range(40)))


def test_threads_of_forked_workers(tmp_path: Path) -> None:
    """A worker that threads its reading must not share a file position with its parent, nor its threads with another."""
    source = open_source(table_with_zip(tmp_path / "lines"))
    here = read_in_threads(source)
    with get_context("fork").Pool(2) as pool:
        assert pool.map(read_in_threads, [source] * 6) == [here] * 6
        forked = pool.map_async(read_in_threads, [source] * 6)
        assert read_in_threads(source) == here
        assert forked.get(60) == [here] * 6


def test_each_process_and_thread_opens_the_archive_itself(tmp_path: Path) -> None:
    store = reader_of(table_with_zip(tmp_path / "lines"))
    assert opened_zip(store) is opened_zip(store)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(opened_zip, store).result() is not opened_zip(store)
    opened = opened_zip(store)
    child = os.fork()
    if not child:
        os._exit(0 if opened_zip(store) is not opened else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_threads_that_open_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pictures of a worker are asked for by several threads at once; none may lose its handle."""
    store = reader_of(table_with_zip(tmp_path / "lines"))
    barrier = threading.Barrier(2)
    turn: dict[int, float] = {}
    getpid, handle = os.getpid, zipfile.ZipFile

    def slow_getpid() -> int:
        time.sleep(turn.get(threading.get_ident(), 0))
        return getpid()

    class SlowZipFile(handle):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            self.opened = time.sleep(0.2)

    def fetch(delay: float) -> bool:
        turn[threading.get_ident()] = delay
        barrier.wait()
        return isinstance(store.content("0.png"), bytes)

    monkeypatch.setattr(trees.os, "getpid", slow_getpid)
    monkeypatch.setattr(trees.zipfile, "ZipFile", SlowZipFile)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(fetch, (0.0, 0.1))) == [True, True]


@pytest.mark.parametrize("method", ["STORED", "DEFLATED", "BZIP2", "LZMA"])
def test_damaged_members_are_named(method: str, tmp_path: Path) -> None:
    """Whatever the damage does to the decompressor: one line, never its own kind of error."""
    folder = table(tmp_path / "a")
    noise = np.random.default_rng(0).integers(0, 255, (20, 60), dtype=np.uint8)
    with zipfile.ZipFile(folder / "images.zip", "w", getattr(zipfile, f"ZIP_{method}")) as archive:
        with archive.open("n.bmp", "w") as member:
            Image.fromarray(noise).save(member, "BMP")
        start = archive.getinfo("n.bmp").header_offset + 30 + len("n.bmp")
        length = archive.getinfo("n.bmp").compress_size
    whole = (folder / "images.zip").read_bytes()
    assert np.array_equal(np.asarray(reader_of(folder).picture("n.bmp")), noise)
    failed = 0
    for place in range(start, start + length, max(1, length // 40)):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        (folder / "images.zip").write_bytes(broken)
        try:
            read = reader_of(folder).picture("n.bmp")
        except DataError as error:
            assert re.fullmatch(r".*images\.zip:n\.bmp: cannot be read \(.+\)", str(error)), error
            failed += 1
        else:  # a byte that no reader looks at
            assert np.array_equal(np.asarray(read), noise)
    assert failed >= 35


def test_encrypted_and_huge_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = table_with_zip(tmp_path / "a")
    data = bytearray((folder / "images.zip").read_bytes())
    data[6] |= 1  # the flag of the first member, here and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (folder / "images.zip").write_bytes(data)
    with pytest.raises(DataError, match=r"images\.zip:0\.png: cannot be read .*encrypted"):
        reader_of(folder).picture("0.png")
    monkeypatch.setattr(trees, "MAX_BYTES", 10)
    with pytest.raises(DataError, match=r"images\.zip:1\.png: has \d+ bytes; allowed are 10"):
        reader_of(folder).picture("1.png")


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "images/../../secret.png", "..\\secret.png", "images\\..\\..\\secret.png", "/secret.png", ""],
)
@pytest.mark.parametrize("maker", [table, table_with_zip])
def test_nothing_outside_the_folder_is_opened(name: str, maker: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = maker(tmp_path / "a")
    picture(0).save(tmp_path / "secret.png")
    (folder / "images").mkdir(exist_ok=True)
    absolute = str(tmp_path / "secret.png") if name.startswith("/") else name
    for function in (reader_of(folder).picture, reader_of(folder).size):
        with pytest.raises(DataError, match=r"must stay within .*a: no '\.\.', no absolute path"):
            function(absolute)


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    for maker in (table, table_with_zip):
        store = reader_of(maker(tmp_path / maker.__name__))
        for name in ("a\0b", "x" * 5000, ".", "images", "images/", "none\nthere.png", "\udcff.png"):
            with pytest.raises(DataError) as caught:
                store.picture(name)
            assert "\n" not in str(caught.value)
            assert "there is no such picture" in str(caught.value), name
            str(caught.value).encode()  # printable


def test_backslashes_are_folders(tmp_path: Path) -> None:
    source = open_source(table(tmp_path / "a"))
    (tmp_path / "a" / "labels.tsv").write_text("images\\2.png\tzwei\n", encoding="utf-8")
    written_on_windows = open_source(tmp_path / "a")
    assert written_on_windows.size(0) == source.size(2)


def test_table_rows(tmp_path: Path) -> None:
    """Empty lines count as lines of the file but not of the data; only the first tab divides; nothing is stripped."""
    table(tmp_path / "a")
    (tmp_path / "a" / "labels.tsv").write_bytes(b"images/0.png\t a\tb \r\n\n\nimages/1.png\tc\n\tlost\nimages/2.png\t")
    source = open_source(tmp_path / "a")
    entries = [source.entry(i) for i in range(len(source))]
    assert [e.text for e in entries] == [" a\tb ", "c", "lost", ""]
    assert [e.where.rpartition("labels.tsv:")[2] for e in entries] == ["1", "4", "5", "6"]
    assert [e.picture for e in entries] == ["images/0.png", "images/1.png", "", "images/2.png"]
    assert [bool(e.problem) for e in entries] == [True, False, True, False]
    assert "has 3 columns; a row is path<TAB>text" in entries[0].problem
    assert "\x1b" not in open_source(written(tmp_path / "b.tsv", "no tab \x1b[2J")).entry(0).problem


def test_what_tables_of_other_programs_hold_is_said(tmp_path: Path) -> None:
    """A column of confidences would become part of the text, and quotes part of it and of the name."""
    table(tmp_path / "a")
    path = tmp_path / "a" / "labels.tsv"
    path.write_text('images/0.png\tone\t0.98\n"images/1.png"\t"two"\nimages/2.png\t"three"\n', encoding="utf-8")
    source = open_source(tmp_path / "a")
    problems = [source.entry(i).problem for i in range(3)]
    assert "has 3 columns; a row is path<TAB>text" in problems[0]
    assert "has a name in quotes; a row is path<TAB>text" in problems[1]
    assert problems[2] == ""  # a text may be in quotes


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_gt_texts(tmp_path: Path) -> None:
    """One line end is not part of the text, all else is; the best picture is taken; suffixes in any case."""
    for name, text in {"a": "x \r\n", "b": " y\n\n", "c": "z\n", "d.e": "\ufeffw", "f": ""}.items():
        written(tmp_path / f"{name}.gt.txt", text)
    for i, name in enumerate(("a.JPG", "b.bin.png", "b.png", "b.nrm.png", "c.tiff", "d.e.png", "f.png")):
        picture(i).save(tmp_path / name)
    written(tmp_path / "notes.txt", "not a label")
    source = open_source(tmp_path)
    entries = {e.picture: e for e in (source.entry(i) for i in range(len(source)))}
    assert {name: e.text for name, e in entries.items()} == {
        "a.JPG": "x ",
        "b.bin.png": " y\n",
        "c.tiff": "z",
        "d.e.png": "w",
        "f.png": "",
    }
    assert entries["c.tiff"].where == str(tmp_path / "c.gt.txt")
    assert [source.size(i)[0] for i in range(len(source))] == [40, 41, 44, 45, 46]
    assert source.notes == []
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "g.gt.txt").write_bytes(b"ok\nK\xe4se")
    picture(0).save(tmp_path / "sub" / "g.png")
    (tmp_path / "sub" / "h.gt.txt").write_text("a line of its own")
    picture(0).save(tmp_path / "sub" / "h.png")
    source = open_source(tmp_path)  # one text is one line
    bad, good = (source.entry(i) for i in (len(source) - 2, len(source) - 1))
    assert bad.problem.startswith("2: is not UTF-8 (byte 0xE4); convert it")
    assert (bad.text, bad.where) == ("", str(tmp_path / "sub" / "g.gt.txt"))
    assert (good.text, good.problem) == ("a line of its own", "")


def test_pictures_without_a_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a", "b", "sub/c", "sub/d"):
        picture(0).save(tmp_path / f"{name}.png")
    written(tmp_path / "a.gt.txt", "a")
    written(tmp_path / "sub" / "d.txt", "d")
    picture(0).save(tmp_path / "a.bin.png")  # the same line
    said = f"{tmp_path}: 2 pictures have no text beside them and are no lines, such as b.png"
    for _ in range(2):
        source = open_source(tmp_path, cache=tmp_path.with_name("cache"))
        assert (len(source), source.notes) == (2, [said])
    assert pickle.loads(pickle.dumps(open_source(tmp_path))).notes == [said]


def test_pictures_of_one_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in (
        "a.jpg",
        "a.png",
        "b.png",
        "sub/c.png",
        "sub/c.tif",
        "sub/c.webp",
        "d.bin.png",
        "d.png",
        "e.jpg",
        "e.png",
    ):
        picture(0).save(tmp_path / name)
    for name in ("a.gt.txt", "b.gt.txt", "sub/c.txt", "d.gt.txt"):
        written(tmp_path / name, "x")
    source = open_source(tmp_path)
    assert [source.entry(i).picture for i in range(len(source))] == ["a.jpg", "b.png", "d.bin.png", "sub/c.png"]
    assert source.notes == [
        f"{tmp_path}: 1 pictures have no text beside them and are no lines, such as e.jpg",
        f"{tmp_path}: 3 pictures share their text with another picture and are no lines, such as a.png, for a.jpg is "
        "read; to read both, give each a text of its own",
    ]


def test_order_does_not_depend_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b/2", "a/9", "a/1", "c", "b/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path / f"{name}.gt.txt", name)
    walk = os.walk

    def reversed_walk(*arguments: object, **options: object):  # type: ignore[no-untyped-def]
        for here, folders, names in walk(*arguments, **options):  # type: ignore[call-overload]
            folders.sort(reverse=True)
            yield here, folders, sorted(names, reverse=True)

    monkeypatch.setattr(os, "walk", reversed_walk)
    source = open_source(tmp_path)
    assert [source.entry(i).text for i in range(5)] == ["c", "a/1", "a/9", "b/1", "b/2"]


def test_links_in_a_circle_do_not_trap(tmp_path: Path) -> None:
    gt_files(tmp_path / "a")
    (tmp_path / "a" / "deeper" / "up").symlink_to(tmp_path / "a", target_is_directory=True)
    assert len(open_source(tmp_path / "a")) == 5


def test_large_label_files_are_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "labels.tsv").open("wb") as file:
        file.truncate(MAX_LABEL_BYTES + 2**20)  # a hole, not on the disk
    with pytest.raises(DataError, match="has 65 MiB; labels of at most 64 MiB are read"):
        open_source(tmp_path)


def test_each_format_is_recognised_by_its_content(tmp_path: Path) -> None:
    assert find_reader(table(tmp_path / "a"))[0] == "labels.tsv"
    assert isinstance(find_reader(str(gt_files(tmp_path / "b")))[1], GtTextReader)
    gt_files(tmp_path / "a")
    assert find_reader(tmp_path / "a")[0] == "labels.tsv"  # both: the table says more
    for other in (written(tmp_path / "labels.nothing", "images/0.png\tx"), tmp_path / "a" / "images"):
        with pytest.raises(DataError, match="in a known format; allowed are: "):
            open_source(other)
    (tmp_path / "pages").mkdir()
    lone = written(tmp_path / "pages" / "a.xml", "<svg/>")
    for other in (lone, lone.parent):
        with pytest.raises(DataError, match=r"; a\.xml begins with neither PcGts \(PAGE\) nor alto \(ALTO\)$"):
            open_source(other)


class Endless:
    """Labels 'a' * n on pictures of 8 columns, longest first; at a later position shorter."""

    name = "endless"
    endless = True

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths

    def __len__(self) -> int:
        return 3

    def entry(self, position: int) -> LineEntry:
        return LineEntry("ab" * self.lengths[position // SPARE], f"line {position}", "")

    def size(self, position: int) -> tuple[int, int]:
        return 32, 32

    def picture(self, position: int) -> Image.Image:
        return Image.new("L", self.size(position), position % 3)

    content = picture


def test_fitting_replaces_what_cannot_fit() -> None:
    arguments = Charset.from_texts(["ab"]), LineTransform(32)  # 8 steps: four times 'ab'
    source = Fitting(Endless([5, 6, 4, 1]), *arguments)
    assert isinstance(source, LineSource)
    assert (len(source), source.endless, source.name) == (3, True, "endless")
    for position in (0, 1, 2, 3, 100):
        later = position + 2 * SPARE
        assert source.entry(position) == LineEntry("abababab", f"line {later}", "")
        assert source.size(position) == (32, 32)
        assert source.picture(position).getpixel((0, 0)) == later % 3
    assert Fitting(Endless([4]), *arguments).entry(7).where == "line 7"  # what fits is left alone
    with pytest.raises(DataError, match="endless: no rendered line fits its width"):
        Fitting(Endless([5] * 100), *arguments).entry(0)
    with pytest.raises(DataError, match="no rendered line fits"):
        Fitting(Endless([1] * 100), Charset.from_texts(["a"]), LineTransform(32)).entry(0)


def test_views_travel_and_keep_the_contract(tmp_path: Path) -> None:
    one, two = open_source(table_with_zip(tmp_path / "a")), open_source(gt_files(tmp_path / "b"))
    view = Concatenation([Selection(one, [4, 1]), Selection(two, []), two])
    assert isinstance(view, LineSource)
    assert view.name == f"{one.name} + {two.name} + {two.name}"
    assert not view.endless
    assert len(view) == 7
    wanted = [read(one, 4), read(one, 1), *(read(two, i) for i in range(5))]
    assert [read(view, i) for i in range(7)] == wanted
    assert [read(pickle.loads(pickle.dumps(view)), i) for i in range(7)] == wanted
    with pytest.raises(IndexError):
        view.entry(7)


def test_a_mac_s_notes_are_no_lines(tmp_path: Path) -> None:
    Image.new("L", (40, 32)).save(tmp_path / "a.png")
    (tmp_path / "a.gt.txt").write_text("yes")
    (tmp_path / "._a.png").write_bytes(b"\0\5\x16\7")
    (tmp_path / "._a.gt.txt").write_bytes(b"\0\5\x16\7\xff")
    source = open_source(tmp_path)
    assert [(entry.text, entry.problem) for entry in map(source.entry, range(len(source)))] == [("yes", "")]
