"""Pictures in TensorBoard: few and small, since each stays in the event file for good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from crnn.training.board import TensorBoard

COLOURS = 32
"""Of a picture of curves: two thirds of the bytes of one with all of them, and no eye sees it."""
APART = 1.25
"""Each picture comes after this many times the steps of the one before: 17 of them in 100 epochs."""


class CurvesInTensorBoard:
    """Shows ``curves.png`` in TensorBoard, the sooner in a training the more often."""

    def __init__(self) -> None:
        self._next = 0.0

    def show(self, picture: Path, loggers: Sequence[Any], step: int, last: bool = False) -> None:
        """Add the picture, unless one was added not long ago; `last`: in any case."""
        boards = [logger for logger in loggers if isinstance(logger, TensorBoard)]
        if not boards or (step < self._next and not last):
            return
        self._next = APART * step
        with Image.open(picture) as opened:
            small = opened.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        for board in boards:
            board.experiment.add_image("curves", np.asarray(small.convert("RGB")), step, dataformats="HWC")
