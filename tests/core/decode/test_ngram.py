"""The language model of characters."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.decode.ngram import NgramModel
from crnn.errors import ConfigError

TEXTS = st.lists(st.lists(st.integers(1, 3), max_size=8), min_size=1, max_size=8)


@given(TEXTS, st.integers(1, 7), st.lists(st.integers(1, 4), max_size=9))
def test_probabilities_sum_to_one(texts: list[list[int]], order: int, context: list[int]) -> None:
    model = NgramModel.of(texts, 4, order)
    chances = [math.exp(model.log_prob(context, symbol)) for symbol in range(5)]
    assert sum(chances) == pytest.approx(1)
    assert min(chances) > 0  # class 4 never came


@given(TEXTS, st.integers(1, 7), st.lists(st.integers(1, 4), max_size=9))
def test_a_text_is_the_product_of_its_symbols(texts: list[list[int]], order: int, text: list[int]) -> None:
    model = NgramModel.of(texts, 4, order)
    steps = [model.log_prob(text[:i], symbol) for i, symbol in enumerate([*text, 0])]
    assert model.text_log_prob(text) == pytest.approx(sum(steps))


def test_witten_bell_by_hand() -> None:
    """Lines ab, ab, ac with a, b, c = 1, 2, 3: symbols a 3, b 2, c 1, end 3; after a: b 2, c 1."""
    model = NgramModel.of([[1, 2], [1, 2], [1, 3]], 3, order=2)
    b = (2 + 4 * 1 / 4) / (9 + 4)
    assert math.exp(model.log_prob([2, 2], 2)) == pytest.approx((0 + 1 * b) / (2 + 1))  # after b only the end came
    assert math.exp(model.log_prob([1], 2)) == pytest.approx((2 + 2 * b) / (3 + 2))
    a = (3 + 1) / 13
    assert math.exp(model.log_prob([], 1)) == pytest.approx((3 + 1 * a) / (3 + 1))  # lines start with a


def test_every_line_has_its_likely_end() -> None:
    model = NgramModel.of([[1, 2, 3]] * 9, 3)
    best = max(
        itertools.chain.from_iterable(itertools.product((1, 2, 3), repeat=n) for n in range(5)), key=model.text_log_prob
    )
    assert best == (1, 2, 3)


@given(TEXTS, st.integers(1, 7))
def test_round_trip(texts: list[list[int]], order: int) -> None:
    model = NgramModel.of(texts, 4, order)
    again = NgramModel.from_dict(json.loads(json.dumps(model.to_dict())), 4)
    for text in [*texts, [4, 4, 1]]:
        assert again.text_log_prob(text) == model.text_log_prob(text)


def test_many_symbols_have_names_of_their_own() -> None:
    """70,000 classes: past quotes, controls and surrogates, and all can be written as UTF-8."""
    labels = list(range(1, 70_001))
    model = NgramModel.of([labels], 70_000, order=1)
    [entry] = model.to_dict()["followers"].values()
    assert len(set(entry[0])) == 70_001
    json.loads(json.dumps(entry, ensure_ascii=False).encode())
    assert len(json.dumps(entry[0][:90])) == 92  # none is escaped


@pytest.mark.parametrize("max_bytes", [4_000_000, 20_000, 3_000, 100, 1])
def test_rare_n_grams_are_left_out_until_it_fits(max_bytes: int) -> None:
    texts = [[1 + (i * i + j * i) % 7 for j in range(20)] for i in range(300)]
    model = NgramModel.of(texts, 7, max_bytes=max_bytes)
    size = len(json.dumps(model.to_dict()["followers"], ensure_ascii=False).encode())
    assert size <= max(max_bytes, 100)
    assert sum(model.probabilities(model.after(model.start(), 3))) == pytest.approx(1)


def test_the_cache_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.core.decode.ngram.CACHED", 0)
    model = NgramModel.of([[1, 2, 3, 1, 3, 2]] * 3, 3)
    for text in itertools.product((1, 2, 3), repeat=6):
        model.text_log_prob(text)
    assert len(model._known) <= 106


@pytest.mark.parametrize(("texts", "order"), [([], 3), ([[1]], 0), ([[1]], 13)])
def test_refused(texts: list[list[int]], order: int) -> None:
    with pytest.raises(ConfigError, match="a language model"):
        NgramModel.of(texts, 3, order)


def test_limits() -> None:
    for order in (1, 12):
        model = NgramModel.of([[1, 2]], 3, order)
        assert NgramModel.from_dict(model.to_dict(), 3).order == order
        with pytest.raises(ConfigError, match="is not valid"):  # its own characters and those before it
            NgramModel.from_dict({"symbols": 3, "order": order, "followers": {"$" * order: ["$", 1]}}, 3)
    for count in (1, 2**40 - 1):
        assert NgramModel.from_dict({**GOOD, "followers": {"": ["$", count]}}, 3).order == 2
    for wrong in ({**GOOD, "order": 13}, {**GOOD, "followers": {"": ["$", 2**40]}}):
        with pytest.raises(ConfigError, match="language model"):
            NgramModel.from_dict(wrong, 3)


GOOD: dict[str, Any] = {"symbols": 3, "order": 2, "followers": {"": ["$ ", 2, 1], "$": [" ", 2]}}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("symbols", 4),
        ("symbols", None),
        ("order", 0),
        ("order", "2"),
        ("order", True),
        ("order", 10**6),
        ("more", 1),
        ("followers", []),
        ("followers", {"": []}),
        ("followers", {"": ["$"]}),
        ("followers", {"": ["$", 0]}),
        ("followers", {"": ["$", -1]}),
        ("followers", {"": ["$", 1.5]}),
        ("followers", {"": ["$", True]}),
        ("followers", {"": ["$", 10**400]}),
        ("followers", {"": ["$$", 1, 1]}),
        ("followers", {"": ["z", 1]}),
        ("followers", {"": "$"}),
        ("followers", {"$$": ["$", 1]}),
        ("followers", {"": [["$"], 1]}),
    ],
)
def test_damage_is_refused(key: str, value: object) -> None:
    assert NgramModel.from_dict(GOOD, 3).order == 2
    with pytest.raises(ConfigError, match="language model"):
        NgramModel.from_dict({**GOOD, key: value}, 3)
