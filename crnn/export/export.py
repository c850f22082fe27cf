"""`export_model`: write beside, check, rename."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.onnx_backend import OnnxBackend
from crnn.core.recognizer import Backend
from crnn.errors import ConfigError, ModelFileError
from crnn.export.onnx_writer import write_onnx
from crnn.export.parity import Parity, check_parity
from crnn.export.torch_backend import TorchBackend, write_safetensors
from crnn.files import write_atomic
from crnn.model.crnn import CRNN

FORMATS: dict[str, tuple[Callable[[Path, ModelCard, CRNN], None], Callable[[Path], Backend]]] = {
    "onnx": (write_onnx, OnnxBackend),
    "safetensors": (write_safetensors, lambda path: TorchBackend.open(path, device="cpu")),
}
"""Name -> how it is written, and how it is read back for the check."""


def export_model(card: ModelCard, network: CRNN, path: Path, format: str, pictures: Sequence[Image.Image]) -> Parity:
    """Write a model file that has proved to read like torch, or none.

    Args:
        card: of the model.
        network: as trained.
        path: of the new file; an old one stays until the new one is good.
        format: ``onnx`` or ``safetensors``.
        pictures: grey validation lines for the parity gate.

    Raises:
        ConfigError: for an unknown format.
        ModelFileError: if the file and torch read differently; nothing is written then.
    """
    if format not in FORMATS:
        raise ConfigError(f"format {format!r} is unknown; allowed are {', '.join(FORMATS)}")
    write, read = FORMATS[format]
    reference = TorchBackend(card, network.eval(), "cpu")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomic(path) as temporary:
            write(temporary, card, network)
            return check_parity(read(temporary), reference, pictures, path)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror})") from None
