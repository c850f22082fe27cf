"""What is said about the lines before the first step, and what stops a run."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence

import numpy as np

from crnn.core.charset import Charset, describe
from crnn.core.transform import LineTransform
from crnn.data.check import CheckReport
from crnn.data.labels import CANNOT_FIT, UNKNOWN_CHARACTER, fit_problem
from crnn.data.module import PreparedLines
from crnn.data.sources.columns import entries, labels
from crnn.data.split import leaks
from crnn.errors import DataError
from crnn.training.run_folder import RunFolder

NAMED = 5
"""Characters that are named in full."""


def report_lines(
    train: Sequence[PreparedLines],
    val: PreparedLines,
    charset: Charset,
    transform: LineTransform,
    folder: RunFolder,
    unknown: str,
    max_dropped: float,
    extra: str = "",
) -> None:
    """Say what is kept and dropped, and write ``dropped.tsv``.

    Args:
        train: of each source.
        val: of all.
        charset, transform: of the model.
        folder: of the run.
        unknown: ``error`` refuses training labels outside the charset, ``drop`` leaves them out.
        max_dropped: more dropped lines than this share (0..1) of a source stop the run.
        extra: characters that the settings add already.

    Raises:
        DataError: naming the first lines and what to do.
    """
    reports = [report for part in train for report in part.reports]
    if unknown == "error":
        _refuse_unknown(reports, len(charset), extra)
    dropped = [dropped for report in [*reports, *val.reports] for dropped in report.dropped]
    if folder.first and (reports or val.reports):
        CheckReport("", dropped=dropped).write_dropped(folder.path / "dropped.tsv")
    for report in [*reports, *val.reports]:
        report.refuse_if_too_many(max_dropped)
    for name, some in (("training", reports), ("validation", val.reports)):
        for report in some:
            see = f"; see {folder.path / 'dropped.tsv'}" if report.dropped else ""
            folder.say(f"{name}: {report.summary()}{see}")
    _say_unknown(val, charset, folder)
    _say_unfit(val, charset, transform, folder)
    if reports:
        _say_leaks(train, val, folder)


def _refuse_unknown(reports: list[CheckReport], classes: int, extra: str) -> None:
    """Name all characters at once: with each line by itself, a user would start as often."""
    lines = [dropped for report in reports for dropped in report.dropped if dropped.reason == UNKNOWN_CHARACTER]
    if not lines:
        return
    counts = sum((report.unknown for report in reports), Counter())
    often = [symbol for symbol, _ in counts.most_common()]
    named = ", ".join(describe(symbol) for symbol in often[:NAMED])
    more = f" and {len(often) - NAMED} more" if often[NAMED:] else ""
    held = f"{lines[0].where}: holds" if len(lines) == 1 else f"{lines[0].where} and {len(lines) - 1:,} more lines hold"
    setting = shlex.quote(f"charset.extra={extra}{''.join(often)}")
    raise DataError(
        f"{held} {named}{more}, not among the {classes} characters; add with {setting}, or leave such lines out with "
        "data.unknown=drop"
    )


def _say_unknown(val: PreparedLines, charset: Charset, folder: RunFolder) -> None:
    """Validation lines that no reading can get right are kept (they count as errors) and named."""
    missing: dict[str, int] = {}
    for text in labels(val.source):
        for symbol in charset.unknown(text):
            missing[symbol] = missing.get(symbol, 0) + 1
    if missing:
        first = sorted(missing.items())[:10]
        named = ", ".join(f"{symbol!r} in {count} line{'s' if count > 1 else ''}" for symbol, count in first)
        characters = "1 character" if len(missing) == 1 else f"{len(missing)} characters"
        folder.say(f"note: validation has {characters} that training lacks ({named}); they count as errors")


def _say_unfit(val: PreparedLines, charset: Charset, transform: LineTransform, folder: RunFolder) -> None:
    """Likewise those with more characters than CTC has time steps for."""
    sizes = val.sizes(0).tolist()
    problems = [
        (entry, fit_problem(entry.text, charset, tuple(size), transform))
        for entry, size in zip(entries(val.source), sizes, strict=True)
    ]
    unfit = [(entry, problem[1]) for entry, problem in problems if problem and problem[0] == CANNOT_FIT]
    if unfit:
        entry, why = unfit[0]
        folder.say(
            f"note: {len(unfit):,} of {len(sizes):,} validation lines have more characters than time steps; they count "
            f"as errors; the first is {entry.where}: {why}"
        )


def _say_leaks(train: Sequence[PreparedLines], val: PreparedLines, folder: RunFolder) -> None:
    """Name what makes a validation easier than the world: pictures, pages or writers on both sides."""
    hashes = np.concatenate([report.hashes for part in train for report in part.reports])
    both = np.intersect1d(hashes, np.concatenate([report.hashes for report in val.reports]))
    if len(both[both != 0]):
        folder.say(f"note: {len(both[both != 0]):,} pictures are among both training and validation lines")
    real = [part.source for part in train if not part.source.endless]
    leak = leaks(real, [val.source])
    if leak:
        folder.say(f"note: {leak}")
