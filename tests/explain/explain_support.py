"""A tiny network with random weights that reads something, and pages taken apart."""

from __future__ import annotations

import base64
import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.explain.model import Opened
from crnn.model.config import BackboneConfig, LstmConfig, NetworkConfig
from crnn.model.crnn import CRNN

SYMBOLS = (" ", "<", "&", "a", "b", "é")
VOID = {"meta", "img", "input", "br", "link"}
OPTIONAL = {"li", "p", "td", "th", "tr", "option"}


def tiny(layers: int = 2, bidirectional: bool = True, bias: bool = True, proj: int = 0, seed: int = 5) -> Opened:
    """16 pixels high, 4 per column, 10 features, 12 units; weights large enough that the path changes."""
    torch.manual_seed(seed)
    lstm = LstmConfig(12, layers, bias, 0.0, bidirectional, proj)
    network = CRNN(NetworkConfig("tiny", BackboneConfig([4, 6], ["2x2", "2x2"], 10), lstm), len(SYMBOLS) + 1, 16)
    with torch.no_grad():
        for parameter in (*network.lstm.parameters(), *network.head.parameters()):
            parameter.mul_(6)
        for norm in (*network.backbone.norms, network.backbone.last_norm):  # as after a training
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.3, 0.3)
    card = ModelCard(Charset(SYMBOLS), LineTransform(16), network.config.to_dict())
    return Opened("tiny <model>", card, network.eval())


def noise(width: int = 120, height: int = 16, seed: int = 1) -> NDArray[np.uint8]:
    """A picture that makes width // 4 columns."""
    return np.random.default_rng(seed).integers(0, 255, (height, width), dtype=np.uint8)


class Page(HTMLParser):
    """Tags, ids, texts and data of a page; complains about tags that do not close."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self._open: list[str] = []
        self._in_data = False
        self.data: Any = None
        self.feed(source)
        self.close()
        assert not [tag for tag in self._open if tag not in OPTIONAL], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.addresses += [str(values[name]) for name in ("src", "href", "action", "data") if name in values]
        if "id" in values:
            self.ids.append(str(values["id"]))
        if tag not in VOID:
            self._open.append(tag)
        self._in_data = values.get("id") == "data"

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open[-1] != tag and self._open[-1] in OPTIONAL:
            self._open.pop()
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> does not close what is open"

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data = json.loads(data)
            self._in_data = False
        elif self._open[-1:] not in (["script"], ["style"]):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def unpack(packed: dict[str, Any]) -> NDArray[np.float64]:
    """What `pack` packed, as a page sees it."""
    steps = np.frombuffer(base64.b64decode(packed["b64"]), "<u2" if packed["bits"] == 16 else "u1")
    low, high = packed["low"], packed["high"]
    return (low + steps * ((high - low) / (2 ** packed["bits"] - 1))).reshape(packed["shape"])
