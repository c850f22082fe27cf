"""Folders of pictures: the names that they had, and what a table or a text file cannot hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from given_lines import Given, given, into, noise, of_texts, tree

from crnn.data.convert.base import Sample
from crnn.data.convert.folder_writers import GtWriter, TsvWriter
from crnn.data.sources import LineEntry, open_source
from crnn.data.sources.columns import labels
from crnn.errors import DataError


def named(names: list[str]) -> Given:
    return Given([(LineEntry(f"t{i}", f"row {i}", name), noise(i)) for i, name in enumerate(names)])


def test_table(tmp_path: Path) -> None:
    lines = named(["b/2.png", "images/a.png", "b/1.png", "b/1.jpg", "x\ny.png"])
    lines.lines[0] = (lines.lines[0][0], noise(0, "JPEG"))
    into(lines, tmp_path / "out", "tsv")
    assert (tmp_path / "out" / "labels.tsv").read_text(encoding="utf-8") == (
        "images/b/2.jpg\tt0\nimages/a.png\tt1\nimages/b/1.png\tt2\nimages/numbered/000000003.png\tt3\nimages/x_y.png\tt4\n"
    )
    assert tree(tmp_path / "out")["images/b/2.jpg"] == noise(0, "JPEG")


def test_a_table_of_a_table_is_the_same(tmp_path: Path) -> None:
    into(given(7), tmp_path / "first", "tsv")
    source = open_source(tmp_path / "first")
    into(source, tmp_path / "second", "tsv")  # type: ignore[arg-type]
    assert tree(tmp_path / "first") == tree(tmp_path / "second")


def test_a_table_that_would_be_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is copied."""
    monkeypatch.setattr("crnn.data.convert.folder_writers.MAX_LABEL_BYTES", 10**6)
    into(of_texts(["x" * 20_000] * 49), tmp_path / "fits", "tsv")
    lines = of_texts(["x" * 20_000] * 50)
    lines.lines = [(entry, AssertionError("copied")) for entry, _ in lines.lines]
    with pytest.raises(DataError, match=r"given: makes a labels\.tsv of 1 MiB; .* use --to lmdb, parquet, tar or gt"):
        into(lines, tmp_path / "out", "tsv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fits"]


def test_texts_beside_pictures(tmp_path: Path) -> None:
    into(named(["1.png", "2.bin.png", "b/1.png"]), tmp_path / "out", "gt")
    assert {name: data for name, data in tree(tmp_path / "out").items() if name.endswith(".gt.txt")} == {
        "1.gt.txt": b"t0\n",
        "2_bin.gt.txt": b"t1\n",
        "b/1.gt.txt": b"t2\n",
    }
    assert tree(tmp_path / "out")["2_bin.png"] == noise(1)


def test_lines_keep_their_order(tmp_path: Path) -> None:
    names = [f"{i}.png" for i in range(12)]  # 10 sorts before 2
    into(named(names), tmp_path / "out", "gt")
    assert list(labels(open_source(tmp_path / "out"))) == [f"t{i}" for i in range(12)]
    assert sorted(tree(tmp_path / "out"))[:2] == ["000000/000000000_0.gt.txt", "000000/000000000_0.png"]


def test_lines_of_pages_lie_in_a_folder_of_their_page(tmp_path: Path) -> None:
    into(named(["p/1.jpg#l1", "p/1.jpg#l2", "p/2.jpg#l1"]), tmp_path / "out", "tsv")
    assert sorted(tree(tmp_path / "out")) == [f"images/p/{name}.png" for name in ("1/l1", "1/l2", "2/l1")] + [
        "labels.tsv"
    ]


def test_texts_as_large_as_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line end behind them."""
    monkeypatch.setattr("crnn.data.convert.folder_writers.MAX_LABEL_BYTES", 8)
    writer = GtWriter(tmp_path / "out", 0)
    for text, said in (
        ("x" * 7, ""),
        ("x" * 8, "has more than 64 MiB"),
        ("é" * 3, ""),
        ("é" * 4, "has more than 64 MiB"),
    ):
        assert writer.refusal(text) == said
    for text, refused in (("\ufeffx", True), ("x\r", True), ("x\ufeff", False), ("\rx\n", False)):
        assert bool(writer.refusal(text)) is (refused or len(text.encode()) > 7)


def test_labels_that_a_row_cannot_hold(tmp_path: Path) -> None:
    writer = TsvWriter(tmp_path / "out", 0)
    assert writer.refusal("a b") == ""
    for text, found in (
        ("a\tb", r"'\t' at 2"),
        ("\n", r"'\n' at 1"),
        ("ab\r", r"'\r' at 3"),
        ("a\0\n\0", r"'\n' at 3"),
    ):
        assert writer.refusal(text) == f"holds {found}, which a row of labels.tsv cannot; use another format"


@pytest.mark.parametrize("kind", [TsvWriter, GtWriter])
def test_good_moments_and_going_on(
    kind: type[TsvWriter | GtWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were written since the state was taken are forgotten."""
    monkeypatch.setattr("crnn.data.convert.folder_writers.SAVE_EVERY", 3)
    lines = named([f"{i}.png" for i in range(7)])

    def started(state: dict[str, int] | None) -> TsvWriter | GtWriter:
        writer = kind(tmp_path / "out", 0)
        writer.plan(lines)
        writer.start(state)
        return writer

    def put(writer: TsvWriter | GtWriter, i: int) -> bool:
        return writer.put(Sample(i, i, f"{i}.png", f"t{i}", noise(i), ".png"))

    writer = started(None)
    assert [put(writer, i) for i in range(3)] == [False, False, True]
    state = writer.state()
    put(writer, 3)
    writer.close()
    writer = started(state)
    assert [put(writer, i) for i in (3, 4)] == [False, False]
    writer.finish()
    writer.close()
    assert list(labels(open_source(tmp_path / "out"))) == [f"t{i}" for i in range(5)]
    if kind is TsvWriter:
        assert state == {"size": len("images/0.png\tt0\n") * 3}
        assert (tmp_path / "out" / "labels.tsv").stat().st_size == len("images/0.png\tt0\n") * 5


def test_a_table_of_exactly_the_most_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``images/a.png<TAB>x<LF>`` twice: 15 and 17 bytes."""
    lines = named(["a.png", "abc.png"])
    lines.lines = [(entry._replace(text="x"), content) for entry, content in lines.lines]
    for most, fits in ((32, True), (31, False)):
        monkeypatch.setattr("crnn.data.convert.folder_writers.MAX_LABEL_BYTES", most)
        if fits:
            into(lines, tmp_path / "out", "tsv")
            assert (tmp_path / "out" / "labels.tsv").stat().st_size == most
        else:
            with pytest.raises(DataError, match=r"makes a labels\.tsv of 0 MiB"):
                into(lines, tmp_path / "other", "tsv")


def test_closing(tmp_path: Path) -> None:
    writer = TsvWriter(tmp_path / "out", 0)
    writer.close()
    writer.plan(named(["a.png"]))
    writer.start(None)
    writer.put(Sample(0, 0, "a.png", "x", b"", ".png"))
    table = tmp_path / "out" / "labels.tsv"
    assert table.stat().st_size == 0  # in Python's buffer
    writer.close()
    assert table.read_text() == "images/a.png\tx\n"
    writer.start(None)
    assert table.stat().st_size == 0
    writer.put(Sample(0, 0, "a.png", "x", b"", ".png"))
    assert writer.state() == {"size": 15}
    assert table.stat().st_size == 15
    writer.finish()
    writer.close()
