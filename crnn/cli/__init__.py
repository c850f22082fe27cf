"""The console script ``crnn``. Its commands are in the files beside this one, those of one theme together.

Each imports what it needs when it runs.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from difflib import get_close_matches

from crnn import __version__
from crnn.cli import explain, export, judging, lines, reading, serve, training
from crnn.errors import CrnnError, CrnnWarning
from crnn.libraries import said_of
from crnn.machine import set_thread_policy
from crnn.signals import exit_code, sigterm_like_ctrl_c

set_thread_policy()

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
COMMANDS = (  # in the order of the help
    training.add_train,
    lines.add_check,
    lines.add_convert,
    lines.add_synth,
    reading.add_recognize,
    judging.add_evaluate,
    judging.add_compare,
    export.add_export,
    reading.add_inspect,
    explain.add_explain,
    serve.add_serve,
    training.add_curves,
    training.add_sweep,
)


PRINTING = ("recognize", "check", "evaluate", "compare", "inspect", "explain")
"""Commands whose work is what they print."""


def make_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of the program, and those of its commands."""
    parser = argparse.ArgumentParser(
        prog="crnn",
        description="Train a text-line recogniser, read images with it, carry it away as one file.",
        epilog="example: crnn recognize line.png; crnn train data.root=my_lines && crnn recognize runs/NAME line.png",
    )
    parser.add_argument("--version", action="version", version=f"crnn {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], int], help: str, example: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help, epilog=f"example: {example}")
        sub.set_defaults(run=run)
        return sub

    for add in COMMANDS:
        add(command)
    return parser, commands.choices


def _note(message: Warning | str, *_: object) -> None:
    print(f"crnn: note: {message}", file=sys.stderr)


def _drop_output() -> None:
    """What was printed and cannot be written is not tried again at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Closed(io.TextIOWrapper):
    """In place of a standard output that whoever started this closed: takes everything, and knows whether it did."""

    taken = False

    def write(self, text: str) -> int:
        self.taken = True
        return super().write(text)


def _open_closed_streams() -> None:
    """Standard streams that whoever started this closed read nothing, and take everything."""
    if sys.stdout is None:
        sys.stdout = _Closed(open(os.devnull, "wb"), "utf-8")  # noqa: SIM115  # until the process ends
    for name, mode in (("stdin", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0; 1 if a picture could not be read, a line not converted or judged, a reading not matched, or
        if training would refuse the lines; 2 for an error, said in one line on standard error.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    if words[:1] == ["train"]:  # Hydra has its own --help, -m ...
        args = argparse.Namespace(run=training.train, settings=words[1:])
    else:
        parser, commands = make_parser()
        if words and (alike := get_close_matches(words[0], commands, 1)) and words[0] not in commands:
            parser.error(f"there is no command {words[0]!r}; did you mean {alike[0]}? crnn --help lists all")
        if words and words[0] in commands:  # intermixed: options may stand between and after the paths
            args = commands[words[0]].parse_intermixed_args(words[1:])
        else:
            args = parser.parse_args(words)
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", CrnnWarning)
    warnings.showwarning = _note  # type: ignore[assignment]  # looks at the message only
    if isinstance(sys.stdout, io.TextIOWrapper):  # what UTF-8 cannot hold, such as half a character, as its escape
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with sigterm_like_ctrl_c():
            code = int(args.run(args))
        sys.stdout.flush()  # a full disk is noticed now, and not when nobody can say so any more
        if isinstance(sys.stdout, _Closed) and sys.stdout.taken and words[0] in PRINTING:
            print("crnn: standard output: is closed, and what was printed is lost", file=sys.stderr)
            return 2
        return code
    except CrnnError as error:
        print(f"crnn: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        said = said_of(error, words[0])
        if said is None:
            raise
        print(f"crnn: {said}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader went away, as in 'crnn recognize ... | head'
        _drop_output()
        return 141
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        if error.filename is None and error.errno in _FULL:
            print(f"crnn: standard output, or a file: cannot be written ({error.strerror})", file=sys.stderr)
            _drop_output()
            return 2
        if error.filename is None:
            raise
        from crnn.errors import printable

        print(f"crnn: {printable(error.filename)}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        return exit_code(stop)
