"""WebDataset shards, and the reader of tar headers below them."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import webdataset
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests_support import line_of, peak_memory, problems_of, texts_of

from crnn.data.sources import LineSource, ReadOptions, extra, open_source, tar_headers, tar_shards
from crnn.data.sources.registry import find_reader
from crnn.data.sources.tar_headers import tar_members
from crnn.errors import DataError

TEXTS = ["eins", "zwei drei", " mit Leerzeichen ", "नि", 'Tab\tund "Zitat"', "", "sieben"]


def png(i: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (40 + i, 20), 10 * i).save(buffer, "PNG")
    return buffer.getvalue()


def webdataset_tar(path: Path, samples: Iterable[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with webdataset.TarWriter(str(path)) as writer:
        for sample in samples:
            writer.write(sample)
    return path


def txt(texts: Sequence[str] = TEXTS, start: int = 0) -> list[dict[str, Any]]:
    return [{"__key__": f"{i:06d}", "png": png(i), "txt": text} for i, text in enumerate(texts, start)]


def shards(folder: Path) -> Path:
    folder.mkdir(parents=True)
    with webdataset.ShardWriter(str(folder / "lines-%d.tar"), maxcount=2, verbose=0) as writer:
        for sample in txt():
            writer.write(sample)
    return folder


def plain_tar(path: Path, members: Iterable[tuple[str, bytes]], kind: int = tarfile.USTAR_FORMAT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=kind) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


WANTED = [(text, (40 + i, 20), 10 * i) for i, text in enumerate(TEXTS)]


def test_one_archive_and_shards(tmp_path: Path) -> None:
    for path in (webdataset_tar(tmp_path / "x.tar", txt()), shards(tmp_path / "shards")):
        assert find_reader(path)[0] == "webdataset"
        source = open_source(path)
        assert [line_of(source, i) for i in range(len(source))] == WANTED
        assert problems_of(source) == [""] * 7
    entry = source.entry(3)
    assert entry.where == f"{tmp_path}/shards/lines-1.tar:000003.txt"
    assert entry.picture == "lines-1.tar/000003.png"
    assert len({str(part) for part in find_reader(path)[1].parts()}) == 4


def test_shards_in_natural_order(tmp_path: Path) -> None:
    for name in ("s-10", "s-9", "s-1", "b/s-2"):
        webdataset_tar(tmp_path / f"{name}.tar", txt([name]))
    source = open_source(tmp_path)
    assert texts_of(source) == ["b/s-2", "s-1", "s-9", "s-10"]
    assert source.entry(0).picture == "b/s-2.tar/000000.png"


def read_many(source: LineSource) -> list[tuple[str, tuple[int, int], object]]:
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda i: line_of(source, i % 7), range(70)))


def test_travels(tmp_path: Path) -> None:
    source = open_source(shards(tmp_path / "a"))
    here = read_many(source)
    assert here == WANTED * 10
    assert line_of(pickle.loads(pickle.dumps(source)), 6) == WANTED[6]
    with get_context("fork").Pool(2) as pool:  # to spawned ones all formats travel in test_contract.py
        later = pool.map_async(read_many, [source] * 4)
        assert read_many(source) == here
        assert later.get(60) == [here] * 4


def test_a_forked_process_opens_its_own(tmp_path: Path) -> None:
    """A file position that two processes share is moved by both."""
    source = open_source(shards(tmp_path / "a"))
    reader = source.reader  # type: ignore[attr-defined]
    opened = reader._file(tmp_path / "a" / "lines-0.tar")
    assert reader._file(tmp_path / "a" / "lines-0.tar") is opened
    child = os.fork()
    if not child:
        os._exit(0 if reader._file(tmp_path / "a" / "lines-0.tar") is not opened else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_index_from_the_cache(tmp_path: Path) -> None:
    """The second time nothing is listed, and the shards are found all the same."""
    for _ in range(2):
        source = open_source(
            shards(tmp_path / "a") if not (tmp_path / "a").exists() else tmp_path / "a", cache=tmp_path
        )
        assert [line_of(source, i) for i in range(7)] == WANTED
    again = find_reader(tmp_path / "a")[1]
    assert again.size(source.index.key(6)) == (46, 20)  # type: ignore[attr-defined]


def test_few_shards_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_shards, "_OPEN_SHARDS", 2)
    source = open_source(shards(tmp_path / "a"))
    for i in (0, 6, 2, 4, 0, 6):
        assert line_of(source, i) == WANTED[i]
        files = source.reader._open.files  # type: ignore[attr-defined]
        assert len(files) <= 2
        assert not any(file.closed for file in files.values())


def test_kinds_of_labels(tmp_path: Path) -> None:
    members = [
        ("a/1.PNG", png(1)),
        ("a/1.txt", b"\xef\xbb\xbfeins\r\n"),
        ("a/2.jpeg", png(2)),
        ("a/2.gt.txt", b"zwei\n\n"),
        ("a/2.txt", b"not this"),
        ("b/1.tiff", png(3)),
        ("b/1.json", json.dumps({"width": 3, "text": "drei\n", "note": "x"}).encode()),
        ("b/2.json", b'"vier"'),
        ("b/2.png", png(4)),
        ("b/2.cls", b"7"),
        ("b/2.mask.png", b"none"),
        ("b/README", b"about"),
        ("b/.hidden.png", b"x"),
    ]
    source = open_source(plain_tar(tmp_path / "x.tar", members))
    assert texts_of(source) == ["eins", "zwei\n", "drei\n", "vier"]
    assert problems_of(source) == [""] * 4
    assert [source.size(i)[0] for i in range(4)] == [41, 42, 43, 44]
    assert source.entry(1).where == f"{tmp_path}/x.tar:a/2.gt.txt"


def test_json_labels(tmp_path: Path) -> None:
    values: dict[str, tuple[bytes, str, str]] = {
        "0": (b'{"text": "a", "n": 1}', "a", ""),
        "1": (
            b'{"text": "a", "label": "b"}',
            "",
            "the JSON: text, label may each be the text; say which with data.text_",
        ),
        "2": (b'{"n": 1, "page": "p"}', "", "the JSON: has no column for the text among: page; known names are"),
        "3": (b'{"text": ', "", "is not readable JSON ("),
        "4": (b"[" * 100_000, "", "is not readable JSON ("),
        "5": (b"[1]", "", "is JSON of a list; an object with a key such as text is read"),
        "6": (b'{"text": "\\ud800"}', "���", "is not UTF-8 (byte 0xED"),
        "7": (b'{"text": "' + b"x" * 70_000 + b'"}', "", "has a label of 70,000 bytes; at most 65,536 are read"),
        "8": (b'{"text": "x", "y": "' + b"x" * 2**20 + b'"}', "", "has a label of 1,048,598 bytes; at most 1,048,576"),
        "9": (b"\xff", "", "is not readable JSON ("),
    }
    path = plain_tar(
        tmp_path / "x.tar", [m for k, v in values.items() for m in ((f"{k}.png", png(0)), (f"{k}.json", v[0]))]
    )
    source = open_source(path)
    assert texts_of(source) == [text for _, text, _ in values.values()]
    for said, (_, _, wanted) in zip(problems_of(source), values.values(), strict=True):
        assert said.startswith(wanted)
        assert bool(said) is bool(wanted)
        assert "\n" not in said
    assert open_source(path, ReadOptions(text_column="label")).entry(1).text == "b"


def test_labels_that_are_no_text(tmp_path: Path) -> None:
    labels = ["Käse".encode("latin-1"), b"x" * (extra.MAX_TEXT_BYTES + 1), b"x" * extra.MAX_TEXT_BYTES, b""]
    members = [m for i, label in enumerate(labels) for m in ((f"{i}.png", png(i)), (f"{i}.txt", label))]
    source = open_source(plain_tar(tmp_path / "x.tar", members))
    assert texts_of(source) == ["K�se", "", "x" * extra.MAX_TEXT_BYTES, ""]
    assert problems_of(source) == [
        "is not UTF-8 (byte 0xE4 at 1); write it anew in UTF-8",
        "has a label of 65,537 bytes; at most 65,536 are read",
        "",
        "",
    ]


def test_members_that_lie_apart(tmp_path: Path) -> None:
    """All pictures first, then all texts; or anyhow."""
    pictures, labels = [(f"{i}.png", png(i)) for i in range(12)], [(f"{i}.txt", b"%d" % i) for i in range(12)]
    source = open_source(plain_tar(tmp_path / "x.tar", pictures + labels))
    assert texts_of(source) == [str(i) for i in range(12)]
    assert [source.size(i)[0] for i in range(12)] == list(range(40, 52))
    assert problems_of(source) == [""] * 12
    mixed = [pictures[0], pictures[1], labels[1], labels[2], labels[0], pictures[2]]
    assert texts_of(open_source(plain_tar(tmp_path / "y.tar", mixed))) == ["1", "0", "2"]


def test_samples_that_are_not_whole_or_not_alone(tmp_path: Path) -> None:
    members = {
        "a.png": png(0), "a.txt": b"a", "lonely.png": png(1), "b.png": png(2), "b.jpg": png(3), "b.txt": b"b",
        "text only.txt": b"t", "c.txt": b"c", "c.png": png(4),
    }  # fmt: skip
    again = [
        ("a.png", png(5)),
        ("a.txt", b"a again"),
        ("d.png", png(6)),
        ("d.png", png(7)),
        ("d.txt", b"d"),
        ("c.txt", b"C"),
    ]
    source = open_source(plain_tar(tmp_path / "x.tar", [*members.items(), *again]))
    assert list(zip(texts_of(source), problems_of(source), strict=True)) == [
        ("a", ""),
        ("b", "has 2 pictures: b.png, b.jpg"),
        ("c", ""),
        ("a again", "occurs again in this shard"),
        ("d", "has d.png twice"),
        ("", "has no text (.txt, .gt.txt or .json) in this shard"),
        ("t", "has no picture in this shard"),
        ("C", "has no picture in this shard; another sample has its name"),
    ]
    assert source.entry(5).where == f"{tmp_path}/x.tar:lonely.png"
    webdataset_tar(tmp_path / "s" / "0.tar", txt(["a"]))
    webdataset_tar(tmp_path / "s" / "1.tar", txt(["b"]))
    assert problems_of(open_source(tmp_path / "s")) == ["", ""]  # each shard may count from 0


def test_cut_archives(tmp_path: Path) -> None:
    path = webdataset_tar(tmp_path / "x.tar", txt())
    whole = path.read_bytes()
    ends = len(whole.rstrip(b"\0")) // 512 * 512 + 512
    for keep in (*range(600, ends, 201), *range(1024, ends, 512)):
        path.write_bytes(whole[:keep])
        with pytest.raises(DataError) as caught:
            open_source(path)
        assert str(path) in str(caught.value), keep
        assert "again" in str(caught.value) or "damaged?" in str(caught.value)
        assert "\n" not in str(caught.value)
    path.write_bytes(whole)
    first = next(tar_members(path))
    path.write_bytes(whole[: first.offset + first.size - 1])
    with pytest.raises(DataError, match="ends in the middle of a member; copy or download it again"):
        open_source(path)
    path.write_bytes(whole[:ends])
    with pytest.raises(DataError, match=r"x\.tar: has no end mark; .* head -c 1024 /dev/zero >> x\.tar"):
        open_source(path)
    with path.open("ab") as file:
        file.write(bytes(1024))
    source = open_source(path)
    assert texts_of(source) == TEXTS
    path.write_bytes(whole[:2000])  # after it was listed
    with pytest.raises(DataError, match=r"x\.tar:000006\.png: the archive ends before it does"):
        source.picture(6)


def test_cut_archives_that_tarfile_reads(tmp_path: Path) -> None:
    path = plain_tar(tmp_path / "x.tar", [(f"{'long/' * 25}{i}", b"x" * 600) for i in range(3)], tarfile.GNU_FORMAT)
    whole = path.read_bytes()
    last = list(tar_members(path))[-1]
    assert len(list(tar_members(path))) == 3
    for keep in (last.offset + 1024, last.offset + 100, last.offset, last.offset - 100, last.offset - 512, 100):
        path.write_bytes(whole[:keep])
        with pytest.raises(DataError, match=r"x\.tar: (ends in the middle|is not a readable tar archive)"):
            list(tar_members(path))


def test_damaged_headers_end_nothing_quietly(tmp_path: Path) -> None:
    path = plain_tar(
        tmp_path / "x.tar", [(f"{i}.{e}", d) for i in range(4) for e, d in (("png", png(i)), ("txt", b"x"))]
    )
    whole = path.read_bytes()
    headers = [m.offset - 512 for m in tar_members(path)]
    for header in headers:
        for place in (header + 2, header + 126, header + 150, header + 156, header + 258):
            broken = bytearray(whole)
            broken[place] ^= 0x15
            path.write_bytes(broken)
            with pytest.raises(DataError) as caught:
                list(tar_members(path))
            assert "damaged" in str(caught.value) or "member" in str(caught.value), str(caught.value)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_compressed_archives_are_refused(kind: str, tmp_path: Path) -> None:
    for path in (tmp_path / f"x.tar.{kind}", tmp_path / kind / f"x.tar.{kind}"):
        path.parent.mkdir(exist_ok=True)
        with tarfile.open(path, f"w:{kind}") as archive:
            archive.addfile(tarfile.TarInfo("a.png"))
    for given_path in (tmp_path / f"x.tar.{kind}", tmp_path / kind):
        with pytest.raises(
            DataError, match=r"x\.tar\.\w+: is not a readable tar archive \(.*\); unpack it: members of"
        ):
            open_source(given_path)


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "b/../../a.png", "..\\a.png", "c:a.png"])
def test_names_that_lead_out(name: str, tmp_path: Path) -> None:
    for members in ([(name, png(0)), ("a.txt", b"x")], [("b.png", png(0)), ("b.txt", b"x"), (name, b"")]):
        with pytest.raises(DataError, match=r"must stay within .*x\.tar: no '\.\.', no absolute path"):
            open_source(plain_tar(tmp_path / "x.tar", members))


def test_huge_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_shards, "MAX_BYTES", 50)
    with pytest.raises(DataError, match=r"x\.tar:000000\.png: has \d+ bytes; allowed are 50"):
        open_source(webdataset_tar(tmp_path / "x.tar", txt())).picture(0)


def test_keys_of_no_member(tmp_path: Path) -> None:
    reader = find_reader(webdataset_tar(tmp_path / "x.tar", txt()))[1]
    for key in ("9:0:10:a.png", "1:0:10:a.png", "x", "", "0:-1:5:a", "0:99999999:5:a.png", "0:1"):
        with pytest.raises(DataError) as caught:
            reader.picture(key)
        assert "\n" not in str(caught.value)
    assert reader._name("0:0:10:a.png") == f"{tmp_path}/x.tar:a.png"
    assert reader._name("1:0:10:a.png") == f"{tmp_path}/x.tar:1:0:10:a.png"


def test_other_archives_are_left_to_others(tmp_path: Path) -> None:
    table = [("images/0.png", png(0)), ("labels.tsv", b"images/0.png\teins\n")]
    assert find_reader(plain_tar(tmp_path / "t.tar", table))[0] == "labels.tsv"
    dots = [m for i in range(3) for m in ((f"p.{i}.png", png(i)), (f"p.{i}.gt.txt", b"x"))]
    assert find_reader(plain_tar(tmp_path / "d.tar", dots))[0] == "gt.txt"
    for name, members in {"p": [("a.png", b"")], "n": [("a.npy", b""), ("a.cls", b"")]}.items():
        assert not tar_shards._looks_like_samples(plain_tar(tmp_path / f"{name}.tar", members))


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["a.png", "a.txt", "b.txt"], False),  # half of the labels have a picture, not most
        (["a.png", "a.txt", "b.png", "b.txt", "c.txt"], True),
        (["a.png", "a.txt", "b.png", "c.png", "d.png"], True),
        (["a.txt"], False),
        (["a.png", "a.json"], True),
        (["a.png", "a.gt.txt"], True),
        ([], False),
    ],
)
def test_samples_are_told_by_most_labels(names: list[str], taken: bool, tmp_path: Path) -> None:
    path = plain_tar(tmp_path / "x.tar", [(name, b"x") for name in names])
    assert tar_shards._looks_like_samples(path) is taken


def test_only_the_first_members_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain_tar(tmp_path / "x.tar", [(name, b"x") for name in ("a.txt", "b.txt", "a.png", "b.png")])
    for count, taken in ((4, True), (3, False)):
        monkeypatch.setattr(tar_shards, "LOOK_AT", count)
        assert tar_shards._looks_like_samples(path) is taken


def test_unreadable_archives_are_taken_by_their_name(tmp_path: Path) -> None:
    for name, taken in (("x.tar", True), ("x.TAR", True), ("x.data", False)):
        (tmp_path / name).write_bytes(b"none" * 300)
        assert tar_shards._looks_like_samples(tmp_path / name) is taken


def test_which_files_are_shards() -> None:
    for name in ("a.tar", "a/b.TAR", "x.tar.gz", "x.tgz", ".a/b.tar"):
        assert tar_shards._is_shard(name)
    for name in (".a.tar", "a/._b.tar", "a.tar.txt", "tar", "a.zip"):
        assert not tar_shards._is_shard(name)


def test_pictures_of_the_most_bytes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(plain_tar(tmp_path / "x.tar", [("a.png", b"x" * 50), ("a.txt", b"x")]))
    monkeypatch.setattr(tar_shards, "MAX_BYTES", 50)
    assert source.content(0) == b"x" * 50
    monkeypatch.setattr(tar_shards, "MAX_BYTES", 49)
    with pytest.raises(DataError, match=r"x\.tar:a\.png: has 50 bytes; allowed are 49"):
        source.content(0)


def names_by_tarfile(path: Path) -> list[tuple[str, int, int]]:
    with tarfile.open(path) as archive:
        return [(m.name, m.offset_data, m.size) for m in archive if m.isfile()]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_headers_as_tarfile_reads_them(kind: int, tmp_path: Path) -> None:
    names = [
        "a.png",
        "f/b.txt",
        "ü/नि.png",
        "x" * 99,
        "y" * 100,
        "z" * 101,
        "d/" * 60 + "long.png",
        "d/" * 120 + "l",
        "end",
    ]
    if kind == tarfile.USTAR_FORMAT:
        names = [*names[:5], names[6]]
    path = plain_tar(tmp_path / "x.tar", [(name, bytes(i * 300)) for i, name in enumerate(names)], kind)
    assert [tuple(member) for member in tar_members(path)] == names_by_tarfile(path)


def test_headers_of_other_writers(tmp_path: Path) -> None:
    folder = tmp_path / "f" / "g"
    folder.mkdir(parents=True)
    for i in range(3):
        (folder / f"{i}.txt").write_text("x" * 300 * i)
    (folder / "link").symlink_to("0.txt")
    for options in (["--format=gnu"], ["--format=pax"], ["--format=v7"], ["--format=ustar"], ["--sparse"]):
        done = subprocess.run(["tar", *options, "-cf", tmp_path / "x.tar", "-C", tmp_path, "f"], capture_output=True)
        assert done.returncode == 0, done.stderr
        assert sorted(map(tuple, tar_members(tmp_path / "x.tar"))) == sorted(names_by_tarfile(tmp_path / "x.tar"))


def test_plain_headers_need_no_tarfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """WebDataset's own writer puts notes with the time before every member; that must not be the slow way."""
    path = webdataset_tar(tmp_path / "x.tar", txt())
    with path.open("rb") as file:
        assert b"PaxHeader" in file.read(512)
    monkeypatch.setattr(tar_headers, "_by_tarfile", None)
    assert len(list(tar_members(path))) == 14


@pytest.mark.parametrize("folder", ["", "long/" * 25])
def test_memory_stays_flat(folder: str, tmp_path: Path) -> None:
    """Also where tarfile has to read the headers."""
    count = 1800
    names = (f"{folder}{i // 2:07d}.{'txt' if i % 2 else 'png'}" for i in range(count))
    path = plain_tar(tmp_path / "x.tar", ((name, b"x") for name in names), tarfile.GNU_FORMAT)
    reader = find_reader(path)[1]
    counts = []
    assert peak_memory(lambda: counts.append(sum(1 for _ in reader.rows()))) < 150_000
    assert counts == [count // 2] * 3


HARD = st.text(max_size=30) | st.sampled_from(["", " ", "שלום", "🙂🏽", "a\nb", "\r\n", "é", "\x00", "x" * 3000])


@settings(max_examples=25, deadline=None)
@given(st.lists(HARD, min_size=1, max_size=20), st.booleans())
def test_every_text_comes_back(texts: list[str], as_json: bool) -> None:
    """From JSON to the letter; of a .txt, one line end at its end is not text."""
    samples = [{"__key__": str(i), "png": png(i), "json": {"text": text}} for i, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(
            webdataset_tar(Path(folder) / "x.tar", samples if as_json else txt([t + "\n" for t in texts]))
        )
        assert texts_of(source) == (texts if as_json else [t.removesuffix("\r").removeprefix("\ufeff") for t in texts])
        assert source.size(len(texts) - 1) == (39 + len(texts), 20)


def test_a_shard_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    folder = shards(tmp_path / "a")
    (folder / "lines-9.tar").symlink_to("gone.tar")
    with pytest.raises(DataError, match=r"lines-9\.tar: cannot be read \(No such file or directory\)"):
        open_source(folder)


def test_a_reader_travels_with_its_list_of_shards(tmp_path: Path) -> None:
    """Not with what it has open."""
    reader = find_reader(shards(tmp_path / "a"))[1]
    keys = [row.key for row in reader.rows()]
    assert reader.content(keys[6]) == png(6)
    copy = pickle.loads(pickle.dumps(reader))
    assert (copy.path, copy.options, copy._shards) == (reader.path, reader.options, reader._shards)
    assert len(copy._shards) == 4
    assert copy.content(keys[3]) == png(3)
