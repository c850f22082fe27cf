"""What a decoder takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import Charset


class Decoded(NamedTuple):
    """One line, decoded. All lists have one item per symbol."""

    labels: list[int]
    """Classes, blanks and repeats collapsed."""
    spans: list[tuple[int, int]]
    """First time step of the symbol, and the one after its last."""
    confidences: list[float]
    """0..1, of each symbol."""
    confidence: float
    """0..1, of the whole line."""


class Decoder(Protocol):
    """Turns what the network says of a batch into symbols; made by a `DecoderMaker`, without memory of earlier batches.

    Threads may share it.
    """

    def __call__(self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64]) -> list[Decoded]:
        """Decode a batch.

        Args:
            log_probs: (T, B, C), log-softmax over C, class 0 the blank.
            lengths: (B,) true time steps of each line; what lies beyond is never looked at.

        Returns:
            One result per line, in order.
        """
        ...


class DecoderMaker(Protocol):
    """What the name of a decoder stands for: a function, or the class of the decoder itself.

    Other packages add one in the entry-point group ``crnn.decoders``.
    """

    def __call__(self, settings: Mapping[str, Any], charset: Charset, /) -> Decoder:
        """Make a decoder.

        Args:
            settings: plain data as in a model card: ``name``, and whatever settings the decoder has. They may come from
                a file of a stranger.
            charset: of the model; class 0 is the blank, symbol i is class i + 1.

        Raises:
            ConfigError: for a setting that is unknown, of the wrong type or out of range.
        """
        ...
