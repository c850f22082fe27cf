"""An int8 model file: convolutions in 8-bit integers, with scales that are fixed when the file is made.

The scale of every activation comes from real lines (their smallest and largest value), and stays. A scale taken from
the batch at hand, as onnxruntime's dynamic quantisation does for LSTMs and matrix products, would let a line's reading
depend on its neighbours; so LSTM and head stay in float32.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from crnn import __version__
from crnn.core.card import CARD_KEY, ModelCard
from crnn.core.metrics import EditCounts
from crnn.core.onnx_backend import OnnxBackend, runtime
from crnn.core.recognizer import Backend
from crnn.data.sources.base import LineSource
from crnn.errors import ModelFileError
from crnn.export.judged import counts_of, refuse_worse
from crnn.export.parity import TOLERANCE, padded, spread_lines

MAX_LOSS = 0.002
"""An int8 file whose CER is higher by more than this (0.2 points) is refused."""
CALIBRATION_LINES = 256
CHECK_LINES = 2000
"""Labelled lines that are read before and after, at most."""


@dataclass(frozen=True)
class Quantised:
    """What became of a model in int8."""

    lines: int
    before: EditCounts
    after: EditCounts
    milliseconds: tuple[float, float]
    """Of processor time per line on this machine, with one thread: float32, int8."""

    def __str__(self) -> str:
        before, after = self.milliseconds
        return (
            f"CER on {self.lines:,} lines {self.before.cer:.2%} in float32, {self.after.cer:.2%} in int8; "
            f"{before:.2f} and {after:.2f} ms of CPU per line here"
        )


def write_int8(
    floating: Path, path: Path, card: ModelCard, pictures: Sequence[Image.Image], name: Path | None = None
) -> None:
    """Write an int8 version of an ONNX file of ours.

    Args:
        floating: the float32 model file.
        path: of the new one.
        card: of the new one.
        pictures: grey lines that the scales are taken from.
        name: of the file in messages, if `path` will not be its own.

    Raises:
        ModelFileError: if there are no pictures, or onnxruntime cannot do it.
    """
    import onnx

    runtime()
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    if not pictures:
        raise ModelFileError(f"{name or path}: no lines to take the scales of int8 from; name some with --data")

    class Lines(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self._lines: Iterator[Image.Image] = iter(pictures)

        def get_next(self) -> dict[str, np.ndarray] | None:
            picture = next(self._lines, None)
            if picture is None:
                return None
            image = card.transform(picture)[None]  # (1, 1, H, W)
            return {"images": image, "widths": np.array([image.shape[3]], dtype=np.int64)}

    model = onnx.load(str(floating))
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    if len(convolutions) < 2:
        raise ModelFileError(
            f"{name or path}: not written: its network has {len(convolutions)} convolutions, and int8 is for those "
            "after the first; keep float32"
        )
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # it advises a preparation that changes nothing here
    try:
        quantize_static(
            str(floating),
            str(path),
            Lines(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=convolutions[:1],  # one input channel: slower in int8, and most of the error is there
            per_channel=True,
            reduce_range=True,  # weights of 7 bits: processors without VNNI add pairs of products in 16 bits
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    except Exception as error:  # onnxruntime has no common base class
        raise ModelFileError(f"{name or path}: cannot be made int8 ({str(error).splitlines()[0][:200]})") from None
    finally:
        logger.setLevel(level)
    model = onnx.load(str(path))
    model.producer_name, model.producer_version = "crnn", __version__
    onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, str(path))


def make_int8(
    floating: Path, path: Path, card: ModelCard, calibration: LineSource, labelled: LineSource, name: Path
) -> Quantised:
    """Write an int8 file that reads as well as the float32 one, or none.

    Args:
        floating: the float32 model file.
        path: where to write.
        card: of the model.
        calibration: lines that scales are taken from.
        labelled: lines that both files read.
        name: of the file in messages.

    Raises:
        ModelFileError: if CER rises by more than 0.2 points, or a reading depends on its batch.
    """
    note = {"scales from": calibration.name, "lines": min(CALIBRATION_LINES, len(calibration))}
    scales_from = spread_lines(calibration, CALIBRATION_LINES)[0]
    write_int8(floating, path, card.with_training(int8=note), scales_from, name)
    pictures, texts = spread_lines(labelled, CHECK_LINES)
    if not pictures:
        raise ModelFileError(f"{name}: no lines to check the int8 model with; name some with --data")
    backends = OnnxBackend(floating, 1), OnnxBackend(path, 1)
    check_alone(backends[1], pictures[:32], name)
    counts, seconds = [], []
    for backend in backends:
        started = time.process_time()
        counts.append(counts_of(backend, pictures, texts))
        seconds.append((time.process_time() - started) / len(pictures) * 1e3)
    result = Quantised(len(pictures), counts[0], counts[1], (seconds[0], seconds[1]))
    refuse_worse(result.before, result.after, MAX_LOSS, f"{name}: not written: {result}")
    return result


def check_alone(backend: Backend, pictures: Sequence[Image.Image], name: Path) -> None:
    """Refuse a model in which a line reads otherwise beside others than alone (by over 1e-3 in log-probabilities)."""
    lines = [backend.card.transform(picture) for picture in pictures]
    images, widths = padded(lines)
    together, lengths = backend.run(images, widths)
    for number, (line, length) in enumerate(zip(lines, lengths.tolist(), strict=True)):
        alone, _ = backend.run(line[None], widths[number : number + 1])
        difference = float(np.abs(alone[:length, 0] - together[:length, number]).max())
        if not difference <= TOLERANCE:
            raise ModelFileError(f"{name}: not written: a line reads otherwise beside others, by {difference:.2g}")
