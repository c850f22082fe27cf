"""Texts for a decoder: a text file stays one, lines bring their labels."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from makers import MAKERS, OPTIONS, TEXTS

from crnn.data.sources.label_texts import texts_of
from crnn.errors import DataError


@pytest.mark.parametrize("kind", sorted(set(MAKERS) - set(OPTIONS)))
def test_lines_of_every_format_bring_their_labels(kind: str, tmp_path: Path) -> None:
    assert texts_of(MAKERS[kind](tmp_path / "lines")) == TEXTS


def test_a_label_file_is_not_learnt_with_its_paths(tmp_path: Path) -> None:
    folder = MAKERS["labels.tsv"](tmp_path / "lines")
    assert texts_of(folder / "labels.tsv") == TEXTS


@pytest.mark.parametrize("name", ["words.txt", "words.csv", "words.tsv", "words", "labels.txt"])
def test_a_text_file_stays_one(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("eins\nzwei, drei\n", encoding="utf-8")
    assert texts_of(file) == str(file)
    assert texts_of(str(tmp_path / "nothing.txt")) == str(tmp_path / "nothing.txt")  # said by who opens it


def test_a_row_that_is_wrong_brings_nothing(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("a.png\tb\nc.png d\n", encoding="utf-8")
    assert texts_of(tmp_path) == ["b"]


def test_a_side_of_shards(tmp_path: Path) -> None:
    """Of which there is no folder: `lines/train` stands for the shards that are named so."""
    for side in ("train", "test"):
        table = pa.table({"image": [b"a", b"b"], "text": [side, "zwei"]})
        pq.write_table(table, tmp_path / f"{side}-00000-of-00001.parquet")
    assert texts_of(tmp_path / "train") == ["train", "zwei"]


def test_texts_come_as_often_as_they_stand_there_and_lines_without_one_do_not(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("a.png\tb\nb.png\t\nc.png\ta\nd.png\tb\n", encoding="utf-8")
    assert texts_of(tmp_path) == ["b", "a", "b"]


def test_a_folder_without_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no labelled lines"):
        texts_of(tmp_path)
