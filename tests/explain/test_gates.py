"""The step-by-step LSTM against `nn.LSTM`: every value that both know, for every kind of LSTM."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crnn.explain.gates import QUANTITIES, Walk, compute

SETTINGS = list(itertools.product((1, 2, 3), (True, False), (True, False), (0, 3)))
"""layers, bidirectional, bias, proj_size"""


@pytest.fixture(params=SETTINGS, ids=lambda s: "layers={} bidirectional={} bias={} proj={}".format(*s))
def lstm(request: pytest.FixtureRequest) -> nn.LSTM:
    layers, bidirectional, bias, proj = request.param
    torch.manual_seed(layers)
    made = nn.LSTM(5, 7, layers, bias=bias, bidirectional=bidirectional, proj_size=proj).double().eval()
    for parameter in made.parameters():  # larger than usual, so that the gates open and close
        nn.init.normal_(parameter)
    return made


def rows(walks: list[Walk], name: str) -> Tensor:
    return torch.stack([getattr(walk, name) for walk in walks])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_it_is_nn_lstm(lstm: nn.LSTM, dtype: torch.dtype, tolerance: float) -> None:
    lstm = lstm.to(dtype)
    x = torch.randn(9, 5, dtype=dtype)
    with torch.no_grad():
        output, (h_n, c_n) = lstm(x)
    found = compute(lstm, x)
    for name, theirs, ours in (("output", output, found.output), ("h_n", h_n, found.h_n), ("c_n", c_n, found.c_n)):
        assert ours.dtype == dtype
        assert torch.allclose(ours, theirs, rtol=0, atol=tolerance), name
    assert [(walk.layer, walk.backward) for walk in found.walks] == [
        (layer, backward) for layer in range(lstm.num_layers) for backward in ((False, True)[: 1 + lstm.bidirectional])
    ]


def test_every_step_is_nn_lstms(lstm: nn.LSTM) -> None:
    """h_t and c_t of every layer: what `nn.LSTM` ends with on the line cut after column t (forward) or before it."""
    x = torch.randn(6, 5, dtype=torch.float64)
    walks = compute(lstm, x).walks
    directions = 1 + lstm.bidirectional
    for layer in range(lstm.num_layers):
        first = nn.LSTM(
            walks[directions * layer].x.shape[1],
            7,
            bias=lstm.bias,
            bidirectional=lstm.bidirectional,
            proj_size=lstm.proj_size,
        ).double()
        own = {n.replace(f"_l{layer}", "_l0"): p for n, p in lstm.state_dict().items() if f"_l{layer}" in n}
        first.load_state_dict(own)
        for walk in walks[directions * layer :][:directions]:
            for t in range(6):
                with torch.no_grad():
                    _, (h, c) = first(walk.x[t:] if walk.backward else walk.x[: t + 1])
                assert torch.allclose(walk.h[t], h[int(walk.backward)], rtol=0, atol=1e-10)
                assert torch.allclose(walk.c[t], c[int(walk.backward)], rtol=0, atol=1e-10)


def test_the_equations_hold_between_the_rows(lstm: nn.LSTM) -> None:
    walks = compute(lstm, torch.randn(8, 5, dtype=torch.float64)).walks
    for walk in walks:
        old = torch.zeros_like(walk.c)
        if walk.backward:
            old[:-1] = walk.c[1:]
        else:
            old[1:] = walk.c[:-1]
        assert torch.equal(walk.c, walk.f * old + walk.i * walk.g)
        if not lstm.proj_size:
            assert torch.equal(walk.h, walk.o * walk.c.tanh())
        assert all(0 <= gate.min() <= gate.max() <= 1 for gate in (walk.i, walk.f, walk.o))
        assert -1 <= walk.g.min() < 0 < walk.g.max() <= 1
        assert {name: tuple(getattr(walk, name).shape) for name in QUANTITIES} == {
            **dict.fromkeys("ifgoc", (8, 7)),
            "h": (8, lstm.proj_size or 7),
        }


def test_a_line_in_a_packed_batch_is_the_line_alone(lstm: nn.LSTM) -> None:
    lengths = [4, 9, 1]
    batch = torch.randn(9, 3, 5, dtype=torch.float64)
    packed = pack_padded_sequence(batch, torch.tensor(lengths), enforce_sorted=False)
    with torch.no_grad():
        result, (h_n, c_n) = lstm(packed)
    output, _ = pad_packed_sequence(result)
    for line, length in enumerate(lengths):
        found = compute(lstm, batch[:length, line])
        assert torch.allclose(found.output, output[:length, line], rtol=0, atol=1e-10)
        assert torch.allclose(found.h_n, h_n[:, line], rtol=0, atol=1e-10)
        assert torch.allclose(found.c_n, c_n[:, line], rtol=0, atol=1e-10)
