"""Runs a .onnx model file with onnxruntime; imports neither torch nor anything above the ground floor."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from crnn.core.card import CARD_KEY, ModelCard
from crnn.core.onnx_file import MAX_BYTES, OnnxFile, read_onnx
from crnn.errors import ModelFileError, printable

INPUTS = {"images": (4, "float32"), "widths": (1, "int64")}
OUTPUTS = {"log_probs": (3, "float32"), "lengths": (1, "int64")}


def runtime() -> ModuleType:
    """onnxruntime, as every module of ours imports it: it sends nothing to its makers.

    The import alone of 1.32 writes a device number and a database of events below the home folder, or prints that
    it cannot; `onnxruntime.disable_telemetry_events` comes too late for that. A variable that is set already stays.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def open_onnx(path: Path) -> tuple[bytes, OnnxFile, ModelCard]:
    """Content, description and card of a .onnx model file; nothing of it is run.

    Raises:
        ModelFileError: if it is no ONNX model, has no card, holds what may not be run, or card and network do not fit
            each other.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelFileError(f"{path}: has {path.stat().st_size / 2**30:.1f} GiB; a .onnx file has at most 2")
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror})") from None
    file = read_onnx(content, str(path))
    if CARD_KEY not in file.metadata:
        raise ModelFileError(f"{path}: has no model card; it was not written by 'crnn export'")
    card = ModelCard.from_json(file.metadata[CARD_KEY], str(path))
    _check_contract(file, card)
    file.check()
    return content, file, card


def _check_contract(file: OnnxFile, card: ModelCard) -> None:
    """Inputs and outputs are those of the contract, and their shapes those of the card."""
    for wanted, found in ((INPUTS, file.inputs), (OUTPUTS, file.outputs)):
        described = {value.name: (len(value.shape), value.type) for value in found}
        if described != wanted:
            raise ModelFileError(
                f"{file.where}: has inputs or outputs {printable(described, 300)}; a crnn model has {wanted}"
            )
    shapes = {value.name: value.shape for value in (*file.inputs, *file.outputs)}
    height, classes = shapes["images"][2], shapes["log_probs"][2]
    if (height, classes) != (card.transform.height, card.charset.classes):
        raise ModelFileError(
            f"{file.where}: the network has height {printable(height)} and {printable(classes)} classes, its card says "
            f"{card.transform.height} and {card.charset.classes}; the file is damaged"
        )


class OnnxBackend:
    """A session on one model file.

    Args:
        path: the .onnx file.
        threads: onnxruntime's threads within an operator; None lets it choose.

    Raises:
        ModelFileError: see `open_onnx`.
    """

    name = "onnxruntime"
    device = "cpu"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._path = path
        content, _, self.card = open_onnx(path)
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what goes wrong is said once, by us
        options.add_session_config_entry("session.load_model_format", "ONNX")  # as it was looked at
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            # opening computes nothing: our files have no constants to fold, and others could ask for any amount
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"], disabled_optimizers=["ConstantFolding"]
            )
        except Exception as error:  # onnxruntime has no common base class
            raise ModelFileError(f"{path}: is not a usable ONNX model ({_reason(error)})") from None

    def run(
        self, images: NDArray[np.float32], widths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Log-probabilities (T, B, C) and time steps (B,).

        Raises:
            ModelFileError: if the network fails, or its outputs do not fit the contract.
        """
        try:
            log_probs, lengths = self._session.run(["log_probs", "lengths"], {"images": images, "widths": widths})
        except Exception as error:  # onnxruntime has no common base class
            raise ModelFileError(f"{self._path}: the network cannot be run ({_reason(error)})") from None
        shape = (len(log_probs), len(images), self.card.charset.classes)
        if (
            log_probs.shape != shape
            or lengths.shape != shape[1:2]
            or not (lengths.min(initial=1) >= 1 and lengths.max(initial=1) <= shape[0])
        ):
            raise ModelFileError(
                f"{self._path}: the network gives log_probs {log_probs.shape} and lengths {lengths.tolist()[:8]} for "
                f"{len(images)} pictures; the file is damaged"
            )
        return log_probs, lengths


def _reason(error: Exception) -> str:
    return printable(str(error).splitlines()[0] if str(error) else type(error).__name__)
