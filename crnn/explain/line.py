"""One line on its way through the network: picture, log-probabilities, best path, characters, LSTM."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from crnn.core.charset import BLANK
from crnn.core.decode.greedy import GreedyDecoder
from crnn.core.decode.settings import make_decoder
from crnn.core.picture import Picture, open_picture, picture_name
from crnn.core.trim import trimmed
from crnn.errors import DataError, printable
from crnn.explain.gates import Outcome, compute
from crnn.explain.model import Opened
from crnn.reading.sets import picture_named

SAMPLE = "Long memory, 1997"
"""What the line says that stands for all where none is given."""
SAMPLE_FONT = ("DejaVu Sans", "Book")
LIKELY = 0.05
"""Probability of a class that matters."""
MIN_SIDE = 4
"""Pixels of width and height that a picture has at least."""
MAX_COLUMNS = 1024
"""Time steps of a line at most: a page of them has some megabytes."""


@dataclass(frozen=True)
class Span:
    """A character of the reading."""

    text: str
    start: int
    """Its first column."""
    end: int
    """The one after its last."""
    confidence: float
    """Its highest probability there."""


@dataclass(frozen=True)
class LineTrace:
    """What a network makes of a line. T columns, each `step` pixels wide; C classes."""

    name: str
    """Of the picture."""
    grey: NDArray[np.uint8]
    """(H, W), scaled: what the network sees, before its values are centred."""
    images: Tensor
    """(1, 1, H, W), the network's input."""
    features: Tensor
    """(T, D) of the CNN: what the LSTM reads."""
    lstm: Outcome
    log_probs: NDArray[np.float64]
    """(T, C)"""
    path: list[int]
    """(T,) the likeliest class of each column."""
    spans: list[Span]
    """From left to right."""
    text: str
    """Of the best path, in reading order."""
    decoded: str
    """What the model's own decoder reads, such as a beam search with a language model; the same for a greedy one."""
    confidence: float
    """Probability of the text, before the card's temperature."""
    step: int
    space: int | None
    """The class of the space, if there is one."""

    @property
    def said(self) -> str:
        """For the command line: what it reads; both, where its decoder reads something else than the best path."""
        other = f" by the best path, shown here; {self.decoded!r} by its decoder, as crnn recognize does"
        return f"{self.text!r}{other if self.decoded != self.text else ''}"

    @property
    def columns(self) -> int:
        """T"""
        return len(self.path)

    @property
    def shown_walk(self) -> int:
        """The walk that is looked at first: the last layer, left to right."""
        return max(k for k, walk in enumerate(self.lstm.walks) if not walk.backward)


def trace(opened: Opened, picture: Picture, name: str | None = None) -> LineTrace:
    """Read a line and keep everything.

    Args:
        opened: the model.
        picture: as `crnn.core.picture.open_picture` takes it.
        name: of it, for messages and titles.

    Raises:
        DataError: for a picture that cannot be read, or is too small or too long to look into.
    """
    card, network = opened.card, opened.network
    name = name or picture_name(picture)
    grey = open_picture(picture, name)
    grey = trimmed(grey) if card.trim else grey
    if min(grey.size) < MIN_SIDE:
        raise DataError(
            f"{name}: has {grey.width} x {grey.height} pixels; a line to look into has at least {MIN_SIDE} x {MIN_SIDE}"
        )
    width = card.transform.check_width(grey.size, name)
    if width // network.step > MAX_COLUMNS:
        raise DataError(
            f"{name}: {grey.width} x {grey.height} pixels make {width // network.step:,} columns; at most "
            f"{MAX_COLUMNS:,} are shown; cut out a part of the line"
        )
    scaled = np.asarray(card.transform.resize(grey, width))
    images = torch.from_numpy(card.transform.normalize(scaled))[None, None]  # (1, 1, H, W)
    with torch.no_grad():
        features = network.columns(images, torch.tensor([width]))[0, :, 0].T  # (T, D)
        outcome = compute(network.lstm, features)
        log_probs = network.head(outcome.output).log_softmax(1)  # (T, C)
    return _decoded(opened, name, scaled, images, features, outcome, log_probs)


def _decoded(
    opened: Opened,
    name: str,
    grey: NDArray[np.uint8],
    images: Tensor,
    features: Tensor,
    outcome: Outcome,
    log_probs: Tensor,
) -> LineTrace:
    charset = opened.card.charset
    single = log_probs.numpy()[:, None]  # (T, 1, C)
    lengths = np.array([len(single)])
    decoded = GreedyDecoder()(single, lengths)[0]
    own = make_decoder(opened.card.decoder, charset)(single, lengths)[0]
    return LineTrace(
        name,
        grey,
        images,
        features,
        outcome,
        single[:, 0].astype(np.float64),
        single[:, 0].argmax(1).tolist(),
        [
            Span(charset.symbol(label), start, end, sure)
            for label, (start, end), sure in zip(decoded.labels, decoded.spans, decoded.confidences, strict=True)
        ],
        charset.decode(decoded.labels),
        charset.decode(own.labels),
        decoded.confidence,
        opened.network.step,
        charset.encode(" ")[0] if " " in charset else None,
    )


def classes_that_matter(line: LineTrace, most: int = 60) -> list[int]:
    """Classes that reach a probability of `LIKELY` in some column, the blank first, then in order of their peaks.

    Those of the best path are always among them; of the others, the `most` likeliest at best.
    """
    peak = line.log_probs.max(0)  # (C,)
    on_path = set(line.path)
    others = [c for c in np.argsort(-peak).tolist() if c not in on_path and c != BLANK and peak[c] >= np.log(LIKELY)]
    shown = (on_path - {BLANK}) | set(others[: max(0, most - len(on_path))])
    return [BLANK, *sorted(shown, key=lambda c: (int(line.log_probs[:, c].argmax()), c))]


def trace_or_sample(opened: Opened, picture: str | None) -> LineTrace:
    """`trace` of a picture file or of a line of a set or page (see `picture_named`), else of the rendered line."""
    if picture is None:
        return trace(opened, sample_picture(), "a rendered line")
    kept = None if os.path.lexists(picture) else picture_named(picture)
    return trace(opened, picture) if kept is None else trace(opened, kept, printable(picture))


def sample_picture() -> Image.Image:
    """`SAMPLE`, rendered by this project, black on white, in a font that is always there: the same on every machine."""
    from crnn.data.synth.fonts import find_fonts
    from crnn.data.synth.render import draw, make_layout

    fonts, _ = find_fonts("bundled", SAMPLE)
    font = next(font for font in fonts if (font.family, font.style) == SAMPLE_FONT)
    return draw(make_layout(SAMPLE, font, np.random.default_rng(1), wear=0.0))
