"""Opening a .onnx file and what of its outputs is believed; whole model files are in tests/export."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from crnn.core import onnx_backend
from crnn.core.card import CARD_KEY, ModelCard
from crnn.core.charset import Charset
from crnn.core.onnx_backend import OnnxBackend, open_onnx
from crnn.core.transform import LineTransform
from crnn.errors import ModelFileError

CARD = ModelCard(Charset(("a", "b")), LineTransform(), {"name": "x"})
SHAPES: dict[str, tuple[int, list[Any]]] = {
    "images": (1, ["B", 1, 32, "W"]),
    "widths": (7, ["B"]),
    "log_probs": (1, ["T", "B", 3]),
    "lengths": (7, ["B"]),
}


def write(path: Path, card: str | None = None, **shapes: tuple[int, list[Any]]) -> Path:
    """A file with the inputs and outputs of a model, that cannot be run."""
    values = {name: helper.make_tensor_value_info(name, *shape) for name, shape in (SHAPES | shapes).items()}
    model = onnx.ModelProto()
    model.graph.input.extend([values["images"], values["widths"]])
    model.graph.output.extend([values["log_probs"], values["lengths"]])
    if card != "none":
        model.metadata_props.add(key=CARD_KEY, value=card or CARD.to_json())
    path.write_bytes(model.SerializeToString())
    return path


def backend(log_probs: np.ndarray, lengths: np.ndarray | list[int]) -> OnnxBackend:
    """One whose network gives these outputs."""
    made = object.__new__(OnnxBackend)
    made.card, made._path = CARD, Path("m.onnx")

    def run(outputs: list[str], inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        assert (outputs, list(inputs)) == (["log_probs", "lengths"], ["images", "widths"])
        return log_probs, np.asarray(lengths, dtype=np.int64)

    made._session = SimpleNamespace(run=run)
    return made


def read(made: OnnxBackend, pictures: int) -> tuple[np.ndarray, np.ndarray]:
    return made.run(np.zeros((pictures, 1, 32, 16), np.float32), np.full(pictures, 16))


def test_open(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx")
    content, file, card = open_onnx(path)
    assert (content, file.where, card) == (path.read_bytes(), str(path), CARD)
    assert write(tmp_path / "m.onnx", log_probs=(1, ["a", "b", 3])) == path  # free sizes have any name
    open_onnx(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"card": "none"}, "has no model card; it was not written by 'crnn export'"),
        ({"card": "{"}, "its model card is not JSON"),
        ({"images": (1, ["B", 32, "W"])}, r"has inputs or outputs .*; a crnn model has {'images': \(4, 'float32'\)"),
        ({"images": (1, ["B", 1, 32, "W", 1])}, "has inputs or outputs"),
        ({"images": (10, ["B", 1, 32, "W"])}, "has inputs or outputs"),
        ({"widths": (7, ["B", 1])}, "has inputs or outputs"),
        ({"widths": (7, [])}, "has inputs or outputs"),
        ({"widths": (6, ["B"])}, "has inputs or outputs"),
        ({"log_probs": (1, ["T", 3])}, "has inputs or outputs"),
        ({"log_probs": (11, ["T", "B", 3])}, "has inputs or outputs"),
        ({"lengths": (6, ["B"])}, "has inputs or outputs"),
        ({"lengths": (7, [1, 1])}, "has inputs or outputs"),
        ({"images": (1, ["B", 1, 33, "W"])}, "the network has height 33 and 3 classes, its card says 32 and 3"),
        ({"images": (1, [32, 32, "H", 32])}, "the network has height H and 3 classes"),
        ({"log_probs": (1, ["T", "B", 4])}, "the network has height 32 and 4 classes, its card says 32 and 3"),
        ({"log_probs": (1, [3, 3, "C"])}, "the network has height 32 and C classes"),
    ],
)
def test_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        open_onnx(write(tmp_path / "m.onnx", **changes))
    assert str(caught.value).startswith(f"{tmp_path / 'm.onnx'}: ")


def test_what_may_not_be_run_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx")
    model = onnx.load(str(path))
    model.graph.node.append(helper.make_node("Loop", [], []))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="has the operator 'Loop'"):
        open_onnx(path)


def test_files_of_more_than_2_gib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "m.onnx")
    size = path.stat().st_size
    monkeypatch.setattr(onnx_backend, "MAX_BYTES", size)
    open_onnx(path)
    monkeypatch.setattr(onnx_backend, "MAX_BYTES", size - 1)
    with pytest.raises(ModelFileError, match=r"has 0\.0 GiB; a \.onnx file has at most 2"):
        open_onnx(path)
    monkeypatch.undo()
    large = tmp_path / "large.onnx"
    with large.open("wb") as file:
        file.truncate(5 * 2**29)  # a hole, not on the disk
    with pytest.raises(ModelFileError, match=r"has 2\.5 GiB; a \.onnx file has at most 2"):
        open_onnx(large)
    with pytest.raises(ModelFileError, match=r"none\.onnx: cannot be read \(No such file"):
        open_onnx(tmp_path / "none.onnx")


def test_a_file_that_onnxruntime_does_not_take(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx")  # no version, no operators
    with pytest.raises(ModelFileError, match=r"m\.onnx: is not a usable ONNX model \(.+\)$"):
        OnnxBackend(path)


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_a_session_is_opened_as_it_was_looked_at(
    threads: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    given: list[Any] = []
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *words, **named: given.append((words, named)))
    path = write(tmp_path / "m.onnx")
    made = OnnxBackend(path, threads)
    [((content, options), named)] = given
    assert content == path.read_bytes()
    assert options.intra_op_num_threads == (threads or 0)  # 0: as onnxruntime likes
    assert options.log_severity_level == 4  # fatal only
    assert options.get_session_config_entry("session.load_model_format") == "ONNX"
    assert named == {"providers": ["CPUExecutionProvider"], "disabled_optimizers": ["ConstantFolding"]}
    assert (made.card, made.name, made.device) == (CARD, "onnxruntime", "cpu")


INT8 = """
from pathlib import Path
from PIL import Image
from crnn.core.onnx_backend import open_onnx
from crnn.export.quantize import write_int8
from crnn.models import bundled
write_int8(bundled(), Path("int8.onnx"), open_onnx(bundled())[2], [Image.new("L", (64, 32), 255)])
"""


@pytest.mark.parametrize("code", ["import crnn; crnn.load()", INT8], ids=["read", "int8"])
def test_onnxruntime_sends_and_keeps_nothing(code: str, tmp_path: Path) -> None:
    """Of its own accord it keeps a device number and what it sends to its makers below the home folder."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    switches = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in switches}
    environment |= {"HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=work, env=environment, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [path.name for path in home.rglob("*")] == []
    home.rmdir()
    home.write_bytes(b"")  # no folder can be made there
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=work, env=environment, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_outputs_that_fit() -> None:
    log_probs = np.zeros((5, 2, 3), np.float32)
    for lengths in ([5, 1], [1, 1], [5, 5], [3, 2]):
        found, steps = read(backend(log_probs, lengths), 2)
        assert found is log_probs
        assert steps.tolist() == lengths
    found, steps = read(backend(np.zeros((5, 0, 3), np.float32), []), 0)  # no pictures
    assert (found.shape, steps.tolist()) == ((5, 0, 3), [])


@pytest.mark.parametrize(
    ("shape", "lengths"),
    [
        ((5, 2, 3), [0, 5]),
        ((5, 2, 3), [-1, 5]),
        ((5, 2, 3), [6, 5]),
        ((5, 2, 3), [5, 2**40]),
        ((5, 2, 3), [5]),
        ((5, 2, 3), [5, 5, 5]),
        ((5, 2, 3), [[5, 5]]),
        ((5, 1, 3), [5, 5]),
        ((5, 3, 3), [5, 5]),
        ((5, 2, 2), [5, 5]),
        ((5, 2, 4), [5, 5]),
        ((5, 2), [5, 5]),
        ((5, 2, 3, 1), [5, 5]),
        ((0, 2, 3), [0, 0]),
    ],
)
def test_outputs_that_do_not_fit_are_refused(shape: tuple[int, ...], lengths: list[Any]) -> None:
    with pytest.raises(ModelFileError, match=r"^m\.onnx: the network gives log_probs .* for 2 pictures; the file is"):
        read(backend(np.zeros(shape, np.float32), lengths), 2)


def test_few_of_many_lengths_are_named() -> None:
    with pytest.raises(ModelFileError, match=r"lengths \[9, 9, 9, 9, 9, 9, 9, 9\] for 12 pictures"):
        read(backend(np.zeros((5, 12, 3), np.float32), [9] * 12), 12)


@pytest.mark.parametrize(
    ("error", "said"), [(RuntimeError("first\nsecond"), "first"), (RuntimeError(), "RuntimeError"), (OSError("x"), "x")]
)
def test_a_network_that_cannot_be_run(error: Exception, said: str) -> None:
    def run(*_: object) -> None:
        raise error

    made = backend(np.zeros((1, 1, 3), np.float32), [1])
    made._session = SimpleNamespace(run=run)
    with pytest.raises(ModelFileError, match=rf"^m\.onnx: the network cannot be run \({said}\)$"):
        read(made, 1)
