"""The mean of several models' weights, which often reads better than each of them.

Of trainings that went on from each other, or from the same model, the weights in between read, too: Wortsman et al.
2022, "Model soups" (arXiv 2203.05482), and of a fine-tuned model and its start "Robust fine-tuning of zero-shot models"
(arXiv 2109.01903).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from crnn.core.card import ModelCard
from crnn.errors import ConfigError, printable
from crnn.export.torch_backend import read_network
from crnn.model.crnn import CRNN


def averaged(models: Sequence[Path], weights: Sequence[float] | None = None) -> tuple[ModelCard, CRNN]:
    """The card of the first model, and a network with the weighted mean of all weights.

    Args:
        models: .ckpt or .safetensors files.
        weights: of each in the mean; None: the same.

    Raises:
        ConfigError: if characters, heights or networks differ, or `weights` are not as many, all above 0.
        ModelFileError: for a file that cannot be read.
    """
    weights = [1.0] * len(models) if weights is None else weights
    if len(weights) != len(models) or not all(weight > 0 for weight in weights):
        raise ConfigError(f"weights {list(weights)}: must be {len(models)} numbers above 0")
    card, network = read_network(models[0])
    states = [network.state_dict()]
    for path in models[1:]:
        other, its_network = read_network(path)
        differ = [
            what
            for what, its, first in (
                (f"characters ({len(other.charset)}, and {len(card.charset)})", other.charset, card.charset),
                ("network", other.network, card.network),
                ("height, width or grey levels", other.transform, card.transform),
            )
            if its != first
        ]
        if differ:
            raise ConfigError(
                f"{printable(path)}: does not have the {' and '.join(differ)} of {printable(models[0])}; only models "
                "that were trained from each other, or from the same one, with the same characters, have a mean"
            )
        states.append(its_network.state_dict())
    shares = [weight / sum(weights) for weight in weights]
    mean = {}
    for name, first in states[0].items():
        values = [share * state[name] for share, state in zip(shares, states, strict=True)]
        mean[name] = torch.stack(values).sum(0) if first.is_floating_point() else first
    network.load_state_dict(mean)
    return card, network
