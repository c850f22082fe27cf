"""Any format to any other: nothing lost, nothing changed, and an interruption costs nothing."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import lmdb
import pyarrow.parquet as pq
import pytest
import webdataset
from makers import MAKERS, OPTIONS, TEXTS
from PIL import Image
from tests_support import ListSource

from crnn.cli import main
from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.check import check_lines
from crnn.data.convert import driver, folders, parquet, tar_shards
from crnn.data.convert.base import picture_bytes, safe_stem, suffix_of
from crnn.data.convert.driver import WRITERS, convert
from crnn.data.module import LineDataModule, joined, prepare
from crnn.data.sources import LineEntry, LineSource, extra, open_source
from crnn.data.sources.columns import entries, labels
from crnn.errors import DataError

STRANGE = [
    " leading and trailing ",
    "two  spaces",
    "\u00a0no-break\u3000ideographic",
    "👍🏽 नि ợ",
    "שלום abc مرحبا",
    "e\u0301 not composed",
    'quotes "and, commas; \\ backslash\\n',
    "tab\tinside",
    "\ufeffa mark at the start",
    "nul\0inside",
    "",
    " ",
    "long " * 2000,
]
LINE_ENDS = ["a\nb", "a\n", "\na", "a\r\nb", "a\r", "\r"]


class Bytes(ListSource):
    """Lines whose pictures are files' bytes of several kinds."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__([LineEntry(text, f"row {i}", f"page {i}/ü.line-{i}.png") for i, text in enumerate(texts)])
        self.others: dict[int, bytes] = {}

    def content(self, position: int) -> bytes:
        if position in self.others:
            return self.others[position]
        buffer = io.BytesIO()
        kind = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")[position % 7]
        self.picture(position).save(buffer, kind)
        return buffer.getvalue()


def seen(source: LineSource) -> list[tuple[str, bytes]]:
    return [(entry.text, picture_bytes(source.content(i))) for i, entry in enumerate(entries(source))]


def first_batch(source: LineSource) -> tuple[str, tuple[str, ...], list[str], bytes]:
    """Fingerprint, characters, and labels and pixels of what a training would read first."""
    transform = LineTransform(16)
    charset = Charset.from_texts(labels(source))
    report = check_lines(source, transform)
    assert len(report.kept) == len(source)
    lines = joined([prepare(source, transform, None, True, iter)])
    data = LineDataModule(lines, lines, charset, transform, None, 4, 10**6, 0, seed=3)
    batch = next(iter(data.train_dataloader()))
    return report.fingerprint, charset.symbols, batch.texts, batch.images.numpy().tobytes()


def test_every_format_gives_the_same_fingerprint_charset_and_first_batch(tmp_path: Path) -> None:
    found = {}
    for number, (name, make) in enumerate(MAKERS.items()):
        found[name] = first_batch(open_source(make(tmp_path / str(number)), OPTIONS.get(name)))
    source = open_source(MAKERS["labels.tsv"](tmp_path / "source"))
    for kind, target in itertools.product(WRITERS, ("{}", "x.{}")):
        path = tmp_path / target.format(kind)
        assert convert(source, "", path, kind).lines == len(TEXTS)
        found[f"{kind} by convert to {target}"] = first_batch(open_source(path))
    wanted = found["labels.tsv"]
    assert {name: one == wanted for name, one in found.items()} == dict.fromkeys(found, True)
    assert len(found) > 40


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", ["page", "alto tar", "gt.txt zip", "doctr", "paddle", "file names"])
def test_from_any_format(name: str, kind: str, tmp_path: Path) -> None:
    source = open_source(MAKERS[name](tmp_path / "a"), OPTIONS.get(name))
    convert(source, "", tmp_path / "b", kind)
    assert seen(open_source(tmp_path / "b")) == seen(source)


@pytest.mark.parametrize("kind", WRITERS)
def test_strange_labels_and_kinds_of_pictures(kind: str, tmp_path: Path) -> None:
    source = Bytes(STRANGE)
    done = convert(source, "", tmp_path / "out", kind)
    assert (done.lines, done.skipped) == (len(STRANGE), 0)
    assert seen(open_source(tmp_path / "out")) == seen(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize("kind", WRITERS)
def test_what_cannot_be_written_is_named(kind: str, tmp_path: Path) -> None:
    texts = ["good", *LINE_ENDS, "half \ud800", "x" * 70_000, "no picture", "end"]
    source = Bytes(texts)
    source.others[9] = b"<svg>"
    source.entries[3] = LineEntry("", "row 3", "", "has no picture name")
    held = {
        "tsv": lambda text: "\n" not in text and not text.endswith("\r"),
        "gt": lambda text: not text.endswith("\r"),
        "tar": lambda text: not text.endswith("\r"),
    }.get(kind, lambda text: True)
    wanted = [text for i, text in enumerate(texts) if i not in (3, 7, 8, 9) and held(text)]
    done = convert(source, "", tmp_path / "out", kind)
    assert list(labels(open_source(tmp_path / "out"))) == wanted
    rows = (tmp_path / "out.skipped.tsv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "where\tpicture\treason"
    assert (done.lines, done.skipped) == (len(wanted), len(rows) - 1) == (len(wanted), len(texts) - len(wanted))
    reasons = {row.split("\t")[0]: row.split("\t")[2] for row in rows[1:]}
    assert reasons["row 3"] == "has no picture name"
    assert "holds half a character" in reasons["row 7"]
    assert reasons["row 8"] == "label of 70,000 bytes; at most 65,536 are read"
    assert reasons["row 9"] == "picture is of no kind that is read (PNG, JPEG, TIFF, WebP ...)"


class Interrupted(Bytes):
    """Ends an attempt at a line."""

    def __init__(self, texts: list[str], at: int) -> None:
        super().__init__(texts)
        self.at = at

    def content(self, position: int) -> bytes:
        if position == self.at:
            raise KeyboardInterrupt
        return super().content(position)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("kind", WRITERS)
def test_interrupted_and_gone_on_with(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any line, and again later: the same files as without (LMDB: the same lines)."""
    monkeypatch.setattr(driver, "_BLOCK_LINES", 3)
    monkeypatch.setattr(parquet, "LINES_IN_A_SHARD", 5)
    monkeypatch.setattr(parquet, "LINES_IN_A_GROUP", 2)
    monkeypatch.setattr(tar_shards, "LINES_IN_A_SHARD", 5)
    monkeypatch.setattr(folders, "IN_A_FOLDER", 4)
    texts = [f"line {i}" if i != 4 else "half \ud800" for i in range(17)]
    convert(Bytes(texts), "", tmp_path / "whole", kind)
    for at in (0, 1, 7, 16):
        target = tmp_path / f"at{at}"
        for stop in (at, min(at + 5, 16)):
            with pytest.raises(KeyboardInterrupt):
                convert(Interrupted(texts, stop), "", target, kind)
            assert not target.exists()
            if kind in ("tsv", "tar"):  # what a block had begun is undone
                newest = max((tmp_path / f"at{at}.part" / "data").glob("l*"), default=None)
                if newest:
                    with newest.open("ab") as file:
                        file.write(b"left by a kill" * 5000)
        done = convert(Bytes(texts), "", target, kind)
        assert done.resumed_at == {"parquet": {16: 16}}.get(kind, {0: 3, 1: 3, 7: 10, 16: 16}).get(at, 0)
        assert (done.lines, done.skipped) == (16, 1)
        assert seen(open_source(target)) == seen(open_source(tmp_path / "whole"))
        if kind != "lmdb":
            assert files_of(target) == files_of(tmp_path / "whole")
        assert (tmp_path / f"at{at}.skipped.tsv").read_bytes() == (tmp_path / "whole.skipped.tsv").read_bytes()
        assert not (tmp_path / f"at{at}.part").exists()


def test_killed(tmp_path: Path) -> None:
    """By the system, in the middle of writing."""
    program = """
import sys, time
sys.path[:0] = sys.argv[2:]
from test_convert import Bytes, TEXTS_OF_KILLED
from crnn.data.convert import driver
from pathlib import Path
class Slow(Bytes):
    def content(self, position):
        time.sleep(0.003)
        return super().content(position)
driver._BLOCK_LINES = 10
driver.convert(Slow(TEXTS_OF_KILLED), "", Path(sys.argv[1]), "tar")
"""
    paths = [str(Path(__file__).parent), *sys.path]
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "out"), *paths])
    state = tmp_path / "out.part" / "state.json"
    for _ in range(3000):
        if state.exists() and json.loads(state.read_text())["position"] >= 50:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = convert(Bytes(TEXTS_OF_KILLED), "", tmp_path / "out", "tar")
    assert 50 <= done.resumed_at < done.lines == len(TEXTS_OF_KILLED)
    assert seen(open_source(tmp_path / "out")) == seen(Bytes(TEXTS_OF_KILLED))


TEXTS_OF_KILLED = [f"line {i}" for i in range(400)]


def test_another_attempt_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        convert(Interrupted(["a", "b"], 1), "one", tmp_path / "out", "tar")
    for identity, kind in (("two", "tar"), ("one", "gt")):
        with pytest.raises(DataError, match=r"out\.part: is of a conversion of other lines, or of lines that have"):
            convert(Bytes(["a", "b"]), identity, tmp_path / "out", kind)
    (tmp_path / "out.part" / "state.json").write_text("{")
    with pytest.raises(DataError, match="is of a conversion of other lines"):
        convert(Bytes(["a", "b"]), "one", tmp_path / "out", "tar")


def test_targets_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = MAKERS["labels.tsv"](tmp_path / "lines")
    (tmp_path / "there").mkdir()
    for target, said in (
        (tmp_path / "there", "is there already; name a new folder"),
        (lines / "x.tar", "which is read; name a place elsewhere"),
        (lines, "which is read"),
        (tmp_path / "out", "add --to with one of lmdb, parquet, tar, tsv, gt"),
        (tmp_path / "out.zip", "add --to with one of"),
    ):
        options = [] if "add" in said else ["--to", "tar"]
        assert main(["convert", str(lines), str(target), *options]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines", "there"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        convert(Bytes(["a"]), "", tmp_path / "file" / "out", "tar")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk(kind: str, tmp_path: Path) -> None:
    """One clear error; with room again the same command goes on."""
    program = """
import resource, sys
sys.path[:0] = sys.argv[3:]
from test_convert import Bytes, TEXTS_OF_KILLED
from crnn.data.convert.driver import convert
from crnn.errors import DataError
from pathlib import Path
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = 700 if sys.argv[2] == "gt" else 3000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    convert(Bytes(TEXTS_OF_KILLED), "", Path(sys.argv[1]), sys.argv[2])
except DataError as error:
    print(error)
"""
    paths = [str(Path(__file__).parent), *sys.path]
    command = [sys.executable, "-c", program, str(tmp_path / "out"), kind, *paths]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "cannot be written" in said
    assert "the same command goes on where it stopped" in said
    assert said.count("\n") == 1
    assert convert(Bytes(TEXTS_OF_KILLED), "", tmp_path / "out", kind).lines == len(TEXTS_OF_KILLED)


def test_a_result_that_reads_differently_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = folders.GtTextWriter.write

    def damage(self: folders.GtTextWriter, lines: object) -> None:
        write(self, lines)  # type: ignore[arg-type]
        next(self.folder.rglob("*.gt.txt")).write_text("other")

    monkeypatch.setattr(folders.GtTextWriter, "write", damage)
    with pytest.raises(DataError, match="what is read differs from what was written"):
        convert(Bytes(["a", "b"]), "", tmp_path / "out", "gt")
    monkeypatch.setattr(folders.GtTextWriter, "write", lambda self, lines: write(self, lines[1:]))
    with pytest.raises(DataError, match="2 lines were written, 1 are read"):
        convert(Bytes(["a", "b"]), "", tmp_path / "other", "gt")
    assert not (tmp_path / "out").exists()


def test_nothing_to_write(tmp_path: Path) -> None:
    source = Bytes(["a"])
    source.entries[0] = LineEntry("", "row 0", "", "has no picture name")
    with pytest.raises(DataError, match=r"none of 1 lines can be written; see .*out\.part/skipped\.tsv"):
        convert(source, "", tmp_path / "out", "tar")


def test_a_table_that_would_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_LABEL_BYTES", 100)
    with pytest.raises(DataError, match="choose --to lmdb, parquet or tar"):
        convert(Bytes(["a" * 50, "b" * 50]), "", tmp_path / "out", "tsv")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = MAKERS["labels.tsv"](tmp_path / "one"), MAKERS["gt.txt nested"](tmp_path / "two")
    assert main(["convert", str(one), str(two), str(tmp_path / "both.parquet")]) == 0
    out = capsys.readouterr()
    assert out.out == f"{tmp_path}/both.parquet: 12 lines written, read back and compared\n"
    assert out.err == ""
    assert (tmp_path / "both.parquet").is_file()
    assert list(labels(open_source(tmp_path / "both.parquet"))) == TEXTS * 2
    (one / "labels.tsv").write_text("images/0.png\ta\nimages/9.png\tb\n")
    assert main(["convert", str(one), str(tmp_path / "some.tar")]) == 1
    assert "some.tar.skipped.tsv: 1 lines could not be written" in capsys.readouterr().out
    assert "there is no such" in (tmp_path / "some.tar.skipped.tsv").read_text()


def test_stopped_by_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = MAKERS["labels.tsv"](tmp_path / "lines")
    write = tar_shards.TarWriter.write

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tar_shards.TarWriter, "write", stop)
    assert main(["convert", str(lines), str(tmp_path / "out.tar")]) == 130
    assert "stopped; the same command goes on" in capsys.readouterr().err
    monkeypatch.setattr(tar_shards.TarWriter, "write", write)
    assert main(["convert", str(lines), str(tmp_path / "out.tar")]) == 0
    assert len(open_source(tmp_path / "out.tar")) == len(TEXTS)


def test_one_side_of_a_split(tmp_path: Path) -> None:
    lines = MAKERS["labels.tsv"](tmp_path / "lines")
    side = tmp_path / "val.tsv"
    side.write_text("position\tpicture\twhere\n1\timages/1.png\t-\n4\timages/4.png\t-\n")
    assert main(["convert", str(lines), str(tmp_path / "val"), "--to", "tsv", "--split", str(side)]) == 0
    assert list(labels(open_source(tmp_path / "val"))) == [TEXTS[1], TEXTS[4]]


def test_read_by_the_formats_own_libraries(tmp_path: Path) -> None:
    source = Bytes([f"line {i}" for i in range(7)])
    wanted = seen(source)
    for kind in ("lmdb", "tar", "parquet"):
        convert(source, "", tmp_path / kind, kind)
    with lmdb.open(str(tmp_path / "lmdb"), readonly=True, lock=False).begin() as transaction:
        count = int(transaction.get(b"num-samples"))
        read = [(transaction.get(b"label-%09d" % n), transaction.get(b"image-%09d" % n)) for n in range(1, count + 1)]
    assert [(text.decode(), picture) for text, picture in read] == wanted
    [shard] = (tmp_path / "tar").iterdir()
    samples = list(webdataset.WebDataset(str(shard), shardshuffle=False, empty_check=False))
    kinds = ["png", "jpg", "tif", "bmp", "gif", "webp", "ppm"]
    assert [(s["txt"].decode(), s[kind]) for s, kind in zip(samples, kinds, strict=True)] == wanted
    table = pq.read_table(tmp_path / "parquet")
    rows = table.to_pylist()
    assert [(row["text"], row["image"]["bytes"]) for row in rows] == wanted
    assert rows[3]["image"]["path"] == "page 3/ü.line-3.png"
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features == {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}


def test_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_shards, "LINES_IN_A_SHARD", 3)
    monkeypatch.setattr(parquet, "LINES_IN_A_SHARD", 3)
    for kind, names in (
        ("tar", ["lines-000000.tar", "lines-000001.tar", "lines-000002.tar"]),
        ("parquet", [f"lines-0000{i}-of-00003.parquet" for i in range(3)]),
    ):
        convert(Bytes([str(i) for i in range(7)]), "", tmp_path / kind, kind)
        assert sorted(os.listdir(tmp_path / kind)) == names
        convert(Bytes([str(i) for i in range(7)]), "", tmp_path / f"one.{kind}", kind)
        assert (tmp_path / f"one.{kind}").is_file()
        assert list(labels(open_source(tmp_path / f"one.{kind}"))) == list("0123456")


def test_a_database_grows_by_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.convert.lmdb_base._SMALLEST_MAP", 2**16)
    source = Bytes(["x" * 3000] * 300)
    convert(source, "", tmp_path / "out", "lmdb")
    assert len(open_source(tmp_path / "out")) == 300
    assert sorted(os.listdir(tmp_path / "out")) == ["data.mdb"]
    assert 300 * 3000 < (tmp_path / "out" / "data.mdb").stat().st_size < 8 * 2**20


@pytest.mark.parametrize(("kind", "package"), [("lmdb", "lmdb"), ("parquet", "pyarrow")])
def test_without_the_package(kind: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extra.importlib, "import_module", missing)
    with pytest.raises(DataError, match=rf"{package} is needed for this and not installed: pip install"):
        convert(Bytes(["a"]), "", tmp_path / "out", kind)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a/b/line 1.png", "line_1"),
        ("page.xml#r1/l2", "l2"),
        ("C:\\x\\..\\a.b.JPG", "a_b"),
        ("../..", "_"),
        ("ü\n\t'.png", "ü_"),
        ("x" * 300, "x" * 80),
        ("", ""),
    ],
)
def test_safe_names(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


def test_kinds_of_pictures() -> None:
    source = Bytes([""] * 7)
    assert [suffix_of(source.content(i)) for i in range(7)] == [
        ".png",
        ".jpg",
        ".tif",
        ".bmp",
        ".gif",
        ".webp",
        ".ppm",
    ]
    buffer = io.BytesIO()
    Image.new("L", (9, 9)).save(buffer, "JPEG2000")
    assert suffix_of(buffer.getvalue()) in (".jp2", ".j2k")
    for other in (b"", b"<svg", b"%PDF", b"P7 ", b"RIFF1234WAVE", b"\x80\x04."):
        assert suffix_of(other) == ""
