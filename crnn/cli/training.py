"""Commands about trainings: train, sweep, curves."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from crnn.cli.options import NewCommand, minutes, positive


def add_train(command: NewCommand) -> None:
    """`crnn train`."""
    parser = command(
        "train", train, "train on your lines, or on lines rendered on the fly", "crnn train data.root=my_lines"
    )
    parser.add_argument("settings", nargs="*", metavar="setting=value", help="see 'crnn train --help' for all")


def train(args: argparse.Namespace) -> int:
    """Hands everything over to Hydra."""
    from crnn.training import main

    # as if the script itself had been called: Hydra reads sys.argv, and Lightning starts further processes with it
    sys.argv = [str(Path(main.__file__)), *args.settings]
    main.main()
    return 0


def add_curves(command: NewCommand) -> None:
    """`crnn curves`."""
    curves = command(
        "curves",
        _curves,
        "draw the curves of trainings again, and print their CER side by side",
        "crnn curves runs/A runs/B --every 10",
    )
    curves.add_argument("runs", nargs="+", metavar="RUN", help="run folders; curves.png in each is written anew")
    curves.add_argument(
        "--every", type=minutes, metavar="MINUTES", help="between rows of the table (about a fifth of the longest run)"
    )


def _curves(args: argparse.Namespace) -> int:
    from crnn.training.compare import run

    return run(args)


def add_sweep(command: NewCommand) -> None:
    """`crnn sweep`."""
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
        help="as of crnn train; a value A..B, A..B/STEP, log:A..B or a,b,c is tried out, any other is every trial's; "
        "where the setting is a whole number, ends without a point give whole numbers",
    )
    sweep.add_argument("--study", default="sweep", metavar="NAME", help="runs go to runs/NAME/000 ... (sweep)")
    sweep.add_argument("--trials", type=positive, default=20, metavar="N", help="of the study in all (20)")
    sweep.add_argument("--minutes", type=minutes, metavar="M", help="stop then; the same command goes on")
    sweep.add_argument(
        "--jobs",
        type=positive,
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


def _sweep(args: argparse.Namespace) -> int:
    from crnn.training.sweep import run

    return run(args)
