"""Write tests/export/golden: a small model in each format that a model file has had, and what each reads.

``python scripts/make_golden.py`` trains the model for some seconds on digits that this project renders. Files of a
format that is no longer written are made of today's by taking away what it did not have. They stay as they are once
they are committed: run it for a new format only (``--format 3``), so that the old files are those of old.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

import crnn
from crnn.core.card import CARD_KEY, FORMAT, ModelCard
from crnn.core.picture import open_picture
from crnn.data.synth.source import synthetic_pair
from crnn.export.export import export_model
from crnn.export.torch_backend import read_network
from crnn.files import write_text
from crnn.model.crnn import CRNN
from crnn.training.config import config_folder, register, to_config
from crnn.training.run import train

FOLDER = Path(__file__).parents[1] / "tests" / "export" / "golden"
PICTURES = 8
SETTINGS = (
    "model=crnn_tiny",
    "model.backbone.channels=[8,12,16,24]",
    "model.backbone.features=24",
    "model.lstm.hidden_size=20",
    "trainer.max_epochs=14",
    "trainer.accelerator=cpu",
    "trainer.threads=1",
    "trainer.precision=32-true",
    "data.batch_size=8",
    "data.workers=0",
    "optimizer.lr=0.01",
    "export.format=safetensors",
    "name=golden",
)


def trained_model(runs: Path) -> tuple[ModelCard, CRNN]:
    """Digits in the bundled fonts."""
    pair = synthetic_pair(160, 24, seed=5, characters="0123456789 ", fonts="bundled", max_length=6, wear=0.0)
    for name, source in zip(("train", "val"), pair, strict=True):
        (runs / name / "images").mkdir(parents=True)
        rows = []
        for position in range(len(source)):
            source.picture(position).save(runs / name / "images" / f"{position}.png")
            rows.append(f"images/{position}.png\t{source.entry(position).text}\n")
        write_text(runs / name / "labels.tsv", "".join(rows))
    register()
    with initialize_config_dir(config_folder(), version_base="1.3"):
        config = to_config(compose("train", [*SETTINGS, f"data.root={runs}", f"runs_dir={runs}"]))
    return read_network(train(config).folder / "checkpoints" / "best.ckpt")


def card_of_format(number: int, card: ModelCard) -> dict[str, Any]:
    """The card as a crnn that wrote this format had it."""
    data = copy.deepcopy(card.to_dict())
    if number == 1:  # no text rules but the Unicode form, one way of making columns, and no word of who wrote it
        data["charset"] = {name: data["charset"][name] for name in ("symbols", "form", "unit")}
        data["network"]["backbone"].pop("column_pool")
        del data["crnn"]
    return {**data, "format": number}


def with_card(path: Path, card: dict[str, Any]) -> None:
    """Put another card into a file."""
    text = json.dumps(card, ensure_ascii=False, sort_keys=True)
    if path.suffix == ".onnx":
        import onnx

        model = onnx.load(str(path))
        onnx.helper.set_model_props(model, {CARD_KEY: text})
        onnx.save(model, str(path))
    else:
        from safetensors.torch import load_file, save_file

        save_file(load_file(path), path, metadata={CARD_KEY: text})


def make_golden(folder: Path, formats: list[int]) -> None:
    """Files of these formats, and ``expected.json`` with what they read of the pictures in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as runs:
        card, network = trained_model(Path(runs))
        if not list(folder.glob("*.png")):
            for position in range(PICTURES):
                shutil.copy(Path(runs) / "val" / "images" / f"{position}.png", folder / f"{position}.png")
        note = {"lines": {"train": 160, "val": 24}, "note": "digits rendered by this project"}
        plain = replace(card, training=note)
        charset = replace(card.charset, whitespace="strip", direction="auto")
        rich = replace(plain, charset=charset, temperature=1.5, decoder={"name": "beam", "width": 5})
        pictures = [open_picture(path) for path in sorted(folder.glob("*.png"))]
        for number in formats:
            one = plain if number == 1 else rich
            for kind in ("onnx", "safetensors"):
                path = folder / f"format{number}.{kind}"
                export_model(one, network, path, kind, pictures)
                with_card(path, card_of_format(number, one))
    expected = {}
    for path in sorted((*folder.glob("*.onnx"), *folder.glob("*.safetensors"))):
        readings = crnn.load(path, device="cpu").recognize(sorted(folder.glob("*.png")))
        expected[path.name] = [[reading.text, round(reading.confidence, 3)] for reading in readings]
        print(f"{path.name}: {path.stat().st_size:,} bytes; {[text for text, _ in expected[path.name]]}")
    write_text(folder / "expected.json", json.dumps(expected, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write (tests/export/golden)")
    parser.add_argument("--format", type=int, action="append", metavar="N", help=f"only this one (1..{FORMAT})")
    args = parser.parse_args()
    make_golden(args.folder, args.format or list(range(1, FORMAT + 1)))
