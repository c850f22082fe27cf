"""Pictures for paper: they are drawn for every kind of LSTM, have axes and units, and show what was read."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import explain_support
import numpy as np
import pytest
from explain_support import noise, tiny
from PIL import Image

from crnn.explain import line_figure as module
from crnn.explain.line import trace
from crnn.explain.line_figure import diverging_map, line_figure, quoted, unit_figure
from crnn.explain.order import ORDERS, events, orders


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that were saved."""
    kept: list[Any] = []
    save = module.png
    monkeypatch.setattr(module, "png", lambda figure, dpi=40: (kept.append(figure), save(figure, 40))[1])
    return kept


@pytest.mark.parametrize(("layers", "bidirectional", "proj"), [(2, True, 0), (1, False, 5)])
def test_all_units(figures: list[Any], layers: int, bidirectional: bool, proj: int) -> None:
    opened = tiny(layers, bidirectional, proj=proj)
    line = trace(opened, noise())
    picture = Image.open(io.BytesIO(line_figure(opened, line)))
    assert picture.format == "PNG"
    axes = figures[0].axes
    walks = layers * (1 + bidirectional)
    maps = [one for one in axes if one.get_title(loc="left").startswith("$")]
    assert len(maps) == 6 * walks
    assert all(one.get_ylabel() == "unit, sorted" for one in maps[::walks])
    assert all(one.get_xlabel() == "column" for one in maps[-walks:])
    shown = np.sort(maps[5 * walks].images[0].get_array(), axis=0)  # h of the first walk
    assert np.allclose(shown, np.sort(line.lstm.walks[0].h.numpy().T, axis=0))
    ordered = orders(line.lstm.walks[0], events(line))
    assert f"are sorted by {ORDERS[next(iter(ordered))]}, the " in figures[0]._supxlabel.get_text()


def test_one_unit(figures: list[Any]) -> None:
    opened = tiny()
    line = trace(opened, noise())
    unit_figure(opened, line, (1, 4))
    gates, memory = figures[0].axes[2:4]
    for axes, names in ((gates, "ifo"), (memory, "cgh")):
        curves = [one for one in axes.lines if not one.get_label().startswith("_")]
        assert [one.get_label()[-1] for one in curves] == list(names)
        for one in curves:
            walk = line.lstm.walks[1]
            assert np.array_equal(one.get_ydata(), getattr(walk, one.get_label()[-1]).numpy()[:, 4])
        assert axes.get_ylabel()
    assert "column (time step), 4 pixels each" in memory.get_xlabel()
    assert "unit 4 of layer 1, right to left" in gates.get_title(loc="left")
    table = figures[0].axes[1]
    assert table.get_yticklabels()[0].get_text() == "blank"


@pytest.mark.parametrize("many", [7, 30, 61])
def test_names_of_many_classes_do_not_overlap(figures: list[Any], monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(explain_support, "SYMBOLS", tuple(map(chr, range(0x40, 0x40 + many))))
    monkeypatch.setattr(module, "classes_that_matter", lambda _: list(range(many + 1)))
    opened = tiny()
    line = trace(opened, noise())
    for picture in (unit_figure(opened, line, (0, 0)), line_figure(opened, line)):
        assert picture.startswith(b"\x89PNG")
        figure = figures[-1]
        figure.draw_without_rendering()
        labels = figure.axes[1].get_yticklabels()
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda one: one.y0)
        heights = [one.get_fontsize() * figure.dpi / 72 for one in labels]
        assert len(boxes) == many + 1
        middles = [(one.y0 + one.y1) / 2 for one in boxes]
        assert min(np.diff(middles)) >= 0.95 * heights[0]


def test_blue_to_orange_without_a_hue_in_the_middle() -> None:
    colours = diverging_map()(np.array([0.0, 0.5, 1.0]))
    assert colours[0][2] > colours[0][0]
    assert np.ptp(colours[1][:3]) < 0.05
    assert colours[2][0] > colours[2][2]


def test_long_readings_do_not_run_out_of_the_title() -> None:
    line = trace(tiny(), noise())
    assert quoted(dataclasses.replace(line, text="ab")) == "“ab”"
    assert quoted(dataclasses.replace(line, text="a" * 300)) == f"“{'a' * 59}…”"
