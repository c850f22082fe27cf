"""`crnn convert` from words on the command line to an exit code."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from crnn.core.image import printable
from crnn.data.convert.driver import WRITERS, convert
from crnn.data.sources import LineSource, ReadOptions, open_source
from crnn.data.sources.views import Concatenation, Selection
from crnn.data.split import load_side
from crnn.errors import CrnnError, DataError


def run(args: Namespace) -> int:
    """Run the command.

    Returns:
        0 if all lines are in the result, 1 if some had to be left out.

    Raises:
        CrnnError: naming what cannot be read or written.
        KeyboardInterrupt: once it is said how to go on.
    """
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    target = Path(args.target)
    kind = _kind(args.to, target)
    _refuse_inside(target, args.data)
    options = ReadOptions(args.name_pattern, args.text_column, args.image_column)
    opened = [open_source(path, options) for path in args.data]
    source: LineSource = opened[0] if len(opened) == 1 else Concatenation(opened)
    identity = " ".join(one.signature for one in opened)
    if args.split:
        split = Path(args.split)
        source = Selection(source, load_side(split, source))
        identity += hashlib.sha256(split.read_bytes()).hexdigest()

    def watch(positions: Iterable[int], total: int, doing: str) -> Iterable[int]:
        return track(positions, doing, total, transient=True, disable=not console.is_terminal, console=console)

    try:
        done = convert(source, identity, target, kind, watch)
    except KeyboardInterrupt:
        console.print(f"crnn: stopped; the same command goes on ({printable(target)}.part holds what is done)")
        raise
    went_on = f" (an earlier attempt had come to line {done.resumed_at:,})" if done.resumed_at else ""
    print(f"{printable(done.target)}: {done.lines:,} lines written, read back and compared{went_on}")
    if done.skipped:
        print(f"{printable(done.target)}.skipped.tsv: {done.skipped:,} lines could not be written, and why")
    return 1 if done.skipped else 0


def _kind(to: str | None, target: Path) -> str:
    kind = to or {"": "", ".mdb": "lmdb"}.get(target.suffix.lower(), target.suffix.lower()[1:])
    if kind not in WRITERS:
        raise CrnnError(f"{printable(target)}: does not tell the format; add --to with one of {', '.join(WRITERS)}")
    return kind


def _refuse_inside(target: Path, data: Iterable[str]) -> None:
    for path in data:
        if Path(path).resolve() in (target.resolve(), *target.resolve().parents):
            raise DataError(f"{printable(target)}: lies in {printable(path)}, which is read; name a place elsewhere")
