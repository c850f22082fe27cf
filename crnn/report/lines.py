"""A line that was judged: what it says, what was read, and what the model thinks of both."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from crnn.core.recognition import Recognition

SURENESS = 3
"""How much more than the odds it counts that the model is sure of its reading; chosen with planted label errors
(``scripts/plant_label_errors.py``), swapped labels and single characters, where 2 to 4 are alike."""

DOUBTFUL = 5.0
"""`JudgedLine.doubt` of a probable label error, at least: nineteen of twenty labels with one wrong character have that,
and few of those that the model misreads."""


@dataclass(slots=True)
class JudgedLine:
    """One line. Small, so that 100,000 of them fit anywhere: pictures are looked up again where they are shown."""

    position: int
    """In its source."""
    where: str
    """Where the label stands."""
    picture: str
    """The picture's name."""
    reference: str
    """The label, by the text rules of the model."""
    reading: str
    errors: int
    """Edits between the two, in characters."""
    confidence: float | None = None
    """0..1; None where whoever read it does not say."""
    symbols: tuple[str, ...] = ()
    """Characters of the reading in the order of the picture; empty if they were not kept."""
    marks: array[float] = field(default_factory=lambda: array("f"))
    """Of each of them: confidence, left and right edge in pixels of the original picture."""
    log_reading: float | None = None
    """Log-probability of the reading, and of the label, where they differ and were looked up."""
    log_label: float | None = None

    @property
    def right(self) -> bool:
        """Whether the reading is the label."""
        return self.reading == self.reference

    @property
    def doubt(self) -> float | None:
        """How much the model doubts the label: log of the odds of its reading, times a power of its probability.

        High where the model is sure of something else. A line that it cannot read is no such doubt: a reading of
        several characters that are guessed has a low probability. None where the label was read, or nothing is known.
        """
        if self.right or self.log_reading is None or self.log_label is None:
            return None
        return (1 + SURENESS) * self.log_reading - self.log_label

    def keep_characters(self, reading: Recognition) -> None:
        """Keep the places of a reading's characters."""
        self.symbols = tuple(character.text for character in reading.characters)
        self.marks = array("f", [value for c in reading.characters for value in (c.confidence, c.start, c.end)])
