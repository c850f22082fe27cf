"""`crnn export`: a model file of a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from crnn.cli.options import NewCommand, add_decoder_options, add_trim, decoder_of


def add_export(command: NewCommand) -> None:
    """`crnn export`."""
    export = command("export", _export, "make a model file of a checkpoint", "crnn export runs/NAME --lm train")
    export.add_argument("checkpoint", help="run folder (its best checkpoint), .ckpt, .safetensors, or bundled")
    export.add_argument(
        "--to",
        metavar="FORMAT",
        help="onnx, safetensors, or an added one (by FILE, or onnx)",
    )
    export.add_argument(
        "-o", "--output", metavar="FILE", help="of the new file (beside the checkpoint; of a run, its model file)"
    )
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
    export.add_argument(
        "--average",
        action="append",
        default=[],
        metavar="MODEL",
        help="the mean with MODEL's weights: what it began from ('bundled'), or another training from there; again for "
        "more",
    )
    add_trim(export, "as the checkpoint says")
    kept, chosen = ", or 'train' for what the run saw; kept in the model file", "chosen on validation lines"
    add_decoder_options(export, kept, chosen, chosen)


def _export(args: argparse.Namespace) -> int:
    from crnn.data.progress import busy
    from crnn.export.command import TRAINED_ON, export_checkpoint, format_of

    output = Path(args.output) if args.output else None
    decoder = decoder_of(args, word=TRAINED_ON)
    format = args.to or format_of(output)
    doing = "learning the language model, and settling its weights on validation lines" if args.lm else "exporting"
    file = args.int8, args.half, args.trim
    with busy(doing + (", then in float32 and in int8 reading them" if args.int8 else "")):
        average = [Path(model) for model in args.average]
        said = export_checkpoint(Path(args.checkpoint), format, output, args.data, *file, average=average, **decoder)
    print(said)
    return 0
