"""What makes a training faster changes how long it takes, not what comes out."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
import torch
from tests_support import settings

import crnn
from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.dataset import Batch
from crnn.data.sources import open_source
from crnn.errors import ConfigError
from crnn.export.torch_backend import read_network
from crnn.model.crnn import CRNN, Output
from crnn.training import run, trainer
from crnn.training.config import LossConfig, to_config
from crnn.training.module import CrnnModule
from crnn.training.run import train
from crnn.training.run_folder import config_of_run
from crnn.training.schedule import make_optimizer
from crnn.training.threads import candidates, choose, fastest_threads
from crnn.training.trainer import precision_for


def mean_loss(folder: Path) -> float:
    """Training loss over all steps: how fast it learns, and how far it comes."""
    with (folder / "metrics.csv").open(newline="") as file:
        values = [float(row["train/loss"]) for row in csv.DictReader(file) if row["train/loss"]]
    return sum(values) / len(values)


@pytest.mark.parametrize("setting", ["gpu", "cuda"])
def test_a_gpu_that_is_not_there(setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before a line is looked at, or a folder made."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match=rf"^trainer\.accelerator={setting}: torch \S+ finds no GPU here \("):
        train(settings(f"trainer.accelerator={setting}", f"data.root={tmp_path}/none", f"runs_dir={tmp_path}/runs"))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "switches",
    [
        ["trainer.precision=32-true"],
        ["trainer.precision=bf16-mixed"],
        ["trainer.threads=2", "data.workers=1"],
        ["trainer.channels_last=false", "optimizer.fused=false"],
    ],
)
@pytest.mark.slow
def test_figures_stay(switches: list[str], trained: Path, line_folder: Path, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    try:
        outcome = train(
            settings(
                f"data.root={line_folder}",
                f"runs_dir={tmp_path}",
                "model=crnn_tiny",
                "trainer.max_epochs=34",
                "data.batch_size=4",
                "optimizer.lr=0.01",
                "trainer.accelerator=cpu",
                "trainer.progress=false",
                *(["data.workers=0"] if "data.workers=1" not in switches else []),
                *switches,
            )
        )
    finally:
        torch.set_num_threads(threads)
    usual = json.loads((trained / "result.json").read_text())
    assert outcome.result["steps"] == usual["steps"]
    assert mean_loss(outcome.folder) == pytest.approx(mean_loss(trained), rel=0.1)
    assert outcome.result["val/cer"] == pytest.approx(usual["val/cer"], abs=0.2)  # of 12 lines


def test_precision_follows_the_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "fast_bfloat16", lambda: True)
    assert precision_for("auto", "cpu") == "bf16-mixed"
    assert precision_for("32-true", "cpu") == "32-true"
    monkeypatch.setattr(trainer, "fast_bfloat16", lambda: False)
    assert precision_for("auto", "cpu") == "32-true"
    assert precision_for("bf16-mixed", "cpu") == "bf16-mixed"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert precision_for("auto", "gpu") == "bf16-mixed"
    assert precision_for("auto", "cpu") == "32-true"


def test_validation_reads_in_float32(trained: Path, line_folder: Path) -> None:
    """The figure of a training in bfloat16 is that of the file that it leaves."""
    card, network = read_network(trained / "checkpoints" / "best.ckpt")
    module = CrnnModule(card)
    module.network.load_state_dict(network.state_dict())
    module.eval()
    source = open_source(line_folder / "val")
    image = torch.from_numpy(card.transform(source.picture(0)))[None]  # (1, 1, H, W)
    batch = Batch(
        image, torch.tensor([image.shape[3]]), torch.tensor([1]), torch.tensor([1]), [source.entry(0).text], [""]
    )
    seen: list[Output] = []
    module.network.register_forward_hook(lambda _, __, output: seen.append(output))
    with torch.no_grad():
        module.validation_step(batch, 0)
        with torch.autocast("cpu", torch.bfloat16):
            module.validation_step(batch, 0)
            module(batch)
    assert torch.equal(seen[0].log_probs, seen[1].log_probs)
    assert not torch.equal(seen[0].log_probs, seen[2].log_probs)  # else this test could not fail


def card() -> ModelCard:
    charset = Charset.from_texts(["abc"])
    return ModelCard(charset, LineTransform(32), settings("model=crnn_tiny").model.to_dict())


def test_fused_steps_are_clipped_in_mixed_precision() -> None:
    module = CrnnModule(card())
    optimizer, _ = make_optimizer(module.network, module.optimizer_config, 10)
    for parameter in module.parameters():
        parameter.grad = torch.full_like(parameter, 3.0)
    module.configure_gradient_clipping(optimizer, 5.0, "norm")
    norm = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in module.parameters() if p.grad is not None]))
    assert norm.item() == pytest.approx(5.0, rel=1e-3)


def two_lines() -> Batch:
    """Noise as wide as 64 and 48 pixels, labelled with two characters and one."""
    labels, lengths = torch.tensor([1, 2, 3]), torch.tensor([2, 1])
    return Batch(torch.randn(2, 1, 32, 64), torch.tensor([64, 48]), labels, lengths, ["ab", "c"], ["", ""])


def test_the_shortcut_trains_the_cnn_and_stays_behind() -> None:
    torch.manual_seed(0)
    module = CrnnModule(card(), LossConfig(shortcut=0.5))
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    assert module.shortcut is not None
    batch = two_lines()
    with_it = module.training_step(batch, 0)
    module.shortcut_weight = 0.0
    without = module.training_step(batch, 0)
    columns = module.network.columns(batch.images, batch.widths)
    short = module.loss.per_line(module.shortcut(columns), batch.widths // 4, batch.targets, batch.target_lengths)
    assert (with_it - without).item() == pytest.approx(0.5 * short.mean().item(), rel=1e-3)
    with_it.backward()
    assert module.shortcut.convolution.weight.grad is not None
    assert set(module.network.state_dict()) == set(CRNN(module.network.config, module.network.classes, 32).state_dict())
    assert CrnnModule(card(), LossConfig(shortcut=0.0)).shortcut is None


def test_smoothing_pulls_towards_uniform_over_true_steps_in_training_only() -> None:
    log_probs = torch.full((3, 2, 4), 0.25).log()
    log_probs[1, 0] = torch.tensor([0.7, 0.1, 0.1, 0.1]).log()
    log_probs[2] = torch.tensor([1e-30, 0.0, 0.0, 1.0]).log()  # padding of both
    by_hand = -sum(math.log(p) for p in (0.7, 0.1, 0.1, 0.1)) / 4 - math.log(4)
    flat = CrnnModule(card()).loss.from_uniform(log_probs, torch.tensor([2, 1]))
    assert flat.tolist() == pytest.approx([by_hand, 0.0], abs=1e-6)

    module = CrnnModule(card(), LossConfig(shortcut=0.0, smoothing=0.2)).eval()
    logged = {}
    module.log = lambda name, value, **_: logged.update({name: value.item()})  # type: ignore[method-assign]
    batch = two_lines()
    output = module(batch)
    flat = module.loss.from_uniform(output.log_probs, output.lengths)
    with_it = module.training_step(batch, 0)
    assert with_it.item() - logged["train/loss"] == pytest.approx(0.2 * flat.mean().item(), rel=1e-2)
    with_it.backward()
    for value in (-0.1, 1.0):
        with pytest.raises(ConfigError, match=r"loss\.smoothing=.*: must be 0 or more and below 1"):
            settings(f"loss.smoothing={value}")


def test_half_precision_reads_the_same(trained: Path, line_folder: Path) -> None:
    source = open_source(line_folder / "val")
    pictures = [source.picture(i) for i in range(len(source))]
    checkpoint = trained / "checkpoints" / "best.ckpt"
    exact = crnn.load(checkpoint, device="cpu")
    half = crnn.load(checkpoint, device="cpu", precision="bfloat16")
    a, b = (reader.recognize(pictures) for reader in (exact, half))
    assert sum(x.text == y.text for x, y in zip(a, b, strict=True)) >= len(a) - 1
    assert [x.confidence for x in a] != [y.confidence for y in b]
    with pytest.raises(crnn.CrnnError, match="precision 'int4' is unknown; allowed are float32, bfloat16, float16"):
        crnn.load(checkpoint, device="cpu", precision="int4")
    with pytest.raises(crnn.CrnnError, match=r"for bfloat16 load the \.safetensors file"):
        crnn.load(trained / "model.onnx", precision="bfloat16")


def test_threads_are_measured_and_nothing_else_is_touched() -> None:
    assert [candidates(n) for n in (1, 2, 3, 6, 8)] == [[1], [1, 2], [1, 2, 3], [1, 2, 4, 6], [1, 2, 4, 8]]
    assert choose({1: 100.0, 2: 104.0, 4: 150.0, 8: 151.0}) == 4
    assert choose({1: 100.0, 2: 60.0}) == 1
    network = CRNN(settings("model=crnn_tiny").model, 5, 32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    speeds = fastest_threads(network, 2, 64, False, 2)
    assert sorted(speeds) == [1, 2]
    assert all(speed > 0 for speed in speeds.values())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_run_says_its_threads_and_keeps_them(
    line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = torch.get_num_threads()
    common = ("model=crnn_tiny", f"data.root={line_folder}", "data.workers=0", "trainer.accelerator=cpu")
    monkeypatch.setattr(run, "fastest_threads", lambda *_: {1: 5.0, 2: 9.0, 3: 9.1})
    try:
        torch.set_num_threads(3)
        first = train(settings(*common, f"runs_dir={tmp_path}", "trainer.max_epochs=1", "name=run"))
        assert torch.get_num_threads() == 2
        assert (
            "threads: 2 (measured 1: 5 lines/s, 2: 9 lines/s, 3: 9 lines/s)" in (first.folder / "train.log").read_text()
        )
        torch.set_num_threads(3)
        monkeypatch.setattr(run, "fastest_threads", lambda *_: {1: 5.0, 3: 9.0})
        train(to_config(config_of_run(str(first.folder), ["trainer.max_epochs=2"])))
        assert torch.get_num_threads() == 2
        torch.set_num_threads(3)
        train(settings(*common, f"runs_dir={tmp_path}", "trainer.max_epochs=1", "name=set", "trainer.threads=1"))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


def test_layout_and_fusion_are_settings() -> None:
    modules = [CrnnModule(card(), channels_last=choice) for choice in (True, False)]
    images = torch.randn(2, 1, 32, 64)
    batch = Batch(images, torch.tensor([64, 64]), torch.tensor([1, 2]), torch.tensor([1, 1]), ["a", "b"], ["", ""])
    for module, expected in zip(modules, (True, False), strict=True):
        moved = module.transfer_batch_to_device(batch, torch.device("cpu"), 0)
        for tensor in (
            module.network.backbone.convs[2].weight,
            module.network.backbone.convs[1](moved.images.expand(-1, 8, -1, -1)),
        ):
            assert tensor.is_contiguous(memory_format=torch.channels_last) == expected
    for fused in (True, False):
        optimizer, _ = make_optimizer(modules[0], modules[0].optimizer_config, 10, fused)
        assert optimizer.defaults["fused"] == fused


def test_rendering_has_cores_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def measured(*arguments: object) -> dict[int, float]:
        asked.append(int(str(arguments[-1])))
        return {1: 1.0}

    monkeypatch.setattr(run, "fastest_threads", measured)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        small = ("data.rendered.lines=16", "data.rendered.val_lines=4", "data.rendered.max_length=4")
        common = ("model=crnn_tiny", "trainer.accelerator=cpu", "trainer.max_epochs=1", f"runs_dir={tmp_path}")
        train(settings(*common, *small, "data.workers=1", "export.format=none"))
    finally:
        torch.set_num_threads(threads)
    assert asked == [2]
