"""Readers of labelled lines, and the registry that tells them apart."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crnn.data.sources import FORMATS, LineSource, open_source
from crnn.data.sources.views import Concatenation, Selection
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
    """To spawned workers, after they have been used, and through threads."""
    here = [read(source, i) for i in range(len(source))]
    with get_context("spawn").Pool(1) as pool:
        assert pool.starmap(read, [(source, i) for i in range(len(source))]) == here
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
    with pytest.raises(DataError, match=r"labels\.tsv:2: is not UTF-8 \(byte 0xE4\); convert it, for example: iconv"):
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


def test_views(tmp_path: Path) -> None:
    one, two = open_source(table(tmp_path / "a")), open_source(gt_files(tmp_path / "b"))
    both = Concatenation([one, two])
    assert len(both) == 10
    assert [read(both, i) for i in range(5)] == [read(one, i) for i in range(5)]
    assert [read(both, 5 + i) for i in range(5)] == [read(two, i) for i in range(5)]
    some = Selection(both, [7, 0, 7])
    assert [read(some, i) for i in range(len(some))] == [read(both, i) for i in (7, 0, 7)]
