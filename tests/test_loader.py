"""A model's card, by whatever name and in whatever file: the same, and torch only for a checkpoint."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from crnn.cli import main
from crnn.errors import ConfigError, ModelFileError
from crnn.loader import chosen_file, load, model_first, read_card
from crnn.models import bundled

NO_TORCH = "import sys; sys.modules['torch'] = None; from crnn.cli import main; sys.exit(main(sys.argv[1:]))"


def test_a_card_is_the_one_that_the_model_reads_with(trained: Path) -> None:
    checkpoint = trained / "checkpoints" / "best.ckpt"
    assert read_card(checkpoint).charset == read_card(trained).charset == load(trained).card.charset
    assert read_card(trained) == load(trained).card
    assert read_card(None) == read_card("bundled") == load().card
    weights = bundled(".safetensors")
    assert read_card(weights) == load(weights).card
    assert chosen_file("bundled") == bundled()


def test_a_run_reads_with_the_decoder_of_its_model_file_in_any_precision(trained: Path, tmp_path: Path) -> None:
    """Its checkpoint has none, and no temperature."""
    run = shutil.copytree(trained, tmp_path / "run")
    assert main(["export", str(run), "--beam", "7"]) == 0
    exported = load(run).card
    assert exported.decoder["width"] == 7
    for reader in (load(run, precision="bfloat16"), load(run, device="cpu", precision="float16")):
        assert (reader.card.decoder, reader.card.temperature) == (exported.decoder, exported.temperature)
    own = load(run / "checkpoints" / "best.ckpt")  # as it is named
    assert own.card.decoder == {"name": "greedy"}
    (run / "model.onnx").write_bytes(bundled().read_bytes())  # of something else
    assert load(run, precision="bfloat16").card.decoder == {"name": "greedy"}
    (run / "model.onnx").write_bytes(b"damaged")
    assert load(run, precision="bfloat16").card.decoder == {"name": "greedy"}


@pytest.mark.parametrize("content", [b"", b"\x10\0\0\0\0\0\0\0{}", b"PK\3\4 not an archive", b"\x08\x07 no graph"])
def test_a_damaged_file_has_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"m\.onnx: "):
        read_card(path)


def test_lines_are_checked_against_weights_without_torch(trained: Path, tmp_path: Path) -> None:
    """And a checkpoint says what it needs."""
    Image.effect_noise((64, 32), 60).save(tmp_path / "a.png")
    (tmp_path / "labels.tsv").write_text("a.png\tab☃\n", encoding="utf-8")
    checkpoint = trained / "checkpoints" / "best.ckpt"
    said = {}
    for model in (bundled(".safetensors"), checkpoint):
        command = [sys.executable, "-c", NO_TORCH, "check", str(tmp_path), "--model", str(model)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert "Traceback" not in done.stderr
        said[model.suffix] = (done.returncode, done.stdout + done.stderr)
    assert said[".safetensors"][0] == 1
    assert "☃" in said[".safetensors"][1]
    assert said[".ckpt"][0] == 2
    assert said[".ckpt"][1].startswith(f"crnn: {checkpoint}: needs torch, which cannot be imported here")


def test_a_training_without_a_model_yet_is_no_folder_of_pictures(tmp_path: Path) -> None:
    """Its sample pictures would be read, and the others with the model in the box."""
    (tmp_path / "run" / "samples").mkdir(parents=True)
    assert model_first([str(tmp_path / "run"), "a.png"]) == (None, [str(tmp_path / "run"), "a.png"])
    (tmp_path / "run" / "train.log").touch()
    with pytest.raises(ConfigError, match=r"run: is the folder of a training that has no model yet; wait for its"):
        model_first([str(tmp_path / "run"), "a.png"])


@pytest.mark.parametrize("threads", [0, -1, 1025, 100_000])
def test_threads_have_a_bound(threads: int) -> None:
    """Each takes memory before it has done anything: 100,000 of them took 11 gigabytes and an hour."""
    with pytest.raises(ConfigError, match=rf"threads={threads}: must be 1 or more, at most 1024"):
        load(threads=threads)
