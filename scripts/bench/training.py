"""``benchmark.py train``: the training step on random batches against a plain loop, and what it costs.

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

import crnn.torchvision_cure  # noqa: F401  # before lightning

import torch
import torch.nn.functional as F
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.dataset import Batch
from crnn.model.config import NetworkConfig
from crnn.training.config import TrainConfig, config_folder, register, to_config
from crnn.training.module import CrnnModule
from crnn.training.trainer import precision_for

from .networks import ClassicCrnn, forward_flops, peer_network
from .peaks import torch_peak
from .tables import Figures, spread

HEIGHT = 32
Step = Callable[[], object]


def settings(*overrides: str) -> TrainConfig:
    """The shipped configuration with these overrides."""
    register()
    with initialize_config_dir(config_folder(), version_base="1.3"):
        return to_config(compose("train", list(overrides)))


def some_charset(classes: int) -> Charset:
    """Any characters, as many as make so many classes."""
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
    """What a training trains, with random weights and nobody to log to."""
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
    for name in against:
        peer_network(name, classes)  # what is missing is said before anything is measured
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
