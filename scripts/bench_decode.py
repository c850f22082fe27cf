"""What decoding costs and brings: greedy, beam search, and beam search with a language model, on one model's output.

``python scripts/bench_decode.py MODEL LINES --lm texts.txt`` reads the labelled lines once with the network and decodes
the same log-probabilities in every way. Milliseconds are CPU time per line, batches as `crnn recognize` makes them;
the fastest of the rounds. ``--lm train`` takes the labels that the model learnt from.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np

import crnn
from crnn.core.decode import BeamDecoder, Decoder, GreedyDecoder
from crnn.core.decode.beam import LENGTH_BONUS, LM_WEIGHT, WIDTH
from crnn.core.decode.settings import language_model
from crnn.core.metrics import EditCounts
from crnn.data.recorded import recorded_lines
from crnn.data.sources import open_source
from crnn.errors import CrnnError
from crnn.report.calibration import calibration_error


def decoders(args: argparse.Namespace, model: crnn.Recognizer) -> dict[str, Decoder]:
    """Name -> decoder, of everything that the arguments ask for."""
    found: dict[str, Decoder] = {"greedy": GreedyDecoder()}
    for width in args.beam:
        found[f"beam {width}"] = BeamDecoder(width)
    if args.lm:
        texts: list[str] | str = args.lm
        if args.lm == "train":
            source = recorded_lines(model.card.training, "train", Path(args.model))
            texts = [source.entry(i).text for i in range(len(source))]
        started = time.process_time()
        lm = language_model(texts, model.card.charset)
        size = len(json.dumps(lm.to_dict(), ensure_ascii=False).encode())
        print(f"language model: {size / 1e6:.2f} MB, {time.process_time() - started:.1f} s")
        for width, weight, bonus in itertools.product(args.beam, args.lm_weight, args.length_bonus):
            found[f"beam {width}, lm {weight:g}, bonus {bonus:g}"] = BeamDecoder(width, lm, weight, bonus)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("lines", help="labelled lines")
    parser.add_argument("--limit", type=int, default=500, metavar="N", help="lines, spread over all (500)")
    parser.add_argument("--beam", type=int, nargs="+", default=[WIDTH], metavar="N", help=f"widths ({WIDTH})")
    parser.add_argument("--lm", metavar="FILE", help="a text file, or 'train'")
    parser.add_argument("--lm-weight", type=float, nargs="+", default=[LM_WEIGHT], metavar="A")
    parser.add_argument("--length-bonus", type=float, nargs="+", default=[LENGTH_BONUS], metavar="B")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each decoder, in turns (3)")
    args = parser.parse_args()
    model = crnn.load(args.model, threads=1)
    charset = model.card.charset
    source = open_source(args.lines)
    count = min(args.limit, len(source))
    chosen = [i * len(source) // count for i in range(count)]
    labels = [charset.normalize(source.entry(i).text) for i in chosen]
    started = time.process_time()
    batches = [
        (places, model.tempered(log_probs), lengths)
        for places, log_probs, lengths in model.log_probs([source.picture(i) for i in chosen])
    ]
    print(
        f"{count} lines, {charset.classes} classes; the network: {(time.process_time() - started) / count * 1e3:.2f} ms"
    )
    ways = decoders(args, model)
    fastest = dict.fromkeys(ways, float("inf"))
    rows = {}
    for _ in range(args.rounds):
        for name, decoder in ways.items():
            started = time.process_time()
            results = [decoder(log_probs, lengths) for _, log_probs, lengths in batches]
            fastest[name] = min(fastest[name], (time.process_time() - started) / count * 1e3)
            counts, sure, right = EditCounts(), [], []
            for (places, _, _), batch in zip(batches, results, strict=True):
                for place, decoded in zip(places, batch, strict=True):
                    text = charset.decode(decoded.labels)
                    counts += EditCounts.of(text, labels[place])
                    sure.append(decoded.confidence)
                    right.append(text == labels[place])
            rows[name] = (counts, calibration_error(sure, right), float(np.mean(right)))
    print(f"{'':36}{'ms/line':>9}{'CER':>9}{'WER':>9}{'exact':>9}{'calib.':>9}")
    for name, (counts, error, exact) in rows.items():
        print(f"{name:36}{fastest[name]:>9.2f}{counts.cer:>9.2%}{counts.wer:>9.2%}{exact:>9.2%}{error:>9.2%}")


if __name__ == "__main__":
    try:
        main()
    except CrnnError as error:
        sys.exit(f"bench_decode.py: {error}")
