"""Runs a .onnx model file with onnxruntime; imports neither torch nor anything above the ground floor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crnn.core.card import CARD_KEY, ModelCard
from crnn.errors import ModelFileError

INPUTS = {"images": (4, "tensor(float)"), "widths": (1, "tensor(int64)")}
OUTPUTS = {"log_probs": (3, "tensor(float)"), "lengths": (1, "tensor(int64)")}


class OnnxBackend:
    """A session on one model file.

    Args:
        path: the .onnx file.
        threads: onnxruntime's threads within an operator; None lets it choose.

    Raises:
        ModelFileError: if it is no ONNX model, has no card, or card and network do not fit each other.
    """

    name = "onnxruntime"
    device = "cpu"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            # from bytes: the file cannot name other files as its weights
            self._session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise ModelFileError(f"{path}: cannot be read ({error.strerror})") from None
        except Exception as error:  # onnxruntime has no common base class
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise ModelFileError(f"{path}: is not a usable ONNX model ({reason})") from None
        metadata = self._session.get_modelmeta().custom_metadata_map
        if CARD_KEY not in metadata:
            raise ModelFileError(f"{path}: has no model card; it was not written by 'crnn export'")
        self.card = ModelCard.from_json(metadata[CARD_KEY], str(path))
        self._check(path)

    def _check(self, path: Path) -> None:
        """Inputs and outputs are those of the contract, and their shapes those of the card."""
        for wanted, found in (
            (INPUTS, self._session.get_inputs()),
            (OUTPUTS, self._session.get_outputs()),
        ):
            described = {value.name: (len(value.shape), value.type) for value in found}
            if described != wanted:
                raise ModelFileError(f"{path}: has inputs or outputs {described}; a crnn model has {wanted}")
        shapes = {value.name: value.shape for value in (*self._session.get_inputs(), *self._session.get_outputs())}
        height, classes = shapes["images"][2], shapes["log_probs"][2]
        if (height, classes) != (self.card.transform.height, self.card.charset.classes):
            raise ModelFileError(
                f"{path}: the network has height {height} and {classes} classes, its card says "
                f"{self.card.transform.height} and {self.card.charset.classes}; the file is damaged"
            )

    def run(
        self, images: NDArray[np.float32], widths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        log_probs, lengths = self._session.run(["log_probs", "lengths"], {"images": images, "widths": widths})
        return log_probs, lengths
