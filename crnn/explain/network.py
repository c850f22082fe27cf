"""The network that a model file or settings describe, with random weights: for looking at shapes."""

from __future__ import annotations

from pathlib import Path

from crnn.core.transform import LineTransform
from crnn.errors import ConfigError, ModelFileError
from crnn.loader import read_card
from crnn.model.config import NetworkConfig
from crnn.model.crnn import CRNN

ASCII = "".join(map(chr, range(32, 127)))
"""What settings that leave the characters to the training labels are taken to read: 95 characters, 96 classes."""


def network_of_file(path: Path) -> tuple[CRNN, LineTransform]:
    """The network that a model file's card describes, and its preprocessing.

    Raises:
        ModelFileError: in one line.
    """
    from crnn.training.overrides import one_line

    card = read_card(path)
    try:
        network = CRNN(NetworkConfig.from_dict(card.network), card.charset.classes, card.transform.height)
    except (ConfigError, RuntimeError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: its card does not describe a network ({one_line(error)})") from None
    return network, card.transform


def network_of_settings(overrides: list[str]) -> tuple[CRNN, LineTransform]:
    """The network that a training with these settings would train, and its preprocessing.

    Raises:
        ConfigError, CharsetError: in one line; Hydra's own refusals too.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from crnn.training.characters import charset_from
    from crnn.training.config import config_folder, register, to_config
    from crnn.training.overrides import one_line, quoted, refuse_wrong

    register()
    words = [quoted(word) for word in overrides]
    refuse_wrong(words)
    try:
        with initialize_config_dir(config_folder(), version_base="1.3"):
            # nothing is exported here, so what cannot be exported can still be explained
            config = to_config(compose("train", [*words, "export.format=none"]))
        image = config.image
        charset = charset_from(config.charset, (), drawn=ASCII).charset
        network = CRNN(config.model, charset.classes, image.height)
    except (HydraException, OmegaConfBaseException, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(one_line(error)) from None
    return network, LineTransform(image.height, image.width, multiple=network.step)
