"""`crnn check` from words on the command line to an exit code."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from crnn.console import Output
from crnn.core.charset import Charset, characters
from crnn.core.charsets import SET_PREFIX, named_set
from crnn.core.text import TextRules
from crnn.core.transform import LineTransform
from crnn.data.progress import watch_on_terminal
from crnn.data.sources import LineSource, ReadOptions, open_source
from crnn.data.sources.sides import find_side
from crnn.data.sources.utf8 import read_text
from crnn.errors import CrnnError, printable
from crnn.inspect.figures import as_dict
from crnn.inspect.fix import write_fixed
from crnn.inspect.page import PICTURES, START, write_page
from crnn.inspect.results import Inspection, Settings
from crnn.inspect.run import inspect
from crnn.inspect.table import print_inspection, print_kinds
from crnn.inspect.tally import COLUMNS, Tally, findings_table
from crnn.inspect.targets import check_copy
from crnn.loader import read_card
from crnn.model.config import NetworkConfig
from crnn.report.target import check_target

DEFAULT_HEIGHT = 32
_WIDTH = 110
_SETTING = re.compile(r"\+?[a-z_]+(\.[a-z_]+)*=")
_OPTIONS = {
    "data.root": "the folder alone",
    "data.train": "the folder alone",
    "data.val": "--val FOLDER",
    "data.text_column": "--text-column NAME",
    "data.image_column": "--image-column NAME",
    "data.name_pattern": "--name-pattern REGEX",
    "data.trim": "--trim or --no-trim",
    "image.height": "--height H",
    "charset.symbols": "--charset CHARS",
    "charset.source": "--charset FILE, or --model MODEL",
    "init": "--model MODEL",
}
"""Settings of trainings -> what `crnn check` has for them."""


def check(args: Namespace) -> int:
    """Run the command.

    Returns:
        0 if training would accept the lines, or the copy of `args.fix`; 1 if not, or if there are warnings and
        `args.strict`.

    Raises:
        CrnnError: for arguments that do not go together, or data that cannot be opened.
    """
    out = Output(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False, emoji=False)
    if args.kinds:
        print_kinds(out)
        return 0
    train, val = _paths(args.data, args.val)
    settings = _settings(args)
    _check_targets(args, [*args.data, *train, *val])
    options = ReadOptions(args.name_pattern, args.text_column, args.image_column)
    opened = {"train": [open_source(p, options) for p in train], "val": [open_source(p, options) for p in val]}
    notes = [note for some in opened.values() for source in some for note in source.notes]
    sources: dict[str, list[LineSource]] = {side: list(some) for side, some in opened.items()}
    with findings_table(Path(args.findings) if args.findings else None) as writer:
        inspection = inspect(sources["train"], sources["val"], settings, Tally(PICTURES, writer), watch_on_terminal)
    inspection.notes[:0] = notes
    if args.html:
        write_page(Path(args.html), inspection, sources)
    if args.json:
        print(json.dumps(as_dict(inspection), indent=2, ensure_ascii=False))
    else:
        print_inspection(inspection, out)
    if args.fix:
        _fix(Path(args.fix), sources, inspection, Output(stderr=args.json, highlight=False, markup=False))
    refused = inspection.refusals and not args.fix  # what training would leave out is not in the copy
    return 1 if refused or (args.strict and inspection.tally.counts) else 0


def _paths(data: Sequence[str], val: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """(training paths, validation paths); a folder with train/ and perhaps val/ in it stands for these."""
    if not data:
        raise CrnnError("no lines named; give folders or files of labelled lines, as in: crnn check my_lines/train")
    for word in (*data, *(val or ())):
        if _SETTING.match(word) and not os.path.exists(word):
            option = _OPTIONS.get(word.partition("=")[0])
            instead = f"give {option}" if option else "crnn check takes none; name folders or files of labelled lines"
            raise CrnnError(f"{printable(word)}: is a setting of trainings; {instead}")
    if len(data) == 1 and not val:
        sides = [find_side(Path(data[0]), side) for side in ("train", "val")]
        if sides[0]:
            return [str(sides[0])], [str(sides[1])] if sides[1] else []
    return list(data), list(val or [])


def _check_targets(args: Namespace, data: Sequence[str]) -> None:
    """Refuse what could not be written, or what would be written over, before anything is looked at."""
    if args.html and args.findings and Path(args.html).resolve() == Path(args.findings).resolve():
        raise CrnnError("--html and --findings name the same file; give each its own")
    if args.html:
        check_target(Path(args.html), START)
    if args.findings:
        check_target(Path(args.findings), "\t".join(COLUMNS) + "\n")
    if args.fix:
        check_copy(Path(args.fix), data)


def _settings(args: Namespace) -> Settings:
    charset = None
    transform = None
    if args.model:
        if args.charset or args.height:
            raise CrnnError("--model brings its own characters and height; leave out --charset and --height")
        card = read_card(args.model)
        charset, transform = card.charset, card.transform
    elif args.charset:
        charset = _charset(args.charset)
    if transform is None:
        transform = LineTransform(args.height or DEFAULT_HEIGHT)
        NetworkConfig().check(transform.height)  # training would refuse it; every network of configs/model does
    threads = min(8, os.cpu_count() or 1)
    return Settings(transform, charset, decode=not args.headers_only, threads=threads, trim=args.trim)


def _charset(given: str) -> Charset:
    """Of ``set:NAME``, a text file, or the characters themselves."""
    if given.startswith(SET_PREFIX):
        listed: Sequence[str] = named_set(given.removeprefix(SET_PREFIX))
    elif os.path.isfile(given):  # False for a list of characters that is too long for a name
        listed = read_text(Path(given)).splitlines()
    elif given.lower().endswith(".txt"):
        raise CrnnError(f"--charset {printable(given)}: there is no such file; give one, set:NAME or the characters")
    else:
        listed = [given]
    symbols = {symbol for line in listed for symbol in characters(line, TextRules())}
    return Charset(tuple(sorted(symbols)))


def _fix(folder: Path, sources: dict[str, list[LineSource]], inspection: Inspection, out: Console) -> None:
    """Write the mended copy, and say what is in it."""
    for done in write_fixed(folder, sources, inspection, watch_on_terminal):
        out.print(
            f"{done.folder}: {done.lines:,} lines written and read back, {done.changed:,} labels mended (changes.tsv), "
            f"{done.dropped:,} lines left out (dropped.tsv)",
            soft_wrap=True,
        )
    command = shlex.join(["crnn", "train", f"data.root={folder}"])
    out.print(f"training would accept the copy: {command}", soft_wrap=True)
