"""Mixtures: each line as often as its weight says, the same in every process, sizes in step with pictures."""

from __future__ import annotations

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import ListSource

from crnn.data.module import PreparedLines, joined, mixed
from crnn.data.sources.base import LineEntry, LineSource
from crnn.data.sources.views import Mixture, Share
from crnn.errors import DataError


def source(letter: str, lines: int) -> ListSource:
    return ListSource([LineEntry(f"{letter}{i}", f"{letter}:{i}", f"{letter}{i}.png") for i in range(lines)], letter)


class Endless(ListSource):
    endless = True

    def __init__(self, lines: int) -> None:
        super().__init__([LineEntry("", "", "")] * lines, "endless")

    def entry(self, position: int) -> LineEntry:
        return LineEntry(f"e{position}", "", "")


def read(mixture: LineSource, epoch: int) -> list[str]:
    return [mixture.entry(i + epoch * len(mixture)).text for i in range(len(mixture))]


@given(st.integers(1, 30), st.floats(0.1, 3.5), st.integers(0, 3), st.integers(1, 4))
def test_each_line_as_often_as_its_weight_says(lines: int, weight: float, seed: int, epochs: int) -> None:
    count = round(weight * lines)
    if count < 1:
        return
    mixture = Mixture([Share(source("a", 3), 1.0), Share(source("b", lines), weight)], seed)
    assert isinstance(mixture, LineSource)
    assert len(mixture) == 3 + count
    drawn: Counter[str] = Counter()
    for epoch in range(epochs):
        texts = read(mixture, epoch)
        assert sorted(texts[:3]) == ["a0", "a1", "a2"]
        drawn.update(texts[3:])
    assert drawn.total() == epochs * count
    assert max(drawn.values()) - min(drawn[f"b{i}"] for i in range(lines)) <= 1
    assert read(pickle.loads(pickle.dumps(mixture)), epochs - 1) == texts


def test_orders_differ_by_epoch_and_seed() -> None:
    epochs = [read(Mixture([Share(source("b", 50), 0.5)], seed), epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(sorted(epoch)) for epoch in epochs}) == 4
    assert sorted(epochs[0] + epochs[1]) == sorted(f"b{i}" for i in range(50))


def test_endless_sources_go_on() -> None:
    mixture = Mixture([Share(Endless(4), 0.5), Share(source("a", 2), 2.0)], 0)
    assert [read(mixture, epoch)[:2] for epoch in range(3)] == [["e0", "e1"], ["e2", "e3"], ["e4", "e5"]]


@pytest.mark.parametrize("weight", [0, -1, 0.01, 1001, float("nan")])
def test_weights_that_take_nothing_are_refused(weight: float) -> None:
    with pytest.raises(DataError, match=r"a: weight .* takes none of its 3 lines; raise it"):
        Mixture([Share(source("a", 3), weight)], 0)


def prepared(lines: ListSource, offset: int) -> PreparedLines:
    def sizes(epoch: int) -> np.ndarray:
        start = epoch * len(lines) if lines.endless else 0
        return np.array([(offset + start + i, 16) for i in range(len(lines))], dtype=np.int32)

    return PreparedLines(lines, sizes, [])


def test_sizes_are_those_of_the_lines_drawn() -> None:
    parts = [prepared(source("a", 30), 0), prepared(Endless(7), 1000), prepared(source("b", 9), 500)]
    mixture = mixed(parts, [0.4, 1.5, 2.3], seed=3)
    for epoch in range(5):
        sizes = mixture.sizes(epoch)
        assert len(sizes) == len(mixture.source)
        for text, (width, _) in zip(read(mixture.source, epoch), sizes.tolist(), strict=True):
            assert int(text[1:]) + {"a": 0, "e": 1000, "b": 500}[text[0]] == width


def test_joined() -> None:
    whole = joined([prepared(source("a", 3), 0), prepared(source("b", 2), 500)])
    assert [whole.source.entry(i).text for i in range(5)] == ["a0", "a1", "a2", "b0", "b1"]
    assert whole.sizes(4)[:, 0].tolist() == [0, 1, 2, 500, 501]
