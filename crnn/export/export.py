"""`export_model`: write beside, check, rename."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.onnx_backend import OnnxBackend
from crnn.core.plugins import Registry
from crnn.core.recognizer import Backend
from crnn.errors import ModelFileError, unwritten
from crnn.export.onnx_writer import write_onnx
from crnn.export.parity import Parity, check_parity
from crnn.export.torch_backend import TorchBackend, write_safetensors
from crnn.files import write_atomic
from crnn.model.crnn import CRNN


class ExportFormat(NamedTuple):
    """A format of model files. Other packages add one in the entry-point group ``crnn.exports``.

    Its name is also the suffix of its files. No file is kept that has not been read back and given the same texts and
    log-probabilities (T, B, C) as torch, within 1e-3 (below -1 as a share), on lines of several widths.
    """

    write: Callable[[Path, ModelCard, CRNN], None]
    """Writes a new file at this path: `ModelCard.to_json` says all that reading needs, the network is in evaluation
    mode on the CPU. Raises ModelFileError for a network that the format cannot hold."""
    read: Callable[[Path], Backend]
    """Opens such a file as a backend, see `crnn.core.recognizer.Backend`. Raises ModelFileError for a damaged one."""


FORMATS: Registry[ExportFormat] = Registry(
    "export",
    {
        "onnx": ExportFormat(write_onnx, OnnxBackend),
        "safetensors": ExportFormat(write_safetensors, lambda path: TorchBackend.open(path, device="cpu")),
    },
    "crnn.export.export.ExportFormat",
    lambda part: isinstance(part, ExportFormat),
)
"""Name -> how it is written, and how it is read back for the check."""


def export_model(
    card: ModelCard,
    network: CRNN,
    path: Path,
    format: str,
    pictures: Sequence[Image.Image],
    name: Path | None = None,
) -> Parity:
    """Write a model file that has proved to read like torch, or none.

    Args:
        card: of the model.
        network: as trained.
        path: of the new file; an old one stays until the new one is good.
        format: ``onnx``, ``safetensors``, or the name of one that an installed package adds.
        pictures: grey validation lines for the parity gate.
        name: of the file in messages, if another one is made of it.

    Raises:
        ConfigError: for an unknown format.
        ModelFileError: if the file and torch read differently; nothing is written then.
    """
    write, read = FORMATS.find(format)
    name = name or path
    reference = TorchBackend(card, network.eval(), "cpu")
    try:
        with write_atomic(path) as temporary:
            try:
                write(temporary, card, network)
            except ModelFileError as error:
                raise ModelFileError(f"{name}: not written: {error}") from None
            return check_parity(read(temporary), reference, pictures, name)
    except OSError as error:
        raise ModelFileError(unwritten(name, error)) from None
