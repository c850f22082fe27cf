"""The shape of everything: each stage of a network, measured; printed with each parameter of its `nn.LSTM`.

Symbolic shapes are expressions in the names of `symbols`; ``//`` rounds down, as in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from crnn.core.picture import picture_size
from crnn.errors import ConfigError
from crnn.explain.lstm_parameters import lstm_parameters, lstm_total
from crnn.explain.network import network_of_file, network_of_settings
from crnn.model.backbones import Backbone, ConvBackbone
from crnn.model.crnn import CRNN

WIDTH = 64
"""Pixels, where nobody says otherwise: 32 x 64 is the reference picture, which makes 16 time steps."""
MAX_PIXELS = 4 * 2**20
"""Of a batch; it really goes through the network."""
PRINTED_WIDTH = 120
"""Characters per line where there is no terminal to ask."""


@dataclass(frozen=True)
class Stage:
    """A tensor on its way through the network."""

    name: str
    what: str
    shape: tuple[str, ...]
    """Symbolic."""
    example: tuple[int, ...]
    """Measured."""


def symbols(network: CRNN, width: int, batch: int) -> dict[str, int]:
    """What the letters and words of the symbolic shapes stand for."""
    lstm = network.lstm
    return {
        "B": batch,
        "H": network.height,
        "W": width,
        "T": network.output_length(width),
        "C": network.classes,
        "input": lstm.input_size,
        "hidden": lstm.hidden_size,
        "layers": lstm.num_layers,
        "directions": network.directions,
        "proj": lstm.proj_size,
    }


def stages(network: CRNN, width: int, batch: int = 1) -> list[Stage]:
    """Run `batch` lines of `width` pixels through the network and note the shape of each tensor that passes.

    The network may live on any device; it is left as it was.

    Raises:
        ConfigError: for a width that makes no time step, or more pixels than a look at shapes is worth.
    """
    if width < network.step or batch < 1:
        raise ConfigError(
            f"{batch} lines of {width} pixels cannot be read; give 1 line or more of {network.step} pixels or more"
        )
    height = network.height
    if batch * height * width > MAX_PIXELS:
        raise ConfigError(
            f"{batch} lines of {width} x {height} are more than {MAX_PIXELS:,} pixels; take a smaller batch"
        )
    seen: dict[nn.Module, tuple[Any, Any]] = {}

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        seen[module] = inputs[0], output

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    modes = [(module, module.training) for module in network.modules()]
    device = next(network.parameters()).device
    images = torch.zeros(batch, 1, height, width, device=device)  # (B, 1, H, W)
    try:
        with torch.inference_mode():
            network.eval()(images, torch.full((batch,), width))
    finally:
        for (module, mode), hook in zip(modes, hooks, strict=True):
            module.training = mode
            hook.remove()
    return [_stage("images", "grey pictures of one line each", ("B", "1", "H", "W"), images), *_passed(network, seen)]


def _stage(name: str, what: str, shape: tuple[str, ...], tensor: Tensor) -> Stage:
    return Stage(name, what, shape, tuple(tensor.shape))


def _passed(network: CRNN, seen: dict[nn.Module, tuple[Any, Any]]) -> list[Stage]:
    """Names and symbolic shapes of what the hooks saw."""
    lstm = network.lstm
    found = _convolutions(network.backbone, seen)
    features = str(network.backbone.features)
    sequence, (output, (h_n, c_n)) = seen[lstm]
    wide = "proj" if lstm.proj_size else "hidden"
    both = "both directions side by side" if lstm.bidirectional else "the one direction"
    found += [
        _stage("sequence", "one feature column per time step, as nn.LSTM wants it", ("T", "B", features), sequence),
        _stage("output", f"the last layer's h at every step, {both}", ("T", "B", f"directions*{wide}"), output),
        _stage("h_n", "h of each layer and direction after its last step", ("layers*directions", "B", wide), h_n),
        _stage(
            "c_n", "cell state c of each layer and direction at that step", ("layers*directions", "B", "hidden"), c_n
        ),
    ]
    what = "linear head and log-softmax: log-probabilities of every class, class 0 is the CTC blank"
    return [*found, _stage("log_probs", what, ("T", "B", "C"), seen[network][1].log_probs)]


def _convolutions(backbone: Backbone, seen: dict[nn.Module, tuple[Any, Any]]) -> list[Stage]:
    """The CNN, one convolution after the other; of one that an installed package adds only what comes out."""
    features = str(backbone.features)
    if not isinstance(backbone, ConvBackbone):
        what = f"{type(backbone).__name__}, of an installed package; T = {_shrunk('W', backbone.step)}"
        return [_stage("features", what, ("B", features, "1", "T"), seen[backbone][1])]
    found = []
    rows, columns = 1, 1  # pixels per row and column of the feature map
    for number, (conv, pool, norm) in enumerate(zip(backbone.convs, backbone.pools, backbone.norms, strict=True), 1):
        assert isinstance(conv, nn.Conv2d)  # noqa: S101  # for mypy
        channels = str(conv.out_channels)
        what = f"convolution 3 x 3, {_count(conv.in_channels, 'channel')} to {channels}"
        if isinstance(pool, nn.MaxPool2d):
            shape = ("B", channels, _shrunk("H", rows), _shrunk("W", columns))
            found.append(_stage(f"conv {number}", what, shape, seen[conv][1]))
            down, across = pool.kernel_size  # type: ignore[misc]  # always a pair here
            rows, columns = rows * down, columns * across
            name, what = f"pool {number}", f"the largest of each {down} x {across}, batch norm, ReLU"
        else:
            name, what = f"conv {number}", f"{what}, batch norm, ReLU"
        shape = ("B", channels, _shrunk("H", rows), _shrunk("W", columns))
        found.append(_stage(name, what, shape, seen[norm][1]))
    left = backbone.last.kernel_size[0]
    over = f"convolution {left} x 1 over the height that is left"
    if backbone.column_pool == "max":
        over = "the largest of each column over the height that is left, convolution 1 x 1"
    what = f"{over}, batch norm, ReLU; T = {_shrunk('W', columns)}"
    return [*found, _stage("features", what, ("B", features, "1", "T"), seen[backbone.last_norm][1])]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _shrunk(letter: str, times: int) -> str:
    return letter if times == 1 else f"{letter}//{times}"


def render(network: CRNN, width: int, batch: int, console: Console, head: str = "") -> None:
    """Print a head line, the stages, the LSTM's parameters, and how many there are."""
    found, numbers = stages(network, width, batch), symbols(network, width, batch)
    lstm = lstm_parameters(network.lstm)
    parameters, in_lstm = (
        sum(p.numel() for p in network.parameters()),
        sum(p.numel() for p in network.lstm.parameters()),
    )

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=not console.is_terminal)

    terminal_width = console.width
    if not console.is_terminal:
        console.width = max(PRINTED_WIDTH, terminal_width)
    try:
        say(
            f"{head or network.config.name}: {numbers['H']} x {width} pixels make T = {numbers['T']} time steps "
            f"of {numbers['input']} features; {parameters:,} parameters, {in_lstm:,} of them in the LSTM"
        )
        stage_table = _table("tensor", "example", "shape", "what it is")
        for stage in found:
            stage_table.add_row(stage.name, _tuple(stage.example), _tuple(stage.shape), stage.what)
        console.print(stage_table)
        say(f"nn.LSTM({network.lstm.extra_repr()})")
        lstm_table = _table("parameter", "size", "shape", "why")
        for parameter in lstm:
            lstm_table.add_row(parameter.name, _tuple(parameter.shape), _tuple(parameter.symbolic), parameter.reason)
        console.print(lstm_table)
        say(f"{lstm_total(network.lstm)} = {in_lstm:,}")
        say("where " + ", ".join(f"{name} = {number}" for name, number in numbers.items()) + "; // rounds down")
    finally:
        if not console.is_terminal:
            console.width = terminal_width


def _table(*titles: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title in titles[:-1]:
        table.add_column(title, overflow="fold", no_wrap=title in ("tensor", "parameter"))
    table.add_column(titles[-1], overflow="fold")
    return table


def _tuple(values: Sequence[object]) -> str:
    return f"({', '.join(map(str, values))}{',' if len(values) == 1 else ''})"


def explain_shapes(
    target: str | None, overrides: list[str], picture: str | None, width: int | None, batch: int, console: Console
) -> None:
    """Print the shapes of a model file, or of the network that these settings would train.

    Args:
        target: .onnx, .safetensors or .ckpt; None for the settings.
        overrides: ``setting=value`` as in training; only without `target`.
        picture: a picture of a line, whose scaled width counts.
        width: W in pixels instead; neither gives `image.width` if it is set, or 64.
        batch: B.
        console: where to print.

    Raises:
        CrnnError: in one line, for anything the user can put right.
    """
    if target is not None and overrides:
        raise ConfigError(f"{overrides[0]}: {target} has its settings in itself; name a model file or settings")
    if picture is not None and width is not None:
        raise ConfigError("the width is that of the picture; give --picture or --width, not both")
    network, transform = network_of_settings(overrides) if target is None else network_of_file(Path(target))
    if picture is not None:
        width = transform.check_width(picture_size(picture), picture)
    elif width is None:
        width = transform.width or WIDTH
    if width > transform.max_width:
        raise ConfigError(f"width {width}: at most {transform.max_width} is read")
    name = network.config.name
    render(network, width, batch, console, name if target is None else f"{Path(target).name} ({name})")
