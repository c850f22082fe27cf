"""`crnn explain shapes|line|saliency|lstm`: what of the command line goes where."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from crnn.errors import ConfigError, printable
from crnn.explain.page import SUFFIXES, suffix_of, write

OPTIONS = {
    "shapes": {"picture", "width", "batch", "model"},
    "line": {"model", "out", "unit", "lang"},
    "saliency": {"model", "out", "lang"},
    "lstm": {"model", "out", "lang"},
}
"""What is explained -> options that go with it."""


def run(args: Namespace) -> int:
    """Explain, as the command line asks.

    Raises:
        CrnnError: in one line, for anything the user can put right.
    """
    given = {name for name in set().union(*OPTIONS.values()) if getattr(args, name, None) is not None}
    for name in sorted(given - OPTIONS[args.what]):
        homes = [what for what, options in OPTIONS.items() if name in options]
        raise ConfigError(f"--{name} goes with crnn explain {' or '.join(homes)}, not with {args.what}")
    if args.what == "shapes":
        return _shapes(args)
    if len(args.words) > 1:
        raise ConfigError(f"{args.words[1]}: one picture at a time; the model is named with --model")
    if args.out is None:
        raise ConfigError(f"explain {args.what}: name the file to write, as in --out {args.what}.html")
    suffix = suffix_of(args.out, (".html",) if args.what == "lstm" else SUFFIXES)
    for name in (*args.words, args.model):
        if name and os.path.exists(name) and os.path.exists(args.out) and os.path.samefile(name, args.out):
            raise ConfigError(f"{printable(args.out)}: is read here, and would be written over; name another file")
    if args.lang and suffix == ".png":
        raise ConfigError(f"--lang {args.lang}: a picture is in English; name a page, as in --out {args.what}.html")
    if args.what == "lstm":
        return _lstm(args, suffix)
    return {"line": _line, "saliency": _saliency}[args.what](args, suffix)


def _shapes(args: Namespace) -> int:
    from crnn.console import Output
    from crnn.explain.shapes import explain_shapes
    from crnn.loader import model_file
    from crnn.models import NAMES, bundled

    model, settings = args.model, list(args.words)
    if model is None and settings and ("=" not in settings[0] or Path(settings[0]).exists()):
        model = settings.pop(0)
    if model is not None:
        model = str(bundled(".safetensors") if model in NAMES else model_file(model))
    explain_shapes(model, settings, args.picture, args.width, args.batch or 1, Output())
    return 0


def _line(args: Namespace, suffix: str) -> int:
    from crnn.explain.line import trace_or_sample
    from crnn.explain.line_page import line_page, parse_unit
    from crnn.explain.model import open_model

    opened = open_model(args.model)
    line = trace_or_sample(opened, args.words[0] if args.words else None)
    looked_at = parse_unit(args.unit, line)
    if suffix == ".html":
        write(args.out, line_page(opened, line, looked_at, args.lang or "en"))
    else:
        from crnn.explain.line_figure import line_figure, unit_figure

        write(args.out, unit_figure(opened, line, looked_at) if args.unit else line_figure(opened, line))
    print(f"{args.out}: {line.name} reads {line.said}, {line.columns} columns")
    return 0


def _saliency(args: Namespace, suffix: str) -> int:
    from crnn.data.progress import busy
    from crnn.explain.line import trace_or_sample
    from crnn.explain.model import open_model
    from crnn.explain.saliency import saliency
    from crnn.explain.saliency_page import reach_rows, saliency_figure, saliency_page

    opened = open_model(args.model)
    line = trace_or_sample(opened, args.words[0] if args.words else None)
    with busy("following every character back to its pixels"):
        found = saliency(opened, line)
    if suffix == ".html":
        write(args.out, saliency_page(opened, line, found, args.lang or "en"))
    else:
        write(args.out, saliency_figure(opened, line, found))
    print(f"{args.out}: {line.name} reads {line.said}")
    for what, half, most in reach_rows(found, line.step):
        print(f"{what}: half of the influence within {half}, 90 % within {most}")
    return 0


def _lstm(args: Namespace, suffix: str) -> int:
    from crnn.explain.lesson import lesson_page
    from crnn.explain.line import trace_or_sample
    from crnn.explain.model import open_model

    opened = open_model(args.model)
    line = trace_or_sample(opened, args.words[0] if args.words else None)
    write(args.out, lesson_page(opened, line, args.lang or "en"))
    print(f"{args.out}: nn.LSTM, shown on {line.name} that reads {line.text!r}")
    return 0
