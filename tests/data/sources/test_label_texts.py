"""Texts for a decoder: a text file stays one, lines bring their labels."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize("name", ["words.txt", "words.csv", "words", "labels.txt"])
def test_a_text_file_stays_one(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("eins\nzwei, drei\n", encoding="utf-8")
    assert texts_of(file) == str(file)
    assert texts_of(str(tmp_path / "nothing.txt")) == str(tmp_path / "nothing.txt")  # said by who opens it


def test_words_that_are_called_a_table_are_the_same_words(tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("eins\nzwei, drei\n", encoding="utf-8")
    assert texts_of(tmp_path / "words.tsv") == ["eins", "zwei, drei"]


def test_texts_come_as_often_as_they_stand_there_and_lines_without_one_do_not(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("a.png\tb\nb.png\t\nc.png\ta\nd.png\tb\n", encoding="utf-8")
    assert texts_of(tmp_path) == ["b", "a", "b"]


def test_a_folder_without_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no labelled lines"):
        texts_of(tmp_path)
