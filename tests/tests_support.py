"""Plain functions and sources for tests."""

from __future__ import annotations

import numpy as np
from PIL import Image

from crnn.data.sources.base import LineEntry
from crnn.training.config import TrainConfig, config_folder, register, to_config


class ListSource:
    """Lines from a list; each picture as wide as its position says, and of its own grey."""

    endless = False

    def __init__(self, entries: list[LineEntry], name: str = "a list") -> None:
        self.name = name
        self.entries = entries
        self.opened: list[int] = []

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, position: int) -> LineEntry:
        return self.entries[position]

    def size(self, position: int) -> tuple[int, int]:
        return 20 + position % 50, 16

    def picture(self, position: int) -> Image.Image:
        self.opened.append(position)
        rng = np.random.default_rng(position)
        width, height = self.size(position)
        return Image.fromarray(rng.integers(0, 255, (height, width), dtype=np.uint8))

    content = picture


def settings(*overrides: str) -> TrainConfig:
    """The shipped configuration with these overrides, composed and checked as on the command line."""
    from hydra import compose, initialize_config_dir

    register()
    with initialize_config_dir(config_folder(), version_base="1.3"):
        return to_config(compose("train", list(overrides)))
