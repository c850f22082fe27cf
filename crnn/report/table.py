"""Figures for terminals."""

from __future__ import annotations

from crnn.core.charset import describe
from crnn.core.seen import RARE, Seldom
from crnn.data.sources.views import with_format
from crnn.errors import printable
from crnn.report.bootstrap import Interval
from crnn.report.evaluation import NOT_RECORDED, Evaluation
from crnn.report.figures import WORDLESS, Figures

CONFUSIONS = 8
UNKNOWN = 5
STRANGE_CER = 0.7
"""Readings with more errors than that are probably of other lines."""
SELDOM = {
    "never": "characters never seen in training",
    "rendered": "characters seen in rendered lines alone",
    "rare": f"characters seen fewer than {RARE} times in training",
}


def table(evaluations: list[Evaluation]) -> str:
    """Figures as text, raw first, variants labelled."""
    rows = [f"{'':34}{'CER':>9}  {'(95 %)':14}{'WER':>9}{'exact':>9}  {'(95 %)':14}{'lines':>8}"]
    for evaluation in evaluations:
        source = evaluation.pictures
        rows.append(printable(with_format(source) if source else evaluation.source))
        if evaluation.lines:
            rows += [_figures(name, one, name not in WORDLESS) for name, one in evaluation.figures.items()]
        if len(evaluation.by_length) > 1:
            rows += [_figures(f"{name} characters", one) for name, one in evaluation.by_length.items()]
        rows += [f"  {line}" for line in notes(evaluation)]
    return "\n".join(rows)


def span(interval: Interval | None) -> str:
    """``3.91-4.52``, in per cent."""
    return f"{interval.low * 100:.2f}-{interval.high * 100:.2f}" if interval else "unknown"


def _figures(name: str, one: Figures, words: bool = True) -> str:
    counts = one.counts
    wer = f"{counts.wer:>9.2%}" if words else f"{'':9}"
    return (
        f"  {name:32}{counts.cer:>9.2%}  {span(one.cer):14}{wer}{counts.exact_rate:>9.2%}  {span(one.exact):14}"
        f"{counts.lines:>8}"
    )


def remarks(evaluation: Evaluation) -> list[str]:
    """What has to be known about the figures, one sentence each."""
    said = []
    if evaluation.rules:
        rules = ", ".join(f"{name}={value}" for name, value in evaluation.rules.items())
        said.append(f"labels by the model's text rules: {rules}")
    said += unmatched(evaluation)
    if evaluation.unknown:
        named = [f"{describe(symbol)} {count:,}" for symbol, count in list(evaluation.unknown.items())[:UNKNOWN]]
        said.append(
            f"{len(evaluation.unknown)} character{'s' if len(evaluation.unknown) > 1 else ''} of the labels "
            f"not among the model's: {', '.join(named)}{' ...' if len(evaluation.unknown) > UNKNOWN else ''}"
        )
    said += _new_characters(evaluation)
    if evaluation.case_is_convention:
        said.append("many labels differ from their readings in case alone: case plays no part in probable label errors")
    tally = evaluation.characters
    if tally.space_precision is not None and tally.space_recall is not None:
        said.append(f"spaces: precision {tally.space_precision:.2%}, recall {tally.space_recall:.2%}")
    return said


def unmatched(evaluation: Evaluation) -> list[str]:
    """How many rows of a file of readings belong to no line, and the like; nothing if all is well."""
    said = []
    if any(evaluation.unmatched.values()):
        counts = ", ".join(f"{count:,} {what}" for what, count in evaluation.unmatched.items())
        said.append(f"rows of {printable(evaluation.reader)}: {counts}")
    if evaluation.unmatched and evaluation.counts.cer > STRANGE_CER:
        said.append(
            f"hardly a character of {printable(evaluation.reader)} is right: rows are matched with lines by the names "
            "of the pictures alone; is it of these lines?"
        )
    return said


def _new_characters(evaluation: Evaluation) -> list[str]:
    """On characters that the model can write, but hardly or never saw in training."""
    tally, said = evaluation.characters, []
    misread = tally.misread()
    for kind, title in SELDOM.items():
        mine = [character for character, one in evaluation.seldom.items() if seldom_kind(one) == kind]
        named = [f"{describe(c)} {misread[c]:,} of {tally.references[c]:,} wrong" for c in mine[:UNKNOWN]]
        if mine:
            said.append(f"{title}: {len(mine)}: {', '.join(named)}{' ...' if len(mine) > UNKNOWN else ''}")
    if evaluation.training_counts.startswith(NOT_RECORDED):
        said.append(f"how often each character came in training is {evaluation.training_counts}")
    return said


def seldom_kind(one: Seldom) -> str:
    """Which of `SELDOM` a character is."""
    return "rare" if one.training else "rendered" if one.rendered else "never"


def notes(evaluation: Evaluation) -> list[str]:
    """What else there is to say, one sentence each."""
    said, tally = [], evaluation.characters
    if evaluation.left_out:
        first = printable(evaluation.left_out[0], 400)
        rows = evaluation.unmatched.get("twice", 0) + evaluation.unmatched.get("unknown", 0)
        count = len(evaluation.left_out) - rows
        parts = [f"{count:,} line{'s' * (count > 1)} could not be judged"] * bool(count)
        parts += [f"{rows:,} row{'s' * (rows > 1)} of readings left over"] * bool(rows)
        said.append(f"{' and '.join(parts)}, the first: {first}")
    said += remarks(evaluation)
    there = {name: one for name, one in tally.by_class().items() if one.characters}
    classes = ", ".join(f"{name} {one.error_rate:.2%} of {one.characters:,}" for name, one in there.items())
    if classes:
        said.append(f"errors by character: {classes}")
    confusions = [
        f"{shown(one.pair.true)} as {shown(one.pair.read)} {one.count:,}" for one in tally.ranked()[:CONFUSIONS]
    ]
    if confusions:
        said.append(f"read as another: {', '.join(confusions)}")
    if evaluation.to_check is not None:
        share = evaluation.to_check / len(evaluation.sure[0])
        said.append(
            f"confidence: calibration error {evaluation.calibration_error:.1%}; "
            + (
                f"checking the {share:.1%} of lines that are least sure makes 99% right"
                if share < 1
                else "all lines have to be checked for 99% right"
            )
        )
        if evaluation.confidence_is:
            said.append(f"confidence is {evaluation.confidence_is}")
    if evaluation.seconds:
        speed = evaluation.counts.lines / max(evaluation.cpu_seconds, 1e-9)
        said.append(
            f"{evaluation.seconds:.1f} s, {evaluation.lines_per_second:.0f} lines/s, {speed:.0f} lines per CPU-second, "
            "pictures decoded"
        )
    return said


def shown(character: str) -> str:
    """A character, so that it can be seen; ``nothing`` for none."""
    if not character:
        return "nothing"
    return repr(character) if character.isspace() or not character.isprintable() else character
