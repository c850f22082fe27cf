"""The model card: everything comes back, and nothing but a good card gets in."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crnn
from crnn.core import card as card_module
from crnn.core.card import FORMAT, ModelCard
from crnn.core.charset import Charset
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.errors import ModelFileError

CARD = ModelCard(
    Charset.from_texts(["aïनि "], form="NFD"),
    LineTransform(48, 256, mean=0.4),
    {"name": "x", "lstm": {"hidden_size": 3}},
    temperature=1.5,
    training={"seed": 1},
)


RULES = ("form", "unit", "whitespace", "case", "direction")


def test_round_trip() -> None:
    assert ModelCard.from_json(CARD.to_json()) == CARD
    assert ModelCard.from_dict(json.loads(json.dumps(CARD.to_dict()))) == CARD
    assert CARD.with_training(epoch=3).training == {"seed": 1, "epoch": 3}


def test_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    data = CARD.to_dict()
    newer = r"x\.onnx: model format 3 is newer than this crnn reads \(2\); "
    with pytest.raises(ModelFileError, match=newer + r"crnn 0\.4\.1 wrote it: pip install -U 'crnn>=0\.4\.1'$"):
        ModelCard.from_dict(data | {"format": FORMAT + 1, "crnn": "0.4.1"}, "x.onnx")
    for unsaid in (None, 4, "", "1", "0.4'; rm -r x", "1." + "0" * 99, ["0.4"]):
        with pytest.raises(ModelFileError, match=newer + r"pip install -U crnn$"):
            ModelCard.from_dict(data | {"format": FORMAT + 1, "crnn": unsaid}, "x.onnx")
        assert ModelCard.from_dict(data | {"crnn": unsaid}).crnn == ""
    assert ModelCard.from_dict(data).crnn == data["crnn"] == crnn.__version__
    with pytest.raises(ModelFileError, match="format 0 is unknown"):
        ModelCard.from_dict(data | {"format": 0})
    monkeypatch.setitem(card_module.MIGRATIONS, 0, lambda old: {**old, "format": 1, "temperature": old.pop("heat")})
    old = {**data, "format": 0, "heat": 2.0}
    del old["temperature"]
    assert ModelCard.from_dict(old).temperature == 2.0


FORMAT_1 = """{"charset": {"form": "NFD", "symbols": ["a", "i\u0308", "B", " "], "unit": "grapheme"},
"decoder": {"name": "greedy"}, "format": 1, "network": {"name": "crnn_tiny"}, "temperature": 1.0,
"training": {"lines": 12}, "transform": {"height": 32, "max_width": 32768, "mean": 0.5, "multiple": 4, "std": 0.5,
"width": null}}"""


def test_a_card_of_format_1_reads_as_it_did() -> None:
    """As the first version wrote it: no text rules but the Unicode form."""
    card = ModelCard.from_json(FORMAT_1)
    assert card.format == FORMAT == 2
    assert card.charset == Charset(("a", "i\u0308", "B", " "), "NFD", "grapheme", "keep", "keep", "ltr")
    assert card.charset.encode(" Ba\u00ef ") == [4, 3, 1, 2, 4]
    assert card.charset.decode([4, 3, 1]) == " Ba"
    assert json.loads(card.to_json())["charset"] == {
        "symbols": ["a", "i\u0308", "B", " "],
        "form": "NFD",
        "unit": "grapheme",
        "whitespace": "keep",
        "case": "keep",
        "direction": "ltr",
    }
    for charset in (None, [], "ab", {}):
        with pytest.raises(ModelFileError, match=r"m\.onnx"):
            ModelCard.from_dict({**json.loads(FORMAT_1), "charset": charset}, "m.onnx")


def test_text_rules_are_in_the_card() -> None:
    charset = Charset.from_texts(["אב(ג"], whitespace="collapse", case="lower", direction="auto", unit="codepoint")
    card = replace(CARD, charset=charset)
    assert ModelCard.from_json(card.to_json()).charset == charset
    assert card.to_dict()["charset"]["direction"] == "auto"
    for rule in ("whitespace", "case", "direction"):
        data = copy.deepcopy(card.to_dict())
        data["charset"][rule] = "sideways"
        with pytest.raises(ModelFileError, match=rf"m\.onnx: .*{rule} 'sideways' is unknown; allowed are"):
            ModelCard.from_dict(data, "m.onnx")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "1"),
        (("format",), True),
        (("format",), 1.0),
        (("format",), None),
        (("format",), -1),
        (("charset",), None),
        (("charset", "symbols"), ["a", "a"]),
        (("charset", "symbols"), []),
        (("charset", "form"), 7),
        (("transform",), []),
        (("transform", "height"), "32"),
        (("transform", "height"), 10**9),
        (("transform", "height"), True),
        (("transform", "height"), 32.0),
        (("transform", "width"), 64.0),
        (("transform", "width"), 30),
        (("transform", "max_width"), "wide"),
        (("transform", "multiple"), 4.0),
        (("transform", "mean"), "0.5"),
        (("transform", "mean"), 10**400),
        (("transform", "std"), False),
        (("transform", "std"), float("nan")),
        (("charset",), ["a"]),
        (("charset", "symbols"), "ab"),
        (("charset", "symbols"), ["e\u0301", "\u00e9"]),
        (("charset", "unit"), ["grapheme"]),
        (("charset", "whitespace"), True),
        (("charset", "case"), ["lower"]),
        (("charset", "direction"), None),
        (("transform", "std"), 0),
        (("transform", "mean"), None),
        (("transform", "surprise"), 1),
        (("network",), "crnn"),
        (("decoder",), None),
        (("temperature",), 0),
        (("temperature",), True),
        (("temperature",), 1001),
        (("temperature",), float("nan")),
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
    del inner[path[-1]]
    if path not in (("transform", "surprise"), ("transform", "width"), *(("charset", rule) for rule in RULES)):
        with pytest.raises(ModelFileError, match=r"m\.onnx"):
            ModelCard.from_dict(data, "m.onnx")


def test_unknown_entries_of_the_transform_are_named() -> None:
    transform = {**CARD.to_dict()["transform"], "surprise": 1, "more": 2}
    with pytest.raises(ModelFileError, match=r"is not valid: transform has unknown entries \['more', 'surprise'\]$"):
        ModelCard.from_dict(CARD.to_dict() | {"transform": transform})


def test_limits_of_the_temperature() -> None:
    for temperature in (1e-3, 1, 1e3):
        assert ModelCard.from_dict(CARD.to_dict() | {"temperature": temperature}).temperature == temperature
    for temperature in (9e-4, 1000.1):
        with pytest.raises(ModelFileError, match=r"'temperature' \(0\.001\.\.1000\)"):
            ModelCard.from_dict(CARD.to_dict() | {"temperature": temperature})


def test_whether_lines_are_trimmed() -> None:
    data = CARD.to_dict()
    assert data.pop("trim") is CARD.trim is False
    assert ModelCard.from_dict(data).trim is False  # as written before there was such a thing
    assert ModelCard.from_json(replace(CARD, trim=True).to_json()).trim is True
    for value in (None, 1, "true", [True]):
        with pytest.raises(ModelFileError, match=r"x: its model card has no valid 'trim' \(true or false\)"):
            ModelCard.from_dict({**data, "trim": value}, "x")


def test_text_that_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "{", "[" * 100_000, "1" * 5000, "null", "[]", '"card"'):
        with pytest.raises(ModelFileError, match=r"is not JSON|has no format number"):
            ModelCard.from_json(text, "m.onnx")
    text = CARD.to_json()
    monkeypatch.setattr(card_module, "MAX_CARD_CHARACTERS", len(text))
    assert ModelCard.from_json(text) == CARD
    monkeypatch.setattr(card_module, "MAX_CARD_CHARACTERS", len(text) - 1)
    with pytest.raises(ModelFileError, match=r"m\.onnx: its model card has .* characters; at most"):
        ModelCard.from_json(text, "m.onnx")


@pytest.mark.parametrize("decoder", [{}, {"name": None}, {"name": []}, {"name": {}}, {"name": "magic"}])
def test_an_unknown_decoder_is_refused(decoder: dict) -> None:
    class Backend:
        name = "none"
        card = replace(CARD, decoder=decoder)

        def run(self, images: object, widths: object) -> tuple:
            raise AssertionError

    with pytest.raises(
        ModelFileError, match=r"the model card's decoder: decoder .* is unknown; allowed are greedy, beam, and"
    ):
        Recognizer(Backend())


KEYS = [*CARD.to_dict(), *CARD.to_dict()["transform"], *CARD.to_dict()["charset"]]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


ROOMS = ("charset", "transform")


@given(JSON, st.lists(st.sampled_from(sorted(CARD.to_dict())), max_size=3))
def test_anything_else_is_one_clear_error(junk: object, keys: list[str]) -> None:
    inner = [{**CARD.to_dict(), room: {**CARD.to_dict()[room], **dict.fromkeys(KEYS, junk)}} for room in ROOMS]
    one = [
        {**CARD.to_dict(), room: {**CARD.to_dict()[room], key: junk}} for room in ROOMS for key in CARD.to_dict()[room]
    ]
    top = [junk, {**CARD.to_dict(), **dict.fromkeys(keys, junk)}, {"format": 1, "charset": junk}]
    for data in (*top, *inner, *one):
        try:
            ModelCard.from_dict(data)
        except ModelFileError as error:
            assert "\n" not in str(error)
    with pytest.raises(ModelFileError):
        ModelCard.from_json("{" + json.dumps(junk))


def test_a_card_is_one_line_with_its_characters_as_they_are() -> None:
    """Files of one model are the same whoever writes them, and can be searched for a character."""
    text = CARD.to_json()
    assert "नि" in text
    assert "\n" not in text
    assert list(json.loads(text)) == sorted(CARD.to_dict())
    assert list(json.loads(text)["transform"]) == sorted(CARD.to_dict()["transform"])


@pytest.mark.parametrize("temperature", [True, "1.5", None, 0, 1e-4, 1e4, float("nan"), float("inf")])
def test_a_temperature_is_a_number_in_its_bounds(temperature: object) -> None:
    with pytest.raises(ModelFileError, match=r"^m: its model card has no valid 'temperature' \(0\.001\.\.1000\)$"):
        ModelCard.from_dict(CARD.to_dict() | {"temperature": temperature}, "m")
