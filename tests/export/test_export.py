"""Model files: they read like the network they came from, or they are not written."""

from __future__ import annotations

import copy
import itertools
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import crnn
from crnn.cli import main
from crnn.core.card import CARD_KEY, ModelCard
from crnn.core.charset import Charset
from crnn.core.onnx_backend import OnnxBackend
from crnn.core.transform import LineTransform
from crnn.errors import ConfigError, ModelFileError
from crnn.export.command import export_checkpoint
from crnn.export.export import FORMATS, export_model
from crnn.export.parity import check_parity
from crnn.export.torch_backend import TorchBackend, write_safetensors
from crnn.model.config import BackboneConfig, LstmConfig, NetworkConfig
from crnn.model.crnn import CRNN
from crnn.report.lm_weights import LmWeights

CHARSET = Charset.from_texts(["0123456789 abcdefg", "नि", "ï"])
TINY = BackboneConfig([8, 16, 24, 32], ["2x2", "2x2", "2x1", "2x1"], 64)
MAX = replace(TINY, column_pool="max")


def make(lstm: LstmConfig | None = None, height: int = 32, backbone: BackboneConfig = TINY) -> tuple[ModelCard, CRNN]:
    """An untrained network whose readings are not all blank."""
    torch.manual_seed(1)
    config = NetworkConfig("test", backbone, lstm or LstmConfig(24, 2))
    network = CRNN(config, CHARSET.classes, height).eval()
    with torch.no_grad():
        network.head.weight.mul_(8)
        for buffer in network.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 1.5)
    return ModelCard(CHARSET, LineTransform(height=height), config.to_dict()), network


def pictures(widths: list[int], height: int = 40) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8)) for width in widths]


LINES = pictures([30, 77, 200, 33, 120, 500, 64, 10, 91])


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_model(*make(), path, "onnx", LINES)
    return path


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_exported_files_read_alike(tmp_path: Path, format: str) -> None:
    card, network = make()
    path = tmp_path / f"model.{format}"
    parity = export_model(card, network, path, format, LINES)
    assert (parity.lines, parity.largest_difference <= 1e-4) == (9, True)
    reader = crnn.load(path)
    assert reader.card == card
    readings = reader.recognize(LINES)
    assert any(r.text for r in readings)
    assert readings == crnn.Recognizer(TorchBackend(card, network)).recognize(LINES) or all(
        a.text == b.text
        for a, b in zip(readings, crnn.Recognizer(TorchBackend(card, network)).recognize(LINES), strict=True)
    )
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # nothing left beside it
    if format == "onnx":
        import onnx

        model = onnx.load(str(path))
        assert (model.producer_name, model.producer_version) == ("crnn", crnn.__version__)


@pytest.mark.parametrize(
    "lstm",
    [
        LstmConfig(16, layers, bias, 0.0, both, projection)
        for layers, bias, both, projection in itertools.product((1, 2, 3), (True, False), (True, False), (0,))
    ]
    + [LstmConfig(16, 2, dropout=0.4)],
    ids=str,
)
def test_every_lstm_exports(tmp_path: Path, lstm: LstmConfig) -> None:
    parity = export_model(*make(lstm), tmp_path / "m.onnx", "onnx", LINES[:5])
    assert parity.largest_difference <= 1e-4


def test_projections_go_to_safetensors_only(tmp_path: Path) -> None:
    card, network = make(LstmConfig(16, 2, proj_size=5))
    with pytest.raises(ModelFileError, match=r"^/.*/m\.onnx: not written: ONNX has no LSTM with projections"):
        export_model(card, network, tmp_path / "m.onnx", "onnx", LINES[:3])
    with pytest.raises(ModelFileError, match=r"^its name: not written: ONNX has no LSTM with projections"):
        export_model(card, network, tmp_path / "m.onnx", "onnx", LINES[:3], Path("its name"))
    assert not list(tmp_path.iterdir())
    export_model(card, network, tmp_path / "m.safetensors", "safetensors", LINES[:3])


@pytest.mark.parametrize("height", [32, 48, 64, 96])
def test_every_height_exports(tmp_path: Path, height: int) -> None:
    export_model(*make(height=height), tmp_path / "m.onnx", "onnx", LINES[:4])
    reader = crnn.load(tmp_path / "m.onnx")
    assert reader.card.transform.height == height
    assert reader.backend.run(np.zeros((1, 1, height, 64), np.float32), np.array([64]))[0].shape == (
        16,
        1,
        CHARSET.classes,
    )


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_a_max_over_the_rows_exports_and_stands_in_the_card(tmp_path: Path, format: str) -> None:
    card, network = make(height=48, backbone=MAX)
    path = tmp_path / f"m.{format}"
    assert export_model(card, network, path, format, LINES).largest_difference <= 1e-4
    reader = crnn.load(path)
    assert reader.card.network["backbone"]["column_pool"] == "max"
    together = reader.recognize(LINES)
    assert [reader.recognize([line])[0].text for line in LINES] == [reading.text for reading in together]
    assert any(reading.text for reading in together)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(2, 60), min_size=1, max_size=6), st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_onnx_readings_do_not_depend_on_neighbours(onnx_file: Path, neighbours: list[int], own: int, seed: int) -> None:
    """Promise 1, in the exported file: any batch, any padding, the same log-probabilities."""
    backend = OnnxBackend(onnx_file, threads=1)
    rng = np.random.default_rng(seed)
    line = rng.standard_normal((1, 32, 4 * own), dtype=np.float32)
    alone, length = backend.run(line[None], np.array([4 * own]))
    widths = np.array([4 * own, *(4 * n for n in neighbours)])
    batch = rng.standard_normal((len(widths), 1, 32, int(widths.max())), dtype=np.float32) * 5  # garbage as padding
    batch[0, :, :, : 4 * own] = line
    together, lengths = backend.run(batch, widths)
    assert lengths.tolist() == [w // 4 for w in widths]
    assert length.tolist() == [own]
    np.testing.assert_allclose(together[:own, 0], alone[:, 0], atol=1e-5)


def test_loading_onnx_imports_no_torch(onnx_file: Path, tmp_path: Path) -> None:
    LINES[1].save(tmp_path / "line.png")
    code = (
        "import sys, crnn\n"
        f"print(crnn.load({str(onnx_file)!r}).recognize([{str(tmp_path / 'line.png')!r}])[0].text)\n"
        "print(sorted(m for m in ('torch', 'lightning', 'hydra', 'omegaconf', 'torchvision', 'onnx') if m in sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert out[1] == "[]"
    assert out[0] == crnn.load(onnx_file).recognize([tmp_path / "line.png"])[0].text


def test_the_gate_refuses_a_file_that_reads_differently(tmp_path: Path) -> None:
    card, network = make()
    path = tmp_path / "model.onnx"
    path.write_bytes(b"the good old one")

    def spoiled(target: Path, card: ModelCard, network: CRNN) -> None:
        with torch.no_grad():
            network.head.bias.add_(torch.linspace(0, 0.01, network.classes))
        write_safetensors(target, card, network)
        with torch.no_grad():
            network.head.bias.sub_(torch.linspace(0, 0.01, network.classes))

    FORMATS["spoiled"] = (spoiled, lambda p: TorchBackend.open(p, device="cpu"))
    try:
        with pytest.raises(
            ModelFileError, match=r"model\.onnx: not written: log-probabilities .* differ .*allowed 0\.001"
        ):
            export_model(card, network, path, "spoiled", LINES)
    finally:
        del FORMATS["spoiled"]
    assert path.read_bytes() == b"the good old one"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


def test_the_gate_refuses_other_lengths_texts_and_no_lines(tmp_path: Path) -> None:
    card, network = make()
    good = TorchBackend(card, network)

    class Off(TorchBackend):
        def run(self, images, widths):  # type: ignore[no-untyped-def]
            log_probs, lengths = super().run(images, widths)
            return log_probs, lengths - 1

    with pytest.raises(ModelFileError, match="lengths"):
        check_parity(Off(card, network), good, LINES, tmp_path / "m")
    with pytest.raises(ModelFileError, match="no lines to check"):
        check_parity(good, good, [], tmp_path / "m")
    other = ModelCard(Charset(tuple(reversed(CHARSET.symbols))), card.transform, card.network)
    with pytest.raises(ModelFileError, match="not written: it reads"):
        check_parity(TorchBackend(other, network), good, LINES, tmp_path / "m")
    counted = check_parity(TorchBackend(other, network), good, LINES, tmp_path / "m", same_text=False)
    assert 0 < counted.other_texts <= len(LINES)
    assert f": {counted.other_texts} read otherwise, log-probabilities within" in str(counted)
    assert ": same text, log-probabilities within" in str(check_parity(good, good, LINES, tmp_path / "m"))
    with pytest.raises(ConfigError, match="allowed are onnx, safetensors"):
        export_model(card, network, tmp_path / "m", "tflite", LINES)


@pytest.mark.parametrize("both", [False, True])
def test_the_gate_refuses_what_gives_no_numbers(both: bool, tmp_path: Path) -> None:
    """The blank has the lowest index, so a line of NaN reads as one without text, and so would the other."""
    card, network = make()
    silent = copy.deepcopy(network)
    with torch.no_grad():
        silent.head.bias.copy_(torch.where(torch.arange(silent.classes) == 0, torch.nan, 0.0))
    reference = TorchBackend(card, silent if both else network)
    with pytest.raises(ModelFileError, match=r"m: not written: the network gives no numbers \(NaN\)"):
        check_parity(TorchBackend(card, silent), reference, LINES, tmp_path / "m")


def test_checkpoint_to_files(trained: Path, tmp_path: Path) -> None:
    checkpoint = trained / "checkpoints" / "best.ckpt"
    said = export_checkpoint(checkpoint, "onnx", tmp_path / "a.onnx", None)
    assert "validation lines of" in said
    assert "same text" in said
    assert crnn.load(tmp_path / "a.onnx").card.temperature == crnn.load(trained).card.temperature
    assert crnn.load(checkpoint).card.temperature == 1.0
    export_checkpoint(checkpoint, "safetensors", tmp_path / "a.safetensors", None)
    export_checkpoint(tmp_path / "a.safetensors", "onnx", tmp_path / "b.onnx", None)
    line = trained / "samples" / "line.png"
    readings = {crnn.load(p).recognize([line])[0].text for p in (checkpoint, *tmp_path.iterdir())}
    assert len(readings) == 1
    with pytest.raises(ModelFileError, match=r"is ONNX, which cannot become a torch network"):
        export_checkpoint(tmp_path / "a.onnx", "safetensors", None, None)


def test_a_file_says_whether_lines_are_trimmed(trained: Path, tmp_path: Path) -> None:
    """As its checkpoint does, unless it is told."""
    checkpoint = trained / "checkpoints" / "best.ckpt"
    own = crnn.load(checkpoint).card.trim
    for name, before, asked, wanted in (
        ("a.onnx", checkpoint, None, own),
        ("b.safetensors", checkpoint, not own, not own),
        ("c.onnx", tmp_path / "b.safetensors", None, not own),
        ("d.onnx", tmp_path / "b.safetensors", own, own),
    ):
        export_checkpoint(before, name.partition(".")[2], tmp_path / name, None, trim=asked)
        reader = crnn.load(tmp_path / name)
        assert reader.trim is reader.card.trim is wanted


def test_a_run_folder_stands_for_its_best_checkpoint(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    with pytest.raises(ModelFileError, match=r"run: is no run folder with checkpoints/best\.ckpt; name one"):
        export_checkpoint(run, "onnx", None, None)
    shutil.copy(trained / "checkpoints" / "best.ckpt", run / "checkpoints")
    (run / "model.onnx").write_bytes(b"the one before")
    for there, replaced in ((False, False), (True, True)):
        (run / "model.onnx").touch() if there else (run / "model.onnx").unlink(missing_ok=True)
        said = export_checkpoint(run, "onnx", None, None)
        assert said.startswith(f"{run / 'model.onnx'}: ")
        assert (" MB, in place of the file that was there; " in said) == replaced
    assert crnn.load(run / "model.onnx").card.charset == crnn.load(run / "checkpoints" / "best.ckpt").card.charset
    (run / "report.html").touch()
    said = export_checkpoint(run, "onnx", None, None)
    assert " MB, in place of the file that was there, which report.html there is about; " in said
    export_checkpoint(run, "safetensors", None, None)
    assert (run / "model.safetensors").is_file()


def test_the_bundled_model_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its language model and its temperature."""
    monkeypatch.chdir(tmp_path)
    assert export_checkpoint(Path("bundled"), "onnx", None, None).startswith("bundled.onnx: ")
    ours, found = crnn.load("bundled").card, crnn.load(tmp_path / "bundled.onnx").card
    assert found.decoder == ours.decoder
    assert "lm" in found.decoder
    assert found.temperature == ours.temperature
    assert found.trim is ours.trim is True


def test_the_ending_of_a_file_says_its_format(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, begins in (("m.safetensors", b"{"), ("m.onnx", b"crnn")):
        assert main(["export", str(trained / "checkpoints" / "best.ckpt"), "-o", str(tmp_path / name)]) == 0
        assert begins in (tmp_path / name).read_bytes()[:64]
    assert main(["export", str(tmp_path / "m.safetensors"), "-o", str(tmp_path / "m.pt")]) == 2
    assert "m.pt: the format that its ending names is unknown; allowed are onnx, safeten" in capsys.readouterr().err
    assert not (tmp_path / "m.pt").exists()


def test_a_language_model_that_reads_worse_is_said(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cer, without, warned in ((0.02, 0.01, True), (0.01, 0.01, False), (0.01, 0.02, False)):
        chosen = LmWeights(0.3, 0.6, cer, without, 12)
        monkeypatch.setattr("crnn.export.command.choose_weights", lambda *_, chosen=chosen: chosen)
        said = export_checkpoint(
            trained / "checkpoints" / "best.ckpt", "onnx", tmp_path / "m.onnx", None, lm=["a b", "c"]
        )
        assert f"(CER {cer:.2%}, without {without:.2%})" in said
        assert ("; it reads these lines worse: leave --lm out, or name other texts" in said) == warned


def test_a_model_is_never_written_over_itself(trained: Path, tmp_path: Path) -> None:
    """A checkpoint that became an ONNX file can no longer be trained on, or exported again."""
    checkpoint = tmp_path / "best.ckpt"
    checkpoint.write_bytes((trained / "checkpoints" / "best.ckpt").read_bytes())
    (tmp_path / "link.onnx").symlink_to(checkpoint)
    (tmp_path / "m.safetensors").write_bytes(b"weights")
    before = checkpoint.read_bytes()
    for source, format, output in (
        (checkpoint, "onnx", checkpoint),
        (checkpoint, "onnx", tmp_path / "x" / ".." / "link.onnx"),
        (checkpoint, "safetensors", checkpoint),
        (tmp_path / "m.safetensors", "safetensors", None),  # beside it, and of its name
    ):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(ConfigError, match="is what is exported, and would be written over; name another file"):
            export_checkpoint(source, format, output, None)
    assert checkpoint.read_bytes() == before
    assert (tmp_path / "m.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize(("format", "name"), [("safetensors", "z.onnx"), ("onnx", "z.safetensors"), ("onnx", "z.ckpt")])
def test_a_file_is_not_called_like_another_kind(trained: Path, tmp_path: Path, format: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"--to {format} writes another kind of file; name it .{format}"):
        export_checkpoint(trained / "checkpoints" / "best.ckpt", format, tmp_path / name, None)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("to", [{}, {"int8": True}, {"half": True}])
def test_no_folder_is_made_for_a_model_file(trained: Path, tmp_path: Path, to: dict[str, bool]) -> None:
    path = tmp_path / "mistyped" / ("m.safetensors" if "half" in to else "m.onnx")
    with pytest.raises(ConfigError, match="cannot be written; name a file in a folder that is there"):
        export_checkpoint(trained / "checkpoints" / "best.ckpt", path.suffix[1:], path, None, **to)
    assert not path.parent.exists()


def test_hostile_files_are_refused_in_one_line(tmp_path: Path, onnx_file: Path) -> None:
    import pickle
    import zipfile

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, (f"open({str(tmp_path / 'pwned')!r}, 'w')",))

    torch.save({"hyper_parameters": {CARD_KEY: Evil()}, "state_dict": {}}, tmp_path / "evil.ckpt")
    (tmp_path / "evil.onnx").write_bytes(pickle.dumps(Evil()))
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "cut.onnx").write_bytes(onnx_file.read_bytes()[:5000])
    (tmp_path / "text.safetensors").write_text("hello there, this is no model")
    (tmp_path / "cut.safetensors").write_bytes((64).to_bytes(8, "little") + b'{"a":')
    with zipfile.ZipFile(tmp_path / "zip.ckpt", "w") as archive:
        archive.writestr("readme", "x")
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    paths = sorted(p for p in tmp_path.iterdir())
    assert len(paths) == 9
    for path in (*paths, tmp_path, tmp_path / "missing.onnx"):
        with pytest.raises(ModelFileError) as caught:
            crnn.load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "pwned").exists()


def test_foreign_and_mismatched_onnx_files_are_refused(tmp_path: Path, onnx_file: Path) -> None:
    import onnx

    model = onnx.load(str(onnx_file))
    card = next(p for p in model.metadata_props if p.key == CARD_KEY)
    text = card.value

    def refused(message: str) -> None:
        onnx.save(model, str(tmp_path / "m.onnx"))
        with pytest.raises(ModelFileError, match=message):
            crnn.load(tmp_path / "m.onnx")

    card.value = text.replace('"format": 2', '"format": 3')
    refused(r"model format 3 is newer than this crnn reads \(2\); crnn .* wrote it: pip install -U 'crnn>=")
    card.value = text.replace('"ï", ', "")
    refused("the network has height 32 and")
    card.value = text.replace('"name": "greedy"', '"name": "psychic"')
    refused("decoder 'psychic' is unknown")
    del model.metadata_props[:]
    refused("has no model card")


@pytest.mark.parametrize(("level", "least"), [(-0.5, 1e-3), (-1.0, 1e-3), (-25.0, 25e-3)])
def test_what_is_improbable_may_differ_by_as_large_a_share(level: float, least: float, tmp_path: Path) -> None:
    """float32 has seven places: beside -25 are numbers 2e-6 apart, and they come from sums of thousands."""
    card, network = make()

    class Fixed(TorchBackend):
        level = 0.0

        def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            log_probs, lengths = super().run(images, widths)
            return np.full_like(log_probs, self.level), lengths

    exported, reference = Fixed(card, network), Fixed(card, network)
    reference.level = level
    for share, passes in ((0.9, True), (1.1, False)):
        exported.level = level + share * least
        if passes:
            check_parity(exported, reference, LINES[:2], tmp_path / "m")
        else:
            with pytest.raises(ModelFileError, match=r"log-probabilities .* differ .*allowed 0\.001"):
                check_parity(exported, reference, LINES[:2], tmp_path / "m")
