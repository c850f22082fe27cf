"""`crnn export`: a model file of a checkpoint, checked on the run's own validation lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crnn.data.recorded import recorded_lines
from crnn.data.sources import LineSource, open_source
from crnn.data.synth.source import synthetic_pair
from crnn.errors import DataError
from crnn.export.export import export_model
from crnn.export.parity import PARITY_LINES, spread_pictures
from crnn.export.torch_backend import read_network


def export_checkpoint(checkpoint: Path, format: str, output: Path | None, data: str | None) -> str:
    """Write the model file and say what was checked.

    Args:
        checkpoint: .ckpt or .safetensors.
        format: ``onnx`` or ``safetensors``.
        output: of the new file; beside the checkpoint if None.
        data: lines for the parity gate; None takes the run's validation lines, or rendered ones if they are gone.

    Raises:
        ModelFileError: if the new file does not read like torch; nothing is written then.
    """
    card, network = read_network(checkpoint)
    path = output or checkpoint.with_suffix(f".{format}")
    name, source = _lines(card.training, data, checkpoint)
    parity = export_model(card, network, path, format, spread_pictures(source))
    return f"{path}: {path.stat().st_size / 1e6:.1f} MB; {name}: {parity}"


def _lines(training: dict[str, Any], data: str | None, checkpoint: Path) -> tuple[str, LineSource]:
    if data is not None:
        return data, open_source(data)
    try:
        source = recorded_lines(training, "val", checkpoint)
        return f"validation lines of {source.name}", source
    except DataError:  # moved, or rendered
        rendered = synthetic_pair(lines=1, val_lines=PARITY_LINES, seed=0)[1]
        return "rendered lines (the run's own are not there)", rendered
