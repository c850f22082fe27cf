"""How fast it is, and how far the machine's limit is.

    python scripts/benchmark.py train [--data LINES] [--against doctr,easyocr,kraken]
    python scripts/benchmark.py recognize MODEL [MODEL ...] --data LINES [--against tesseract,rapidocr,...]
    python scripts/benchmark.py recognize MODEL --data LINES --stream 100000
    python scripts/benchmark.py startup [--model MODEL]
    python scripts/benchmark.py data LINES
    python scripts/benchmark.py render

What is compared takes turns in one run (A B A B ...), so that a busy machine slows all of it alike: look at the ratios.
LINES are labelled lines in any format. ``--json`` prints JSON.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the crnn that this script belongs to, also in a peer's environment

from crnn.machine import set_thread_policy

set_thread_policy()

from crnn.errors import CrnnError  # noqa: E402


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",") if word]


def _names(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--rounds", type=int, default=5, help="turns of each that is compared (5)")
    common.add_argument("--json", action="store_true", help="print JSON")
    whole = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = whole.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", parents=[common], help="the training step, and training on real lines")
    train.add_argument("--models", type=_names, default=["crnn", "crnn_small"], help="of configs/model")
    train.add_argument("--widths", type=_numbers, default=[100, 320])
    train.add_argument("--threads", type=_numbers, default=[1, 2])
    train.add_argument("--batch", type=int, default=64)
    train.add_argument("--against", type=_names, default=[], metavar="PEERS", help="networks: doctr,easyocr,kraken")
    train.add_argument("--data", help="labelled lines: whole trainings on them, too")
    train.add_argument("--lines", type=int, default=1000, help="of them in each turn (1000)")
    train.add_argument("--workers", type=int, help="that load lines (as data.workers=null)")
    train.add_argument("--scaling", action="store_true", help="cost against width, batch size and classes, too")
    train.add_argument("--compile", action="store_true", help="the CNN through torch.compile, too")
    train.add_argument("--spin", action="store_true", help="only: how idle threads wait, with the last of --threads")
    train.add_argument("--only-data", action="store_true", help="leave out the steps on random batches")

    recognize = commands.add_parser("recognize", parents=[common], help="reading")
    recognize.add_argument("models", nargs="+", metavar="MODEL", help="model files")
    recognize.add_argument("--data", required=True, help="labelled lines")
    recognize.add_argument("--lines", type=int, default=200, help="so many of them, spread over all (200)")
    recognize.add_argument("--batches", type=_numbers, default=[1, 8])
    recognize.add_argument("--threads", type=int, default=1)
    recognize.add_argument(
        "--against", type=_names, default=[], metavar="PEERS", help="tesseract,rapidocr,easyocr,doctr,kraken,pylaia"
    )
    recognize.add_argument("--scaling", action="store_true", help="cost against width and batch size, too")
    recognize.add_argument(
        "--stream", type=int, metavar="N", help="only: crnn recognize of N picture files, its memory"
    )

    startup = commands.add_parser("startup", parents=[common], help="start-up of processes, first training step")
    startup.add_argument("--model", help="for crnn recognize")
    startup.add_argument("--picture")

    data = commands.add_parser("data", parents=[common], help="loading of lines")
    data.add_argument("data", help="labelled lines")
    data.add_argument("--lines", type=int, default=4000, help="use that many (4000)")
    data.add_argument("--height", type=int, default=32)
    data.add_argument("--augment", action="store_true", help="with a training's changes of pictures")
    data.add_argument("--scaling", action="store_true", help="cost against the number of lines, too")

    render = commands.add_parser("render", parents=[common], help="rendering of lines")
    render.add_argument("--lines", type=int, default=1500, help="in each turn (1500)")
    render.add_argument("--languages", type=_names, default=["basic"], help="of the words (basic)")

    worker = commands.add_parser("worker")  # a process of `recognize`
    worker.add_argument("name")
    worker.add_argument("batch", type=int)
    worker.add_argument("threads", type=int)
    worker.add_argument("data")
    worker.add_argument("lines", type=int)
    return whole


def main() -> None:
    args = parser().parse_args()
    warnings.simplefilter("ignore")
    if args.command == "worker":
        from bench.reading import work

        work(args.name, args.batch, args.threads, args.data, args.lines)
        return
    from bench.machine import describe
    from bench.tables import Figures, give

    tables: list[Figures] = []
    if args.command == "train":
        from bench import training

        if args.spin:
            from bench.spin import policies

            give([policies(model, args.threads[-1], args.rounds) for model in args.models], describe(), args.json)
            return
        if not args.only_data:
            tables += training.fixed(
                args.models, args.widths, args.threads, args.batch, args.rounds, args.against, args.compile
            )
        if args.scaling:
            tables += [training.scaling(model, args.rounds) for model in args.models]
        if args.data:
            from bench.real_lines import real

            tables += [
                real(args.data, args.models, threads, args.workers, args.lines, args.rounds) for threads in args.threads
            ]
    elif args.command == "recognize":
        from bench import reading

        if args.stream:
            tables += [reading.stream(model, args.data, args.stream, args.threads) for model in args.models]
        else:
            shared = (args.data, args.lines, args.batches, args.threads, args.rounds)
            tables.append(reading.compare(args.models, args.against, *shared))
        if args.scaling:
            tables += [reading.scaling(model, args.threads, args.rounds) for model in args.models]
    elif args.command == "startup":
        from bench import startup

        tables = [startup.processes(args.model, args.picture, args.rounds), startup.first_step(min(3, args.rounds))]
    elif args.command == "render":
        from bench.rendering import rendering

        tables.append(rendering(args.lines, args.languages, args.rounds))
    else:
        from bench import loading

        tables.append(loading.loaders(args.data, args.lines, args.height, args.rounds, args.augment))
        if args.scaling:
            tables.append(loading.counts(args.data, args.height, args.rounds))
    give(tables, describe(), args.json)


if __name__ == "__main__":
    try:
        main()
    except CrnnError as error:
        sys.exit(f"error: {error}")
