"""The parameters of an `nn.LSTM`: their shapes, why they have them, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Parameter:
    """A weight or bias of `nn.LSTM`."""

    name: str
    shape: tuple[int, ...]
    symbolic: tuple[str, ...]
    reason: str


def lstm_parameters(lstm: nn.LSTM) -> list[Parameter]:
    """Every parameter of an `nn.LSTM` as it really is, its symbolic shape, and why it has that shape."""
    return [
        Parameter(name, tuple(tensor.shape), *_explained(name, lstm))
        for name, tensor in lstm.named_parameters(recurse=False)
    ]


def _explained(name: str, lstm: nn.LSTM) -> tuple[tuple[str, ...], str]:
    """Symbolic shape and reason of a parameter, from its name, as in ``weight_ih_l1_reverse``."""
    state = "proj" if lstm.proj_size else "hidden"
    backward = name.endswith("_reverse")
    kind, layer = name.removesuffix("_reverse").rsplit("_l", 1)
    shape: tuple[str, ...] = ("4*hidden",)
    if kind == "weight_ih":
        if layer == "0":
            shape, source = ("4*hidden", "input"), "each input feature"
        elif lstm.bidirectional:
            shape = ("4*hidden", f"directions*{state}")
            source = f"the outputs of both directions of layer {int(layer) - 1}"
        else:
            shape, source = ("4*hidden", state), f"the output of layer {int(layer) - 1}"
        reason = f"the gates i, f, g, o (input, forget, cell candidate, output), stacked in this order, read {source}"
    elif kind == "weight_hh":
        shape = ("4*hidden", state)
        past = "projected h" if lstm.proj_size else "h"
        reason = f"the same four gates read this layer's own {past} of the {'next' if backward else 'previous'} column"
    elif kind == "bias_ih":
        reason = "one number for each unit of each gate, added to what weight_ih gives"
    elif kind == "bias_hh":
        reason = "added to the same sum; one bias would do, two are there to match cuDNN's layout"
    else:
        shape, reason = (
            ("proj", "hidden"),
            "shortens h from hidden to proj numbers (proj_size); the cell c keeps hidden",
        )
    return shape, f"right to left: {reason}" if backward else reason


def lstm_total(lstm: nn.LSTM) -> str:
    """The number of parameters of an `nn.LSTM`, as a formula of its settings."""
    state = "proj" if lstm.proj_size else "hidden"
    rest = f" + {state}" + (" + 2" if lstm.bias else "")
    projection = " + proj*hidden" if lstm.proj_size else ""
    first = f"4*hidden*(input{rest}){projection}"
    if lstm.num_layers == 1:
        return f"directions*({first})"
    return f"directions*({first} + (layers - 1)*(4*hidden*(directions*{state}{rest}){projection}))"
