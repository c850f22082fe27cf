"""The command line of training; Hydra reads the settings. Run by ``crnn train`` and ``scripts/train.py``."""

from __future__ import annotations

import signal
import sys
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from crnn.errors import ConfigError, CrnnError
from crnn.machine import set_thread_policy

set_thread_policy()  # before the next lines load torch

from crnn.training.config import config_folder, quoted, register, to_config  # noqa: E402
from crnn.training.run_folder import config_of_run  # noqa: E402

register()


def _settings(composed: DictConfig) -> tuple[Any, str]:
    """The settings of this run, and why its network was chosen."""
    overrides = [o for o in HydraConfig.get().overrides.task if not o.startswith("resume=")]
    if composed.resume:
        return to_config(config_of_run(composed.resume, overrides)), " (as when the run began)"
    if composed.init:
        for override in overrides:
            if override.startswith(("model", "image.")):
                raise ConfigError(f"{override}: with init the network and the height are the model's; leave it out")
        return to_config(composed), f" (that of {composed.init})"
    if any(override.startswith("model=") for override in overrides):
        return to_config(composed), " (as asked)"
    if composed.model.name == "crnn_small":
        return to_config(composed), " (there is no GPU; model=crnn is the classic network)"
    return to_config(composed), " (there is a GPU; model=crnn_small is made for CPUs)"


@hydra.main(config_path=config_folder(), config_name="train", version_base="1.3")
def _hydra_main(composed: DictConfig) -> None:
    try:
        config, why_model = _settings(composed)
        from crnn.training.callbacks import StoppedBySignal
        from crnn.training.run import train

        try:
            train(config, why_model)
        except StoppedBySignal as stop:
            sys.exit(128 + stop.number)
    except CrnnError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def main() -> None:
    """Train with the settings on the command line (``sys.argv``)."""
    sys.argv[1:] = [quoted(word) for word in sys.argv[1:]]
    _hydra_main()


if __name__ == "__main__":
    main()
