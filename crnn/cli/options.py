"""What several commands share: how one is added, and options that mean the same in each."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from crnn.errors import ConfigError

NewCommand = Callable[[str, Callable[[argparse.Namespace], int], str, str], argparse.ArgumentParser]
"""Adds a command to the program: its name, what runs it and returns the exit code, help, and an example; returns its
parser. See `crnn.cli.make_parser`."""


def add_format_options(parser: argparse.ArgumentParser) -> None:
    """Which part of a name or table is the label; see `crnn.data.sources.base.ReadOptions`."""
    parser.add_argument("--name-pattern", metavar="REGEX", help="labels are in file names; as data.name_pattern")
    parser.add_argument("--text-column", metavar="NAME", help="as data.text_column")
    parser.add_argument("--image-column", metavar="NAME", help="as data.image_column")


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """How and where a model runs."""
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads (default: the library's choice)")
    parser.add_argument("--device", help="cpu or cuda, not for .onnx (cuda if there is one)")
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        metavar="KIND",
        help="float32; on a GPU bfloat16, float16, not for .onnx",
    )
    parser.add_argument("--batch-size", type=positive, metavar="N", help="most lines run together (8; GPU 32)")
    add_trim(parser, "as the file says")


def add_trim(parser: argparse.ArgumentParser, default: str) -> None:
    """Whether lines are trimmed, see `crnn.core.trim`; `default` says what they are otherwise."""
    parser.add_argument(
        "--trim",
        action=argparse.BooleanOptionalAction,
        help=f"cut paper around lines off ({default})",
    )


def add_decoder_options(parser: argparse.ArgumentParser, lm: str = "", weight: str = "0.3", bonus: str = "0.6") -> None:
    """How a model's output becomes text.

    Args:
        parser: of the command.
        lm: what ``--lm`` takes besides texts, for its help.
        weight, bonus: what they are where they are not given, for their help.
    """
    parser.add_argument("--beam", type=int, metavar="N", help="beam search that keeps N texts (10); 0: greedy")
    parser.add_argument("--lm", metavar="TEXTS", help=f"prefer texts like these: of a file, or labelled lines{lm}")
    parser.add_argument("--lm-weight", type=float, metavar="A", help=f"of that language model ({weight})")
    parser.add_argument("--length-bonus", type=float, metavar="B", help=f"per character, with --lm ({bonus})")
    parser.add_argument("--lexicon", metavar="TEXTS", help="only these texts: as --lm takes them")
    parser.add_argument("--pattern", metavar="REGEX", help="only texts that match as a whole are possible")
    parser.add_argument("--decoder", metavar="NAME", help="another, of an installed package (or as JSON)")


DECODING = ("beam", "lm", "lm_weight", "length_bonus", "lexicon", "pattern", "decoder")
"""The options of `add_decoder_options`."""
_RUNNING = {"threads": None, "device": None, "precision": "float32", "batch_size": None, "trim": None}


def refuse_model_options(args: argparse.Namespace, why: str, **others: object) -> None:
    """Refuse options of a model that reads, and of how, where none reads.

    Args:
        args: of the command.
        why: what was asked for in place of it, such as ``--merge``.
        others: further options and their defaults.

    Raises:
        ConfigError: naming them.
    """
    defaults = _RUNNING | dict.fromkeys(DECODING) | others
    given = ["--" + name.replace("_", "-") for name, default in defaults.items() if getattr(args, name) != default]
    if given:
        raise ConfigError(f"{why}: no model reads here, so {', '.join(given)} would change nothing; leave it out")


def decoder_of(args: argparse.Namespace, word: str | None = None) -> dict[str, Any]:
    """The options of `add_decoder_options`, None where not given; `crnn.load` takes them so.

    Args:
        args: of the command.
        word: that is no path, but means something to the command; it stays as it is.

    Raises:
        DataError: for a folder of ``--lm`` or ``--lexicon`` that holds no labelled lines.
    """
    given = {name: getattr(args, name) for name in DECODING}
    if given["lm"] is not None or given["lexicon"] is not None:
        from crnn.data.sources.label_texts import texts_of

        given |= {name: texts_of(given[name]) for name in ("lm", "lexicon") if given[name] not in (None, word)}
    return given


def positive(text: str) -> int:
    """A whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not 1 or more")
    return value


def above_0(text: str) -> float:
    """A number above 0 and below infinity."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def minutes(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{value:g} is not more than 0")
    return value
