"""Commands about labelled lines: check, convert, synth."""

from __future__ import annotations

import argparse

from crnn.cli.options import NewCommand, add_format_options, positive


def add_check(command: NewCommand) -> None:
    """`crnn check`."""
    check = command(
        "check",
        _check,
        "what is wrong with labelled lines, before training",
        "crnn check my_lines/train --html page.html",
    )
    check.add_argument("data", nargs="*", metavar="DATA", help="training lines; or a folder with train/ and val/ in it")
    check.add_argument("--val", nargs="+", metavar="DATA", help="validation lines")
    check.add_argument(
        "--model", metavar="MODEL", help="check against the characters and height of a model, or 'bundled'"
    )
    check.add_argument("--charset", metavar="CHARS", help="characters allowed: a text file, set:NAME, or themselves")
    check.add_argument("--height", type=positive, metavar="H", help="of the network in pixels (32)")
    check.add_argument(
        "--trim",
        action=argparse.BooleanOptionalAction,
        help="cut paper around lines off, as data.trim (where lines are cropped loosely)",
    )
    check.add_argument("--headers-only", action="store_true", help="do not decode pictures: faster, finds less")
    check.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.add_argument("--html", metavar="FILE", help="write a page with pictures")
    check.add_argument("--findings", metavar="FILE", help="write all findings as a tab-separated table")
    check.add_argument("--fix", metavar="DIR", help="write a mended copy there: labels.tsv, images/, what changed")
    check.add_argument("--kinds", action="store_true", help="list what is looked for")
    add_format_options(check)


def _check(args: argparse.Namespace) -> int:
    from crnn.inspect.command import check

    return check(args)


def add_convert(command: NewCommand) -> None:
    """`crnn convert`."""
    convert = command(
        "convert",
        _convert,
        "write labelled lines in another format, and read them back",
        "crnn convert my_lines/train lines.parquet",
    )
    convert.add_argument("source", nargs="+", metavar="SRC", help="lines in any format that is read")
    convert.add_argument("target", metavar="DST", help="new file or folder; stopped half-way, the same command goes on")
    convert.add_argument(
        "--to",
        choices=("lmdb", "parquet", "tar", "tsv", "gt"),
        help="format (as DST ends: .lmdb, .parquet or .tar). lmdb: PARSeq's; parquet: Hugging Face's; tar: WebDataset; "
        "tsv: labels.tsv and images/; gt: .gt.txt beside each picture. A DST named .parquet or .tar is one file, any "
        "other a folder of shards",
    )
    convert.add_argument("--split", metavar="FILE", help="only these lines: runs/NAME/splits/val.tsv of a training")
    convert.add_argument(
        "--shard-size", type=positive, default=256, metavar="MB", help="largest file in a folder of shards (256)"
    )
    add_format_options(convert)


def _convert(args: argparse.Namespace) -> int:
    from crnn.data.convert.command import run

    return run(args)


def add_synth(command: NewCommand) -> None:
    """`crnn synth`."""
    synth = command(
        "synth",
        _synth,
        "write rendered lines as a labelled set, or look at some on one picture",
        "crnn synth lines/train --lines 10000 --languages en,de --characters set:latin --sheet sheet.png",
    )
    synth.add_argument("output", nargs="?", metavar="OUT", help="new folder, or .lmdb, .parquet, .tar as of convert")
    synth.add_argument("--to", choices=("lmdb", "parquet", "tar", "tsv", "gt"), help="format (as OUT ends, else tsv)")
    synth.add_argument("--lines", type=int, default=1000, metavar="N", help="how many (1000)")
    synth.add_argument("--sheet", metavar="FILE", help="a PNG of the first 48 lines and their labels")
    synth.add_argument(
        "--side", choices=("train", "val"), default="train", help="val: held-out fonts and words (train)"
    )
    synth.add_argument("--seed", type=int, default=1, help="the same seed gives the same lines (1)")
    synth.add_argument("--fonts", nargs="+", metavar="PATH", help="font files and folders (matplotlib's, the system's)")
    synth.add_argument("--characters", metavar="TEXT", help="allowed ones, or set:latin ... (printable ASCII)")
    synth.add_argument("--languages", default="en", metavar="en,de", help="of the words (en)")
    synth.add_argument("--text", metavar="FILE", help="its lines instead")
    synth.add_argument(
        "--text-order", type=int, default=0, metavar="N", help="half of them new, from N characters before"
    )
    synth.add_argument("--min-length", type=int, default=1, metavar="N", help="characters (1)")
    synth.add_argument("--max-length", type=int, default=32, metavar="N", help="characters (32)")
    synth.add_argument("--wear", type=float, default=1.0, help="0 clean .. 1 worn (1)")


def _synth(args: argparse.Namespace) -> int:
    from crnn.data.synth.command import run

    return run(args)
