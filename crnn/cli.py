"""The console script ``crnn``. Each command imports what it needs when it runs."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from crnn import __version__
from crnn.errors import CrnnError, CrnnWarning
from crnn.machine import set_thread_policy

set_thread_policy()


def _train(args: argparse.Namespace) -> int:
    from crnn.training import main

    # as if the script itself had been called: Hydra reads sys.argv, and Lightning starts further processes with it
    sys.argv = [str(Path(main.__file__)), *args.settings]
    main.main()
    return 0


def _recognize(args: argparse.Namespace) -> int:
    from crnn.loader import chosen_file, load
    from crnn.reading.inputs import find_pictures, read_list
    from crnn.reading.recognize import recognize
    from crnn.reading.shards import Shard, make_job, options_of, read_shard

    if args.merge:
        return _merge(args)
    shard = Shard.parse(args.shard) if args.shard else None
    if shard and not args.output:
        raise CrnnError("--shard goes with --out DIR, a folder for the parts")
    model, named = _model_and_paths(args.model, args.paths)
    paths = [*named, *(read_list(args.list, args.null) if args.list else [])]
    if not paths:
        raise CrnnError("no pictures named; give files, folders, patterns, '-' for a picture on stdin, or --list FILE")
    if args.nbest > 1 and args.format != "jsonl":
        raise CrnnError(f"--nbest goes with --format jsonl; {args.format} has one text per line")
    recognizer = load(
        model, args.threads, args.device, args.batch_size, args.precision, nbest=args.nbest, **_decoder(args)
    )
    if shard:
        options = options_of(args.format, args.nbest, args.precision, _decoder(args))
        job = make_job(paths, chosen_file(model, args.device, args.precision), options)
        return read_shard(recognizer, paths, shard, job, Path(args.output))
    return recognize(recognizer, find_pictures(paths), args.format, args.output)


def _merge(args: argparse.Namespace) -> int:
    from crnn.reading.merge import merge

    if args.paths or args.list or args.shard:
        raise CrnnError("--merge takes one folder, and no pictures: crnn recognize --merge DIR --out FILE")
    return merge(Path(args.merge), args.output)


def _model_and_paths(model: str | None, words: list[str]) -> tuple[str | None, list[str]]:
    """The model (None: the bundled one) and what it is to read; see `model_first`."""
    from crnn.loader import model_first

    return model_first(words) if model is None else (model, words)


def _check(args: argparse.Namespace) -> int:
    from crnn.inspect.command import check

    return check(args)


def _convert(args: argparse.Namespace) -> int:
    from crnn.data.convert.command import run

    return run(args)


def _synth(args: argparse.Namespace) -> int:
    from crnn.data.synth.command import run

    return run(args)


def _evaluate(args: argparse.Namespace) -> int:
    from crnn.report.command import run_evaluate

    return run_evaluate(args, _decoder(args))


def _compare(args: argparse.Namespace) -> int:
    from crnn.report.command import run_compare

    return run_compare(args)


def _serve(args: argparse.Namespace) -> int:
    from crnn.serve.command import run

    return run(args)


def _export(args: argparse.Namespace) -> int:
    from crnn.export.command import export_checkpoint

    output = Path(args.output) if args.output else None
    print(export_checkpoint(Path(args.checkpoint), args.to, output, args.data, args.int8, args.half, **_decoder(args)))
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from crnn.reading.describe import run

    return run(args.model, args.json)


def _explain(args: argparse.Namespace) -> int:
    from crnn.explain.command import run

    return run(args)


def _curves(args: argparse.Namespace) -> int:
    from crnn.training.compare import run

    return run(args)


def _sweep(args: argparse.Namespace) -> int:
    from crnn.training.sweep import run

    return run(args)


def _format_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name-pattern", metavar="REGEX", help="labels are in file names; as data.name_pattern")
    parser.add_argument("--text-column", metavar="NAME", help="as data.text_column")
    parser.add_argument("--image-column", metavar="NAME", help="as data.image_column")


def _reading_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=_positive, metavar="N", help="CPU threads (default: the library's choice)")
    parser.add_argument("--device", help="cpu or cuda, not for .onnx (cuda if there is one)")
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="for .safetensors and .ckpt on a GPU (float32)",
    )
    parser.add_argument("--batch-size", type=_positive, metavar="N", help="most lines run together (8; GPU 32)")


def _serve_options(parser: argparse.ArgumentParser) -> None:
    from crnn.serve.command import add_options

    add_options(parser)


def _decoder_options(parser: argparse.ArgumentParser, lm: str) -> None:
    parser.add_argument("--beam", type=int, metavar="N", help="beam search that keeps N texts (10); 0: greedy")
    parser.add_argument("--lm", metavar="FILE", help=f"prefer texts like these: {lm}")
    parser.add_argument("--lm-weight", type=float, metavar="A", help="of that language model (0.3)")
    parser.add_argument("--length-bonus", type=float, metavar="B", help="per character, with a language model (0.6)")
    parser.add_argument("--lexicon", metavar="FILE", help="only these texts: a text file, one per line")
    parser.add_argument("--pattern", metavar="REGEX", help="only texts that match as a whole are possible")


def _decoder(args: argparse.Namespace) -> dict[str, Any]:
    names = ("beam", "lm", "lm_weight", "length_bonus", "lexicon", "pattern")
    return {name: getattr(args, name) for name in names}


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not 1 or more")
    return value


def _minutes(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{value:g} is not more than 0")
    return value


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

    train = command(
        "train", _train, "train on your lines, or on lines rendered on the fly", "crnn train data.root=my_lines"
    )
    train.add_argument("settings", nargs="*", metavar="setting=value", help="see 'crnn train --help' for all")

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
    check.add_argument("--height", type=_positive, metavar="H", help="of the network in pixels (32)")
    check.add_argument("--headers-only", action="store_true", help="do not decode pictures: faster, finds less")
    check.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.add_argument("--html", metavar="FILE", help="write a page with pictures")
    check.add_argument("--findings", metavar="FILE", help="write all findings as a tab-separated table")
    check.add_argument("--fix", metavar="DIR", help="write a mended copy there: labels.tsv, images/, what changed")
    check.add_argument("--kinds", action="store_true", help="list what is looked for")
    _format_options(check)

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
        "--shard-size", type=_positive, default=256, metavar="MB", help="largest file in a folder of shards (256)"
    )
    _format_options(convert)

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

    recognize = command(
        "recognize",
        _recognize,
        "read pictures of text lines",
        "crnn recognize model.onnx lines/ --format jsonl",
    )
    recognize.add_argument(
        "paths",
        nargs="*",
        metavar="[MODEL] PATH",
        help="a model or run folder (else the bundled one); then files, folders, patterns, .tar, .parquet, LMDB; "
        "-: stdin",
    )
    recognize.add_argument("--model", metavar="MODEL", help="the model; all paths are pictures then")
    recognize.add_argument("--list", metavar="FILE", help="paths, one per line (- for stdin)")
    recognize.add_argument("--null", action="store_true", help="they end with NUL (find -print0)")
    recognize.add_argument(
        "--format", choices=("text", "tsv", "jsonl"), default="text", metavar="KIND", help="text, tsv or jsonl (text)"
    )
    recognize.add_argument("-o", "--output", "--out", metavar="FILE", help="write there, whole or not at all (stdout)")
    recognize.add_argument("--shard", metavar="I/N", help="the I-th of N shares, into folder --out")
    recognize.add_argument("--merge", metavar="DIR", help="put all shares there together")
    _reading_options(recognize)
    _decoder_options(recognize, "a text file, one per line")
    recognize.add_argument("--nbest", type=_positive, default=1, metavar="K", help="K likeliest texts, in jsonl (1)")

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
    evaluate.add_argument("--limit", type=_positive, metavar="N", help="only the first N lines")
    evaluate.add_argument("--html", metavar="FILE", help="write a page: figures, confusions, lines with pictures")
    evaluate.add_argument("--json", action="store_true", help="print JSON, with probable label errors")
    evaluate.add_argument(
        "--reference", metavar="DATA", help="judge a file of readings (crnn recognize --format jsonl or tsv) by these"
    )
    _reading_options(evaluate)
    _decoder_options(evaluate, "a text file, one per line")

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
    compare.add_argument("--limit", type=_positive, metavar="N", help="only the first N lines")
    compare.add_argument("--html", metavar="FILE", help="write a page: who wins which line, both readings by the label")
    compare.add_argument("--json", action="store_true", help="print JSON")
    _reading_options(compare)

    export = command(
        "export", _export, "make a model file of a checkpoint", "crnn export runs/NAME/checkpoints/best.ckpt --to onnx"
    )
    export.add_argument("checkpoint", help=".ckpt, or .safetensors")
    export.add_argument("--to", choices=("onnx", "safetensors"), default="onnx", help="format (onnx)")
    export.add_argument("-o", "--output", metavar="FILE", help="of the new file (beside the checkpoint)")
    export.add_argument("--data", metavar="DATA", help="lines to check the file with (the run's validation lines)")
    export.add_argument(
        "--int8",
        action="store_true",
        help="convolutions in 8-bit integers: faster on many CPUs; prints CER before and after, refused if it rises by "
        "more than 0.2 points",
    )
    export.add_argument(
        "--half",
        action="store_true",
        help="weights in float16, half the size (--to safetensors); refused if CER rises by more than 0.05 points",
    )
    _decoder_options(export, "a text file, one per line, or 'train' for the labels of the run; kept in the model file")

    inspect = command("inspect", _inspect, "what a model file says of itself", "crnn inspect runs/NAME/model.onnx")
    inspect.add_argument(
        "model", nargs="?", metavar="MODEL", help=".onnx, .safetensors, .ckpt or a run folder (else the bundled one)"
    )
    inspect.add_argument("--json", action="store_true", help="print JSON: the card, checksum, inputs, outputs ...")

    explain = command("explain", _explain, "show what happens inside", "crnn explain line picture.png --out page.html")
    explain.add_argument(
        "what",
        choices=("shapes", "line", "saliency", "lstm"),
        help="shapes: of every stage and of the LSTM's parameters; line: how a line is read, column by column: "
        "log-probabilities, best path, every gate and memory of the LSTM; saliency: which "
        "pixels each character came from, and how far the network looks; lstm: what nn.LSTM is, taught on it",
    )
    explain.add_argument(
        "words",
        nargs="*",
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
    explain.add_argument("--width", type=_positive, metavar="W", help="shapes: for this width in pixels (64)")
    explain.add_argument("--batch", type=_positive, metavar="B", help="shapes: batch size (1)")

    serve = command(
        "serve", _serve, "read lines over HTTP", "crnn serve; then: curl -F images=@a.png 127.0.0.1:8000/recognize"
    )
    _serve_options(serve)
    _reading_options(serve)

    curves = command(
        "curves",
        _curves,
        "draw the curves of trainings again, and print their CER side by side",
        "crnn curves runs/A runs/B --every 10",
    )
    curves.add_argument("runs", nargs="+", metavar="RUN", help="run folders; curves.png in each is written anew")
    curves.add_argument("--every", type=_minutes, default=5.0, metavar="MINUTES", help="between rows of the table (5)")

    sweep = command(
        "sweep",
        _sweep,
        "many trainings with other settings: which are best?",
        "crnn sweep --study receipts --trials 20 optimizer.lr=log:5e-4..8e-3 model=crnn_small,crnn_fast "
        "augment.elastic=0..0.5 data.root=my_lines trainer.max_epochs=10",
    )
    sweep.add_argument(
        "settings",
        nargs="*",
        metavar="setting=value",
        help="as of crnn train; a value A..B, A..B/STEP, log:A..B or a,b,c is tried out, any other is every trial's",
    )
    sweep.add_argument("--study", default="sweep", metavar="NAME", help="runs go to runs/NAME/000 ... (sweep)")
    sweep.add_argument("--trials", type=_positive, default=20, metavar="N", help="of the study in all (20)")
    sweep.add_argument("--minutes", type=_minutes, metavar="M", help="stop then; the same command goes on")
    sweep.add_argument(
        "--jobs",
        type=_positive,
        default=1,
        metavar="N",
        help="trainings at a time (1); or start the same command several times, on any machine with the same --storage",
    )
    sweep.add_argument(
        "--pruner",
        choices=("median", "hyperband", "none"),
        default="median",
        help="which trials are ended early, by val CER after each epoch (median)",
    )
    sweep.add_argument("--storage", metavar="URL", help="SQL database of the study (sqlite:///runs/sweep.db)")
    sweep.add_argument("--runs", default="runs", metavar="FOLDER", help="folder of runs (runs)")
    sweep.add_argument("--report", action="store_true", help="only print what there is")
    return parser, commands.choices


def _note(message: Warning | str, *_: object) -> None:
    print(f"crnn: note: {message}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0; 1 if a picture could not be read, a line not converted or a reading not matched, or training
        would refuse the lines; 2 for an error, said in one line on standard error.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["train"]:  # Hydra has its own --help, -m ...
        args = argparse.Namespace(run=_train, settings=words[1:])
    else:
        parser, commands = make_parser()
        if words and words[0] in commands:  # intermixed: options may stand between and after the paths
            args = commands[words[0]].parse_intermixed_args(words[1:])
        else:
            args = parser.parse_args(words)
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", CrnnWarning)
    warnings.showwarning = _note  # type: ignore[assignment]  # looks at the message only
    try:
        return int(args.run(args))
    except CrnnError as error:
        print(f"crnn: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader went away, as in 'crnn recognize ... | head'
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
