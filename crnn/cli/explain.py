"""`crnn explain`: what happens inside."""

from __future__ import annotations

import argparse

from crnn.cli.options import NewCommand, positive


def add_explain(command: NewCommand) -> None:
    """`crnn explain`."""
    explain = command("explain", _explain, "show what happens inside", "crnn explain line picture.png --out page.html")
    explain.add_argument(
        "what",
        metavar="WHAT",
        choices=("shapes", "line", "saliency", "lstm"),
        help="shapes, line, saliency or lstm. "
        "shapes: of every stage and of the LSTM's parameters; line: how a line is read, column by column: "
        "log-probabilities, best path, every gate and memory of the LSTM; saliency: which "
        "pixels each character came from, and how far the network looks; lstm: what nn.LSTM is, taught on it",
    )
    explain.add_argument(
        "words",
        nargs="*",
        default=[],  # else argparse says that one is required
        metavar="WORD",
        help="shapes: a model file, or settings as in training (model=crnn ...); else: a picture of a line (without "
        "one: a rendered line)",
    )
    explain.add_argument("--model", metavar="MODEL", help="a model file or run folder (the bundled one)")
    explain.add_argument("--out", metavar="FILE", help="page to write, .html; or picture, .png")
    explain.add_argument(
        "--unit", metavar="[NAME:]N", help="line: the unit to look at first, as in 17 or l0_reverse:17; .png: only that"
    )
    explain.add_argument("--lang", choices=("en", "zh"), help="line, saliency, lstm: language when the page opens (en)")
    explain.add_argument("--picture", metavar="FILE", help="shapes: for this picture")
    explain.add_argument("--width", type=positive, metavar="W", help="shapes: for this width in pixels (64)")
    explain.add_argument("--batch", type=positive, metavar="B", help="shapes: batch size (1)")


def _explain(args: argparse.Namespace) -> int:
    from crnn.explain.command import run

    return run(args)
