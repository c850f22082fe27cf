"""Training that starts from a model: its weights are taken over, character by character in the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch

from crnn.core.card import ModelCard
from crnn.core.charset import BLANK, Charset
from crnn.core.recognizer import Recognizer
from crnn.data.recorded import recorded_lines
from crnn.data.sources import LineSource
from crnn.errors import ConfigError, CrnnError
from crnn.export.torch_backend import TorchBackend, read_network
from crnn.model.config import NetworkConfig
from crnn.model.crnn import CRNN
from crnn.models import NAMES, bundled
from crnn.report.evaluate import evaluate
from crnn.training.characters import asked_otherwise
from crnn.training.config import ImageConfig, TrainConfig

OLD_LINES = 500
"""Of the model's own validation lines, which show what is forgotten."""
NAMED = 20


class Began(NamedTuple):
    """How the model that a training begins from reads, before the first step."""

    cer: float
    """On the first `OLD_LINES` validation lines."""
    lines: LineSource | None
    """Its own validation lines, if they are there."""
    old_cer: float
    """On these."""

    def figures(self) -> dict[str, float | None]:
        """For a record: without lines of its own, nothing is said of them."""
        return {"cer": self.cer, "old_cer": self.old_cer if self.lines is not None else None}


@dataclass(frozen=True)
class Start:
    """A model that a training starts from."""

    path: Path
    card: ModelCard
    network: CRNN

    @classmethod
    def read(cls, place: str) -> Start:
        """A .ckpt or .safetensors file, the best checkpoint of a run folder, or ``bundled``.

        Raises:
            ConfigError, ModelFileError: in one line.
        """
        path = bundled(".safetensors") if place in NAMES else Path(place)
        if not path.exists():
            raise ConfigError(
                f"init={place}: there is no such file or folder; allowed are .ckpt and .safetensors files, run "
                "folders, and 'bundled', the model that comes with crnn"
            )
        if path.is_dir():
            path = path / "checkpoints" / "best.ckpt"
            if not path.is_file():
                raise ConfigError(
                    f"init={place}: is no run folder with checkpoints/best.ckpt; name one, a model file, or 'bundled'"
                )
        return cls(path, *read_network(path))

    def settle(self, config: TrainConfig) -> TrainConfig:
        """The settings with the model's network and pictures, and its characters unless others are asked for.

        Nor where text rules are asked for that it has not: its characters may be none of such texts.
        """
        transform = self.card.transform
        charset = config.charset
        own = asked_otherwise(charset, self.card.charset) is None
        if own and charset.source is None and charset.symbols is None:
            charset = replace(charset, source=str(self.path), grow=True)
        return replace(
            config,
            model=NetworkConfig.from_dict(self.card.network),
            image=ImageConfig(transform.height, transform.width),
            charset=charset,
        )

    def carry_over(self, network: CRNN, charset: Charset) -> str:
        """Give `network`, whose classes are those of `charset`, this model's weights.

        All but the head are copied. The head's rows are copied by character; a new character starts as a mean of the
        others, with a bias one standard deviation below theirs, so that it does not fire before it is learnt.

        Returns:
            What was kept, new and dropped.
        """
        state = {name: value for name, value in self.network.state_dict().items() if not name.startswith("head.")}
        network.load_state_dict(state, strict=False)
        old = {symbol: row for row, symbol in enumerate(self.card.charset.symbols, BLANK + 1)}
        weight, bias = self.network.head.weight, self.network.head.bias
        with torch.no_grad():
            spread = bias[1:].std(correction=0)
            network.head.weight[BLANK], network.head.bias[BLANK] = weight[BLANK], bias[BLANK]
            for row, symbol in enumerate(charset.symbols, BLANK + 1):
                if symbol in old:
                    network.head.weight[row], network.head.bias[row] = weight[old[symbol]], bias[old[symbol]]
                else:
                    network.head.weight[row], network.head.bias[row] = weight[1:].mean(0), bias[1:].mean() - spread
        new = [symbol for symbol in charset.symbols if symbol not in old]
        dropped = [symbol for symbol in old if symbol not in charset]
        kept = len(charset) - len(new)
        return f"init: {self.path}: {kept} characters kept, {_count(new, 'new')}, {_count(dropped, 'dropped')}"

    def old_lines(self) -> LineSource | None:
        """The model's own validation lines, if they are still there."""
        try:
            return recorded_lines(self.card.training, "val", self.path)
        except CrnnError:
            return None


def cer_on(card: ModelCard, network: CRNN, source: LineSource) -> float:
    """CER of a network on the first lines of a source, on the CPU."""
    return evaluate(Recognizer(TorchBackend(card, network.eval(), "cpu")), source, OLD_LINES).counts.cer


def _count(symbols: Sequence[str], what: str) -> str:
    named = " ".join(repr(symbol) for symbol in symbols[:NAMED]) + (" ..." if len(symbols) > NAMED else "")
    return f"{len(symbols)} {what}" + (f" ({named})" if symbols else "")
