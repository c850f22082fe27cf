"""The page of a line: the numbers in it are those of the LSTM, and labels cannot become markup."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from explain_support import Page, noise, tiny, unpack

from crnn.errors import ConfigError
from crnn.explain.gates import QUANTITIES
from crnn.explain.lesson import lesson_page
from crnn.explain.line import classes_that_matter, trace
from crnn.explain.line_page import line_data, line_page, parse_unit, ranges


@pytest.mark.parametrize(("layers", "bidirectional", "proj"), itertools.product((1, 2), (True, False), (0, 5)))
def test_the_page_holds_what_was_computed(layers: int, bidirectional: bool, proj: int) -> None:
    opened = tiny(layers, bidirectional, proj=proj)
    line = trace(opened, noise())
    data = Page(line_page(opened, line, (0, 3))).data
    assert (data["columns"], data["step"], data["walk"], data["unit"]) == (30, 4, 0, 3)
    assert (data["directions"], data["projected"]) == (1 + bidirectional, proj > 0)
    assert len(data["walks"]) == len(line.lstm.walks)
    checked = 0
    for packed, walk in zip(data["walks"], line.lstm.walks, strict=True):
        for name in QUANTITIES:
            limit = ranges(line)[name]
            half = (limit["high"] - limit["low"]) / (2 ** packed[name]["bits"] - 1) / 2
            assert np.abs(unpack(packed[name]) - getattr(walk, name).numpy()).max() <= half + 1e-5, name
            checked += 1
        for order in packed["orders"].values():
            assert sorted(order) == list(range(proj or 12))
        assert set(packed["orders"]) == set(data["orders"])
    assert checked == 6 * layers * (1 + bidirectional)
    shown = classes_that_matter(line)
    assert np.abs(unpack(data["log_probs"]) - line.log_probs[:, shown].T).max() < 1e-3
    assert [shown[k] for k in data["path"]] == line.path
    assert [(s["start"], s["end"]) for s in data["spans"]] == [(s.start, s.end) for s in line.spans]
    assert data["symbols"][0] == "blank"
    assert len(data["symbols"]) == len(shown)


def test_labels_are_text_and_everything_has_a_place() -> None:
    opened = tiny()
    line = trace(opened, noise(400), "<b>picture</b>.png")
    assert "<" in line.text
    page = Page(line_page(opened, line))
    assert line.text in page.texts
    assert "<b>picture</b>.png" in page.text
    assert "tiny <model>" in page.text
    wanted = {"data", "theme", "overview", "log-legend", "walks", "order", "unit", "one", "now"}
    assert set(page.ids) == wanted | {f"{part}-{name}" for part in ("heat", "legend") for name in QUANTITIES}
    assert len(page.ids) == len(set(page.ids))
    assert "b" not in page.tags[: page.tags.index("h1") + 1]
    assert page.addresses == []


def test_a_line_in_which_nothing_is_read() -> None:
    opened = tiny()
    with torch.no_grad():
        opened.network.head.bias[0] = 1000
    line = trace(opened, noise())
    assert line.text == ""
    looked_at = parse_unit(None, line)
    assert looked_at == (2, 0)
    for source in (line_page(opened, line, looked_at), lesson_page(opened, line)):
        page = Page(source)
        assert page.data["spans"] == []
        assert list(page.data["orders"]) == ["peak", "stored"]
        assert page.data["symbols"] == ["blank"]
    assert "(nothing)" in Page(line_page(opened, line)).text


def test_long_memories_have_colours_that_suit_most_of_them() -> None:
    line = trace(tiny(), noise(2000))
    limit = ranges(line)["c"]
    values = np.concatenate([walk.c.numpy().ravel() for walk in line.lstm.walks])
    assert limit["high"] == pytest.approx(max(1.0, np.abs(values).max()))
    assert 0.93 <= (np.abs(values) <= limit["colours"][1]).mean() <= 1
    assert limit["low"] == -limit["high"]


def test_units_are_found_by_the_names_of_their_weights() -> None:
    line = trace(tiny(2), noise())
    assert parse_unit("7", line) == (2, 7)
    assert parse_unit("l0_reverse:11", line) == (1, 11)
    assert parse_unit("l1:0", line) == (2, 0)
    walk, unit = parse_unit(None, line)
    assert (walk, 0 <= unit < 12) == (2, True)
    for bad in ("12", "l2:0", "-1", "x", "l0_reverse:", ":3:", "l0:l0:3", "3 4"):
        with pytest.raises(ConfigError, match="allowed are 0 to 11, and one of l0, l0_reverse, l1, l1_reverse"):
            parse_unit(bad, line)


def test_layers_are_named_if_there_are_several() -> None:
    for layers, wanted in ((2, ["layer 1, right to left", "layer 2, left to right"]), (1, ["layer 1, right to left"])):
        opened = tiny(layers)
        assert [walk["name"] for walk in line_data(opened, trace(opened, noise()))["walks"]][1:3] == wanted
    opened = tiny(1, bidirectional=False)
    assert [walk["name"] for walk in line_data(opened, trace(opened, noise()))["walks"]] == ["left to right"]
