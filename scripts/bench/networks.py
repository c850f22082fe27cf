"""The plain reference, the peers' networks, and how many operations a network takes."""

from __future__ import annotations

import math
from collections.abc import Callable

import crnn.torchvision_cure  # noqa: F401  # before torchvision, which peers import

import torch
from torch import Tensor, nn

from crnn.errors import ConfigError


class ClassicCrnn(nn.Module):
    """The CRNN of Shi, Bai and Yao as it is usually written: no masks, no packing, convolution, norm, ReLU, pool."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for number, outputs in enumerate((64, 128, 256, 256, 512, 512, 512)):
            last = number == 6
            layers.append(nn.Conv2d(inputs, outputs, 2 if last else 3, padding=0 if last else 1))
            if number in (2, 4, 6):
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.ReLU(True))
            if number < 2:
                layers.append(nn.MaxPool2d(2))
            elif number in (3, 5):
                layers.append(nn.MaxPool2d((2, 2), (2, 1), (0, 1)))
            inputs = outputs
        self.cnn = nn.Sequential(*layers)
        self.lstm = nn.LSTM(512, 256, bidirectional=True)
        self.between = nn.Linear(512, 256)
        self.lstm_2 = nn.LSTM(256, 256, bidirectional=True)
        self.head = nn.Linear(512, classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, 32, W) -> scores (T, B, C)."""
        sequence = self.cnn(images).squeeze(2).permute(2, 0, 1)
        return self.head(self.lstm_2(self.between(self.lstm(sequence)[0]))[0])


class Peer(nn.Module):
    """A peer's network behind one contract: pictures (B, 1, 32, W) to scores (T, B, C)."""

    def __init__(self, network: nn.Module, prepare: Callable[[Tensor], Tensor], finish: Callable) -> None:
        super().__init__()
        self.network = network
        self._prepare = prepare
        self._finish = finish

    def forward(self, images: Tensor) -> Tensor:
        return self._finish(self.network(self._prepare(images)))


def _doctr(classes: int, height: int) -> nn.Module:
    from doctr.models.recognition import crnn_mobilenet_v3_small

    # its head has one class more than its vocabulary: the blank
    network = crnn_mobilenet_v3_small(
        pretrained=False, pretrained_backbone=False, vocab="".join(chr(0x4E00 + i) for i in range(classes - 1))
    )

    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.decoder, self.head = network.feat_extractor, network.decoder, network.linear

        def forward(self, images: Tensor) -> Tensor:
            features = self.features(images)  # (B, D, H', T)
            batch, depth, height, steps = features.shape
            sequence = features.reshape(batch, depth * height, steps).transpose(1, 2)  # (B, T, D * H')
            return self.head(self.decoder(sequence)[0])

    return Peer(Inner(), lambda images: images.expand(-1, 3, -1, -1), lambda scores: scores.transpose(0, 1))


def _easyocr(classes: int, height: int) -> nn.Module:
    from easyocr.model.vgg_model import Model

    class Inner(Model):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images, None)  # a text that it does not look at

    return Peer(Inner(1, 256, 256, classes), lambda images: images, lambda scores: scores.transpose(0, 1))


def _kraken(classes: int, height: int) -> nn.Module:
    from kraken.lib.vgsl import TorchVGSLModel

    spec = (
        f"[1,{height},0,1 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,9,64 Do0.1,2 Mp2,2 Cr3,9,64 Do0.1,2 "
        f"S1(1x0)1,3 Lbx200 Do0.1,2 Lbx200 Do0.1,2 Lbx200 Do0.1 O1c{classes}]"
    )
    model = TorchVGSLModel(vgsl=spec)
    return Peer(model.nn, lambda images: images, lambda out: out[0].squeeze(2).permute(2, 0, 1))


PEERS: dict[str, tuple[Callable[[int, int], nn.Module], str]] = {
    "doctr": (_doctr, "pip install -e '.[peer-doctr]'"),
    "easyocr": (_easyocr, "pip install -e '.[peer-easyocr]'"),
    "kraken": (_kraken, "pip install -e '.[peer-kraken]'"),
}
"""Name -> its default light network for so many classes, and how to install it."""


def peer_network(name: str, classes: int, height: int = 32) -> nn.Module:
    """A peer's network with random weights, for lines of `height` pixels.

    Raises:
        ConfigError: if it is unknown, or not installed.
    """
    if name not in PEERS:
        raise ConfigError(f"{name!r} is no network that is compared here; there are {', '.join(PEERS)}")
    make, install = PEERS[name]
    try:
        return make(classes, height)
    except ImportError as error:
        raise ConfigError(f"{name} is not installed ({error}); {install}") from None


def forward_flops(network: nn.Module, *inputs: Tensor) -> float:
    """Floating-point operations of a forward pass: of convolutions, linear layers and LSTMs, two per multiplication."""
    counted = 0.0

    def of_convolution(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        assert isinstance(module, nn.Conv2d)
        counted += 2 * output.numel() * math.prod(module.kernel_size) * module.in_channels / module.groups

    def of_linear(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        counted += 2 * output.numel() * inputs[0].shape[-1]

    def of_lstm(module: nn.Module, inputs: tuple, output: object) -> None:
        nonlocal counted
        assert isinstance(module, nn.LSTM)
        data = inputs[0] if isinstance(inputs[0], Tensor) else inputs[0].data
        steps = data.numel() / data.shape[-1]
        directions = 2 if module.bidirectional else 1
        size = module.input_size
        for _ in range(module.num_layers):
            counted += 2 * steps * directions * 4 * module.hidden_size * (size + module.hidden_size)
            size = directions * module.hidden_size

    kinds = {nn.Conv2d: of_convolution, nn.Linear: of_linear, nn.LSTM: of_lstm}
    hooks = [m.register_forward_hook(kinds[type(m)]) for m in network.modules() if type(m) in kinds]
    try:
        with torch.no_grad():
            network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return counted
