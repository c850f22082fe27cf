"""`load`: a model file, a run folder or the bundled model to a `Recognizer`; files are known by their content."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from crnn.core.decode.settings import Texts, beam_settings
from crnn.core.file_kind import file_kind
from crnn.core.onnx_backend import OnnxBackend, open_onnx
from crnn.core.recognizer import Recognizer
from crnn.core.safetensors_file import open_safetensors
from crnn.errors import ConfigError, ModelFileError, printable
from crnn.machine import MOST_THREADS
from crnn.models import NAMES, bundled

if TYPE_CHECKING:
    from crnn.core.card import ModelCard
    from crnn.core.recognizer import Backend

MODEL_SUFFIXES = (".onnx", ".safetensors", ".ckpt")
"""What model files are called."""
_OF_RUN = ("model.onnx", "model.safetensors", "checkpoints/best.ckpt")
"""Of a run folder, the first that is there is its model."""


def model_file(model: str | os.PathLike[str], for_torch: bool = False) -> Path:
    """The model file of a run folder, or the first that torch reads; any other path as it is."""
    path = Path(model)
    if (path / "config.yaml").is_file():
        names = [name for name in _OF_RUN if not (for_torch and name.endswith(".onnx"))]
        return next((path / name for name in names if (path / name).is_file()), path)
    return path


def model_first(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """(model, other words) of what stands on a command line, where the model comes first or is left out.

    The first word is the model if it is a model file or a run folder, or is called like one (``.onnx``,
    ``.safetensors``, ``.ckpt``, ``bundled``), so that a missing or damaged one is named as such. Otherwise the model is
    None, which stands for the bundled one.

    Raises:
        ConfigError: if a later word is a model, see `refuse_models`.
    """
    if not words:
        return None, []
    path = Path(words[0])
    if path.is_dir():
        is_model = model_file(path) != path
        if not is_model and (path / "train.log").is_file():
            raise ConfigError(
                f"{printable(path)}: is the folder of a training that has no model yet; wait for its first checkpoint, "
                "or name a model"
            )
    elif path.suffix.lower() in MODEL_SUFFIXES or words[0] in NAMES:
        is_model = True
    elif path.suffix.lower() == ".zip" or is_pipe(path):  # of pictures: checkpoints are zip archives, but not called so
        is_model = False
    else:
        try:
            is_model = bool(file_kind(path))
        except (ModelFileError, ValueError):  # ValueError: a NUL in it
            is_model = False
    refuse_models(words[1:])
    return (words[0], list(words[1:])) if is_model else (None, list(words))


def is_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether what is looked at there is gone for who reads it next: ``<(...)`` of a shell, a named pipe."""
    try:
        return Path(path).is_fifo()
    except (OSError, ValueError):  # ValueError: a NUL in it
        return False


def refuse_models(words: Sequence[str]) -> None:
    """Refuse models and run folders among pictures or lines: what lies in such a folder would be read as those.

    Raises:
        ConfigError: naming the first.
    """
    for word in words:
        path = Path(word)
        if path.suffix.lower() in MODEL_SUFFIXES or (os.path.isdir(path) and model_file(path) != path):
            raise ConfigError(f"{printable(word)}: is a model, and those come first, one at a time, or after --model")


def needing_torch(path: Path) -> ModuleType:
    """`crnn.export.torch_backend`, for a file that nothing else reads.

    Raises:
        ModelFileError: where torch cannot be imported.
    """
    try:
        import crnn.export.torch_backend as torch_backend
    except ImportError as error:
        raise ModelFileError(
            f"{path}: needs torch, which cannot be imported here ({printable(error)}); install it, or take an .onnx "
            "file"
        ) from None
    return torch_backend


def read_card(model: str | os.PathLike[str] | None) -> ModelCard:
    """The card of a model, as `load` names one; no weight is read, and only a checkpoint needs torch.

    Raises:
        ModelFileError: one line: which file, what is wrong.
    """
    path = chosen_file(model)
    kind = file_kind(path)
    if kind == "onnx":
        return open_onnx(path)[2]
    card: ModelCard
    if kind == "safetensors":
        with open_safetensors(path) as (card, _):
            return card
    card, _weights = needing_torch(path).read_checkpoint(path)
    return card


def chosen_file(
    path: str | os.PathLike[str] | None = None, device: str | None = None, precision: str = "float32"
) -> Path:
    """The file that `load` opens."""
    for_torch = device not in (None, "cpu") or precision != "float32"
    if path is None or path in NAMES:
        return bundled(".safetensors" if for_torch else ".onnx")
    return model_file(path, for_torch)


def _as_exported(card: ModelCard, run: Path) -> ModelCard:
    """The card of a run's checkpoint with the decoder and temperature of its model file, which alone has them."""
    try:
        exported = read_card(model_file(run))
    except ModelFileError:
        return card
    if exported.charset != card.charset or exported.network != card.network:
        return card
    return replace(card, decoder=exported.decoder, temperature=exported.temperature)


def load(
    path: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    precision: str = "float32",
    *,
    beam: int | None = None,
    lm: Texts | None = None,
    lm_weight: float | None = None,
    length_bonus: float | None = None,
    lexicon: Texts | None = None,
    pattern: str | None = None,
    decoder: str | Mapping[str, Any] | None = None,
    nbest: int = 1,
    trim: bool | None = None,
) -> Recognizer:
    """Open a model for reading lines.

    Args:
        path: .onnx (needs no torch), .safetensors or .ckpt; or a run folder: its .onnx file, or for another device or
            precision its .safetensors file, or the best checkpoint with the decoder of the .onnx file. None,
            ``"bundled"`` or ``"latin"``: the model that comes with the package, for printed Latin text.
        threads: CPU threads; None lets the library choose.
        device: for .safetensors and .ckpt: ``cpu`` or ``cuda``; None takes a GPU if there is one.
        batch_size: most lines that run together; None: 8 on a CPU, where more are not faster, 32 on a GPU.
        precision: for .safetensors and .ckpt: ``float32``, or ``bfloat16`` or ``float16`` for GPUs.
        beam, lm, lm_weight, length_bonus, lexicon, pattern: in place of the decoder settings in the file, see
            `crnn.core.decode.settings.beam_settings`; any of them means a beam search.
        decoder: in place of all of these, the name of a decoder, of ours or of an installed package, or its settings:
            ``{"name": ..., ...}``.
        nbest: texts per line, as `Recognition.alternatives`; more than 1 come from a beam search.
        trim: cut off paper around each line before it is scaled; None: as the file says.

    Raises:
        ModelFileError: one line: which file, what is wrong.
        ConfigError: for decoder settings that are not valid, or less than one thread.
    """
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise ConfigError(
            f"threads={threads}: must be 1 or more, at most {MOST_THREADS}; or left out, for the library's"
        )
    file = chosen_file(path, device, precision)
    backend: Backend
    if file_kind(file) == "onnx":
        if device not in (None, "cpu"):
            raise ModelFileError(f"{file}: .onnx files run on the CPU here; for {device} load the .safetensors file")
        if precision != "float32":
            raise ModelFileError(f"{file}: .onnx files run as they are; for {precision} load the .safetensors file")
        backend = OnnxBackend(file, threads)
    else:
        backend = needing_torch(file).TorchBackend.open(file, threads, device, precision)
        if path is None or path in NAMES:  # its file for torch is what trainings start from, without a language model
            backend.card = read_card(None)
        elif file.suffix == ".ckpt" and file != Path(path):
            backend.card = _as_exported(backend.card, Path(path))
    settings = beam_settings(
        backend.card.decoder, backend.card.charset, beam, lm, lm_weight, length_bonus, lexicon, pattern, decoder
    )
    most = batch_size or (8 if backend.device == "cpu" else 32)
    return Recognizer(backend, most, decoder=settings, nbest=nbest, trim=trim)
