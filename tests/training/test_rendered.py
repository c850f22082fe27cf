"""Rendered lines beside real ones: whose characters and texts they have."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_support import settings

from crnn.core.charsets import named_set
from crnn.data.sources import LineSource, ReadOptions, open_source
from crnn.data.synth.source import synthetic_pair
from crnn.errors import ConfigError, DataError
from crnn.training.rendered import drawn_characters, own_labels, rendered_options
from crnn.training.run_folder import RunFolder

FOLDER = RunFolder(Path("not-used"))
TINY = ("model=crnn_tiny", "data.rendered.fonts=bundled", "data.rendered.lines=40", "data.rendered.val_lines=10")


@pytest.fixture
def real(line_folder: Path) -> LineSource:
    return open_source(str(line_folder / "train"), ReadOptions())


def test_labels_are_rendered_anew(real: LineSource) -> None:
    config = settings(*TINY, "data.rendered.text_file=labels", "data.rendered.short_epochs=0")
    labels = own_labels(config, [real])
    assert labels is not None
    assert set(labels) == {real.entry(i).text for i in range(len(real))}
    assert len(labels) == len(set(labels))
    characters = drawn_characters(config, labels, FOLDER)
    assert set(characters) == set("".join(labels))
    train, _ = synthetic_pair(**rendered_options(config, characters), labels=labels)
    assert {train.entry(i).text for i in range(40)} <= set(labels)


def test_labels_with_variation(real: LineSource) -> None:
    config = settings(*TINY, "data.rendered.text_file=labels", "data.rendered.text_order=1")
    labels = own_labels(config, [real])
    options = rendered_options(config, drawn_characters(config, labels, FOLDER))
    train, _ = synthetic_pair(**options, labels=labels)
    made = {train.entry(i).text for i in range(160)}
    assert made - set(labels or ())
    pairs = {text[i : i + 2] for text in labels or () for i in range(len(text) - 1)}
    assert {text[i : i + 2] for text in made for i in range(len(text) - 1)} <= pairs


def test_labels_need_real_lines() -> None:
    config = settings(*TINY, "data.rendered.text_file=labels")
    with pytest.raises(
        ConfigError, match=r"text_file=labels: there are no real lines.*data\.train=\[FOLDER,rendered\]"
    ):
        own_labels(config, [])
    assert own_labels(settings(*TINY), []) is None


def test_characters_of_rendered_lines(real: LineSource) -> None:
    assert drawn_characters(settings(*TINY, "data.rendered.characters=xyz"), ["abc"], FOLDER) == "xyz"
    assert drawn_characters(settings(*TINY, "data.rendered.characters=set:german"), None, FOLDER) == "".join(
        named_set("german")
    )
    assert drawn_characters(settings(*TINY, "charset.symbols=uvw"), ["abc"], FOLDER) == "uvw"
    assert drawn_characters(settings(*TINY), ["b\ta", "c"], FOLDER) == " abc"
    assert len(drawn_characters(settings(*TINY), None, FOLDER)) == 95
    with pytest.raises(
        ConfigError, match=r"data\.rendered\.characters=set:klingon: is unknown; allowed are set:digits"
    ):
        drawn_characters(settings(*TINY, "data.rendered.characters=set:klingon"), None, FOLDER)


def test_settings_reach_the_texts(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("abab\nbaba\nabba\nbaab\n")
    config = settings(*TINY, f"data.rendered.text_file={tmp_path / 'own.txt'}", "data.rendered.text_order=1")
    train, _ = synthetic_pair(**rendered_options(config, "ab"))
    assert {train.entry(i).text for i in range(100)} - {"abab", "baba", "abba", "baab"}
    with pytest.raises(ConfigError, match=r"data\.rendered\.languages: no words of 'xx'|come from wordfreq"):
        synthetic_pair(**rendered_options(settings(*TINY, "data.rendered.languages=[xx]"), "ab"))
    with pytest.raises(DataError, match="labels: cannot be read"):
        synthetic_pair(**rendered_options(settings(*TINY, "data.rendered.text_file=./labels"), "ab"))
