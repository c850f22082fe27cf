"""The one place that writes ONNX."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from crnn import __version__
from crnn.core.card import CARD_KEY, ModelCard
from crnn.errors import ModelFileError
from crnn.model.crnn import CRNN

OPSET = 17


class _Exported(nn.Module):
    """The network with plain tensors in and out."""

    def __init__(self, network: CRNN) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        output = self.network(images, widths)
        return output.log_probs, output.lengths


def write_onnx(path: Path, card: ModelCard, network: CRNN) -> None:
    """The network and its card in one file, batch size and width free.

    Torch's older exporter is used on purpose: the newer one (dynamo) freezes the LSTM's time axis when the width is
    free; this one turns packed sequences into ONNX's own LSTM with true lengths.

    Raises:
        ModelFileError: for an LSTM with projections, which ONNX does not have.
    """
    if network.lstm.proj_size:
        raise ModelFileError("ONNX has no LSTM with projections (proj_size); export to safetensors instead")
    import onnx

    network = copy.deepcopy(network).to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    height, step = card.transform.height, network.step
    images = torch.zeros(2, 1, height, 16 * step)
    widths = torch.tensor([16 * step, 12 * step])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about tracing; the parity gate looks at what matters
        torch.onnx.export(
            _Exported(network),
            (images, widths),
            str(path),
            input_names=["images", "widths"],
            output_names=["log_probs", "lengths"],
            dynamic_axes={
                "images": {0: "batch", 3: "width"},
                "widths": {0: "batch"},
                "log_probs": {0: "time", 1: "batch"},
                "lengths": {0: "batch"},
            },
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    model.producer_name, model.producer_version = "crnn", __version__
    model.doc_string = "Text-line recogniser; the card in the metadata holds characters and preprocessing."
    onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
