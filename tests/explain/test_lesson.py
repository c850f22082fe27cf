"""The page that teaches `nn.LSTM`: what it says of shapes and slices is measured, in both languages."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
import torch
from explain_support import Page, noise, tiny, unpack

from crnn.explain.lesson import (
    batch_first_shapes,
    equations,
    lesson_page,
    map_of_gates,
    returned,
    same_slices,
    strongest,
)
from crnn.explain.lesson_text import Numbers, words
from crnn.explain.line import trace
from crnn.explain.line_page import line_page
from crnn.explain.line_text import LINE

SETTINGS = list(itertools.product((1, 2), (True, False), (0, 5)))


@pytest.mark.parametrize(("layers", "bidirectional", "proj"), SETTINGS)
def test_slices_that_are_called_equal_are(layers: int, bidirectional: bool, proj: int) -> None:
    opened = tiny(layers, bidirectional, proj=proj)
    output, h_n, c_n = returned(opened, trace(opened, noise()))
    assert c_n.shape == (layers * (1 + bidirectional), 1, 12)
    state = proj or 12
    found = same_slices(output, h_n, bidirectional)
    assert len(found) == 1 + bidirectional
    for one in found:
        assert one.values[0].shape == (state,)
        assert np.array_equal(*one.values)
        for words_, values in zip((one.left, one.right), one.values, strict=True):
            code = re.sub(r"\[(-?\d)\]|\[(-?\d), :, (.*)\]", r"[\1\2, 0, \3]", words_).replace(", 0, ]", ", 0]")
            assert np.array_equal(eval(code, {"output": output, "h_n": h_n}).double().numpy(), values)
    if bidirectional:  # the trap that the page warns of
        assert not torch.allclose(output[-1, 0, state:], h_n[-1, 0])


@pytest.mark.parametrize(("layers", "bidirectional", "proj"), SETTINGS)
def test_batch_first_is_measured(layers: int, bidirectional: bool, proj: int) -> None:
    opened = tiny(layers, bidirectional, proj=proj)
    out, rows = (1 + bidirectional) * (proj or 12), layers * (1 + bidirectional)
    assert batch_first_shapes(opened, trace(opened, noise())) == [
        ("input", (30, 1, 10), (1, 30, 10), True),
        ("output", (30, 1, out), (1, 30, out), True),
        ("h_n", (rows, 1, proj or 12), (rows, 1, proj or 12), True),
        ("c_n", (rows, 1, 12), (rows, 1, 12), True),
    ]
    assert not opened.network.lstm.batch_first


@pytest.mark.parametrize(("layers", "bidirectional", "proj"), SETTINGS)
def test_the_page_shows_the_network_at_hand(layers: int, bidirectional: bool, proj: int) -> None:
    opened = tiny(layers, bidirectional, proj=proj)
    line = trace(opened, noise(), "<i>x</i>")
    source = lesson_page(opened, line, "zh")
    page = Page(source)
    assert "<html lang=zh>" in source
    out, rows = (1 + bidirectional) * (proj or 12), layers * (1 + bidirectional)
    for shape in ((30, 1, 10), (30, 1, out), (rows, 1, proj or 12), (rows, 1, 12), (30, 1, 7), (48, 10)):
        assert str(shape) in page.text, shape
    total = sum(p.numel() for p in opened.network.lstm.parameters())
    assert f"= {total:,}" in page.text
    for name, tensor in opened.network.lstm.named_parameters():
        assert f"{name} {tuple(tensor.shape)}" in page.text
    assert page.text.count("h_n[-2]") == bidirectional
    output, h_n, _ = returned(opened, line)
    half = (page.data["output"]["high"] - page.data["output"]["low"]) / 255 / 2
    assert np.abs(unpack(page.data["output"]) - output[:, 0].numpy().T).max() <= half + 1e-6
    assert np.abs(unpack(page.data["features"]) - line.features.numpy().T).max() < 0.02
    first = "  ".join(f"{value:+.4f}".replace("-", "−") for value in h_n[-1, 0, :3].tolist())
    assert " ".join(first.split()) in page.text
    wanted = {
        "features",
        "cell",
        "now",
        "column",
        "one",
        "output",
        "weight",
        "same",
        *(f"walk-{k}" for k in range(rows)),
    }
    assert wanted <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.addresses == []


def numbers(directions: int) -> Numbers:
    return Numbers(30, 4, 16, 120, 10, 12, 2, directions, 12, 7, 3, 2, 1234, "x", 0, True)


def test_everything_is_said_in_both_languages() -> None:
    for directions in (1, 2):
        said = words(numbers(directions))
        assert len(said) > 30
        for name, (english, chinese) in said.items():
            assert english, name
            assert not re.search("[\u4e00-\u9fff]", english), name
            assert re.search("[\u4e00-\u9fff]", chinese) or english == chinese, name
            figures = [sorted(re.findall(r"<b>[\d,]+</b>|<code>.*?</code>", text)) for text in (english, chinese)]
            assert figures[0] == figures[1], name


@pytest.mark.parametrize(("layers", "bias", "proj"), list(itertools.product((1, 2), (True, False), (0, 5))))
def test_what_is_said_holds_for_other_settings_too(layers: int, bias: bool, proj: int) -> None:
    opened = tiny(layers, bias=bias, proj=proj)
    line = trace(opened, noise())
    said = Page(lesson_page(opened, line)).text
    assert ("two biases" in said) == ("偏置有两个" in said) == ("b_ii" in said) == bias
    assert ("bounded by −1 and 1" in said) == ("始终在 −1 到 1 之间" in said) == (proj == 0)
    assert ("the length of h and c" in said) == ("h 和 c 的长度" in said) == (proj == 0)
    assert ("W_hr (o * tanh(c))" in said) == (proj > 0)
    assert ("The second layer" in said) == ("第二层的权重" in said) == (layers == 2)
    assert f"bias {bias} " in said
    assert "dropout 0.0 " in said
    assert ("h = W_hr (o · tanh(c))" in Page(line_page(opened, line)).text) == (proj > 0)
    assert ("h = o · tanh(c)" in Page(line_page(opened, line)).text) == (proj == 0)


@pytest.mark.parametrize(("bias", "proj"), list(itertools.product((True, False), (0, 5))))
def test_the_equations_are_those_of_the_network(bias: bool, proj: int) -> None:
    lstm = tiny(1, False, bias, proj).network.lstm
    x = torch.randn(10)
    known: dict[str, Any] = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "x": x}
    known |= {"h": torch.randn(proj or 12), "c": torch.randn(12), "W_hr": lambda value: lstm.weight_hr_l0 @ value}
    given = known["h"][None], known["c"][None]
    for kind, source in (("ih", "i"), ("hh", "h")):
        for gate, part in zip("ifgo", getattr(lstm, f"weight_{kind}_l0").chunk(4), strict=True):
            known[f"W_{source}{gate}"] = part
        for gate, part in zip("ifgo", getattr(lstm, f"bias_{kind}_l0").chunk(4) if bias else (), strict=False):
            known[f"b_{source}{gate}"] = part
    for row in equations(lstm).splitlines():
        exec(re.sub(r"(W_[ih][ifgo]) ([xh])", r"\1 @ \2", row), known)
    output, (h, c) = lstm(x[None], given)
    assert torch.allclose(known["h"], h[0], atol=1e-5)
    assert torch.allclose(known["c"], c[0], atol=1e-5)
    assert torch.allclose(known["h"], output[0], atol=1e-5)


def test_no_layer_is_called_by_a_word_that_means_another() -> None:
    """上一层 is the layer before to some and the one on top to others."""
    assert [name for name, (_, chinese) in {**words(numbers(2)), **LINE}.items() if "上一层" in chinese] == []


@pytest.mark.parametrize("hidden", [3, 48, 50, 128, 256])
def test_a_quarter_of_the_map_of_weights_is_one_gate(hidden: int) -> None:
    shown = map_of_gates(np.repeat([1.0, 2, 3, 4], hidden)[:, None])
    assert shown[:, 0].tolist() == np.repeat([1, 2, 3, 4], min(hidden, 48)).tolist()


def test_of_each_square_the_strongest_weight_is_kept() -> None:
    values = np.arange(-8.0, 8).reshape(4, 4)
    assert strongest(values, 2, 2).tolist() == [[-8, -6], [5, 7]]
    assert np.array_equal(strongest(values), values)
    uneven = np.random.default_rng(0).normal(size=(7, 5))
    assert strongest(uneven, 3, 2).shape == (3, 2)
    assert np.abs(strongest(uneven, 3, 2)).max() == np.abs(uneven).max()
