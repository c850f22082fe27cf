"""The LSTM of one line, step by step from the published equations, with everything in between kept.

For each column t, with x_t what the layer reads, h the short memory and c the long memory (1997: Hochreiter and
Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8); the forget gate is from Gers, Schmidhuber and Cummins,
"Learning to Forget", Neural Computation 12(10), 2000):

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi)    input gate: how much of the candidate is written
    f_t = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf)    forget gate: how much of the old c stays
    g_t = tanh   (W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)    candidate: what could be written
    o_t = sigmoid(W_io x_t + b_io + W_ho h_(t-1) + b_ho)    output gate: how much of c is shown
    c_t = f_t * c_(t-1) + i_t * g_t                         long memory
    h_t = o_t * tanh(c_t)                                   short memory, and the output

`nn.LSTM` stacks the four matrices in the order i, f, g, o: ``weight_ih_l0`` is (4*hidden, input). With `proj_size`
h_t = W_hr (o_t * tanh(c_t)) (Sak, Senior and Beaufays, "Long Short-Term Memory Based Recurrent Neural Network
Architectures", 2014). The other direction walks from the last column to the first (Schuster and Paliwal,
"Bidirectional Recurrent Neural Networks", 1997); the next layer reads the h of both side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

QUANTITIES = ("i", "f", "g", "o", "c", "h")
"""What a `Walk` keeps of each step, in the order of the equations."""


@dataclass(frozen=True)
class Walk:
    """One layer in one direction over the columns of a line; row t is column t, whichever way it walked."""

    layer: int
    """From 0."""
    backward: bool
    """From the last column to the first."""
    x: Tensor
    """(T, input) what it read."""
    i: Tensor
    """(T, hidden) input gate, 0..1."""
    f: Tensor
    """(T, hidden) forget gate, 0..1."""
    g: Tensor
    """(T, hidden) candidate, -1..1."""
    o: Tensor
    """(T, hidden) output gate, 0..1."""
    c: Tensor
    """(T, hidden) long memory; without bounds."""
    h: Tensor
    """(T, hidden), or (T, proj): short memory, -1..1 without a projection."""

    @property
    def last(self) -> int:
        """The column of its last step, whose h and c are its rows of h_n and c_n."""
        return 0 if self.backward else len(self.h) - 1


class Outcome(NamedTuple):
    """What `nn.LSTM` gives of the same line, and the way there."""

    output: Tensor
    """(T, directions * hidden), or (T, directions * proj)"""
    h_n: Tensor
    """(layers * directions, hidden), or (layers * directions, proj)"""
    c_n: Tensor
    """(layers * directions, hidden)"""
    walks: list[Walk]
    """layers * directions, in the order of h_n: layer 0 forward, layer 0 backward, layer 1 forward ..."""


@torch.no_grad()
def compute(lstm: nn.LSTM, sequence: Tensor) -> Outcome:
    """Walk through one line.

    Args:
        lstm: any; dropout is left out, as in evaluation.
        sequence: (T, input) the columns of the line alone, without padding.
    """
    weights = dict(lstm.named_parameters())
    walks: list[Walk] = []
    x = sequence
    for layer in range(lstm.num_layers):
        both = [_walk(weights, layer, backward, x) for backward in ((False, True) if lstm.bidirectional else (False,))]
        x = torch.cat([walk.h for walk in both], 1)  # (T, directions * hidden)
        walks += both
    h_n = torch.stack([walk.h[walk.last] for walk in walks])
    c_n = torch.stack([walk.c[walk.last] for walk in walks])
    return Outcome(x, h_n, c_n, walks)


def _walk(weights: Mapping[str, Tensor], layer: int, backward: bool, x: Tensor) -> Walk:
    name = f"_l{layer}{'_reverse' if backward else ''}"
    w_ih, w_hh = weights[f"weight_ih{name}"], weights[f"weight_hh{name}"]  # (4*hidden, input), (4*hidden, hidden)
    b_ih, b_hh = weights.get(f"bias_ih{name}", 0.0), weights.get(f"bias_hh{name}", 0.0)  # (4*hidden,)
    w_hr = weights.get(f"weight_hr{name}")  # (proj, hidden)
    c = x.new_zeros(len(w_hh) // 4)
    h = x.new_zeros(w_hh.shape[1])
    steps: list[tuple[Tensor, ...]] = []
    for x_t in reversed(x) if backward else x:
        i, f, g, o = (w_ih @ x_t + b_ih + w_hh @ h + b_hh).chunk(4)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        if w_hr is not None:
            h = w_hr @ h
        steps.append((i, f, g, o, c, h))
    if backward:
        steps.reverse()
    return Walk(layer, backward, x, *(torch.stack(rows) for rows in zip(*steps, strict=True)))
