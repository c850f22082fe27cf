"""Commands that use a model: recognize, inspect."""

from __future__ import annotations

import argparse
from pathlib import Path

from crnn.cli.options import (
    NewCommand,
    add_decoder_options,
    add_reading_options,
    decoder_of,
    positive,
    refuse_model_options,
)
from crnn.errors import CrnnError


def add_recognize(command: NewCommand) -> None:
    """`crnn recognize`."""
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
        help="model or run folder (else bundled); files, folders, patterns, PAGE, ALTO, .tar, .zip, .parquet, LMDB, -",
    )
    recognize.add_argument("--model", metavar="MODEL", help="the model; all paths are pictures then")
    recognize.add_argument("--list", metavar="FILE", help="paths, one per line (- for stdin)")
    recognize.add_argument("--null", action="store_true", help="they end with NUL (find -print0)")
    recognize.add_argument(
        "--format",
        choices=("text", "tsv", "jsonl", "xml"),
        default="text",
        metavar="KIND",
        help="text, tsv, jsonl, or xml: PAGE, ALTO, into --out",
    )
    recognize.add_argument("-o", "--output", "--out", metavar="FILE", help="write there, whole or not at all (stdout)")
    recognize.add_argument("--shard", metavar="I/N", help="the I-th of N shares, into folder --out")
    recognize.add_argument("--merge", metavar="DIR", help="put all shares there together")
    add_reading_options(recognize)
    add_decoder_options(recognize)
    recognize.add_argument("--nbest", type=positive, default=1, metavar="K", help="K likeliest texts, in jsonl (1)")


def _recognize(args: argparse.Namespace) -> int:
    from crnn.loader import chosen_file, load, refuse_models
    from crnn.reading.inputs import find_pictures, model_and_pictures, read_list
    from crnn.reading.job import file_digest, make_job, options_of
    from crnn.reading.pages import read_pages
    from crnn.reading.recognize import recognize, refuse_to_write_over
    from crnn.reading.shards import Shard, read_shard

    if args.merge:
        return _merge(args)
    shard = Shard.parse(args.shard) if args.shard else None
    if shard and not args.output:
        raise CrnnError("--shard goes with --out DIR, a folder for the parts")
    model, named = args.model, args.paths
    if model is None:
        model, named = model_and_pictures(named, bool(args.list))
    else:
        refuse_models(named)
    paths = [*named, *(read_list(args.list, args.null) if args.list else [])]
    if not paths:
        raise CrnnError("no pictures named; give files, folders, patterns, '-' for a picture on stdin, or --list FILE")
    if args.nbest > 1 and args.format != "jsonl":
        raise CrnnError(f"--nbest goes with --format jsonl; {args.format} has one text per line")
    pages = args.format == "xml"
    if pages and (shard or not args.output):
        raise CrnnError(
            "--shard goes with rows (text, tsv, jsonl); give each process pages of its own"
            if shard
            else "--format xml writes files with the readings in them; give a folder for them: --out DIR"
        )
    if args.output and not shard and not pages:
        texts = [name for name in (args.list, args.lm, args.lexicon) if name]
        refuse_to_write_over(args.output, [*paths, *texts, chosen_file(model)])
    decoder = decoder_of(args)
    where = args.threads, args.device, args.batch_size, args.precision
    recognizer = load(model, *where, nbest=args.nbest, trim=args.trim, **decoder)
    if not (pages or shard):
        return recognize(recognizer, find_pictures(paths), args.format, args.output)
    options = options_of(args.format, args.nbest, args.precision, {**decoder, "trim": args.trim})
    file = chosen_file(model, args.device, args.precision)
    if shard:
        return read_shard(recognizer, paths, shard, make_job(paths, file, options), Path(args.output))
    return read_pages(recognizer, paths, Path(args.output), {"model": file_digest(file), "options": options})


def _merge(args: argparse.Namespace) -> int:
    from crnn.reading.merge import merge

    if args.paths or args.list or args.shard:
        raise CrnnError("--merge takes one folder, and no pictures: crnn recognize --merge DIR --out FILE")
    refuse_model_options(args, f"--merge {args.merge}", model=None, nbest=1, format="text")
    return merge(Path(args.merge), args.output)


def add_inspect(command: NewCommand) -> None:
    """`crnn inspect`."""
    inspect = command("inspect", _inspect, "what a model file says of itself", "crnn inspect runs/NAME/model.onnx")
    inspect.add_argument(
        "model", nargs="?", metavar="MODEL", help=".onnx, .safetensors, .ckpt or a run folder (else the bundled one)"
    )
    inspect.add_argument("--json", action="store_true", help="print JSON: the card, checksum, inputs, outputs ...")


def _inspect(args: argparse.Namespace) -> int:
    from crnn.reading.describe import run

    return run(args.model, args.json)
