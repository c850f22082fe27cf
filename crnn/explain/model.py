"""Any model file of ours as a torch network: .safetensors and .ckpt as they are, .onnx by its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from crnn.core.card import ModelCard
from crnn.core.file_kind import file_kind
from crnn.core.onnx_backend import open_onnx
from crnn.errors import ConfigError, ModelFileError
from crnn.export.torch_backend import build_network, read_network
from crnn.loader import model_file, read_card
from crnn.model.config import NetworkConfig
from crnn.model.crnn import CRNN
from crnn.models import NAMES, bundled

BUNDLED = "the bundled model"
EPSILON = 1e-5
"""Of `nn.BatchNorm2d`."""


class Opened(NamedTuple):
    """A model whose inside can be looked at."""

    name: str
    """For titles."""
    card: ModelCard
    network: CRNN
    """In evaluation mode, on the CPU, float32."""


def open_model(model: str | None = None) -> Opened:
    """Open a model for looking inside.

    Args:
        model: .safetensors, .ckpt, .onnx (float32) or a run folder; None, ``bundled`` or ``latin``: the bundled one.

    Raises:
        ModelFileError: one line: which file, what is wrong, what to name instead.
    """
    if model is None or model in NAMES:
        card, network = read_network(bundled(".safetensors"))
        return Opened(BUNDLED, replace(card, decoder=read_card(None).decoder), network)
    path = model_file(model)
    if path.is_dir():
        raise ModelFileError(f"{path}: has no model in it; name a run folder, a .safetensors, .ckpt or .onnx file")
    name = Path(model).name or str(model)
    return Opened(name, *(read_onnx(path) if file_kind(path) == "onnx" else read_network(path)))


def read_onnx(path: Path) -> tuple[ModelCard, CRNN]:
    """Card and network of an .onnx file that `crnn export` wrote, its weights put back where torch has them.

    A batch norm that the export has folded into its convolution comes back as one that only adds.

    Raises:
        ModelFileError: for files in int8, foreign or damaged ones.
    """
    import onnx
    from onnx import numpy_helper

    content, _, card = open_onnx(path)
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf has errors of its own
        raise ModelFileError(f"{path}: is not a readable ONNX model ({str(error)[:160]})") from None
    if any("Linear" in node.op_type or "Integer" in node.op_type for node in model.graph.node):
        raise ModelFileError(
            f"{path}: is in int8, and its weights are rounded; name the .safetensors or .ckpt file of its training"
        )
    try:
        if NetworkConfig.from_dict(card.network).backbone.name != "conv":
            raise ValueError("its CNN is a backbone of an installed package")
        found = {one.name: np.array(numpy_helper.to_array(one)) for one in model.graph.initializer}
        weights = {name: torch.from_numpy(value) for name, value in _weights(model.graph.node, found)}
    except (KeyError, IndexError, ValueError, TypeError, ConfigError) as error:
        raise ModelFileError(
            f"{path}: its weights cannot be found ({type(error).__name__}: {str(error)[:80]}); name the .safetensors "
            "or .ckpt file of its training"
        ) from None
    return card, build_network(card, weights, str(path))


def _weights(nodes: Any, found: dict[str, NDArray]) -> Iterator[tuple[str, NDArray]]:
    """(name in torch, values), from the graph's nodes in their order."""
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    norms = iter([node for node in nodes if node.op_type == "BatchNormalization"])
    for number, node in enumerate(convolutions):
        last = number == len(convolutions) - 1
        conv, norm = ("last", "last_norm") if last else (f"convs.{number}", f"norms.{number}")
        weight = found[node.input[1]]
        yield f"backbone.{conv}.weight", weight
        if len(node.input) > 2:  # folded into the convolution
            ones = np.ones(len(weight), np.float32)
            values = [ones * np.float32(np.sqrt(1 + EPSILON)), found[node.input[2]], 0 * ones, ones]
        else:
            values = [found[name] for name in next(norms).input[1:5]]
        for name, value in zip(("weight", "bias", "running_mean", "running_var"), values, strict=True):
            yield f"backbone.{norm}.{name}", value
        yield f"backbone.{norm}.num_batches_tracked", np.array(0)
    for layer, node in enumerate(node for node in nodes if node.op_type == "LSTM"):
        w = found[node.input[1]]  # (directions, 4*hidden, input)
        r = found[node.input[2]]  # (directions, 4*hidden, hidden)
        b = found[node.input[3]] if node.input[3] else None  # (directions, 8*hidden)
        for direction, tail in enumerate(("", "_reverse")[: len(w)]):
            stacked = {"weight_ih": w[direction], "weight_hh": r[direction]}
            if b is not None:
                stacked["bias_ih"], stacked["bias_hh"] = np.split(b[direction], 2)
            for name, value in stacked.items():
                yield f"lstm.{name}_l{layer}{tail}", _gates(value)
    product = [node for node in nodes if node.op_type == "MatMul"][-1]
    addition = next(node for node in nodes if node.op_type == "Add" and product.output[0] in node.input)
    yield "head.weight", np.ascontiguousarray(found[product.input[1]].T)
    yield "head.bias", next(found[name] for name in addition.input if name in found)


def _gates(stacked: NDArray) -> NDArray:
    """ONNX stacks the gates as i, o, f, g; torch as i, f, g, o."""
    i, o, f, g = np.split(stacked, 4)
    return np.concatenate([i, f, g, o])
