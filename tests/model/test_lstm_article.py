"""What articles say of `torch.nn.LSTM`, held against torch.nn.LSTM: shapes, gates, directions, layouts, lengths."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

INPUT, HIDDEN, STEPS, BATCH = 7, 9, 6, 4
SETTINGS = list(itertools.product((1, 2, 3), (False, True), (True, False), (0, 5)))
"""num_layers, bidirectional, bias, proj_size"""
every_setting = pytest.mark.parametrize(("layers", "bidirectional", "bias", "proj"), SETTINGS)


@pytest.fixture(autouse=True)
def _one_thread_one_seed() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(7)


def make(layers: int, bidirectional: bool, bias: bool, proj: int, batch_first: bool = False) -> nn.LSTM:
    lstm = nn.LSTM(
        INPUT, HIDDEN, layers, bias=bias, batch_first=batch_first, bidirectional=bidirectional, proj_size=proj
    )
    return lstm.double()


def line(steps: int = STEPS, batch: int = BATCH) -> Tensor:
    return torch.randn(steps, batch, INPUT, dtype=torch.float64)


def shapes(lstm: nn.LSTM) -> dict[str, tuple[int, ...]]:
    return {name: tuple(parameter.shape) for name, parameter in lstm.named_parameters()}


def test_the_example_of_the_articles() -> None:
    """input_size 10, hidden_size 20, num_layers 2; five steps, three lines."""
    lstm = nn.LSTM(10, 20, 2)
    output, (h_n, c_n) = lstm(torch.randn(5, 3, 10), (torch.randn(2, 3, 20), torch.randn(2, 3, 20)))
    assert output.shape == (5, 3, 20)
    assert h_n.shape == (2, 3, 20)
    assert c_n.shape == (2, 3, 20)
    assert shapes(lstm) == {
        "weight_ih_l0": (80, 10),
        "weight_hh_l0": (80, 20),
        "bias_ih_l0": (80,),
        "bias_hh_l0": (80,),
        "weight_ih_l1": (80, 20),
        "weight_hh_l1": (80, 20),
        "bias_ih_l1": (80,),
        "bias_hh_l1": (80,),
    }


def test_the_lstm_of_this_project() -> None:
    """512 features, hidden_size 256, two layers, both directions; 16 columns, three lines."""
    lstm = nn.LSTM(512, 256, 2, bidirectional=True)
    output, (h_n, c_n) = lstm(torch.randn(16, 3, 512))
    assert output.shape == (16, 3, 512)
    assert h_n.shape == c_n.shape == (4, 3, 256)
    assert shapes(lstm)["weight_ih_l0"] == shapes(lstm)["weight_ih_l0_reverse"] == (1024, 512)
    assert shapes(lstm)["weight_ih_l1"] == shapes(lstm)["weight_ih_l1_reverse"] == (1024, 512)  # 2 * 256 outputs
    assert shapes(lstm)["weight_hh_l1"] == (1024, 256)


@every_setting
def test_shapes(layers: int, bidirectional: bool, bias: bool, proj: int) -> None:
    directions, state = (2 if bidirectional else 1), (proj or HIDDEN)
    lstm = make(layers, bidirectional, bias, proj)
    output, (h_n, c_n) = lstm(line())
    assert output.shape == (STEPS, BATCH, directions * state)
    assert h_n.shape == (layers * directions, BATCH, state)
    assert c_n.shape == (layers * directions, BATCH, HIDDEN)
    expected = {}
    for layer, suffix in itertools.product(range(layers), ("", "_reverse")[:directions]):
        read = INPUT if layer == 0 else directions * state
        expected[f"weight_ih_l{layer}{suffix}"] = (4 * HIDDEN, read)
        expected[f"weight_hh_l{layer}{suffix}"] = (4 * HIDDEN, state)
        if bias:
            expected[f"bias_ih_l{layer}{suffix}"] = expected[f"bias_hh_l{layer}{suffix}"] = (4 * HIDDEN,)
        if proj:
            expected[f"weight_hr_l{layer}{suffix}"] = (proj, HIDDEN)
    assert shapes(lstm) == expected


def by_hand(lstm: nn.LSTM, sequence: Tensor, h_0: Tensor, c_0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`lstm(sequence, (h_0, c_0))` by the equations alone; index of a state: layer * directions + direction."""
    weights = dict(lstm.named_parameters())
    directions = 2 if lstm.bidirectional else 1
    last_h, last_c = [], []
    for layer in range(lstm.num_layers):
        read = []
        for direction, suffix in enumerate(("", "_reverse")[:directions]):
            name = f"l{layer}{suffix}"
            h, c = h_0[layer * directions + direction], c_0[layer * directions + direction]
            outputs = {}
            steps = range(len(sequence))
            for t in reversed(steps) if direction else steps:
                gates = sequence[t] @ weights[f"weight_ih_{name}"].T + h @ weights[f"weight_hh_{name}"].T
                if lstm.bias:
                    gates = gates + weights[f"bias_ih_{name}"] + weights[f"bias_hh_{name}"]
                i, f, g, o = gates.chunk(4, dim=1)  # this order, each (B, hidden)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                if lstm.proj_size:
                    h = h @ weights[f"weight_hr_{name}"].T
                outputs[t] = h
            read.append(torch.stack([outputs[t] for t in steps]))
            last_h.append(h)
            last_c.append(c)
        sequence = torch.cat(read, dim=2)  # what the next layer reads: both directions side by side
    return sequence, torch.stack(last_h), torch.stack(last_c)


@every_setting
def test_the_gate_equations_give_the_same_numbers(layers: int, bidirectional: bool, bias: bool, proj: int) -> None:
    lstm, sequence = make(layers, bidirectional, bias, proj), line()
    states = layers * (2 if bidirectional else 1)
    h_0 = torch.randn(states, BATCH, proj or HIDDEN, dtype=torch.float64)
    c_0 = torch.randn(states, BATCH, HIDDEN, dtype=torch.float64)
    output, (h_n, c_n) = lstm(sequence, (h_0, c_0))
    for real, ours in zip((output, h_n, c_n), by_hand(lstm, sequence, h_0, c_0), strict=True):
        torch.testing.assert_close(ours, real, rtol=0, atol=1e-10)


@every_setting
def test_no_first_state_means_zeros(layers: int, bidirectional: bool, bias: bool, proj: int) -> None:
    lstm, sequence = make(layers, bidirectional, bias, proj), line()
    states = layers * (2 if bidirectional else 1)
    h_0 = torch.zeros(states, BATCH, proj or HIDDEN, dtype=torch.float64)
    c_0 = torch.zeros(states, BATCH, HIDDEN, dtype=torch.float64)
    output, (h_n, c_n) = lstm(sequence)
    for real, ours in zip((output, h_n, c_n), by_hand(lstm, sequence, h_0, c_0), strict=True):
        torch.testing.assert_close(ours, real, rtol=0, atol=1e-10)


@every_setting
def test_where_the_last_state_stands_in_the_output(layers: int, bidirectional: bool, bias: bool, proj: int) -> None:
    lstm, state = make(layers, bidirectional, bias, proj), proj or HIDDEN
    output, (h_n, _) = lstm(line())
    if not bidirectional:
        assert torch.equal(output[-1], h_n[-1])
        return
    assert torch.equal(output[-1, :, :state], h_n[-2])  # left to right ends at the last column
    assert torch.equal(output[0, :, state:], h_n[-1])  # right to left ends at the first
    assert not torch.allclose(output[-1, :, state:], h_n[-1])  # so output[-1] is not the whole of h_n


@every_setting
def test_batch_first_changes_the_layout_only(layers: int, bidirectional: bool, bias: bool, proj: int) -> None:
    lstm, sequence = make(layers, bidirectional, bias, proj), line()
    other = make(layers, bidirectional, bias, proj, batch_first=True)
    other.load_state_dict(lstm.state_dict())
    output, (h_n, c_n) = lstm(sequence)
    output_b, (h_n_b, c_n_b) = other(sequence.transpose(0, 1))
    assert output_b.shape == (BATCH, STEPS, output.shape[2])
    torch.testing.assert_close(output_b.transpose(0, 1), output, rtol=0, atol=1e-12)
    torch.testing.assert_close(h_n_b, h_n, rtol=0, atol=1e-12)  # the states are never batch first
    torch.testing.assert_close(c_n_b, c_n, rtol=0, atol=1e-12)


@every_setting
def test_packed_lines_end_at_their_true_last_step(layers: int, bidirectional: bool, bias: bool, proj: int) -> None:
    lstm, sequence = make(layers, bidirectional, bias, proj), line()
    lengths = [3, STEPS, 1, 5]
    packed = pack_padded_sequence(sequence, torch.tensor(lengths), enforce_sorted=False)
    packed_output, (h_n, c_n) = lstm(packed)
    output, seen = pad_packed_sequence(packed_output, total_length=STEPS)
    assert seen.tolist() == lengths
    for b, length in enumerate(lengths):
        alone, (h_alone, c_alone) = lstm(sequence[:length, b : b + 1])
        torch.testing.assert_close(output[:length, b : b + 1], alone, rtol=0, atol=1e-12)
        torch.testing.assert_close(h_n[:, b : b + 1], h_alone, rtol=0, atol=1e-12)
        torch.testing.assert_close(c_n[:, b : b + 1], c_alone, rtol=0, atol=1e-12)
        assert not output[length:, b].any()
        state = proj or HIDDEN
        last = h_n[-2] if bidirectional else h_n[-1]
        assert torch.equal(output[length - 1, b, :state], last[b])
        if bidirectional:
            assert torch.equal(output[0, b, state:], h_n[-1, b])
    _, (h_unpacked, _) = lstm(sequence)
    assert not torch.allclose(h_unpacked[:, 0], h_n[:, 0])  # without packing, the padding is read too


def test_dropout_acts_between_layers_and_in_training_only() -> None:
    lstm, sequence = nn.LSTM(INPUT, HIDDEN, 2, dropout=0.5).double(), line()
    plain = nn.LSTM(INPUT, HIDDEN, 2).double()
    plain.load_state_dict(lstm.state_dict())
    assert not torch.allclose(lstm(sequence)[0], plain(sequence)[0])
    first_layer = lstm(sequence)[1][0][0]
    assert torch.equal(first_layer, plain(sequence)[1][0][0])  # the first layer itself is whole
    assert torch.equal(lstm.eval()(sequence)[0], plain(sequence)[0])


def test_the_two_biases_are_one_sum() -> None:
    lstm, sequence = nn.LSTM(INPUT, HIDDEN).double(), line()
    before = lstm(sequence)[0]
    with torch.no_grad():
        lstm.bias_ih_l0 += lstm.bias_hh_l0
        lstm.bias_hh_l0.zero_()
    torch.testing.assert_close(lstm(sequence)[0], before, rtol=0, atol=1e-12)
