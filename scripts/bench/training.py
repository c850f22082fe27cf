"""``benchmark.py train``: the training step against a plain loop, and what it costs.

Where a step's time goes (`model=crnn`, 32 x 100, batch 64, one thread, an Intel Xeon with AMX, torch's profiler):

    float32     convolutions 74 %, LSTM 15 %, batch norm 4 %, pools 4 %, ReLU 2 %, optimiser 1 %, CTC 0.1 %
    bfloat16    convolutions 49 %, LSTM 18 %, pools 10 %, batch norm 9 %, copies 5 %, ReLU 3 %, optimiser 3 %, CTC 0.4 %

and of `crnn_small` at 32 x 320, batch 32:

    float32     convolutions 37 %, LSTM 36 %, batch norm 12 %, pools 7 %, ReLU 2 %, CTC 1 %
    bfloat16    LSTM 31 %, batch norm 20 %, convolutions 18 %, pools 16 %, copies 4 %, ReLU 4 %, CTC 3 %
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import crnn.torchvision_cure  # noqa: F401  # before lightning

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.augment import Augment
from crnn.data.batching import WidthBatches
from crnn.data.dataset import Batch
from crnn.data.module import LineDataModule, prepare
from crnn.data.sources import open_source
from crnn.data.sources.views import Selection
from crnn.model.crnn import NetworkConfig
from crnn.training.assemble import workers_for
from crnn.training.config import TrainConfig, config_folder, register, to_config
from crnn.training.module import CrnnModule
from crnn.training.trainer import precision_for

from .machine import peak_memory
from .networks import ClassicCrnn, forward_flops, peer_network
from .peaks import torch_peak
from .tables import Figures, spread

HEIGHT = 32
Step = Callable[[], object]


def settings(*overrides: str) -> TrainConfig:
    register()
    with initialize_config_dir(config_folder(), version_base="1.3"):
        return to_config(compose("train", list(overrides)))


def some_charset(classes: int) -> Charset:
    return Charset([chr(0x4E00 + i) for i in range(classes - 1)])


def random_batch(lines: int, width: int, classes: int) -> Batch:
    """Noise with labels of a third of the time steps."""
    generator = torch.Generator().manual_seed(0)
    length = max(1, width // 12)
    return Batch(
        torch.randn(lines, 1, HEIGHT, width, generator=generator),
        torch.full((lines,), width),
        torch.randint(1, classes, (lines * length,), generator=generator),
        torch.full((lines,), length),
        [""] * lines,
        [""] * lines,
    )


def plain_step(network: nn.Module, batch: Batch) -> Step:
    """Forward, loss, backward, Adam, as it is usually written."""
    optimizer = torch.optim.Adam(network.parameters())

    def step() -> None:
        log_probs = network(batch.images).log_softmax(2)  # (T, B, C)
        lengths = torch.full((len(batch.texts),), len(log_probs))
        lengths = torch.maximum(lengths, batch.target_lengths)  # a peer with few steps still does its work
        if len(log_probs) >= int(batch.target_lengths.max()):
            loss = F.ctc_loss(log_probs, batch.targets, lengths, batch.target_lengths, zero_infinity=True)
        else:
            loss = log_probs.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def our_module(config: NetworkConfig, classes: int) -> CrnnModule:
    torch.manual_seed(0)
    charset = some_charset(classes)
    module = CrnnModule(ModelCard(charset, LineTransform(HEIGHT), config.to_dict()))
    module.log = lambda *_, **__: None  # type: ignore[method-assign]  # there is no trainer to log to
    return module


def our_step(module: CrnnModule, batch: Batch, precision: str) -> Step:
    """What a training does with a batch."""
    from crnn.training.schedule import make_optimizer

    optimizer, _ = make_optimizer(module.network, module.optimizer_config, 1000)
    batch = module.transfer_batch_to_device(batch, torch.device("cpu"), 0)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
            loss = module.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        module.configure_gradient_clipping(optimizer, 5.0, "norm")
        optimizer.step()

    return step


def in_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of each step, A B C A B C ..., after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def ratios(base: Sequence[float], other: Sequence[float]) -> list[float]:
    """How many times as fast, round by round."""
    return [a / b for a, b in zip(base, other, strict=True)]


def precisions(setting: str) -> list[str]:
    """float32, and what ``trainer.precision=auto`` comes to if it is something else."""
    return list(dict.fromkeys(["32-true", precision_for(setting, "cpu")]))


def fixed(
    models: Sequence[str],
    widths: Sequence[int],
    threads: Sequence[int],
    batch: int,
    rounds: int,
    against: Sequence[str],
    compiled: bool = False,
) -> Iterator[Figures]:
    """The step on random batches: the plain reference, ours, and peers' networks in the plain loop."""
    classes = 96
    for count in threads:
        torch.set_num_threads(count)
        peaks = {"32-true": torch_peak(torch.float32), "bf16-mixed": torch_peak(torch.bfloat16)}
        for width in widths:
            data = random_batch(batch, width, classes)
            torch.manual_seed(0)
            plain: dict[str, nn.Module] = {"plain loop, classic CRNN": ClassicCrnn(classes)}
            plain |= {f"plain loop, {name}'s": peer_network(name, classes) for name in against}
            steps = {name: plain_step(network, data) for name, network in plain.items()}
            work = {name: forward_flops(net, data.images) for name, net in plain.items()}
            kind = dict.fromkeys(plain, "32-true")
            for model in models:
                module = our_module(settings(f"model={model}").model, classes)
                flops = forward_flops(module.network, data.images, data.widths)
                for precision in precisions("auto"):
                    name = f"model={model} {precision}"
                    steps[name], work[name], kind[name] = our_step(module, data, precision), flops, precision
                if compiled:
                    module = our_module(settings(f"model={model}").model, classes)
                    module.network.backbone = torch.compile(module.network.backbone, dynamic=True)  # type: ignore[assignment]
                    name = f"model={model} {precision}, compiled"
                    steps[name], work[name], kind[name] = our_step(module, data, precision), flops, precision
            seconds = in_turns(steps, rounds)
            table = Figures(
                f"Training step, {batch} lines of {HEIGHT} x {width}, {classes} classes, threads {count}",
                ["", "ms", "lines/s", "Mpixel/s", "GFLOP/s", "of peak", "against the plain loop"],
            )
            base = seconds["plain loop, classic CRNN"]
            for name, values in seconds.items():
                middle = statistics.median(values)
                speed = 3 * work[name] / middle / 1e9  # backward takes twice what forward takes
                share = f"{speed / peaks[kind[name]]:.0%}"
                pixels = batch * HEIGHT * width / middle / 1e6
                table.add(name, middle * 1e3, batch / middle, pixels, speed, share, spread(ratios(base, values)))
            table.notes.append(
                f"peak of this run: {peaks['32-true']:.0f} GFLOP/s in float32, {peaks['bf16-mixed']:.0f} in bfloat16"
            )
            yield table


def scaling(model: str, rounds: int) -> Figures:
    """Cost against width, batch size and classes; a straight line is the same cost per megapixel."""
    precision = precision_for("auto", "cpu")
    config = settings(f"model={model}").model
    table = Figures(
        f"Cost of a training step, model={model} {precision}, threads {torch.get_num_threads()}",
        ["batch", "width", "classes", "ms", "ms per line", "ms per Mpixel", "CTC and its backward"],
    )
    cases = [(16, width, 96) for width in (100, 200, 400, 800, 1600)]
    cases += [(batch, 320, 96) for batch in (1, 4, 16, 64)]
    cases += [(64, 320, classes) for classes in (1000, 6625)]
    for batch, width, classes in cases:
        data = random_batch(batch, width, classes)
        module = our_module(config, classes)
        step = our_step(module, data, precision)
        output = module(data)
        scores = output.log_probs.detach().requires_grad_()

        def ctc(module: CrnnModule = module, data: Batch = data, scores: Tensor = scores, out: Tensor = output.lengths):
            module.loss.per_line(scores, out, data.targets, data.target_lengths).sum().backward()

        seconds = in_turns({"step": step, "ctc": ctc}, rounds)
        whole, loss = (statistics.median(seconds[name]) for name in ("step", "ctc"))
        pixels = batch * HEIGHT * width / 1e6
        table.add(batch, width, classes, whole * 1e3, whole * 1e3 / batch, whole * 1e3 / pixels, f"{loss / whole:.1%}")
    return table


class _Clock(L.Callback):
    """Lines and seconds of a training, from the end of its first batch."""

    def __init__(self) -> None:
        self.lines = 0
        self.started = self.ended = 0.0

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        self.ended = time.perf_counter()
        if self.started:
            self.lines += len(batch.texts)
        else:
            self.started = self.ended

    @property
    def speed(self) -> float:
        return self.lines / (self.ended - self.started)


class RealLines:
    """Trainings on real lines: the plain loop, and ours through Lightning."""

    def __init__(self, path: str, model: str, batch: int, threads: int, workers: int | None, lines: int) -> None:
        torch.set_num_threads(threads)
        self.config = settings(f"model={model}")
        source = open_source(path)
        self.transform = LineTransform(HEIGHT)
        self.charset = Charset.from_texts(source.entry(i).text for i in range(len(source)))
        self.prepared = prepare(source, self.transform, self.charset, False, iter, self.config.data.max_width)
        self.lines = min(lines, len(self.prepared.source))
        self.batch = max(1, min(batch, self.lines // 2))
        self.workers = workers_for(workers)
        self.widths = self.transform.scaled_widths(self.prepared.sizes(0))
        self.classic = ClassicCrnn(self.charset.classes)
        self.classic_optimizer = torch.optim.Adam(self.classic.parameters())
        card = ModelCard(self.charset, self.transform, self.config.model.to_dict())
        self.module = CrnnModule(card, self.config.loss, self.config.optimizer)
        self.turn = 0

    def random_padding(self) -> float:
        """Share of padding where random lines share a batch as wide as its widest."""
        order = np.random.default_rng(0).permutation(len(self.widths))
        whole = len(order) // self.batch * self.batch
        rows = self.widths[order[:whole]].reshape(-1, self.batch)
        return 1 - float(rows.sum() / (rows.max(1) * self.batch).sum())

    def our_padding(self) -> float:
        """The same of our batches; a line that is stretched to its batch's width has none."""
        data = self.config.data
        return WidthBatches(lambda _: self.widths, HEIGHT, data.batch_size or 32, data.batch_pixels, True, 1).padding()

    def plain(self) -> float:
        """Lines per second of the plain loop: random batches, padded to their widest, loaded in the same process."""
        rng = np.random.default_rng(self.turn)
        order = rng.permutation(len(self.widths))[: self.lines]
        done, started = 0, 0.0
        for first in range(0, len(order) - self.batch + 1, self.batch):
            some = order[first : first + self.batch].tolist()
            pictures = [self.transform(self.prepared.source.picture(i)) for i in some]
            labels = [self.charset.encode(self.prepared.source.entry(i).text) for i in some]
            images = torch.zeros(len(some), 1, HEIGHT, max(p.shape[2] for p in pictures))
            for row, picture in zip(images, pictures, strict=True):
                row[:, :, : picture.shape[2]] = torch.from_numpy(picture)
            log_probs = self.classic(images).log_softmax(2)
            loss = F.ctc_loss(
                log_probs,
                torch.tensor([label for line in labels for label in line]),
                torch.full((len(some),), len(log_probs)),
                torch.tensor([len(line) for line in labels]),
            )
            self.classic_optimizer.zero_grad()
            loss.backward()
            self.classic_optimizer.step()
            if started:
                done += len(some)
            else:
                started = time.perf_counter()
        return done / (time.perf_counter() - started)

    def ours(self, precision: str) -> float:
        """Lines per second of `crnn train`'s own loop and loader, augmentation included."""
        few = np.sort(np.random.default_rng(self.turn).permutation(len(self.widths))[: self.lines])
        source = Selection(self.prepared.source, few)
        sizes = self.prepared.sizes(0)[few]
        lines = type(self.prepared)(source, lambda _: sizes, self.prepared.reports)
        data = self.config.data
        loaders = LineDataModule(
            lines,
            lines,
            self.charset,
            self.transform,
            Augment(self.config.augment),
            data.batch_size or 32,
            data.batch_pixels,
            self.workers,
            self.turn,
        )
        clock = _Clock()
        trainer = L.Trainer(
            accelerator="cpu",
            precision=precision,  # type: ignore[arg-type]
            max_epochs=1,
            gradient_clip_val=self.config.optimizer.clip,
            limit_val_batches=0,
            logger=False,
            callbacks=[clock],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        trainer.fit(self.module, loaders)
        return clock.speed


def real(path: str, models: Sequence[str], threads: int, workers: int | None, lines: int, rounds: int) -> Figures:
    """Our training against the plain loop on the same real lines, in turns."""
    import logging
    import warnings

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    runs = {model: RealLines(path, model, 64, threads, workers, lines) for model in models}
    first = next(iter(runs.values()))
    base: list[float] = []
    speeds: dict[str, list[float]] = {}
    for _ in range(rounds):
        base.append(first.plain())
        for model, run in runs.items():
            run.turn = first.turn
            for precision in precisions("auto"):
                speeds.setdefault(f"model={model} {precision}", []).append(run.ours(precision))
        first.turn += 1
    table = Figures(
        f"Training on {len(first.widths):,} lines of {Path(path).name}, {first.lines:,} a turn, "
        f"threads {threads}, workers {first.workers}",
        ["", "lines/s", "padding", "against the plain loop"],
    )
    table.add("plain loop, classic CRNN", statistics.median(base), f"{first.random_padding():.1%}", spread([1.0]))
    for name, values in speeds.items():
        against = [ours / theirs for ours, theirs in zip(values, base, strict=True)]
        table.add(name, statistics.median(values), f"{first.our_padding():.1%}", spread(against))
    table.notes.append(f"most memory of this process: {peak_memory():,.0f} MB")
    return table
