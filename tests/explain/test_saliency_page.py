"""Page and picture of the saliency hold what was computed."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from explain_support import Page, noise, tiny, unpack
from PIL import Image

from crnn.explain.line import LineTrace, trace
from crnn.explain.model import Opened
from crnn.explain.saliency import Saliency, reaches, saliency
from crnn.explain.saliency_page import LEAST, logs, pixel_profiles, reach_rows, saliency_figure, saliency_page, stripes

Case = tuple[Opened, LineTrace, Saliency]


@pytest.fixture(scope="module")
def case() -> Case:
    opened = tiny()
    line = trace(opened, noise(), "<u>x</u>")
    return opened, line, saliency(opened, line)


def test_the_page_holds_what_was_computed(case: Case) -> None:
    _, line, found = case
    page = Page(saliency_page(*case))
    data = page.data
    assert np.abs(unpack(data["maps"]).reshape(found.maps.shape) - found.maps).max() <= 1 / 510 + 1e-9
    assert np.abs(unpack(data["stripes"]) - stripes(found)).max() <= 1 / 510 + 1e-9
    assert np.abs(10 ** unpack(data["lstm"]) - np.maximum(found.lstm, 1e-5)).max() < 1e-3
    assert [s["at"] for s in data["spans"]] == found.columns
    for profile, (distances, values) in zip(data["profiles"], pixel_profiles(found, line.step), strict=True):
        assert profile["from"] == distances[0]
        assert np.allclose(profile["values"], logs(values), atol=1e-4)
        assert len(distances) == len(set(distances.tolist())) == distances[-1] - distances[0] + 1
        assert values.sum() == pytest.approx(1)
    assert "<u>x</u>" in page.text
    assert "10 pixels of the picture" in page.text
    assert {"which", "one", "stripes", "profile", "lstm", "stripes-legend", "lstm-legend"} <= set(page.ids)
    assert page.addresses == []


def test_reaches_in_columns_and_pixels(case: Case) -> None:
    _, line, found = case
    found = dataclasses.replace(found, lstm=np.full((30, 30), 1 / 30))
    (_, _, (left, right), _), (_, _, pixels, _), _ = reaches(found, line.step)
    assert min(left, right) > 2
    rows = reach_rows(found, line.step)
    assert rows[0][1] == f"−{left} … +{right} columns (−{left * 4} … +{right * 4} pixels)"
    assert rows[1][1] == f"−{pixels[0]} … +{pixels[1]} pixels (−{pixels[0] / 4:.1f} … +{pixels[1] / 4:.1f} columns)"
    assert [row[0] for row in rows] == ["the LSTM alone", "the CNN alone", "CNN and LSTM"]


def test_shares_of_nothing_have_the_least_logarithm() -> None:
    assert logs(np.array([0.0, 1e-9, 1.0])).tolist() == [LEAST, LEAST, 0]


def test_a_picture_is_drawn(case: Case) -> None:
    with Image.open(io.BytesIO(saliency_figure(*case))) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
