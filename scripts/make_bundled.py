"""The bundled model's two files, of checkpoints: ``python scripts/make_bundled.py CHECKPOINT ... --note "..."``.

Of several, each trained from the one before it, the weights are averaged, see `crnn.export.average`.

Writes crnn/models/latin.onnx (float32, to read with) and crnn/models/latin.safetensors (float16, to start from), both
checked against torch on the run's validation lines, or on those of ``--data``. The first one also gets a language
model, of texts as they are rendered and of the training labels. Of the training note they keep what others can use:
experiment, lines, figures on the validation lines, the note on licences; no paths. Refused if the two together are
larger than 12 MB; what was there before stays then.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode.ngram import NgramModel
from crnn.core.recognizer import Recognizer
from crnn.core.seen import NOTE as SEEN
from crnn.data.recorded import recorded_lines, recorded_texts
from crnn.data.sources import LineSource, open_source
from crnn.errors import CrnnError, ModelFileError
from crnn.export.average import averaged
from crnn.export.export import export_model
from crnn.export.half import export_half
from crnn.export.parity import spread_pictures
from crnn.export.torch_backend import TorchBackend
from crnn.model.crnn import CRNN
from crnn.models import FOLDER, NAME
from crnn.report.calibration import fit_temperature
from crnn.report.evaluate import evaluate

MAX_BYTES = 12_000_000
"""Of both files together."""
LM_ORDER, LM_BYTES = 5, 1_500_000
LM_WEIGHT, LENGTH_BONUS = 0.2, 0.4
"""Chosen on validation lines of receipts, print and words together."""
_KEPT = ("date", "seed", "val/cer", "val/wer", "val/exact")


def public_note(training: dict[str, Any], experiment: str, note: str) -> dict[str, Any]:
    """What of a training note goes to others: no paths, and the licence note.

    Of the characters that it saw, the counts; a model that it began from is of the same experiment, so not named.
    """
    data = training.get("data", {})
    lines = {side: data[side]["lines"] for side in ("train", "val") if side in data}
    kept = {name: training[name] for name in _KEPT if name in training}
    if SEEN in training:
        kept[SEEN] = {name: value for name, value in training[SEEN].items() if name != "earlier"}
    return {"name": NAME, "experiment": experiment, "lines": lines, **kept, "note": note}


def _figures(card: ModelCard, network: CRNN, labelled: LineSource) -> dict[str, Any]:
    """How the network alone reads the validation lines."""
    greedy = replace(card, decoder={"name": "greedy"})
    counts = evaluate(Recognizer(TorchBackend(greedy, network)), labelled).counts
    return {"val/cer": counts.cer, "val/wer": counts.wer, "val/exact": counts.exact_rate}


def general_decoder(charset: Charset, texts: Sequence[str]) -> dict[str, Any]:
    """Settings of a beam search with a language model of these texts."""
    encoded = (charset.encode(charset.normalize(text)) for text in texts)
    model = NgramModel.of(encoded, len(charset), LM_ORDER, LM_BYTES)
    return {"name": "beam", "lm": model.to_dict(), "lm_weight": LM_WEIGHT, "length_bonus": LENGTH_BONUS}


def make_bundled(
    checkpoints: Sequence[Path],
    folder: Path,
    experiment: str,
    note: str,
    data: str | None,
    texts: int = 0,
    weights: Sequence[float] | None = None,
) -> list[str]:
    """Write both files into `folder`; what to print about them.

    Args:
        checkpoints: the newest first, whose training note it is.
        texts: as of rendered lines, that the language model learns from beside the training labels; 0 leaves it out.
        weights: of the checkpoints in their mean; None: the same.

    Raises:
        CrnnError: for a file that does not read like torch, or too large ones; nothing is written then.
    """
    checkpoint = checkpoints[0]
    card, network = averaged(checkpoints, weights)
    card = replace(card, trim=True)  # nobody knows how closely the lines are cropped that it is given
    labelled = open_source(data) if data else recorded_lines(card.training, "val", checkpoint)
    decoder: dict[str, Any] = {"name": "greedy"}
    if texts:
        decoder = general_decoder(card.charset, recorded_texts(card.training, checkpoint, texts))
    reading = replace(card, decoder=decoder)
    training = public_note({**card.training, **_figures(card, network, labelled)}, experiment, note)
    card, reading = (
        replace(one, training=training, temperature=fit_temperature(Recognizer(TorchBackend(one, network)), labelled))
        for one in (card, reading)
    )
    names = (f"{NAME}.onnx", f"{NAME}.safetensors")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".crnn-", dir=folder) as temporary:
        made = [Path(temporary, name) for name in names]
        said = [str(export_model(reading, network, made[0], "onnx", spread_pictures(labelled)))]
        said.append(str(export_half(card, network, made[1], labelled)))
        sizes = [path.stat().st_size for path in made]
        if sum(sizes) > MAX_BYTES:
            raise ModelFileError(
                f"{folder}: not written: {' and '.join(f'{size / 1e6:.1f} MB' for size in sizes)} are more than "
                f"{MAX_BYTES / 1e6:.0f} MB together; take a smaller network, such as model=crnn_small"
            )
        rows = []
        for path, size, parity in zip(made, sizes, said, strict=True):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            rows.append(f"{folder / path.name}: {size:,} bytes, sha256 {digest}\n  {parity}")
            path.replace(folder / path.name)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "checkpoints", type=Path, nargs="+", metavar="CHECKPOINT", help="of runs, the newest first; of several the mean"
    )
    parser.add_argument("--weights", type=float, nargs="+", metavar="W", help="of each in the mean (the same)")
    parser.add_argument("--note", required=True, help="on the licences of what it was trained on")
    parser.add_argument("--experiment", help="its name in configs/experiment (the run folder's name)")
    parser.add_argument("--data", metavar="DATA", help="labelled lines to check with (the run's validation lines)")
    parser.add_argument(
        "--texts", type=int, default=150_000, metavar="N", help="that the language model learns from (150000; 0: none)"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write (crnn/models)")
    args = parser.parse_args()
    experiment = args.experiment or args.checkpoints[0].resolve().parent.parent.name
    given = (args.note, args.data, args.texts, args.weights)
    for row in make_bundled(args.checkpoints, args.folder, experiment, *given):
        print(row)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CrnnError as error:
        sys.exit(f"error: {error}")
