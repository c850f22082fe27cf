"""Parquet and Arrow files: Hugging Face's data sets and kraken's."""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests_support import line_of, peak_memory, problems_of, texts_of

from crnn.data.sources import LineSource, ReadOptions, arrow, arrow_files, extra, open_source
from crnn.data.sources.registry import find_reader
from crnn.errors import DataError

TEXTS = ["eins", "zwei drei", " mit Leerzeichen ", "नि", 'Tab\tund "Zitat"', "", "sieben"]
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def png(i: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (40 + i, 20), 10 * i).save(buffer, "PNG")
    return buffer.getvalue()


def hugging_face(texts: Sequence[str] = TEXTS, start: int = 0) -> pa.Table:
    """The columns, and the notes about them, that `datasets` writes."""
    pictures = pa.array([{"bytes": png(start + i), "path": f"{i}.png"} for i in range(len(texts))], IMAGE)
    kinds = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}
    notes = {"huggingface": json.dumps({"info": {"features": kinds}})}
    return pa.table({"image": pictures, "text": pa.array(texts, pa.string())}).replace_schema_metadata(notes)


def stream(path: Path, table: pa.Table, rows: int = 3, compression: str | None = None) -> Path:
    """As `save_to_disk` writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def ipc(path: Path, table: pa.Table, rows: int = 3, compression: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def parquet(path: Path, table: pa.Table, rows: int = 3, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows, **options)
    return path


def saved(folder: Path) -> Path:
    """`Dataset.save_to_disk`, and what `Dataset.map` may leave beside it."""
    names = [f"data-{i:05d}-of-00002.arrow" for i in range(2)]
    stream(folder / names[0], hugging_face(TEXTS[:4]))
    stream(folder / names[1], hugging_face(TEXTS[4:], 4))
    stream(folder / "cache-0123456789abcdef.arrow", hugging_face(["left over"]))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def shards(folder: Path) -> Path:
    parquet(folder / "data" / "train-00000-of-00002.parquet", hugging_face(TEXTS[:4]))
    parquet(folder / "data" / "train-00001-of-00002.parquet", hugging_face(TEXTS[4:], 4))
    (folder / "README.md").write_text("a card")
    return folder


def kraken(path: Path) -> Path:
    """As `ketos compile` writes it: kraken/lib/arrow_dataset.py."""
    kind = pa.struct([("text", pa.string()), ("im", pa.binary())])
    schema = pa.schema([("lines", kind), *((name, pa.bool_()) for name in ("train", "validation", "test"))])
    lines = pa.array([{"text": text, "im": png(i)} for i, text in enumerate(TEXTS)], kind)
    masks = [pa.array(np.zeros(len(TEXTS), dtype=bool)) for _ in range(3)]
    about = {"type": "kraken_recognition_baseline", "alphabet": {"e": 3}, "text_type": "raw", "image_type": "raw"}
    counts = {"all": len(TEXTS), "train": 0, "validation": 0, "test": 0}
    notes = {"lines": json.dumps({**about, "splits": ["train", "eval", "test"], "im_mode": "L", "counts": counts})}
    return ipc(path, pa.Table.from_arrays([lines, *masks], schema=schema.with_metadata(notes)))


def columns(**more: Any) -> pa.Table:
    """A table of pictures as plain bytes, and other columns."""
    return pa.table({"image": pa.array([png(i) for i in range(2)], pa.binary()), **more})


MAKERS: dict[str, Callable[[Path], Path]] = {
    "one parquet": lambda p: parquet(p / "x.parquet", hugging_face()),
    "parquet shards": lambda p: shards(p),
    "save_to_disk": lambda p: saved(p),
    "one stream": lambda p: stream(p / "x.arrow", hugging_face()),
    "ipc file": lambda p: ipc(p / "x.arrow", hugging_face()),
    "compressed ipc": lambda p: ipc(p / "x.arrow", hugging_face(), compression="lz4"),
    "compressed stream": lambda p: stream(p / "x.arrow", hugging_face(), compression="zstd"),
    "kraken": lambda p: kraken(p / "x.arrow"),
    "large types": lambda p: parquet(
        p / "x.parquet",
        pa.table({"picture": pa.array(map(png, range(7)), pa.large_binary()), "t": pa.array(TEXTS, pa.large_string())}),
    ),
}


WANTED = [(text, (40 + i, 20), 10 * i) for i, text in enumerate(TEXTS)]


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_every_kind(kind: str, tmp_path: Path) -> None:
    path = MAKERS[kind](tmp_path / "a")
    assert find_reader(path)[0] == "arrow"
    source = open_source(path)
    assert [line_of(source, i) for i in range(len(source))] == WANTED
    assert [line_of(source, i) for i in (6, 0, 5, 1, 6)] == [WANTED[i] for i in (6, 0, 5, 1, 6)]
    assert problems_of(source) == [""] * 7
    assert source.entry(2).where.endswith(":row 3")
    assert pickle.loads(pickle.dumps(source)).size(6) == (46, 20)


def read_many(source: LineSource) -> list[tuple[str, tuple[int, int], object]]:
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda i: line_of(source, i % 7), range(70)))


@pytest.mark.parametrize("kind", ["parquet shards", "save_to_disk", "ipc file"])
def test_travels(kind: str, tmp_path: Path) -> None:
    source = open_source(MAKERS[kind](tmp_path / "a"))
    here = read_many(source)
    assert here == WANTED * 10
    assert len(pickle.dumps(find_reader(tmp_path / "a")[1])) < 500
    with get_context("fork").Pool(2) as pool:  # to spawned ones all formats travel in test_contract.py
        later = pool.map_async(read_many, [source] * 4)
        assert read_many(source) == here
        assert later.get(60) == [here] * 4


def test_order_of_shards(tmp_path: Path) -> None:
    for i in (10, 9, 1):
        parquet(tmp_path / f"part-{i}.parquet", hugging_face([str(i)]))
    parquet(tmp_path / "b" / "0.parquet", hugging_face(["b"]))
    source = open_source(tmp_path)
    assert texts_of(source) == ["1", "9", "10", "b"]
    assert source.entry(3).where == f"{tmp_path}/b/0.parquet:row 1"
    assert source.entry(3).picture == "b/0.parquet:0:0"


def test_missing_shards_and_mixed_splits(tmp_path: Path) -> None:
    (shards(tmp_path / "a") / "data" / "train-00000-of-00002.parquet").unlink()
    with pytest.raises(DataError, match=r"data: has 1 of 2 shards of 'train'; number 00000 is missing: copy or down"):
        open_source(tmp_path / "a")
    (saved(tmp_path / "b") / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(DataError, match=r"state\.json: names 'data-00001-of-00002\.arrow', which is not beside it"):
        open_source(tmp_path / "b")
    parquet(shards(tmp_path / "c") / "data" / "test-00000-of-00001.parquet", hugging_face())
    with pytest.raises(
        DataError,
        match=r"c: holds test, train lines; give those of one, such as .*c/test; a training takes both with data.root",
    ):
        open_source(tmp_path / "c")
    assert len(open_source(tmp_path / "c" / "data" / "test-00000-of-00001.parquet")) == 7
    saved(tmp_path / "d" / "train")
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(DataError, match=r"d: holds several splits; give the folder of one, such as .*d/train"):
        open_source(tmp_path / "d")
    assert len(open_source(tmp_path / "d" / "train")) == 7


def test_columns_by_type_and_name(tmp_path: Path) -> None:
    two = pa.array(["a", "b"])
    tables = {
        "only one of each": columns(zeile=two, n=pa.array([1, 2])),
        "a known name": columns(writer=two, Text=two),
        "beside a file name": columns(file_name=pa.array(["x.png", "y.png"]), zeile=two),
        "two binaries": columns(signature=pa.array([b"x", b"y"]), zeile=two),
    }
    for name, table in tables.items():
        source = open_source(parquet(tmp_path / f"{name}.parquet", table))
        assert (texts_of(source), source.size(1)) == (["a", "b"], (41, 20)), name
    table = columns(text=two, label=pa.array(["c", "d"]))
    path = parquet(tmp_path / "x.parquet", table)
    with pytest.raises(DataError, match=r"x\.parquet: text, label may each be the text; .* data\.text_column=NAME"):
        open_source(path)
    assert texts_of(open_source(path, ReadOptions(text_column="label"))) == ["c", "d"]
    with pytest.raises(DataError, match=r"x\.parquet: has no column for the text among: a, b; .*data\.text_column"):
        open_source(parquet(tmp_path / "x.parquet", columns(a=two, b=two)))
    double = pa.table({"image": columns()["image"], "img": columns()["image"].take([1, 0]), "text": two})
    with pytest.raises(DataError, match=r"image, img may each be the picture; .*data\.image_column=NAME"):
        open_source(parquet(tmp_path / "x.parquet", double))
    assert open_source(tmp_path / "x.parquet", ReadOptions(image_column="img")).size(0) == (41, 20)


def test_columns_that_will_not_do(tmp_path: Path) -> None:
    numbers = pa.array([0, 1])
    notes = json.dumps({"info": {"features": {"label": {"_type": "ClassLabel", "names": ["a", "b"]}}}})
    path = parquet(tmp_path / "x.parquet", columns(label=numbers).replace_schema_metadata({"huggingface": notes}))
    with pytest.raises(DataError, match=r"no column of text among: label \(int64\); label is a class label, a number"):
        open_source(path)
    with pytest.raises(DataError, match=r"column 'label' \(data\.text_column\) is int64, not text; there are: label"):
        open_source(path, ReadOptions(text_column="label"))
    with pytest.raises(DataError, match=r"has no column 'zeile' \(data\.text_column\); there are: label \(int64\)"):
        open_source(path, ReadOptions(text_column="zeile"))
    with pytest.raises(DataError, match=r"column 'label' \(data\.image_column\) is int64, not picture"):
        open_source(path, ReadOptions(image_column="label"))
    with pytest.raises(DataError, match=r"has no column of pictures .* among: text \(string\), n \(int64\)"):
        open_source(parquet(tmp_path / "y.parquet", pa.table({"text": ["a", "b"], "n": numbers})))
    for bad in ("{", '{"info": 3}', "[]"):
        table = columns(label=numbers).replace_schema_metadata({"huggingface": bad})
        with pytest.raises(DataError, match=r"no column of text among: label \(int64\); add"):
            open_source(parquet(tmp_path / "z.parquet", table))


def test_names_of_pictures(tmp_path: Path) -> None:
    """A column that only names pictures, beside the file; and Hugging Face's path where the bytes are null."""
    for i in range(2):
        (tmp_path / "a" / "data" / "p").mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / "data" / "p" / f"{i}.png").write_bytes(png(i))
    names = pa.array(["p/1.png", "p/0.png", None, "../../secret.png", "p/none.png"])
    table = pa.table({"file_name": names, "text": pa.array(list("abcde"))})
    parquet(tmp_path / "a" / "data" / "x.parquet", table)
    source = open_source(tmp_path / "a")
    assert [source.size(i)[0] for i in (0, 1)] == [41, 40]
    assert source.entry(0).picture == "data/p/1.png"
    assert problems_of(source) == ["", "", "has no picture name", "", ""]
    (tmp_path / "secret.png").write_bytes(png(0))
    for i, why in ((3, r"must stay within .*: no '\.\.'"), (4, r"p/none\.png: there is no such picture")):
        with pytest.raises(DataError, match=why):
            source.picture(i)
    assert open_source(tmp_path / "a" / "data" / "x.parquet").size(0) == (41, 20)
    rows = [{"bytes": None, "path": "p/1.png"}, {"bytes": None, "path": "/etc/passwd"}, None, {}]
    table = pa.table({"image": pa.array(rows, IMAGE), "text": pa.array(list("abcd"))})
    for path in (
        parquet(tmp_path / "a" / "data" / "x.parquet", table),
        stream(tmp_path / "a" / "data" / "y.arrow", table),
    ):
        source = open_source(path)
        assert source.size(0) == (41, 20)
        with pytest.raises(DataError, match="must stay within"):
            source.content(1)
        for i in (2, 3):
            with pytest.raises(DataError, match=rf"[xy]\.(parquet|arrow):{i // 3}:{i % 3}: has no picture \(null\)"):
                source.content(i)


VIEWS = pa.struct([("bytes", pa.binary_view()), ("path", pa.string_view())])


@pytest.mark.parametrize(
    ("kind", "picture"),  # PyArrow does not write a struct of views as Parquet
    [
        *(("parquet", pa.binary_view()), ("stream", pa.binary_view()), ("ipc", pa.binary_view())),
        *(("stream", VIEWS), ("ipc", VIEWS)),
    ],
)
def test_views_as_polars_writes_them(kind: str, picture: Any, tmp_path: Path) -> None:
    """Short strings stand in the view itself, long ones in buffers behind it."""
    texts = ["eins", "zwei, das länger als zwölf Bytes ist", None, "vier"]
    pictures: list[Any] = [png(i) if picture != VIEWS else {"bytes": png(i), "path": "x.png"} for i in range(4)]
    table = pa.table({"image": pa.array(pictures, picture), "text": pa.array(texts, pa.string_view())})
    path = {"parquet": parquet, "stream": stream, "ipc": ipc}[kind](tmp_path / "x.arrow", table)
    source = open_source(path)
    assert texts_of(source) == [text or "" for text in texts]
    assert problems_of(source) == ["", "", "has no text (null)", ""]
    assert [source.content(i) for i in range(4)] == [png(i) for i in range(4)]
    assert texts_of(open_source(path, ReadOptions(None, "text", "image"))) == texts_of(source)


def test_names_of_pictures_in_views(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "b.png").write_bytes(png(2))
    names = pa.array(["a.png", "b.png"], pa.string_view())
    source = open_source(ipc(tmp_path / "x.arrow", pa.table({"file_name": names, "said": ["x", "y"]})))
    assert [source.size(i)[0] for i in range(2)] == [41, 42]


def test_views_of_no_text(tmp_path: Path) -> None:
    raw = pa.array(
        [b"gut", "Käse".encode("latin-1"), "Käse, wie er im Buche steht".encode("latin-1")], pa.binary_view()
    )
    table = pa.table({"image": pa.array([png(0)] * 3), "text": raw.view(pa.string_view())})
    assert problems_of(open_source(ipc(tmp_path / "x.arrow", table))) == [
        "",
        *["is not UTF-8 (byte 0xE4 at 1); write it anew in UTF-8"] * 2,
    ]


@pytest.mark.parametrize("values", [pa.string(), pa.large_string()])
def test_texts_that_are_categories(values: Any, tmp_path: Path) -> None:
    """By a known name, or where nothing else is text; any other is a page or a writer."""
    said = pa.array(["ja", None, "ja", "nein"], values).dictionary_encode()
    other = pa.array(list("abcd"))
    pictures = pa.array([png(i) for i in range(4)])
    for write in (parquet, ipc):
        for columns in (
            {"text": said},
            {"said": said},
            {"text": said, "id": other},
            {"n": pa.array(range(4)), "x": said},
        ):
            source = open_source(write(tmp_path / "x.arrow", pa.table({"image": pictures, **columns})))
            assert texts_of(source) == ["ja", "", "ja", "nein"], columns
            assert problems_of(source) == ["", "has no text (null)", "", ""]
        path = write(tmp_path / "x.arrow", pa.table({"image": pictures, "page": said, "line": other}))
        assert texts_of(open_source(path)) == list("abcd")
        assert texts_of(open_source(path, ReadOptions(text_column="page"))) == ["ja", "", "ja", "nein"]
        two = open_source(write(tmp_path / "y.arrow", pa.table({"image": pictures, "line": other, "page": said})))
        assert texts_of(two) == list("abcd")
    with pytest.raises(DataError, match=r"has no column for the text among: a, b; .*data\.text_column"):
        open_source(parquet(tmp_path / "x.parquet", pa.table({"image": pictures, "a": said, "b": said})))
    numbers = pa.array([1, 2, 1, 2]).dictionary_encode()
    with pytest.raises(DataError, match=r"no column of text among: text \(dictionary<values=int64"):
        open_source(ipc(tmp_path / "x.arrow", pa.table({"image": pictures, "text": numbers})))


def test_categories_that_do_not_exist(tmp_path: Path) -> None:
    """A damaged number is not looked up outside of the dictionary."""
    bad = pa.DictionaryArray.from_arrays(pa.array([0, 7], pa.int32()), pa.array(["a"]), safe=False)
    path = ipc(tmp_path / "x.arrow", pa.table({"image": columns()["image"], "text": bad}))
    with pytest.raises(DataError, match=r"x\.arrow: cannot be read \(.*\); copy or download it again"):
        open_source(path)


def test_labels_that_are_no_text(tmp_path: Path) -> None:
    raw = pa.array([b"gut", "Käse".encode("latin-1"), None, b"x" * (extra.MAX_TEXT_BYTES + 1)], pa.binary())
    text = pa.StringArray.from_buffers(4, raw.buffers()[1], raw.buffers()[2], raw.buffers()[0], raw.null_count)
    table = pa.table({"image": pa.array([png(0)] * 4), "text": text})
    for path in (parquet(tmp_path / "x.parquet", table), stream(tmp_path / "x.arrow", table)):
        source = open_source(path)
        assert texts_of(source) == ["gut", "K�se", "", ""]
        assert problems_of(source) == [
            "",
            "is not UTF-8 (byte 0xE4 at 1); write it anew in UTF-8",
            "has no text (null)",
            "has a label of 65,537 bytes; at most 65,536 are read",
        ]


def big_group(path: Path, lines: int = 400, size: int = 10_000) -> pa.Table:
    """One row group of incompressible pictures."""
    rng = np.random.default_rng(0)
    pictures = pa.array([b"%d " % i + rng.bytes(size) for i in range(lines)])
    table = pa.table({"image": pictures, "text": pa.array([f"line {i}" for i in range(lines)])})
    parquet(path, table, rows=lines, data_page_size=20_000)
    return table


def test_huge_row_groups_are_read_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = big_group(tmp_path / "x.parquet")
    monkeypatch.setattr(arrow_files, "BLOCK_BYTES", 100_000)
    monkeypatch.setattr(arrow_files, "_KEEP_BYTES", 300_000)
    source = open_source(tmp_path / "x.parquet")
    reader = source.reader  # type: ignore[attr-defined]
    opened: list[int] = []
    batches = arrow_files.ParquetFile._batches
    monkeypatch.setattr(arrow_files.ParquetFile, "_batches", lambda *a: opened.append(1) or batches(*a))
    for i in range(400):
        assert source.content(i) == table["image"][i].as_py()
        assert reader._blocks._bytes <= 300_000
    assert len(opened) == 1  # in order, the group is passed once
    for i in (399, 5, 250, 251, 5, 0, 100):
        assert source.content(i) == table["image"][i].as_py()
    assert len(opened) == 3  # for 5 and 100; 250 was ahead, the others waited


def test_a_huge_group_is_not_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = big_group(tmp_path / "x.parquet", lines=4000)
    first = table["image"][0].as_py()
    del table
    monkeypatch.setattr(arrow_files, "BLOCK_BYTES", 100_000)
    source = open_source(tmp_path / "x.parquet")
    before = pa.total_allocated_bytes()
    assert source.content(0) == first
    assert pa.total_allocated_bytes() - before < 30_000_000  # of 60: a few pages, however large the group


def test_a_forked_process_opens_its_own(tmp_path: Path) -> None:
    source = open_source(parquet(tmp_path / "x.parquet", hugging_face()))
    assert line_of(source, 0) == WANTED[0]
    blocks = source.reader._blocks  # type: ignore[attr-defined]
    child = os.fork()
    if not child:
        same = source.size(1) == (41, 20) and source.reader._blocks is blocks  # type: ignore[attr-defined]
        os._exit(1 if same else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert line_of(source, 1) == WANTED[1]
    assert source.reader._blocks is blocks  # type: ignore[attr-defined]


def test_blocks_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "_KEEP_BYTES", 20_000)
    monkeypatch.setattr(arrow_files, "_KEEP_FILES", 2)
    for i in range(5):
        parquet(tmp_path / f"{i}.parquet", hugging_face([f"{i} {k}" for k in range(30)]), rows=10)
        stream(tmp_path / f"{i}.arrow", hugging_face([f"{i} {k}" for k in range(30)]), rows=10)
    source = open_source(tmp_path)
    blocks = source.reader._blocks  # type: ignore[attr-defined]
    for i in np.random.default_rng(0).permutation(300):
        assert source.size(int(i))[0] == 40 + i % 30
        assert blocks._bytes <= 20_000
        assert len(blocks._files) <= 2


def test_mapped_files_take_no_memory(tmp_path: Path) -> None:
    table = pa.table({"image": pa.array([bytes([i]) * 100_000 for i in range(100)]), "text": ["x"] * 100})
    source = open_source(stream(tmp_path / "x.arrow", table, rows=50))
    before = pa.total_allocated_bytes()
    for i in range(100):
        assert source.content(i) == bytes([i]) * 100_000
    assert pa.total_allocated_bytes() - before < 100_000
    assert source.reader._blocks._bytes < 10_000  # type: ignore[attr-defined]


def test_only_texts_are_read_for_the_index(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"image": pa.array([rng.bytes(100_000) for _ in range(100)]), "text": ["x"] * 100})
    parquet(tmp_path / "x.parquet", table, rows=100)
    del table
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    rows = []
    assert peak_memory(lambda: rows.extend(find_reader(tmp_path / "x.parquet")[1].rows())) < 2_000_000
    assert len(rows) == 300
    assert pool.bytes_allocated() - before < 1_000_000


def test_huge_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "MAX_BYTES", 50)
    with pytest.raises(DataError, match=r"x\.parquet:0:0: has \d+ bytes; allowed are 50"):
        open_source(parquet(tmp_path / "a" / "x.parquet", hugging_face()).parent).picture(0)


@pytest.mark.parametrize("kind", ["one parquet", "one stream", "ipc file", "compressed ipc"])
@pytest.mark.parametrize(("step", "flips"), [(111, 100), pytest.param(37, 300, marks=pytest.mark.slow)])
def test_cut_and_damaged_files(kind: str, step: int, flips: int, tmp_path: Path) -> None:
    """Whatever is wrong with a file, it is one line that names it, or the pictures and texts that were written."""
    path = MAKERS[kind](tmp_path / "a")
    whole = path.read_bytes()
    said = set()
    for keep in (*range(8, len(whole), step), len(whole) - 1):
        path.write_bytes(whole[:keep])
        try:
            said.add(str(open_source(path).entry(6)))
        except DataError as error:
            assert str(error).startswith(str(path)), error
            assert "\n" not in str(error)
            said.add("copy or download it again" if "copy or download it again" in str(error) else str(error))
        except IndexError:  # a stream may end after any batch: nothing tells
            assert kind == "one stream"
    assert "copy or download it again" in said
    rng = np.random.default_rng(0)
    for place in rng.integers(8, len(whole), flips):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        path.write_bytes(broken)
        try:
            source = open_source(path)
            for i in range(len(source)):
                source.picture(i)
        except DataError as error:
            assert "\n" not in str(error)


def test_nothing_pickled_is_read(tmp_path: Path) -> None:
    """Arrow once unpickled the types that a file brings along."""
    target = tmp_path / "ran"
    payload = pickle.dumps(Touch(str(target)))
    field = pa.field("t", pa.string(), metadata={"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": payload})  # fmt: skip
    table = pa.Table.from_arrays([columns()["image"], pa.array(["a", "b"])], schema=pa.schema([pa.field("image", pa.binary()), field]))  # fmt: skip
    for path in (parquet(tmp_path / "x.parquet", table), ipc(tmp_path / "x.arrow", table), stream(tmp_path / "y.arrow", table)):  # fmt: skip
        try:
            open_source(path)
        except DataError as error:
            assert "has no column of text" in str(error)
    assert not target.exists()
    pickle.loads(payload)
    assert target.exists()


class Touch:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def test_keys_stay_within(tmp_path: Path) -> None:
    parquet(tmp_path / "secret.parquet", hugging_face())
    reader = find_reader(parquet(tmp_path / "a" / "x.parquet", hugging_face()).parent)[1]
    assert reader.content("x.parquet:2:0") == png(6)
    for key in ("../secret.parquet:0:0", "/etc/passwd:0:0", "../a/x.parquet"):
        with pytest.raises(DataError, match=r"must stay within"):
            reader.content(key)
    for key in (
        "x.parquet:3:0",
        "x.parquet:0:3",
        "x.parquet:0:99999999",
        "none.parquet:0:0",
        "x.png",
        "\0",
        "x" * 5000,
    ):
        with pytest.raises(DataError) as caught:
            reader.content(key)
        assert "\n" not in str(caught.value)


def test_dictionaries_in_a_stream(tmp_path: Path) -> None:
    table = columns(text=pa.array(["a", "b"]), page=pa.array(["p", "p"]).dictionary_encode())
    with pytest.raises(DataError, match=r"x\.arrow: has a dictionary in its stream; write it as Parquet"):
        open_source(stream(tmp_path / "x.arrow", table))
    assert texts_of(open_source(ipc(tmp_path / "y.arrow", table))) == ["a", "b"]


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "x.parquet", hugging_face())
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert find_reader(path)[0] == "arrow"  # looking needs no package
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert str(caught.value) == 'pyarrow is needed to read this and not installed: pip install "crnn[formats]"'


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no")
    (tmp_path / "y.arrow").write_bytes(os.urandom(100))
    for path in (tmp_path, tmp_path / "x.parquet", tmp_path / "y.arrow"):
        with pytest.raises(DataError, match="in a known format"):
            open_source(path)


HARD = st.text(max_size=30) | st.sampled_from(["", " ", "שלום", "🙂🏽", "a\nb", "\r\n", "\ufeffx", "é", "\x00"])


@settings(max_examples=25, deadline=None)
@given(st.lists(HARD, min_size=1, max_size=20), st.sampled_from([parquet, stream, ipc]), st.integers(1, 9))
def test_every_text_comes_back(texts: list[str], write: Callable[..., Path], rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(write(Path(folder) / "x.arrow", hugging_face(texts), rows))
        assert texts_of(source) == texts
        assert source.size(len(texts) - 1) == (39 + len(texts), 20)


@pytest.mark.parametrize("named", [True, False])
def test_pictures_that_a_single_table_names_count_as_its_parts(named: bool, tmp_path: Path) -> None:
    """A picture that changes makes the index anew; where the table holds the pictures, what lies beside it is others'."""
    (tmp_path / "a.png").write_bytes(png(0))
    picture = pa.array(["a.png"]) if named else pa.array([png(0)])
    table = parquet(tmp_path / "t.parquet", pa.table({"image": picture, "text": ["x"]}))
    before = open_source(table)
    assert open_source(table).signature == before.signature
    (tmp_path / "a.png").write_bytes(png(7))
    assert (open_source(table).signature != before.signature) == named
