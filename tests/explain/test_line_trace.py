"""What is kept of a line is what the network itself says, and the reading is the one of `crnn recognize`."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from explain_support import Page, noise, tiny
from PIL import Image

import crnn
from crnn.core.charset import BLANK
from crnn.core.decode.settings import beam_settings
from crnn.errors import DataError
from crnn.explain.line import MAX_COLUMNS, classes_that_matter, sample_picture, trace, trace_or_sample
from crnn.explain.line_page import line_page
from crnn.explain.model import open_model
from crnn.explain.saliency import saliency
from crnn.explain.saliency_page import saliency_page
from crnn.loader import read_card


@pytest.mark.parametrize(("layers", "bidirectional", "proj"), itertools.product((1, 2), (True, False), (0, 5)))
def test_it_is_what_the_network_says(layers: int, bidirectional: bool, proj: int) -> None:
    opened = tiny(layers, bidirectional, proj=proj)
    line = trace(opened, noise())
    with torch.no_grad():
        theirs = opened.network(line.images, torch.tensor([120])).log_probs[:, 0]
    assert line.log_probs.shape == (30, 7)
    assert np.abs(line.log_probs - theirs.numpy()).max() < 1e-4
    assert line.path == theirs.argmax(1).tolist()
    assert line.columns == 30
    assert len(line.lstm.walks) == layers * (1 + bidirectional)
    assert line.shown_walk == (layers - 1) * (1 + bidirectional)


def test_spans_are_the_path_collapsed() -> None:
    line = trace(tiny(), noise(400))
    rebuilt = [BLANK] * line.columns
    charset = tiny().card.charset
    for span in line.spans:
        rebuilt[span.start : span.end] = [charset.encode(span.text)[0]] * (span.end - span.start)
        assert span.confidence == pytest.approx(np.exp(line.log_probs[span.start : span.end]).max())
    assert rebuilt == line.path
    assert len(line.spans) > 5
    assert line.text == "".join(span.text for span in line.spans)
    assert line.space == 1


def test_the_reading_is_that_of_recognize(tmp_path: Path) -> None:
    picture = sample_picture()
    picture.save(tmp_path / "x.png")
    line = trace(open_model(), str(tmp_path / "x.png"))
    [reading] = crnn.load().recognize([picture])
    assert line.text == reading.text == "Long memory, 1997"
    scale = picture.width / line.grey.shape[1] * line.step
    assert [(s.text, round(s.start * scale, 2)) for s in line.spans] == [(c.text, c.start) for c in reading.characters]


def test_the_sample_is_always_the_same() -> None:
    assert np.array_equal(np.asarray(sample_picture()), np.asarray(sample_picture()))
    assert trace_or_sample(tiny(), None).name == "a rendered line"


def test_classes_that_matter_are_the_blank_the_path_and_the_likely() -> None:
    line = trace(tiny(), noise(200))
    found = classes_that_matter(line)
    assert found[0] == BLANK
    assert set(line.path) <= set(found)
    assert len(found) == len(set(found))
    peaks = [int(line.log_probs[:, c].argmax()) for c in found[1:]]
    assert peaks == sorted(peaks)
    likely = {c for c in range(7) if line.log_probs[:, c].max() >= np.log(0.05)}
    assert set(found) == likely | set(line.path) | {BLANK}
    assert set(classes_that_matter(line, most=0)) == set(line.path) | {BLANK}


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((16, 3), np.uint8), r"3 x 16 pixels; .*at least 4 x 4"),
        (np.zeros((3, 16), np.uint8), "16 x 3 pixels"),
        (np.zeros((16, 4 * (MAX_COLUMNS + 1)), np.uint8), r"1,025 columns; at most 1,024 .*cut out a part"),
        (np.zeros((8, 40_000), np.uint8), "at most 32768"),
        (b"nothing", "not a picture"),
        ("none.png", "cannot be opened"),
    ],
)
def test_pictures_that_cannot_be_looked_into(picture: np.ndarray | bytes | str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        trace(tiny(), picture, "x.png")
    assert str(caught.value).startswith("x.png: ")


def test_the_longest_and_the_smallest_line() -> None:
    assert trace(tiny(), np.zeros((16, 4 * MAX_COLUMNS), np.uint8)).columns == MAX_COLUMNS
    assert trace(tiny(), Image.new("L", (4, 4))).columns == 4


def test_what_the_decoder_of_the_file_reads_is_told_apart() -> None:
    opened = tiny()
    assert trace(opened, noise()).decoded == trace(opened, noise()).text
    settings = beam_settings({"name": "greedy"}, opened.card.charset, lexicon=["ab"])
    assert settings
    line = trace(opened._replace(card=replace(opened.card, decoder=settings)), noise())
    assert line.decoded == "ab" != line.text
    assert line.said == f"{line.text!r} by the best path, shown here; 'ab' by its decoder, as crnn recognize does"
    for source in (line_page(opened, line), saliency_page(opened, line, saliency(opened, line))):
        told = Page(source).text
        assert "Reading, by the best path, shown here:" in told
        assert re.search(r"By the model's decoder, as crnn recognize\s?:.* ab ", told)


def test_the_bundled_model_s_decoder_is_that_of_recognize() -> None:
    assert open_model().card.decoder == read_card(None).decoder
    assert open_model().card.decoder["name"] == "beam"
