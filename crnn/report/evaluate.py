"""`crnn evaluate`: a model's figures on labelled lines. Runs without torch for .onnx files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from crnn.core.decode import BeamDecoder
from crnn.core.metrics import EditCounts
from crnn.core.recognizer import Recognizer
from crnn.data.sources.base import LineSource
from crnn.errors import DataError
from crnn.report.calibration import calibration_error, lines_to_check


@dataclass
class Evaluation:
    """Figures of one source."""

    source: str
    counts: EditCounts = field(default_factory=EditCounts)
    ignoring_case: EditCounts = field(default_factory=EditCounts)
    letters_and_digits: EditCounts = field(default_factory=EditCounts)
    """Case, spaces and punctuation ignored."""
    rules: dict[str, str] = field(default_factory=dict)
    """The model's text rules that are not the default ones; labels were brought into that form."""
    left_out: list[str] = field(default_factory=list)
    """Lines that could not be judged, and why: no picture, no label."""
    confidences: list[float] = field(default_factory=list)
    """Of all lines, in order."""
    right: list[bool] = field(default_factory=list)
    """Whether they read as their labels."""
    confidence_is: str = ""
    """What the confidences leave aside, if they do."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, reading: str, reference: str) -> None:
        self.counts += EditCounts.of(reading, reference)
        self.ignoring_case += EditCounts.of(reading.casefold(), reference.casefold())
        self.letters_and_digits += EditCounts.of(_bare(reading), _bare(reference))

    @property
    def calibration_error(self) -> float:
        """See `crnn.report.calibration.calibration_error`."""
        return calibration_error(self.confidences, self.right)

    @property
    def to_check(self) -> int:
        """Lines that a person has to check, the least sure first, until 99 % of all are right."""
        return lines_to_check(self.confidences, self.right)

    def to_dict(self) -> dict[str, Any]:
        def figures(counts: EditCounts) -> dict[str, float]:
            return {"cer": counts.cer, "wer": counts.wer, "exact": counts.exact_rate}

        return {
            "source": self.source,
            "lines": self.counts.lines,
            "characters": self.counts.characters,
            "text_rules": self.rules,
            "left_out": self.left_out,
            "raw": figures(self.counts),
            "ignoring_case": figures(self.ignoring_case),
            "letters_and_digits": figures(self.letters_and_digits),
            "confidence_is": self.confidence_is,
            "calibration_error": self.calibration_error,
            "check_for_99_percent": self.to_check,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
        }


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _confidence_is(recognizer: Recognizer) -> str:
    said = []
    if isinstance(recognizer.decoder, BeamDecoder) and recognizer.decoder.lm is not None:
        said.append("the network's alone, the language model left aside")
    if recognizer.decoder_is_given:
        said.append("at a temperature that was not fitted with these decoder settings (crnn export fits it)")
    return ", ".join(said)


def evaluate(recognizer: Recognizer, source: LineSource, limit: int | None = None) -> Evaluation:
    """Read every line of `source` and compare it with its label, brought into form by the charset's text rules.

    Args:
        recognizer: the model.
        source: labelled lines.
        limit: only the first so many lines.

    A line without a readable picture or a label is not judged; it is listed in `left_out`.
    """
    rules = recognizer.card.charset.rules.differences()
    result = Evaluation(source.name, rules=rules, confidence_is=_confidence_is(recognizer))
    references: list[tuple[str, str]] = []  # where, label; in the order of the pictures handed out
    lines = len(source) if limit is None else min(limit, len(source))

    def pictures() -> Iterator[Image.Image]:
        for position in range(lines):
            entry = source.entry(position)
            if entry.problem or not entry.text:
                result.left_out.append(f"{entry.where}: {entry.problem or 'empty label'}")
                continue
            try:
                picture = source.picture(position)
            except DataError as error:
                result.left_out.append(f"{entry.where}: {error}")
                continue
            references.append((entry.where, recognizer.card.charset.normalize(entry.text)))
            yield picture

    started, cpu_started = time.perf_counter(), time.process_time()
    for index, reading in enumerate(recognizer.stream(pictures())):
        where, reference = references[index]
        if isinstance(reading, DataError):
            result.left_out.append(f"{where}: {reading}")
        else:
            result.add(reading.text, reference)
            result.confidences.append(reading.confidence)
            result.right.append(reading.text == reference)
    result.seconds, result.cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return result


def table(evaluations: list[Evaluation]) -> str:
    """Figures as text, raw first, variants labelled."""
    rows = [f"{'':34}{'CER':>9}{'WER':>9}{'exact':>9}{'lines':>8}"]
    for evaluation in evaluations:
        rows.append(evaluation.source)
        for name, counts in (
            ("raw", evaluation.counts),
            ("ignoring case", evaluation.ignoring_case),
            ("letters and digits, ignoring case", evaluation.letters_and_digits),
        ):
            rows.append(f"  {name:32}{counts.cer:>9.2%}{counts.wer:>9.2%}{counts.exact_rate:>9.2%}{counts.lines:>8}")
        if evaluation.rules:
            rules = ", ".join(f"{name}={value}" for name, value in evaluation.rules.items())
            rows.append(f"  labels by the model's text rules: {rules}")
        if evaluation.left_out:
            rows.append(f"  {len(evaluation.left_out)} lines could not be judged, the first: {evaluation.left_out[0]}")
        if evaluation.right:
            share = evaluation.to_check / len(evaluation.right)
            rows.append(
                f"  confidence: calibration error {evaluation.calibration_error:.1%}; "
                f"checking the {share:.1%} of lines that are least sure makes 99% right"
            )
            if evaluation.confidence_is:
                rows.append(f"  confidence is {evaluation.confidence_is}")
        speed = evaluation.counts.lines / max(evaluation.cpu_seconds, 1e-9)
        rows.append(f"  {evaluation.seconds:.1f} s, {speed:.0f} lines per CPU-second, pictures decoded")
    return "\n".join(rows)
