"""Plain functions for tests."""

from __future__ import annotations

from crnn.training.config import TrainConfig, config_folder, register, to_config


def settings(*overrides: str) -> TrainConfig:
    """The shipped configuration with these overrides, composed and checked as on the command line."""
    from hydra import compose, initialize_config_dir

    register()
    with initialize_config_dir(config_folder(), version_base="1.3"):
        return to_config(compose("train", list(overrides)))
