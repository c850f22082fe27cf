"""A reading: the text of a line, how sure it is, and where each character stands in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crnn.core.charset import Charset
from crnn.core.decode import Decoded, Text


@dataclass(frozen=True)
class Character:
    """One character of a reading, with its place in the original (upright) picture."""

    text: str
    confidence: float
    start: float
    """Left edge in pixels of the original picture."""
    end: float
    """Right edge."""


@dataclass(frozen=True)
class Alternative:
    """One of the texts that a line may say, and the probability of it."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Recognition:
    """What a line says. `confidence` (0..1) is the probability of the text at the card's temperature, see
    `GreedyDecoder`."""

    text: str
    """In reading order, also where it runs from right to left."""
    confidence: float
    characters: tuple[Character, ...]
    """In the order of the picture, from left to right: of a Hebrew line the last letter comes first, and a bracket is
    the one that the picture shows."""
    alternatives: tuple[Alternative, ...] = ()
    """The best texts, this one first; only where more than one was asked for."""

    def to_dict(self, characters: bool = True) -> dict[str, Any]:
        """Plain data; alternatives only where they were asked for.

        Args:
            characters: False leaves them out.
        """
        data: dict[str, Any] = {"text": self.text, "confidence": self.confidence}
        if characters:  # by hand: `asdict` copies each value and takes ten times as long
            data["characters"] = tuple(
                {"text": one.text, "confidence": one.confidence, "start": one.start, "end": one.end}
                for one in self.characters
            )
        if self.alternatives:
            data["alternatives"] = tuple({"text": one.text, "confidence": one.confidence} for one in self.alternatives)
        return data


def make_recognition(
    charset: Charset, decoded: Decoded, scale: float, left: int, width: int, step: int, texts: Sequence[Text]
) -> Recognition:
    """Labels to symbols, time steps to pixels.

    Args:
        charset: what the labels stand for.
        decoded: the labels, with their time steps.
        scale: original pixels to a pixel of the network.
        left: original pixels left of what the network has seen.
        width: of that, in original pixels.
        step: pixels of the network to a time step.
        texts: the best texts, if more than one was asked for.
    """
    symbols = [charset.symbol(label) for label in decoded.labels]
    characters = tuple(
        Character(
            symbol,
            round(sure, 6),
            round(left + start * step * scale, 2),
            round(left + min(end * step * scale, width), 2),
        )
        for symbol, sure, (start, end) in zip(symbols, decoded.confidences, decoded.spans, strict=True)
    )
    different: dict[str, float] = {}  # labels that differ may be the same text in reading order
    for text in texts:
        different.setdefault(charset.decode(text.labels), round(text.confidence, 6))
    return Recognition(
        charset.decode(decoded.labels),
        round(decoded.confidence, 6),
        characters,
        tuple(Alternative(text, sure) for text, sure in different.items()),
    )
