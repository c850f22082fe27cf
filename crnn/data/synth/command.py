"""`crnn synth` from words on the command line to an exit code."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from pathlib import Path

from crnn.core.charsets import NAMES, SET_PREFIX, named_set
from crnn.data.convert.run import convert
from crnn.data.progress import watch_on_terminal
from crnn.data.sources.base import LineSource
from crnn.data.synth.sheet import contact_sheet
from crnn.data.synth.source import synthetic_pair
from crnn.data.synth.text import PRINTABLE_ASCII
from crnn.errors import ConfigError, DataError, printable, unwritten
from crnn.files import write_atomic
from crnn.signals import exit_code

MOST_LINES = 100_000_000


def run(args: Namespace) -> int:
    """Run the command.

    Returns:
        0, or 130 if it was interrupted.

    Raises:
        CrnnError: for arguments that do not go together, fonts that do not suffice, and what `convert` raises.
    """
    if not args.output and not args.sheet:
        raise ConfigError("nothing to write: name a folder or file for the lines, or --sheet FILE.png")
    lines = source_of(args)
    if args.sheet:
        _write_sheet(lines, Path(args.sheet))
        print(f"{printable(args.sheet)}: a sheet of lines")
    if not args.output:
        return 0
    given = {name: str(getattr(args, name)) for name in _OPTIONS}
    target = Path(args.output)
    if not args.to and target.suffix.lower() in _OTHER_FILES:
        raise ConfigError(f"{printable(target)}: is written as no such file; name a folder, .lmdb, .parquet or .tar")
    to = args.to or (None if target.suffix in (".lmdb", ".parquet", ".tar") else "tsv")
    start = time.perf_counter()
    try:
        done = convert(lambda _: lines, target, to, {"rendered": repr(given)}, watch=watch_on_terminal)
    except KeyboardInterrupt as stop:
        print("crnn: stopped; the same command goes on where it was", file=sys.stderr)
        return exit_code(stop)
    seconds = time.perf_counter() - start
    print(f"{printable(args.output)}: {done.lines:,} lines rendered and read back, fingerprint {done.fingerprint}")
    print(f"{printable(args.output)}: {done.lines / seconds:,.0f} lines/s, writing and reading back included")
    return 0


_OTHER_FILES = (".zip", ".gz", ".tgz", ".csv", ".tsv", ".json", ".jsonl", ".arrow", ".mdb", ".png")
_OPTIONS = (
    "lines",
    "side",
    "seed",
    "fonts",
    "characters",
    "languages",
    "text",
    "text_order",
    "min_length",
    "max_length",
    "wear",
)


def source_of(args: Namespace) -> LineSource:
    """The lines that the options ask for."""
    if not 1 <= args.lines <= MOST_LINES:
        raise ConfigError(f"--lines {args.lines}: from 1 to {MOST_LINES:,} are allowed")
    if args.text_order and not args.text:
        raise ConfigError(f"--text-order {args.text_order} goes with --text FILE, whose lines it learns from")
    pair = synthetic_pair(
        lines=args.lines,
        val_lines=args.lines,
        seed=args.seed,
        characters=_characters(args.characters),
        fonts=args.fonts or "auto",
        text_file=args.text,
        min_length=args.min_length,
        max_length=args.max_length,
        wear=args.wear,
        languages=args.languages.split(","),
        text_order=args.text_order,
    )
    return pair[args.side == "val"]


def _characters(given: str | None) -> str:
    if given is None:
        return PRINTABLE_ASCII
    if not given.startswith(SET_PREFIX):
        return given
    name = given.removeprefix(SET_PREFIX)
    if name not in NAMES:
        raise ConfigError(f"--characters {given}: there is no such set; sets are {', '.join(NAMES)}")
    return "".join(named_set(name))


def _write_sheet(lines: LineSource, path: Path) -> None:
    try:
        with write_atomic(path) as temporary:
            contact_sheet(lines).save(temporary, "PNG", optimize=True)
    except OSError as error:
        raise DataError(unwritten(path, error)) from None
