"""What is known of a set of lines that were judged: figures of all of them, and each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from crnn.core.metrics import EditCounts
from crnn.core.seen import Seldom, in_order
from crnn.data.sources.base import LineSource
from crnn.report.calibration import calibration_error, lines_to_check, reliability
from crnn.report.characters import CharacterTally
from crnn.report.figures import WORDLESS, CountTable, Figures, by_length, figures
from crnn.report.lines import DOUBTFUL, JudgedLine

LISTED = 100
"""Worst lines and probable label errors in the JSON."""
CONFUSIONS = 1000
"""Confusions in the JSON."""
NOT_RECORDED = "not recorded"


@dataclass
class Evaluation:
    """Figures of one source."""

    source: str
    reader: str = ""
    """Who read the lines: the model, or a file of readings."""
    rules: dict[str, str] = field(default_factory=dict)
    """The model's text rules that are not the default ones; labels were brought into that form."""
    left_out: list[str] = field(default_factory=list)
    """Lines that could not be judged, and why: no picture, no label."""
    lines: list[JudgedLine] = field(default_factory=list)
    """All that were judged, in order."""
    table: CountTable = field(default_factory=CountTable)
    unknown: dict[str, int] = field(default_factory=dict)
    """Characters of the labels that the model cannot write, and how often they come; the most frequent first."""
    seldom: dict[str, Seldom] = field(default_factory=dict)
    """Characters of the labels that the model can write, but hardly or never saw in training; the rarest first."""
    training_counts: str = ""
    """Whether the model says how often it saw each character: ``recorded``, `NOT_RECORDED`, or of which part it does
    not; empty for a file of readings."""
    unmatched: dict[str, int] = field(default_factory=dict)
    """Of a file of readings: how many lines are missing in it, how many rows come twice, how many are unknown."""
    case_is_convention: bool = False
    """Whether labels are written in another case than the pictures, so that this is no label error."""
    pictures: LineSource | None = None
    """Where the pictures are, for a page."""
    confidence_is: str = ""
    """What the confidences leave aside, if they do."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @classmethod
    def joined(cls, parts: Sequence[Evaluation]) -> Evaluation:
        """One evaluation of all lines; it shares them with its parts. Pictures are found through the parts alone."""
        whole = cls(", ".join(part.source for part in parts))
        for part in parts:
            whole.reader, whole.rules, whole.confidence_is = part.reader, part.rules, part.confidence_is
            whole.left_out += part.left_out
            whole.training_counts = part.training_counts
            whole.seldom = in_order({**whole.seldom, **part.seldom})
            whole.case_is_convention |= part.case_is_convention
            whole.lines += part.lines
            whole.table.numbers.extend(part.table.numbers)
            whole.seconds += part.seconds
            whole.cpu_seconds += part.cpu_seconds
            for mine, other in ((whole.unknown, part.unknown), (whole.unmatched, part.unmatched)):
                mine.update({name: mine.get(name, 0) + count for name, count in other.items()})
        return whole

    def add(self, reading: str, reference: str, confidence: float | None = None, **known: Any) -> JudgedLine:
        """Judge one line; `known` is what else `JudgedLine` holds."""
        errors = self.table.add(reading, reference)
        if reading == reference:
            reading = reference  # one text in memory, not two
        known = {"position": len(self.lines), "where": f"line {len(self.lines) + 1}", "picture": "", **known}
        line = JudgedLine(reference=reference, reading=reading, errors=errors, confidence=confidence, **known)
        self.lines.append(line)
        return line

    @property
    def counts(self) -> EditCounts:
        """Of all lines, as read."""
        return self.table.total()

    @property
    def ignoring_case(self) -> EditCounts:
        """The same with case ignored."""
        return self.table.total("ignoring case")

    @property
    def letters_and_digits(self) -> EditCounts:
        """Case, spaces and punctuation ignored."""
        return self.table.total("letters and digits, ignoring case")

    @property
    def sure(self) -> tuple[list[float], list[bool]]:
        """Confidence, and whether it was right, of the lines that have one."""
        lines = [line for line in self.lines if line.confidence is not None]
        return [line.confidence for line in lines if line.confidence is not None], [line.right for line in lines]

    @property
    def calibration_error(self) -> float | None:
        """See `crnn.report.calibration.calibration_error`; None without confidences."""
        confidences, right = self.sure
        return calibration_error(confidences, right) if confidences else None

    @property
    def to_check(self) -> int | None:
        """Lines that a person has to check, the least sure first, until 99 % of all are right."""
        confidences, right = self.sure
        return lines_to_check(confidences, right) if confidences else None

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """Variant -> figures; once all lines are there."""
        return figures(self.table.rows())

    @cached_property
    def by_length(self) -> dict[str, Figures]:
        """Length of the label -> figures, see `crnn.report.figures.by_length`; once all lines are there."""
        return by_length(self.table.rows())

    @cached_property
    def characters(self) -> CharacterTally:
        """All characters; once all lines are there."""
        return CharacterTally.of(self.lines)

    @property
    def lines_per_second(self) -> float | None:
        """By the clock; None where nobody measured."""
        return len(self.lines) / self.seconds if self.seconds else None

    def worst(self) -> list[JudgedLine]:
        """Lines with errors, those with most per character first."""
        wrong = [line for line in self.lines if not line.right]
        return sorted(wrong, key=lambda line: (-line.errors / max(len(line.reference), 1), -line.errors, line.position))

    def doubted(self) -> list[JudgedLine]:
        """Probable label errors, the likeliest first; see `JudgedLine.doubt`."""
        known = [(line.doubt, line) for line in self.lines if line.doubt is not None]
        ranked = sorted(known, key=lambda pair: (-pair[0], pair[1].position))
        return [line for doubt, line in ranked if doubt >= DOUBTFUL]

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain data; rates and confidences are 0..1."""
        variants = {name.replace(" ", "_").replace(",", ""): name for name in self.figures}
        variants["letters_and_digits"] = variants.pop("letters_and_digits_ignoring_case")
        tally, (confidences, right) = self.characters, self.sure
        misread = tally.misread()
        return {
            "source": self.source,
            "reader": self.reader,
            "lines": len(self.lines),
            "characters": self.counts.characters,
            "text_rules": self.rules,
            "left_out": self.left_out,
            **({"unmatched": self.unmatched} if self.unmatched else {}),
            **{key: self.figures[name].to_dict(name not in WORDLESS) for key, name in variants.items()},
            "by_length": {
                name: {"lines": group.counts.lines, **group.to_dict()} for name, group in self.by_length.items()
            },
            "by_class": {name: {**vars(one), "cer": one.error_rate} for name, one in tally.by_class().items()},
            "by_script": {name: {**vars(one), "cer": one.error_rate} for name, one in tally.by_script().items()},
            "spaces": {"precision": tally.space_precision, "recall": tally.space_recall},
            "confusions": [
                {"true": one.pair.true, "read": one.pair.read, "count": one.count, "lines": one.lines}
                for one in tally.ranked()[:CONFUSIONS]
            ],
            "not_in_charset": self.unknown,
            "training_counts": self.training_counts,
            "seldom_in_training": [
                {"character": character, **vars(one), "count": tally.references[character], "wrong": misread[character]}
                for character, one in self.seldom.items()
            ],
            "confidence_is": self.confidence_is,
            "calibration_error": self.calibration_error,
            "reliability": [one._asdict() for one in reliability(confidences, right)],
            "check_for_99_percent": self.to_check,
            "case_is_convention": self.case_is_convention,
            "worst": [_listed(line) for line in self.worst()[:LISTED]],
            "probable_label_errors": [_listed(line) for line in self.doubted()[:LISTED]],
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "lines_per_second": self.lines_per_second,
        }


def _listed(line: JudgedLine) -> dict[str, Any]:
    return {
        "where": line.where,
        "picture": line.picture,
        "label": line.reference,
        "reading": line.reading,
        "errors": line.errors,
        "confidence": line.confidence,
        **({} if line.doubt is None else {"doubt": round(line.doubt, 3)}),
    }
