"""Runs .safetensors and .ckpt files with torch. Neither is unpickled beyond plain data."""

from __future__ import annotations

import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crnn.core.card import CARD_KEY, ModelCard
from crnn.core.file_kind import file_kind
from crnn.core.safetensors_file import open_safetensors
from crnn.errors import ConfigError, ModelFileError, PluginError, printable
from crnn.model.config import NetworkConfig
from crnn.model.crnn import CRNN

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Name -> what convolutions, LSTM and matrix products are computed in; the head and its softmax stay in float32."""
PREFIX = "network."
"""Of the network's weights in a checkpoint of `CrnnModule`."""


def read_checkpoint(path: Path) -> tuple[ModelCard, dict[str, Tensor]]:
    """Card and network weights of a Lightning checkpoint.

    Raises:
        ModelFileError: if it is damaged, holds more than plain data and tensors, or is not ours.
    """
    _check_archive(path)
    try:
        data: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds on damaged or hostile archives
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, UnpicklingError) and "weights_only" in str(error):  # what torch says is how to run it
            reason = "it holds Python objects, which checkpoints of crnn never do; they were not loaded"
        raise ModelFileError(f"{path}: is not a readable checkpoint ({printable(reason, 160)})") from None
    settings = data.get("hyper_parameters") if isinstance(data, dict) else None
    if not isinstance(settings, dict) or CARD_KEY not in settings:
        raise ModelFileError(f"{path}: has no model card; it is not a checkpoint of crnn")
    card = ModelCard.from_dict(settings[CARD_KEY], str(path))
    state = data.get("state_dict")
    if not isinstance(state, dict) or not all(isinstance(k, str) and isinstance(state[k], Tensor) for k in state):
        raise ModelFileError(f"{path}: has no valid weights ('state_dict'); the file is damaged")
    return card, {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}


def _check_archive(path: Path) -> None:
    """Refuse a .zip that unpacks to more than it holds; torch itself never compresses."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [entry.filename for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
            inside = sum(entry.file_size for entry in archive.infolist())
    except Exception as error:  # zipfile raises many kinds on damaged archives
        raise ModelFileError(f"{path}: is not a readable checkpoint ({printable(error)})") from None
    if packed or inside > path.stat().st_size:
        raise ModelFileError(f"{path}: is a compressed archive, which no checkpoint is; it was not unpacked")


def read_safetensors(path: Path) -> tuple[ModelCard, dict[str, Tensor]]:
    """Card and weights of a .safetensors model file.

    Raises:
        ModelFileError: if it is damaged or not ours.
    """
    with open_safetensors(path, "pt") as (card, file):
        return card, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict


def build_network(card: ModelCard, weights: dict[str, Tensor], where: str = "model file") -> CRNN:
    """The network of a card with these weights, ready to read.

    Raises:
        ModelFileError: if they do not fit each other.
    """
    try:
        config = NetworkConfig.from_dict(card.network)
        with torch.device("meta"):  # costs no memory, whatever sizes the card names
            planned = CRNN(config, card.charset.classes, card.transform.height).state_dict()
        for name, tensor in planned.items():
            if name in weights and tensor.shape != weights[name].shape:
                raise ValueError(f"{name} has shape {tuple(weights[name].shape)}, not {tuple(tensor.shape)}")
        if planned.keys() != weights.keys():
            differing = sorted(planned.keys() ^ weights.keys())
            raise ValueError(f"{len(differing)} weights are missing or too many, as {differing[0]!r}")
        network = CRNN(config, card.charset.classes, card.transform.height)
        network.load_state_dict(weights)
    except PluginError as error:
        raise ModelFileError(f"{where}: its {error}") from None
    except (ConfigError, RuntimeError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{where}: weights and model card do not fit each other ({printable(error, 300)})"
        ) from None
    return network.eval()


def read_network(path: Path) -> tuple[ModelCard, CRNN]:
    """Card and network of a .ckpt or .safetensors file."""
    kind = file_kind(path)
    if kind == "onnx":
        raise ModelFileError(f"{path}: is ONNX, which cannot become a torch network; name a .ckpt or .safetensors")
    card, weights = read_checkpoint(path) if kind == "ckpt" else read_safetensors(path)
    return card, build_network(card, weights, str(path))


class TorchBackend:
    """A network on a device.

    Args:
        card: of the model.
        network: in evaluation mode.
        device: ``cpu``, ``cuda`` ...
        precision: see `PRECISIONS`; all but float32 are faster on newer GPUs (bfloat16 on CPUs with AMX, too), and may
            change a doubtful character.

    Raises:
        ModelFileError: for an unknown precision.
    """

    name = "torch"

    def __init__(self, card: ModelCard, network: CRNN, device: str = "cpu", precision: str = "float32") -> None:
        if precision not in PRECISIONS:
            raise ModelFileError(f"precision {precision!r} is unknown; allowed are {', '.join(PRECISIONS)}")
        self._dtype = PRECISIONS[precision]
        self.card = card
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device

    @classmethod
    def open(
        cls, path: Path, threads: int | None = None, device: str | None = None, precision: str = "float32"
    ) -> TorchBackend:
        """Open a .ckpt or .safetensors file; `threads` sets torch's for the whole process."""
        if threads is not None:
            torch.set_num_threads(threads)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if device.partition(":")[0] == "meta":
            raise ModelFileError("device 'meta' computes nothing; use cpu")
        card, network = read_network(path)
        try:
            return cls(card, network, device, precision)
        except (RuntimeError, AssertionError) as error:
            raise ModelFileError(f"device {device!r} cannot be used ({str(error).splitlines()[0]}); use cpu") from None

    @torch.inference_mode()
    def run(
        self, images: NDArray[np.float32], widths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        kind = torch.device(self.device).type
        with torch.autocast(kind, self._dtype, enabled=self._dtype is not None):
            output = self.network(torch.from_numpy(images).to(self.device), torch.from_numpy(widths))
        return output.log_probs.cpu().numpy(), output.lengths.numpy()


def write_safetensors(path: Path, card: ModelCard, network: CRNN, half: bool = False) -> None:
    """Weights and card in one file, without pickle.

    Args:
        path: of the new file.
        card, network: of the model.
        half: matrices and kernels in float16, half the size; what is a row of numbers stays in float32. Reading makes
            all of them float32 again.
    """
    from safetensors.torch import save_file

    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.state_dict().items()}
    if half:
        weights = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in weights.items()}
    save_file(weights, path, metadata={CARD_KEY: card.to_json()})
