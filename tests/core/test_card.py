"""The model card: everything comes back, and nothing but a good card gets in."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.core import card as card_module
from crnn.core.card import FORMAT, ModelCard
from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.errors import ModelFileError

CARD = ModelCard(
    Charset.from_texts(["aïनि "], form="NFD"),
    LineTransform(48, 256, mean=0.4),
    {"name": "x", "lstm": {"hidden_size": 3}},
    temperature=1.5,
    training={"seed": 1},
)


def test_round_trip() -> None:
    assert ModelCard.from_json(CARD.to_json()) == CARD
    assert ModelCard.from_dict(json.loads(json.dumps(CARD.to_dict()))) == CARD
    assert CARD.with_training(epoch=3).training == {"seed": 1, "epoch": 3}


def test_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    data = CARD.to_dict()
    with pytest.raises(
        ModelFileError, match=r"x\.onnx: model format 2 is newer than this crnn reads \(1\); pip install -U crnn"
    ):
        ModelCard.from_dict(data | {"format": FORMAT + 1}, "x.onnx")
    with pytest.raises(ModelFileError, match="format 0 is unknown"):
        ModelCard.from_dict(data | {"format": 0})
    monkeypatch.setitem(card_module.MIGRATIONS, 0, lambda old: {**old, "format": 1, "temperature": old.pop("heat")})
    old = {**data, "format": 0, "heat": 2.0}
    del old["temperature"]
    assert ModelCard.from_dict(old).temperature == 2.0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "1"),
        (("charset",), None),
        (("charset", "symbols"), ["a", "a"]),
        (("charset", "symbols"), []),
        (("charset", "form"), 7),
        (("transform",), []),
        (("transform", "height"), "32"),
        (("transform", "height"), 10**9),
        (("transform", "height"), True),
        (("transform", "std"), 0),
        (("transform", "mean"), None),
        (("transform", "surprise"), 1),
        (("network",), "crnn"),
        (("decoder",), None),
        (("temperature",), 0),
        (("temperature",), "hot"),
        (("training",), 3),
    ],
)
def test_each_damage_is_refused(path: tuple[str, ...], value: object) -> None:
    data = copy.deepcopy(CARD.to_dict())
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ModelFileError, match=r"m\.onnx"):
        ModelCard.from_dict(data, "m.onnx")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*CARD.to_dict(), "height", "symbols"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.lists(st.sampled_from(sorted(CARD.to_dict())), max_size=3))
def test_anything_else_is_one_clear_error(junk: object, keys: list[str]) -> None:
    for data in (junk, {**CARD.to_dict(), **dict.fromkeys(keys, junk)}, {"format": 1, "charset": junk}):
        try:
            ModelCard.from_dict(data)
        except ModelFileError as error:
            assert "\n" not in str(error)
    with pytest.raises(ModelFileError):
        ModelCard.from_json("{" + json.dumps(junk))
