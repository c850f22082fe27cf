"""`crnn convert` from words on the command line to an exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from crnn.data.convert.base import Converted
from crnn.data.convert.job import make_job
from crnn.data.convert.part import counted
from crnn.data.convert.run import convert
from crnn.data.progress import watch_on_terminal
from crnn.data.sources.base import ReadOptions
from crnn.errors import printable
from crnn.signals import exit_code


def run(args: Namespace) -> int:
    """Run the command.

    Returns:
        0 if all lines were converted, 1 if some were left out (and named), 130 if it was interrupted.

    Raises:
        CrnnError: for arguments that do not go together, and what `convert` raises.
    """
    target = Path(args.target)
    options = ReadOptions(args.name_pattern, args.text_column, args.image_column)
    try:
        job = make_job(args.source, target, options, Path(args.split) if args.split else None)
        done = convert(
            lambda cache: job.open(cache, lambda rows: watch_on_terminal(rows, None, "listing")),
            target,
            args.to,
            job.names,
            args.shard_size * 2**20,
            job.side,
            watch_on_terminal,
        )
    except KeyboardInterrupt as stop:
        part = target.with_name(f"{target.name}.part")
        if (part / "state.json").exists():
            print(f"crnn: stopped; what is done is in {printable(part)}, the same command goes on", file=sys.stderr)
        return exit_code(stop)
    print(_told(done))
    return 1 if done.left_out else 0


def _told(done: Converted) -> str:
    """What a person wants to know of a conversion."""
    where = printable(done.target)
    lines = [f"{where}: {done.lines:,} lines written and read back, the same labels and pictures"]
    if done.resumed_at:
        lines[0] += f" (gone on with after line {done.resumed_at:,})"
    lines.append(f"{where}: fingerprint {done.fingerprint}")
    if done.unusable:
        lines.append(
            f"{where}: a training would drop {done.unusable.total():,} of these lines, as it would before: "
            f"{counted(done.unusable)}; crnn check names them"
        )
    if done.skipped:
        lines.append(
            f"{where}: {done.left_out.total():,} lines left out: {counted(done.left_out)}; "
            f"{printable(done.skipped)} names them"
        )
    return "\n".join(lines)
