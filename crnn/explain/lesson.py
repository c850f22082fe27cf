"""`crnn explain lstm --out page.html`: what `nn.LSTM` is, taught on a network's own LSTM while it reads a line."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crnn.explain.gates import Walk
from crnn.explain.lesson_text import Numbers, words
from crnn.explain.line import LineTrace
from crnn.explain.line_page import line_data, model_name, parse_unit, tail_of
from crnn.explain.line_text import walk_words
from crnn.explain.lstm_parameters import lstm_parameters, lstm_total
from crnn.explain.model import Opened
from crnn.explain.page import pack, page, switches, text
from crnn.explain.page import say as in_both

MAP_SIZE = 192
"""Rows and columns that the map of a weight matrix has at most."""
SHOWN = 6
"""Numbers of a slice that are printed."""


class Same(NamedTuple):
    """Two slices of what `nn.LSTM` returns that hold the same numbers."""

    left: str
    right: str
    values: tuple[NDArray[np.float64], NDArray[np.float64]]


def returned(opened: Opened, line: LineTrace) -> tuple[Tensor, Tensor, Tensor]:
    """output (T, 1, directions * state), h_n and c_n (layers * directions, 1, ...) of the network's own `nn.LSTM`."""
    with torch.no_grad():
        output, (h_n, c_n) = opened.network.lstm(line.features[:, None])
    return output, h_n, c_n


def same_slices(output: Tensor, h_n: Tensor, bidirectional: bool) -> list[Same]:
    """Where `output` and `h_n` meet."""
    state = h_n.shape[2]
    pairs = [("output[-1]", output[-1], "h_n[-1]", h_n[-1])]
    if bidirectional:
        pairs = [
            (f"output[-1, :, :{state}]", output[-1, :, :state], "h_n[-2]", h_n[-2]),
            (f"output[0, :, {state}:]", output[0, :, state:], "h_n[-1]", h_n[-1]),
        ]
    return [Same(left, right, (a[0].double().numpy(), b[0].double().numpy())) for left, a, right, b in pairs]


def batch_first_shapes(opened: Opened, line: LineTrace) -> list[tuple[str, tuple[int, ...], tuple[int, ...], bool]]:
    """(tensor, its shape without and with `batch_first`, whether the numbers are the same)."""
    lstm = opened.network.lstm
    other = copy.deepcopy(lstm)
    other.batch_first = True
    given = line.features[:, None]  # (T, 1, input)
    with torch.no_grad():
        output, (h_n, c_n) = lstm(given)
        output2, (h_n2, c_n2) = other(given.transpose(0, 1))
    pairs = {
        "input": (given, given.transpose(0, 1)),
        "output": (output, output2),
        "h_n": (h_n, h_n2),
        "c_n": (c_n, c_n2),
    }
    return [
        (name, tuple(a.shape), tuple(b.shape), torch.allclose(a if a.shape == b.shape else a.transpose(0, 1), b))
        for name, (a, b) in pairs.items()
    ]


def strongest(weights: NDArray[np.float64], rows: int = MAP_SIZE, columns: int = MAP_SIZE) -> NDArray[np.float64]:
    """A matrix made smaller: of each square the value furthest from 0."""

    def cut(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        groups = np.array_split(values, min(size, len(values)))
        picked = [np.take_along_axis(g, np.abs(g).argmax(0)[None], 0)[0] for g in groups]
        return np.stack(picked)

    return cut(cut(weights, rows).T, columns).T


def map_of_gates(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4 * hidden, input) made smaller gate by gate: a quarter of the rows is one gate, whatever `hidden` is."""
    return np.concatenate([strongest(gate, MAP_SIZE // 4) for gate in np.split(weights, 4)])


def equations(lstm: nn.LSTM) -> str:
    """One step of this LSTM, as `crnn.explain.gates` computes it."""
    rows = []
    for gate, function in (("i", "sigmoid"), ("f", "sigmoid"), ("g", "tanh   "), ("o", "sigmoid")):
        b_i, b_h = (f" + b_i{gate}", f" + b_h{gate}") if lstm.bias else ("", "")
        rows.append(f"{gate} = {function}(W_i{gate} x{b_i} + W_h{gate} h{b_h})")
    shown = "o * tanh(c)"
    return "\n".join([*rows, "c = f * c + i * g", f"h = W_hr ({shown})" if lstm.proj_size else f"h = {shown}"])


def lesson_data(opened: Opened, line: LineTrace, looked_at: tuple[int, int]) -> dict[str, Any]:
    """What the page's script reads: all of `line_data`, and features, output and a weight matrix."""
    output, h_n, _ = returned(opened, line)
    features = line.features.numpy().T  # (input, T)
    values = output[:, 0].numpy().T  # (directions * state, T)
    weight = map_of_gates(dict(opened.network.lstm.named_parameters())["weight_ih_l0"].detach().double().numpy())
    scale, top = float(np.quantile(np.abs(weight), 0.98)), max(1.0, float(np.abs(values).max()))
    most = max(float(features.max()), 1e-6)
    return {
        **line_data(opened, line, looked_at),
        "tails": [tail_of(walk) for walk in line.lstm.walks],
        "features": pack(features, 0.0, most, colours=(0.0, max(float(np.quantile(features, 0.99)), 1e-6))),
        "output": pack(values, -top, top),
        "weight": pack(weight, -float(np.abs(weight).max()), float(np.abs(weight).max()), colours=(-scale, scale)),
        "state": h_n.shape[2],
    }


def lesson_page(opened: Opened, line: LineTrace, language: str = "en") -> str:
    """The page.

    Args:
        opened: the model.
        line: what it made of a picture.
        language: ``en`` or ``zh``, when the page opens; a switch on it shows the other.
    """
    looked_at = parse_unit(None, line)
    lstm, walk = opened.network.lstm, line.lstm.walks[looked_at[0]]
    output, h_n, c_n = returned(opened, line)
    n = Numbers(
        line.columns,
        line.step,
        line.grey.shape[0],
        line.grey.shape[1],
        lstm.input_size,
        lstm.hidden_size,
        lstm.num_layers,
        opened.network.directions,
        h_n.shape[2],
        opened.network.classes,
        looked_at[1],
        walk.layer + 1,
        sum(p.numel() for p in lstm.parameters()),
        lstm_total(lstm),
        lstm.proj_size,
        lstm.bias,
    )
    said = words(n)

    def say(name: str, tag: str = "p", extra: str = "") -> str:
        return in_both(said[name], tag, extra)

    def chapter(name: str) -> str:
        return f"<h2 id=c-{name}>{say(name, 'span')}</h2>"

    def way(one: Walk) -> str:
        return in_both(walk_words(one.layer, one.backward), "span")

    def shape(tensor: Tensor) -> str:
        return f"<code>{tuple(tensor.shape)}</code>"

    arguments = [
        ("input_size", lstm.input_size, "p-input"),
        ("hidden_size", lstm.hidden_size, "p-hidden"),
        ("num_layers", lstm.num_layers, "p-layers"),
        ("bias", lstm.bias, "p-bias"),
        ("dropout", lstm.dropout, "p-dropout"),
        ("bidirectional", lstm.bidirectional, "p-bi"),
        ("batch_first", lstm.batch_first, "p-first"),
        ("proj_size", lstm.proj_size, "p-proj"),
    ]
    parameters = "".join(
        f"<tr><td><code>{name}</code><td><b>{value}</b><td>{say(key, 'span')}" for name, value, key in arguments
    )
    slices = "".join(
        f"<tr><td><code>{one.left}</code><td class=mono>{_numbers(one.values[0])}<tr><td><code>{one.right}</code>"
        f"<td class=mono>{_numbers(one.values[1])}"
        for one in same_slices(output, h_n, lstm.bidirectional)
    )
    rows = "".join(
        f"<tr><td><code>h_n[{k}]</code>, <code>c_n[{k}]</code><td>{way(one)}<td>{one.last}"
        for k, one in enumerate(line.lstm.walks)
    )
    layouts = "".join(
        f"<tr><td><code>{name}</code><td class=mono>{first}<td class=mono>{second}<td>{'✓' if same else '✗'}"
        for name, first, second, same in batch_first_shapes(opened, line)
    )
    weights = "".join(
        f"<tr><td><code>{p.name}</code><td class=mono>{p.shape}<td class=mono>({', '.join(p.symbolic)})"
        for p in lstm_parameters(lstm)
    )
    maps = "".join(
        f"<div class=head><b>{way(one)}</b><span class=small><code>h</code> ({len(one.h)}, {one.h.shape[1]})"
        f"</span></div><div id=walk-{k}></div>"
        for k, one in enumerate(line.lstm.walks)
    )
    body = f"""<main>
{switches(language)}
<h1>{say("title", "span")}</h1>
{say("lead", "p", " class=lead")}
<p><span class=reading>{text(line.text) or "—"}</span> <span class=small>{model_name(opened)}</span></p>
{chapter("input")}{say("input-text")}
<div class=card>{say("features", "p", " class=small")}<div id=features></div></div>
{say("keys", "p", " class=small")}
<pre><code>picture    (B, 1, H, W)  = {tuple(line.images.shape)}
features   (B, D, 1, T)  = {(1, n.input, 1, n.steps)}
sequence   (T, B, D)     = {(n.steps, 1, n.input)}      # what nn.LSTM reads</code></pre>
{chapter("call")}{say("call-text")}
<pre><code>lstm = nn.LSTM({text(lstm.extra_repr())})
output, (h_n, c_n) = lstm(sequence)</code></pre>
<div class=wide><table>{parameters}</table></div>
{chapter("step")}{say("step-text")}
<pre><code>{equations(lstm)}</code></pre>
<div class=card><p class=small>{say("unit", "span")}</p>
<label><span>{say("slider", "span")}</span> <input type=range id=column min=0 max={n.steps - 1} value=0 step=1>
<output id=column-number for=column class=mono>0</output></label>
<div class=wide><div id=cell></div></div><div class=now id=now></div></div>
{chapter("memory")}{say("memory-text")}
<div class=card><p class=small>{say("unit", "span")}</p><div id=one></div></div>
{chapter("layers")}{say("layers-text")}
<div class=card>{maps}</div>
{chapter("out")}{say("out-text")}
<pre><code>output  {tuple(output.shape)}   (T, B, directions * {"proj_size" if n.proj else "hidden_size"})
h_n     {tuple(h_n.shape)}   (layers * directions, B, {"proj_size" if n.proj else "hidden_size"})
c_n     {tuple(c_n.shape)}   (layers * directions, B, hidden_size)</code></pre>
<div class=wide><table><tr><th>{say("row", "span")}<th>{say("which", "span")}<th>{say("ends", "span")}
{rows}</table></div>
<div class=card>{say("output-map", "p", " class=small")}<div id=output></div></div>
{say("equal")}<div class=wide><table id=same>{slices}</table></div>{say("trap")}
{chapter("batch")}{say("batch-text")}
<div class=wide><table><tr><th><th>batch_first=False<th>batch_first=True<th>=
{layouts}</table></div>
{chapter("weights")}{say("weights-text")}
<div class=card>{say("weight-map", "p", " class=small")}<div id=weight></div></div>
<div class=wide><table>{weights}</table></div>
{say("count")}<pre><code>{text(n.formula)} = {n.parameters:,}</code></pre>
{chapter("head")}{say("head-text")}
<pre><code>log_probs (T, B, C) = {(n.steps, 1, n.classes)}</code></pre>
<div class=foot>{say("sources")}</div>
</main>"""
    return page(said["title"][language == "zh"], body, lesson_data(opened, line, looked_at), ("lesson.js",), language)


def _numbers(values: NDArray[np.float64]) -> str:
    return "&ensp;".join(f"{value:+.4f}".replace("-", "−") for value in values[:SHOWN]) + "&ensp;…"
