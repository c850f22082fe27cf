"""`crnn evaluate` and `crnn compare` from words on the command line to an exit code."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crnn.core.file_kind import file_kind
from crnn.core.recognizer import Recognizer
from crnn.data.progress import busy, watch_on_terminal
from crnn.data.recorded import recorded_lines
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.registry import refuse_several_sets
from crnn.errors import ConfigError, DataError, ModelFileError, printable
from crnn.loader import MODEL_SUFFIXES, load, model_file, model_first, refuse_models
from crnn.models import NAMES
from crnn.report.compare import compare, compare_table
from crnn.report.compare_page import render_comparison
from crnn.report.doubts import look_again
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation
from crnn.report.outputs import has_confidences, judge_output
from crnn.report.page import START, write_page
from crnn.report.table import table
from crnn.report.target import check_target, save


def run_evaluate(args: Namespace, decoder: Mapping[str, Any]) -> int:
    """Run ``crnn evaluate``.

    Returns:
        0, or 1 if a line could not be judged (its picture cannot be read, its label is empty), or rows of a file of
        readings are missing, come twice, or belong to no line.

    Raises:
        CrnnError: for a model, lines or readings that cannot be used, no line that could be judged, and a page that
            cannot be written; the figures are printed all the same then.
    """
    if args.html:
        check_target(Path(args.html), START)
    if args.reference:
        if args.model or args.split or len(args.data) != 1:
            raise ConfigError("--reference goes with one file of readings: crnn evaluate A.jsonl --reference my_lines")
        evaluations = [judge_output(Path(args.data[0]), _one_set(args.reference), args.limit)]
    else:
        evaluations = _by_model(args, decoder)
    if not any(one.lines for one in evaluations):
        raise DataError(_none_judged(evaluations))
    try:
        if args.html:
            write_page(Path(args.html), evaluations)
    finally:  # what may have taken an hour
        if args.json:
            print(json.dumps([one.to_dict() for one in evaluations], indent=2, ensure_ascii=False))
        else:
            print(table(evaluations))
    return int(not all(map(_is_whole, evaluations)))


def _is_whole(evaluation: Evaluation) -> bool:
    """Whether every line was judged, and every row of a file of readings belonged to one."""
    return not evaluation.left_out and not any(evaluation.unmatched.values())


def _none_judged(evaluations: Sequence[Evaluation]) -> str:
    left_out = [line for one in evaluations for line in one.left_out]
    names = ", ".join(printable(one.source) for one in evaluations)
    return f"{names}: no line could be judged; the first of {len(left_out):,}: {printable(left_out[0], 400)}"


def _by_model(args: Namespace, decoder: Mapping[str, Any]) -> list[Evaluation]:
    if args.model is None:
        model, paths = model_first(args.data)
    else:
        refuse_models(args.data)
        model, paths = args.model, args.data
    is_bundled = model is None or model in NAMES
    if is_bundled and (args.split or not paths):
        raise ConfigError("no lines named; the bundled model has none of its own: crnn evaluate my_lines/test")
    sources: list[LineSource] = [_one_set(path) for path in paths]
    for path in paths:
        if has_confidences(Path(path)):
            lines = next((printable(other) for other in paths if other != path), "my_lines")
            raise DataError(
                f"{printable(path)}: holds readings, which would be taken for labels here; to judge them by labels: "
                f"crnn evaluate {printable(path)} --reference {lines}; if they are labels, write them as such: "
                f"crnn convert {printable(path)} labels --to tsv"
            )
    recognizer = _load(model, args, decoder)
    if model is not None and (args.split or not sources):
        sources.append(recorded_lines(recognizer.card.training, args.split or "val", model_file(model)))
    evaluations = []
    for source in sources:
        evaluations.append(evaluate(recognizer, source, args.limit, bool(args.html), watch_on_terminal))
        evaluations[-1].reader = model or NAMES[0]
        if args.html or args.json:
            with busy("looking again at what differs from its label"):
                look_again(recognizer, evaluations[-1])
    return evaluations


def _one_set(path: str) -> LineSource:
    refuse_several_sets(path)
    return open_source(path)


def _load(model: str | None, args: Namespace, decoder: Mapping[str, Any]) -> Recognizer:
    return load(model, args.threads, args.device, args.batch_size, args.precision, trim=args.trim, **decoder)


def run_compare(args: Namespace) -> int:
    """Run ``crnn compare``; returns 0, or 1 as `run_evaluate` does.

    Raises:
        CrnnError: as `run_evaluate`.
    """
    if args.html:
        check_target(Path(args.html), START)
    source = _one_set(args.lines)
    both = []
    for reader in (args.a, args.b):
        if _is_readings(reader):
            both.append(judge_output(Path(reader), source, args.limit))
        else:
            both.append(evaluate(_load(reader, args, {}), source, args.limit, watch=watch_on_terminal))
            both[-1].reader = reader
    if not all(one.lines for one in both):
        raise DataError(_none_judged([one for one in both if not one.lines]))
    comparison = compare(both[0], both[1], args.limit)
    if not comparison.lines:
        raise DataError(f"{printable(source.name)}: A and B have read no line in common; there is nothing to compare")
    try:
        if args.html:
            save(Path(args.html), render_comparison(comparison))
    finally:
        if args.json:
            print(json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False))
        else:
            print(compare_table(comparison))
    return int(not all(map(_is_whole, both)))


def _is_readings(word: str) -> bool:
    """Whether it is a file of readings, not a model."""
    path = Path(word)
    if word in NAMES or path.is_dir() or path.suffix.lower() in MODEL_SUFFIXES:
        return False
    try:
        return not file_kind(path)
    except ModelFileError:
        return True
