"""Settings that cannot be are refused by name before anything is opened."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from crnn.errors import ConfigError
from crnn.training.config import TrainConfig, to_config


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("optimizer.weight_decay=-0.01", "optimizer.weight_decay=-0.01: must be a number of 0 or more"),
        ("optimizer.weight_decay=.nan", "optimizer.weight_decay=nan: must be a number of 0 or more"),
        ("optimizer.weight_decay=.inf", "optimizer.weight_decay=inf: must be a number of 0 or more"),
        ("optimizer.lr=0", "optimizer.lr=0.0: must be above 0"),
        ("optimizer.lr=.inf", "optimizer.lr=inf: must be a number of 0 or more"),
        ("stop.min_delta=-1", "stop.min_delta=-1.0: must be a number of 0 or more"),
        ("stop.min_delta=.nan", "stop.min_delta=nan: must be a number of 0 or more"),
        ("trainer.num_nodes=0", "trainer.num_nodes=0: must be a number of 1 or more"),
        ("data.rendered.lines=0", "data.rendered.lines=0: must be a number of 1 or more"),
        ("data.rendered.val_lines=-3", "data.rendered.val_lines=-3: must be a number of 1 or more"),
        ("data.rendered.short_epochs=-1", "data.rendered.short_epochs=-1: must be a number of 0 or more"),
        ("data.rendered.wear=1.5", "data.rendered.wear=1.5: must be 0..1"),
        ("data.rendered.max_length=0", "data.rendered.min_length=1, max_length=0: must be 1 or more, in order"),
        ("data.weights=[1,-2]", "data.weights=[1.0, -2.0]: -2.0 is no weight; each must be above 0 and 1000 at most"),
        ("data.weights=[0]", "data.weights=[0.0]: 0.0 is no weight"),
        ("data.weights=[.nan]", "data.weights=[nan]: nan is no weight"),
        ("data.workers=1000", "data.workers=1000: each is a process; at most 256 are started"),
        ("trainer.threads=2000", "trainer.threads=2000: at most 1024 are started"),
        ("image.height=2000", "image.height=2000: must be 8..1024"),
        ("image.height=40", "image.height=40: this backbone needs a multiple of 16"),
        ("image.width=30", "image.width=30: must be a multiple of 4"),
        ("model.backbone.pools=[2x2]", "backbone: 6 channels, 1 pools"),
        ("model.lstm.num_layers=0", "lstm.hidden_size and lstm.num_layers must be 1 or more"),
        ("split.share=0", "split.share=0.0, split.test_share=0.0: must be shares of all lines"),
        ("split.by=word", "split.by=word: is unknown; allowed are "),
    ],
)
def test_numbers_that_cannot_be(override: str, said: str) -> None:
    config = OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.from_dotlist([override]))
    with pytest.raises(ConfigError) as error:
        to_config(config)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_with_a_model_its_network_is_not_judged() -> None:
    """Its height may be one that no network here has, and another setting is refused with the model's own value."""
    words = ["init=mine.onnx", "image.height=33", "image.width=7"]
    assert to_config(OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.from_dotlist(words))).init


def test_the_width_follows_the_steps_of_the_network() -> None:
    words = ["image.width=102", "model.backbone.pools=[2x2,2x1,none,2x1,none,2x1]"]
    assert to_config(OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.from_dotlist(words))).image.width


def test_the_least_that_can_be() -> None:
    words = ["optimizer.weight_decay=0", "stop.min_delta=0", "data.rendered.lines=1", "data.weights=[0.001,1000]"]
    words += ["data.rendered.short_epochs=0", "data.rendered.max_length=1"]
    config = to_config(OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.from_dotlist(words)))
    assert config.data.weights == [0.001, 1000]
