"""Where a reading comes from: pixels of each character, and how far the CNN and the BiLSTM look.

A character's pixels: the gradient of its log-probability with respect to the picture (Simonyan, Vedaldi and Zisserman,
"Deep Inside Convolutional Networks", 2013), averaged over pictures with a little noise, so that what is an accident of
one pixel goes away (Smilkov et al., "SmoothGrad", 2017).

How far a column looks: the size of the gradient of what the network says there with respect to what it read elsewhere
(Luo et al., "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", 2016). The size of a
whole Jacobian J comes from few random vectors v of +1 and -1: the mean of |v J|^2 is the sum of its squares
(Hutchinson, 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crnn.core.charset import BLANK
from crnn.errors import ConfigError, DataError
from crnn.explain.line import LineTrace
from crnn.explain.model import Opened
from crnn.model.backbones import ConvBackbone
from crnn.model.crnn import CRNN

NOISY = 8
"""Pictures that are averaged for a character."""
NOISE = 0.1
"""Standard deviation of their noise, of the range from black to white."""
SEED = 1
"""Of noise and vectors: the same line always gives the same pictures."""
VECTORS = 4
"""Random ones for each column."""
PIXEL_COLUMNS = 24
"""Of the columns whose pixels are looked at, evenly spread."""
MAX_COLUMNS = 256
"""Longer lines would take minutes."""
_CHUNK = 32


@dataclass(frozen=True)
class Saliency:
    """T columns, H x W pixels; every row of an influence sums to 1."""

    maps: NDArray[np.float64]
    """(characters, H, W), the largest value of each is 1."""
    columns: list[int]
    """The column that each map is of: where its character is surest."""
    lstm: NDArray[np.float64]
    """(T, T) share of each feature column in what the LSTM says at each column."""
    at: list[int]
    """The columns of the next two."""
    cnn_pixels: NDArray[np.float64]
    """(len(at), W) share of each pixel column in the CNN's features there: what the network sees without an LSTM."""
    all_pixels: NDArray[np.float64]
    """(len(at), W) the same for what the LSTM says."""
    field: int
    """Pixels of width that the CNN can see from one column."""


def saliency(opened: Opened, line: LineTrace) -> Saliency:
    """Compute all of it.

    Raises:
        DataError: for a line without a character, or a long one.
        ConfigError: for a network whose backbone is not ours.
    """
    if line.columns > MAX_COLUMNS:
        raise DataError(
            f"{line.name}: makes {line.columns} columns; at most {MAX_COLUMNS} are looked into, so cut out a part"
        )
    if not line.spans:
        raise DataError(f"{line.name}: nothing is read in it, so there is no character to look for")
    if not isinstance(opened.network.backbone, ConvBackbone):
        raise ConfigError(
            f"{opened.name}: has the backbone {type(opened.network.backbone).__name__!r} of an installed package, and "
            "how many pixels it sees is known of our own alone; explain shapes, lines and the LSTM instead"
        )
    columns = [max(range(s.start, s.end), key=lambda t: float(line.log_probs[t].max())) for s in line.spans]
    at = sorted({round(t) for t in np.linspace(0, line.columns - 1, min(PIXEL_COLUMNS, line.columns))})
    generator = torch.Generator().manual_seed(SEED)
    network, everywhere = opened.network, list(range(line.columns))
    return Saliency(
        character_maps(network, line.images, columns, [line.path[t] for t in columns], generator),
        columns,
        influence(network, line.features[None], everywhere, "lstm", generator),
        at,
        influence(network, line.images, at, "cnn", generator),
        influence(network, line.images, at, "both", generator),
        receptive_field(opened.network.backbone),
    )


def character_maps(
    network: CRNN,
    images: Tensor,
    columns: list[int],
    labels: list[int],
    generator: torch.Generator,
    noisy: int = NOISY,
    noise: float = NOISE,
) -> NDArray[np.float64]:
    """(characters, H, W): how much each pixel moves the log-probability of a label at its column."""
    span = float(images.max() - images.min()) or 1.0
    shape = (noisy, *images.shape[1:])
    batch = (images + noise * span * torch.randn(shape, generator=generator)).requires_grad_()  # (noisy, 1, H, W)
    log_probs = network(batch, torch.full((noisy,), images.shape[3])).log_probs  # (T, noisy, C)
    maps = []
    for t, label in zip(columns, labels, strict=True):
        assert label != BLANK  # noqa: S101  # a mistake of the caller's
        gradient = torch.autograd.grad(log_probs[t, :, label].sum(), batch, retain_graph=True)[0]
        maps.append((gradient.mean(0)[0].abs()).double().numpy())  # (H, W)
    return np.stack([one / max(float(one.max()), 1e-30) for one in maps])


def influence(
    network: CRNN, given: Tensor, at: list[int], part: str, generator: torch.Generator, vectors: int = VECTORS
) -> NDArray[np.float64]:
    """(len(at), inputs): the share of each input column in what a part of the network says at each column of `at`.

    Args:
        network: in evaluation mode.
        given: features (1, T, D) for ``lstm``, pictures (1, 1, H, W) for the others.
        at: columns of the output.
        part: ``lstm``: from features to output; ``cnn``: from pixels to features; ``both``.
        generator: of the random vectors.
        vectors: so many for each column; the error falls with their root.
    """
    wanted = [t for t in at for _ in range(vectors)]
    squares = []
    for first in range(0, len(wanted), _CHUNK):
        chunk = wanted[first : first + _CHUNK]
        x = given.expand(len(chunk), *given.shape[1:]).clone().requires_grad_()
        if part == "lstm":
            said = network.lstm(x.transpose(0, 1))[0]  # (T, n, directions * hidden)
        else:
            features = network.columns(x, torch.full((len(chunk),), x.shape[3]))  # (n, D, 1, T)
            said = features.squeeze(2).permute(2, 0, 1)  # (T, n, D)
            if part == "both":
                said = network.lstm(said)[0]
        chosen = said[torch.tensor(chunk), torch.arange(len(chunk))]  # (n, values)
        signs = torch.randint(0, 2, chosen.shape, generator=generator) * 2.0 - 1
        gradient = torch.autograd.grad((chosen * signs).sum(), x)[0]
        squares.append(gradient.square().sum(2 if part == "lstm" else (1, 2)))  # (n, inputs)
    sizes = torch.cat(squares).double().reshape(len(at), vectors, -1).mean(1).sqrt().numpy()
    return sizes / np.maximum(sizes.sum(1, keepdims=True), 1e-30)


def receptive_field(backbone: ConvBackbone) -> int:
    """Pixels of width that one column of the CNN depends on."""
    field, apart = 1, 1
    for across in backbone.across:
        field += 2 * apart  # a convolution, 3 wide
        field += (across - 1) * apart
        apart *= across
    return field


def centre(column: int, step: int) -> int:
    """The pixel column in the middle of a column of features."""
    return column * step + step // 2


def profile(shares: NDArray[np.float64], centres: list[int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Influence by distance, averaged over rows: distances (N,), from far left to far right, and shares that sum to 1.

    Args:
        shares: (rows, inputs).
        centres: the input that each row stands at.
    """
    offsets = np.arange(shares.shape[1]) - np.array(centres)[:, None]  # (rows, inputs)
    low = int(offsets.min())
    mean = np.bincount((offsets - low).ravel(), weights=shares.ravel()) / len(centres)
    return np.arange(low, low + len(mean)), mean


def reach(distances: NDArray[np.int64], shares: NDArray[np.float64], within: float) -> tuple[int, int]:
    """How far left and right `within` (0..1) of the influence lies: as much is left out on either side."""
    grown = np.cumsum(shares) / shares.sum()
    left = distances[int(np.searchsorted(grown, (1 - within) / 2))]
    right = distances[min(int(np.searchsorted(grown, (1 + within) / 2)), len(distances) - 1)]
    return max(0, -int(left)), max(0, int(right))


def reaches(found: Saliency, step: int) -> list[tuple[str, str, tuple[int, int], tuple[int, int]]]:
    """(what, unit, (left, right) of half of the influence, of 90 %) for LSTM, CNN and both."""
    centres = [centre(t, step) for t in found.at]
    rows = (
        ("the LSTM alone", "columns", *profile(found.lstm, list(range(len(found.lstm))))),
        ("the CNN alone", "pixels", *profile(found.cnn_pixels, centres)),
        ("CNN and LSTM", "pixels", *profile(found.all_pixels, centres)),
    )
    return [(what, unit, reach(d, s, 0.5), reach(d, s, 0.9)) for what, unit, d, s in rows]
