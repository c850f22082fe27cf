"""The language model of characters."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.core.decode.ngram import EDGE, NgramModel, _pruned, _size, _written
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
        ("followers", {"": [""]}),
        ("followers", {"": ["$ ", 1]}),
        ("followers", {"": ["$", 1, 1]}),
        ("followers", {3: ["$", 1]}),
        ("followers", {"": ["'", 1]}),
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


def test_classes_as_they_stand_in_files() -> None:
    """Stored models hold these characters, so they never change: from $ on, past \\, controls and surrogates."""
    assert [_written(label) for label in (1, 2, 56, 57, 90, 91)] == ["$", "%", "[", "]", "~", "\u00a1"]
    last = 0xD7FF - 0x23 - 0x23  # ... characters before the surrogates, less those that are left out
    assert (_written(last), _written(last + 1)) == ("\ud7ff", "\ue000")
    assert EDGE == " "


def test_what_a_model_holds() -> None:
    """Lines $% and $: every n-gram of up to `order` characters, but for the start by itself."""
    texts = [[1, 2], [1]]
    assert NgramModel.of(texts, 2, 1).to_dict() == {"symbols": 2, "order": 1, "followers": {"": ["$% ", 2, 1, 2]}}
    two = {"": ["$% ", 2, 1, 2], " ": ["$", 2], "$": ["% ", 1, 1], "%": [" ", 1]}
    assert NgramModel.of(texts, 2, 2).to_dict() == {"symbols": 2, "order": 2, "followers": two}
    three = {**two, " $": ["% ", 1, 1], "$%": [" ", 1]}
    assert NgramModel.of(texts, 2, 3).to_dict()["followers"] == three
    assert list(NgramModel.of(texts, 2, 3).to_dict()["followers"]) == sorted(three)
    assert NgramModel.of(texts, 2, 5).to_dict()["followers"] == {**three, " $%": [" ", 1]}
    assert NgramModel.of([[]], 2, 3).to_dict()["followers"] == {"": [" ", 1], " ": [" ", 1]}  # an empty line


def test_contexts() -> None:
    for order, start, one, two in ((1, "", "", ""), (2, " ", "$", "%"), (3, " ", " $", "$%"), (4, " ", " $", " $%")):
        model = NgramModel.of([[1, 2]], 3, order)
        assert (model.start(), model.after(model.start(), 1)) == (start, one)
        assert model.after(one, 2) == two
        assert model.after(two, 3) == (two + "&")[1 - order :] * (order > 1)
        assert model.log_prob([1, 2], 3) == math.log(model.probabilities(two)[3])
        assert model.log_prob([], 0) == math.log(model.probabilities(start)[0])


def test_unknown_contexts_go_by_their_ends() -> None:
    model = NgramModel.of([[1, 2, 1]], 3, 3)
    assert model.probabilities("&&") is model.probabilities("")
    assert model.probabilities("&$") is model.probabilities("$")
    assert model.probabilities("").tolist() == pytest.approx([7 / 28, 11 / 28, 7 / 28, 3 / 28])  # (n + 3 / 4) / 7


def test_what_is_known_is_forgotten_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for cached, symbols, most in ((0, 1, 100), (1000, 3, 250), (1003, 3, 250), (1004, 3, 251)):
        monkeypatch.setattr("crnn.core.decode.ngram.CACHED", cached)
        model = NgramModel.of([[1]], symbols)
        model.probabilities("")
        for i in range(most - 1):
            assert len(model._known) == i + 1
            model.probabilities(chr(0x4E00 + i))
        model.probabilities("\u4e00")  # known
        assert len(model._known) == most
        model.probabilities("last")
        assert len(model._known) < 6


def test_rare_n_grams_go_from_the_longest_on() -> None:
    counts = Counter({"a": 9, "b": 1, "aa": 3, "ab": 1, "ba": 2, "aaa": 5, "aab": 1, "aba": 2})

    def without(*gone: str) -> dict[str, list[Any]]:
        followers: dict[str, dict[str, int]] = {}
        for gram, n in counts.items():
            if gram not in gone:
                followers.setdefault(gram[:-1], {})[gram[-1]] = n
        return {context: ["".join(found), *found.values()] for context, found in sorted(followers.items())}

    whole = without()
    steps = [
        whole,
        without("aab"),
        without("aab", "ab"),
        without("aab", "ab", "aba"),
        without("aab", "ab", "aba", "ba"),
        without("aab", "ab", "aba", "ba", "aa"),
        without("aab", "ab", "aba", "ba", "aa", "aaa"),
    ]
    assert [_size(step) for step in steps] == sorted({_size(step) for step in steps}, reverse=True)
    for step, smaller in itertools.pairwise(steps[:5]):
        assert _pruned(counts, 3, _size(step)) == step
        assert _pruned(counts, 3, _size(step) - 1) == smaller
    assert _pruned(counts, 3, _size(steps[4]) - 1) == without("aab", "ab", "aba", "ba", "aa")  # 4: aa, but not aaa
    assert _pruned(counts, 3, _size(steps[5]) - 1) == steps[6]
    assert _pruned(counts, 3, 1) == {"": ["ab", 9, 1]}  # single characters stay
    assert _size({"": ["ä", 1]}) == len('{"": ["ä", 1]}'.encode())


def test_default_bounds() -> None:
    """A model is of six characters and at most 4 MB, which a model file has room for."""
    model = NgramModel.of([[1]], 1)
    assert model.order == 6
