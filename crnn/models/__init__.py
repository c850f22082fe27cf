"""The model that comes with the package: `latin`, for printed lines in Latin letters. Runs without torch.

``latin.onnx`` reads; ``latin.safetensors``, its weights in float16, is what a training starts from (``init=bundled``).
``scripts/make_bundled.py`` writes both.
"""

from __future__ import annotations

from pathlib import Path

from crnn.errors import ModelFileError

NAME = "latin"
NAMES = ("bundled", NAME)
"""What may be said instead of a path."""
FOLDER = Path(__file__).parent


def bundled(suffix: str = ".onnx") -> Path:
    """The bundled model's file.

    Args:
        suffix: ``.onnx`` to read with, ``.safetensors`` for torch.

    Raises:
        ModelFileError: if this package came without it.
    """
    path = FOLDER / f"{NAME}{suffix}"
    if not path.is_file():
        raise ModelFileError(f"{path}: this crnn came without its bundled model; name a model file, or install it anew")
    return path
