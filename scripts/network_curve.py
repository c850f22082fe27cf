"""Accuracy against speed of networks trained alike: ours and the peers'.

    python scripts/network_curve.py train NETWORK --data FOLDER --epochs 4 --out curve.jsonl
    python scripts/network_curve.py plot curve.jsonl --out curve.svg

NETWORK is one of configs/model, or a peer's default light network (doctr, easyocr, kraken), which has to be installed.
Every network sees the same lines the same number of times in the same order, with the same loss, optimiser, schedule,
augmentation and seed: those of ``crnn train``. The figure is the CER of the last epoch on FOLDER/val. Speed is reading
those lines with torch in float32 on one thread, batches of 8 lines sorted by width, in lines per second of processor
time, decoding of pictures left out. kraken's network takes 8 pixels a step, so it gets lines of twice the height.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the crnn that this script belongs to, also in a peer's environment

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import torch
from bench.networks import PEERS, peer_network
from bench.training import settings
from torch import Tensor, nn

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.augment import Augment
from crnn.data.dataset import collate
from crnn.data.module import LineDataModule, prepare
from crnn.data.sources import open_source
from crnn.errors import ConfigError, CrnnError
from crnn.model.crnn import Output
from crnn.training.length import length_for
from crnn.training.module import CrnnModule
from crnn.training.trainer import precision_for


class Adapter(nn.Module):
    """A peer's network in the place of ours: no masks, lengths as its own strides make them."""

    def __init__(self, network: nn.Module, step: int) -> None:
        super().__init__()
        self.network = network
        self.step = step

    def columns(self, images: Tensor, widths: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=torch.is_autocast_enabled("cpu") and self.training):
            self._width = images.shape[3]
            return self.network(images)  # (T, B, C) already

    def read(self, scores: Tensor, lengths: Tensor) -> Output:
        missing = max(0, self._width // self.step - len(scores))  # columns that its last convolution eats
        lengths = (lengths - missing).clamp(min=1, max=len(scores))
        return Output(scores.float().log_softmax(2), lengths)

    def forward(self, images: Tensor, widths: Tensor) -> Output:
        return self.read(self.columns(images, widths), widths // self.step)


class PeerModule(CrnnModule):
    """Trains an `Adapter` as ours are trained; labels that its few steps cannot hold are left out of the loss."""

    def __init__(self, card: ModelCard, network: Adapter, **arguments: object) -> None:
        super().__init__(card, **arguments)  # type: ignore[arg-type]
        self.network = network  # type: ignore[assignment]
        per_line = self.loss.per_line
        self.loss.per_line = lambda *given: per_line(*given).nan_to_num(0.0, 0.0, 0.0)  # type: ignore[method-assign]


def make(name: str, charset: Charset) -> tuple[CrnnModule, LineTransform]:
    """A network that is ready to be trained, and its pictures."""
    config = settings(f"model={name if name not in PEERS else 'crnn_small'}", "loss.shortcut=0.0")
    tall = name == "kraken"
    transform = LineTransform(64 if tall else 32, multiple=8 if tall else 4)
    card = ModelCard(charset, LineTransform(32), config.model.to_dict())
    common = {"loss": config.loss, "optimizer": config.optimizer, "seed": config.seed}
    if name not in PEERS:
        return CrnnModule(card, **common), transform  # type: ignore[arg-type]
    adapter = Adapter(peer_network(name, charset.classes, transform.height), transform.multiple)
    return PeerModule(card, adapter, **common), transform


def read_speed(module: CrnnModule, loaders: LineDataModule) -> float:
    """Lines per second of processor time, best of three."""
    torch.set_num_threads(1)
    module.eval()
    lines = [loaders.datasets["val"][key] for batch in loaders.batches("val").plan(0) for key in batch]
    lines.sort(key=lambda line: line.image.shape[2])
    batches = [collate(lines[i : i + 8]) for i in range(0, len(lines), 8)]
    best = 0.0
    with torch.inference_mode():
        for _ in range(3):
            started = time.process_time()
            for batch in batches:
                module.network(batch.images, batch.widths)
            best = max(best, len(lines) / (time.process_time() - started))
    return best


def train(name: str, data: str, epochs: int, threads: int, out: Path) -> None:
    """Train one network and add its row to `out`."""
    L.seed_everything(1, verbose=False)
    torch.set_num_threads(threads)
    config = settings()
    sources = {side: open_source(Path(data, side)) for side in ("train", "val")}
    charset = Charset.from_texts(sources["train"].entry(i).text for i in range(len(sources["train"])))
    module, transform = make(name, charset)
    # the same lines for all: those that the usual pictures can hold
    prepared = {
        side: prepare(source, LineTransform(32), charset, False, iter, config.data.max_width)
        for side, source in sources.items()
    }
    loaders = LineDataModule(
        prepared["train"],
        prepared["val"],
        charset,
        transform,
        Augment(config.augment),
        length_for(config, len(prepared["train"].source)).batch_size,
        config.data.batch_pixels * (4 if transform.height == 64 else 1),
        0,
        config.seed,
    )
    started = time.process_time()
    trainer = L.Trainer(
        accelerator="cpu",
        precision=precision_for("auto", "cpu"),  # type: ignore[arg-type]
        max_epochs=epochs,
        gradient_clip_val=config.optimizer.clip,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        check_val_every_n_epoch=epochs,
    )
    trainer.fit(module, loaders)
    row = {
        "network": name,
        "data": Path(data).name,
        "lines": epochs * len(prepared["train"].source),
        "parameters": sum(p.numel() for p in module.network.parameters()),
        "cer": module.figures["val/cer"],
        "exact": module.figures["val/exact"],
        "training_cpu_minutes": (time.process_time() - started) / 60,
        "lines_per_cpu_second": read_speed(module, loaders),
    }
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row))


def plot(rows: list[dict], out: Path) -> None:
    """CER against lines per CPU-second, one panel per set of lines; and the same as a table for the README."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "crnn"
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    sets: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        sets[row["data"]].append(row)
    figure, panels = pyplot.subplots(1, len(sets), figsize=(5 * len(sets), 4), squeeze=False)
    print("| lines | network | parameters | val CER | exact | lines/CPU-s reading | CPU minutes of training |")
    print("|---|---|---|---|---|---|---|")
    for panel, (data, points) in zip(panels[0], sets.items(), strict=True):
        for ours in (True, False):
            some = sorted((p for p in points if (p["network"] not in PEERS) == ours), key=lambda p: p["cer"])
            style = {"marker": "o", "linestyle": "-" if ours else "", "color": "tab:blue" if ours else "tab:orange"}
            label = "crnn" if ours else "peers' networks, trained alike"
            panel.plot([p["lines_per_cpu_second"] for p in some], [p["cer"] for p in some], label=label, **style)
            for p in some:
                place = (p["lines_per_cpu_second"], p["cer"])
                panel.annotate(p["network"], place, xytext=(5, 5), textcoords="offset points", fontsize=8)
                print(
                    f"| {data} | {p['network']} | {p['parameters'] / 1e6:.2f} M | {p['cer']:.2%} | {p['exact']:.1%} "
                    f"| {p['lines_per_cpu_second']:,.0f} | {p['training_cpu_minutes']:.0f} |"
                )
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.xaxis.set_major_formatter(ScalarFormatter())
        panel.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        panel.margins(0.15)
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.1%}"))
        panel.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:.0%}" if value >= 0.01 else ""))
        panel.set_xlabel("lines per CPU-second, one thread")
        panel.set_ylabel("CER on validation lines")
        panel.set_title(f"{data}: {points[0]['lines']:,} lines seen")
        panel.grid(True, which="both", alpha=0.3)
    panels[0][0].legend(fontsize=8)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("network")
    training.add_argument("--data", required=True, help="folder with train/ and val/")
    training.add_argument("--epochs", type=int, required=True)
    training.add_argument("--threads", type=int, default=1)
    training.add_argument("--out", type=Path, required=True, help="a row is added there")
    plotting = commands.add_parser("plot")
    plotting.add_argument("rows", type=Path)
    plotting.add_argument("--out", type=Path, required=True, help=".svg or .png")
    args = parser.parse_args()
    if args.command == "train":
        train(args.network, args.data, args.epochs, args.threads, args.out)
        return
    try:
        rows = [json.loads(row) for row in args.rows.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{args.rows}: cannot be read ({error})") from None
    plot(rows, args.out)


if __name__ == "__main__":
    try:
        main()
    except CrnnError as error:
        sys.exit(f"error: {error}")
