"""CRNN: a CNN turns the picture into columns, a bidirectional LSTM reads them, a linear head names them.

images     (B, 1, H, W)      a batch of lines, padded on the right
features   (B, D, 1, T)      backbone; 32 x 64 pixels and D = 512 give (B, 512, 1, 16)
sequence   (T, B, D)         nn.LSTM's layout: (sequence, batch, input_size)
output     (T, B, directions * hidden_size)
log_probs  (T, B, C)         linear head, log-softmax; class 0 is the CTC blank
"""

from __future__ import annotations

from dataclasses import asdict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crnn.model.backbones import make_backbone
from crnn.model.config import NetworkConfig


class Output(NamedTuple):
    """What the network says of a batch."""

    log_probs: Tensor
    """(T, B, C), float32, log-softmax over C."""
    lengths: Tensor
    """(B,) true time steps of each line, on the CPU."""


class CRNN(nn.Module):
    """The whole recogniser.

    Args:
        config: backbone and LSTM.
        classes: C, symbols and blank (`Charset.classes`).
        height: H in pixels.

    Raises:
        ConfigError: for sizes that do not go together.
    """

    def __init__(self, config: NetworkConfig, classes: int, height: int) -> None:
        super().__init__()
        self.config = config
        self.classes = classes
        self.height = height
        self.backbone = make_backbone(config.backbone.name, config.backbone.settings(), height)
        lstm = config.lstm
        lstm.check()
        self.lstm = nn.LSTM(input_size=self.backbone.features, **asdict(lstm))
        self.head = nn.Linear(self.directions * (lstm.proj_size or lstm.hidden_size), classes)

    @property
    def directions(self) -> int:
        """Walks of each layer of the LSTM over the columns: 2, or 1 where it reads from left to right only."""
        return 2 if self.lstm.bidirectional else 1

    @property
    def step(self) -> int:
        """Pixels of width per time step."""
        return self.backbone.step

    def output_length(self, width: int) -> int:
        """T for a line of `width` pixels: floor(width / step), the one formula."""
        return self.backbone.output_length(width)

    def forward(self, images: Tensor, widths: Tensor) -> Output:
        """Read a batch.

        Args:
            images: (B, 1, H, W), anything right of each line's width.
            widths: (B,) int64 true widths in pixels, each at least `step`; on the CPU, where packing needs them.
        """
        return self.read(self.columns(images, widths), widths // self.step)

    def columns(self, images: Tensor, widths: Tensor) -> Tensor:
        """The CNN alone: features (B, D, 1, T); arguments as of `forward`."""
        # equal widths need neither masks nor packing: the same numbers, sooner (an export must keep both)
        padded = torch.onnx.is_in_onnx_export() or bool((widths != images.shape[3]).any())
        return self.backbone(images, widths.to(images.device) if padded else None)  # (B, D, 1, T)

    def read(self, features: Tensor, lengths: Tensor) -> Output:
        """LSTM and head: features (B, D, 1, T) and true time steps (B,), on the CPU."""
        sequence = features.squeeze(2).permute(2, 0, 1)  # (T, B, D)
        if torch.onnx.is_in_onnx_export() or bool((lengths != sequence.shape[0]).any()):
            packed = pack_padded_sequence(sequence, lengths, enforce_sorted=False)  # true columns alone
            output, _ = pad_packed_sequence(self.lstm(packed)[0], total_length=sequence.shape[0])
        else:
            output, _ = self.lstm(sequence)
        # (T, B, directions * hidden_size), either way
        with torch.autocast(output.device.type, enabled=False):  # bfloat16 would round the scores to 3 digits
            return Output(self.head(output.float()).log_softmax(2), lengths)  # (T, B, C)
