"""An export format: card and weights as numpy's .npz, for programs without torch."""

import numpy as np
import torch

from crnn.core.card import ModelCard
from crnn.export.export import ExportFormat
from crnn.export.torch_backend import TorchBackend, build_network


def write(path, card, network):
    with path.open("wb") as file:
        np.savez(file, card=card.to_json(), **{name: value.numpy() for name, value in network.state_dict().items()})


def read(path):
    stored = dict(np.load(path))
    card = ModelCard.from_json(str(stored.pop("card")), str(path))
    return TorchBackend(card, build_network(card, {name: torch.from_numpy(stored[name]) for name in stored}, str(path)))


NPZ = ExportFormat(write, read)
