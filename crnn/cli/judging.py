"""Commands that say how well models read: evaluate, compare."""

from __future__ import annotations

import argparse

from crnn.cli.options import (
    NewCommand,
    add_decoder_options,
    add_reading_options,
    decoder_of,
    positive,
    refuse_model_options,
)


def add_evaluate(command: NewCommand) -> None:
    """`crnn evaluate`."""
    evaluate = command(
        "evaluate",
        _evaluate,
        "error rates of a model on labelled lines",
        "crnn evaluate my_lines/test; or with a model of your own: crnn evaluate model.onnx my_lines/test",
    )
    evaluate.add_argument(
        "data",
        nargs="*",
        metavar="[MODEL] DATA",
        help="a model file or run folder (without one: the bundled model); then labelled lines (the run's validation "
        "lines)",
    )
    evaluate.add_argument("--model", metavar="MODEL", help="the model, wherever it stands; all else is lines then")
    evaluate.add_argument("--split", choices=("train", "val", "test"), help="that side of the lines of the model's run")
    evaluate.add_argument("--limit", type=positive, metavar="N", help="only the first N lines")
    evaluate.add_argument("--html", metavar="FILE", help="write a page: figures, confusions, lines with pictures")
    evaluate.add_argument("--json", action="store_true", help="print JSON, with probable label errors")
    evaluate.add_argument(
        "--reference", metavar="DATA", help="judge a file of readings (crnn recognize --format jsonl or tsv) by these"
    )
    add_reading_options(evaluate)
    add_decoder_options(evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    from crnn.report.command import run_evaluate

    if args.reference:
        refuse_model_options(args, f"--reference {args.reference}")
    return run_evaluate(args, decoder_of(args))


def add_compare(command: NewCommand) -> None:
    """`crnn compare`."""
    compare = command(
        "compare",
        _compare,
        "two models, or two files of readings, on the same lines",
        "crnn compare old.onnx new.onnx my_lines/test",
    )
    readings = "a model file, run folder or 'bundled'; or readings as crnn recognize --format jsonl or tsv prints them"
    compare.add_argument("a", metavar="A", help=readings)
    compare.add_argument("b", metavar="B", help="the other")
    compare.add_argument("lines", metavar="DATA", help="labelled lines")
    compare.add_argument("--limit", type=positive, metavar="N", help="only the first N lines")
    compare.add_argument("--html", metavar="FILE", help="write a page: who wins which line, both readings by the label")
    compare.add_argument("--json", action="store_true", help="print JSON")
    add_reading_options(compare)


def _compare(args: argparse.Namespace) -> int:
    from crnn.report.command import run_compare

    return run_compare(args)
