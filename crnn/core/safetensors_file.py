"""Opens .safetensors model files: a card in the header, then the weights. Without weights, without torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crnn.core.card import CARD_KEY, ModelCard
from crnn.errors import ModelFileError, printable


@contextmanager
def open_safetensors(path: Path, framework: str = "np") -> Iterator[tuple[ModelCard, Any]]:
    """Card and open file (see `safetensors.safe_open`); what the file raises inside becomes a ModelFileError, too.

    Args:
        path: of the file.
        framework: what tensors are made for: ``np``, or ``pt`` for torch.

    Raises:
        ModelFileError: if it is damaged or not ours.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework=framework) as file:
            metadata = file.metadata() or {}
            if CARD_KEY not in metadata:
                raise ModelFileError(f"{path}: has no model card; it was not written by 'crnn export'")
            yield ModelCard.from_json(metadata[CARD_KEY], str(path)), file
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(f"{path}: is not a readable .safetensors file ({printable(error)})") from None
