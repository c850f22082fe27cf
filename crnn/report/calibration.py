"""Is a confidence of 0.9 right nine times in ten? A temperature that makes it so, and figures that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.core.decode.beam import BeamDecoder, shared_out
from crnn.core.decode.probability import text_log_probability
from crnn.core.recognizer import Recognizer
from crnn.data.sources.base import LineSource
from crnn.report.known_lines import known_lines

TEMPERATURES = np.round(np.geomspace(0.5, 4.0, 22), 4)
"""That are tried; 1 is among them."""
LIKELIEST = 256
"""Classes of a time step that are looked at, at most."""
BINS = 15
TARGET = 0.99


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Expected calibration error, 0..1: how far confidence and share of right lines lie apart, on average.

    15 bins of equal width (Guo et al., "On Calibration of Modern Neural Networks", 2017). 0 for no lines.
    """
    sure, correct = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(sure):
        return 0.0
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.abs(np.bincount(bins, sure, BINS) - np.bincount(bins, correct, BINS))
    return float(gaps.sum() / len(sure))


class ReliabilityBin(NamedTuple):
    """Lines of similar confidence."""

    low: float
    high: float
    lines: int
    confidence: float
    """Their mean confidence."""
    right: float
    """Share of them that are right; as large as `confidence` if confidences keep their word."""


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[ReliabilityBin]:
    """The bins of `calibration_error` that hold lines."""
    sure, correct = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    lines, sums, hits = (np.bincount(bins, weights, BINS) for weights in (None, sure, correct))
    return [
        ReliabilityBin(i / BINS, (i + 1) / BINS, int(n), float(sums[i] / n), float(hits[i] / n))
        for i, n in enumerate(lines)
        if n
    ]


def lines_to_check(confidences: Sequence[float], right: Sequence[bool]) -> int:
    """How many lines a person has to check, the least sure ones first, until `TARGET` of all lines are right."""
    order = np.argsort(np.asarray(confidences, dtype=np.float64), kind="stable")
    wrong = ~np.asarray(right, dtype=bool)[order]
    left = wrong.sum() - np.concatenate(([0], np.cumsum(wrong)))  # wrong ones after checking 0, 1, 2 ... lines
    return int(np.argmax(left <= (1 - TARGET) * len(wrong) + 1e-9))


def fit_temperature(recognizer: Recognizer, source: LineSource) -> float:
    """The temperature at which line confidences say best how often lines are right (least cross-entropy).

    Args:
        recognizer: the model. Its own decoder reads the lines: a language model or a list of texts makes other lines
            right than the network alone. No temperature changes what is read.
        source: labelled lines, validation ones; some of them are read, see `known_lines`.

    Returns:
        One of `TEMPERATURES`; that of the card where the lines do not tell, because all or none of them are right, or
        because they have no labels.
    """
    charset = recognizer.card.charset
    pictures, texts = known_lines(source, charset)
    scores: list[NDArray[np.float64]] = []
    right: list[bool] = []
    for positions, log_probs, lengths in recognizer.log_probs(pictures):
        for position, (labels, sure) in zip(positions, _read(recognizer, log_probs, lengths), strict=True):
            right.append(charset.decode(labels) == texts[position])
            scores.append(sure)
    correct = np.array(right, dtype=bool)[:, None]  # (N, 1)
    if correct.all() or not correct.any():
        return recognizer.card.temperature
    sure = np.exp(np.stack(scores)).clip(1e-6, 1 - 1e-6)  # (N, temperatures)
    loss = -np.where(correct, np.log(sure), np.log(1 - sure)).mean(axis=0)
    return float(TEMPERATURES[int(np.argmin(loss))])


def _read(
    recognizer: Recognizer, log_probs: NDArray[np.float32], lengths: NDArray[np.int64]
) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    """Of each line of a batch: what is read, and its log-confidence at every temperature."""
    decoder = recognizer.decoder
    beam = decoder if isinstance(decoder, BeamDecoder) and decoder.lm is not None else None
    if beam:
        candidates = [texts or [[]] for texts in beam.candidates(log_probs, lengths, 1)]
    else:
        candidates = [[decoded.labels] for decoded in decoder(recognizer.tempered(log_probs), lengths)]
    lines = np.repeat(np.arange(len(candidates)), [len(texts) for texts in candidates])
    flat = [labels for texts in candidates for labels in texts]
    scores = _scores(log_probs, lengths, flat, lines)  # (all texts, temperatures)
    exact = text_log_probability(log_probs, lengths, flat, lines)
    begin = 0
    for texts in candidates:
        own = slice(begin, begin + len(texts))
        begin += len(texts)
        factors = beam.factors(texts) if beam else np.zeros(len(texts))
        best = int(np.argmax(exact[own] + factors))
        yield texts[best], shared_out(scores[own], factors[:, None] / TEMPERATURES)[best]


def _scores(
    log_probs: NDArray[np.float32],
    lengths: NDArray[np.int64],
    texts: Sequence[Sequence[int]],
    lines: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """(N, temperatures): of each text at every temperature; arguments as of `text_log_probability`."""
    likeliest = log_probs
    if log_probs.shape[2] > LIKELIEST:  # the others weigh next to nothing, and there may be thousands
        likeliest = np.partition(log_probs, -LIKELIEST, axis=2)[:, :, -LIKELIEST:]
    columns = []
    for temperature in TEMPERATURES.astype(np.float32):
        whole = np.logaddexp.reduce(likeliest / temperature, axis=2, keepdims=True)  # (T, B, 1)
        columns.append(text_log_probability(log_probs / temperature - whole, lengths, texts, lines))
    return np.stack(columns, axis=1)
