"""Mixtures: each line as often as its weight says, the same in every process, sizes in step with pictures."""

from __future__ import annotations

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import ListSource

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.module import PreparedLines, joined, mixed
from crnn.data.sources.base import SPARE, LineEntry, LineSource
from crnn.data.sources.views import Concatenation, Fitting, Mixture, Selection, Share, together
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


def test_a_view_asks_the_source_of_its_line() -> None:
    one, two = source("a", 3), source("b", 2)
    whole = together([one, two])
    assert (whole.name, len(whole), whole.endless) == ("a + b", 5, False)
    assert together([two]) is two
    assert isinstance(whole, Concatenation)
    assert [whole.find(i) for i in range(5)] == [(one, 0), (one, 1), (one, 2), (two, 0), (two, 1)]
    some = Selection(whole, [4, 0, 4])
    assert (some.name, len(some), some.find(2)) == ("a + b", 3, (whole, 4))
    assert some.entry(0) == two.entry(1)
    assert some.size(0) == two.size(1) == (21, 16)
    assert some.content(0).tobytes() == some.picture(0).tobytes() == two.picture(1).tobytes()


def test_a_mixture_forgets_the_orders_of_old_epochs() -> None:
    """Those of this turn and of the one before it are kept, for each source; a copy begins with none."""
    mixture = Mixture([Share(source("a", 3), 1.0), Share(source("b", 2), 1.0)], 0)
    for epoch in range(4):
        mixture.find(epoch * 5)
    assert sorted(mixture._orders) == [(0, 2), (0, 3)]
    mixture.find(3)
    assert sorted(mixture._orders) == [(0, 2), (0, 3), (1, 0)]
    copy = pickle.loads(pickle.dumps(mixture))
    assert copy._orders == {}
    assert read(copy, 3) == read(mixture, 3)
    assert mixture._orders  # it keeps its own


def test_the_largest_and_the_smallest_weight() -> None:
    mixture = Mixture([Share(source("a", 1), 1000.0), Share(source("b", 3), 0.2)], 0)
    assert len(mixture) == 1001
    assert mixture.name == "1000 x a + 0.2 x b"
    with pytest.raises(DataError, match=r"b: weight 0\.16 takes none of its 3 lines; raise it"):
        Mixture([Share(source("b", 3), 0.16)], 0)


def test_a_mixture_names_the_positions_that_it_finds() -> None:
    mixture = Mixture([Share(source("a", 7), 1.6), Share(Endless(4), 0.75)], 5)
    for epoch in range(3):
        found = mixture.positions(epoch)
        assert [which for which, _ in found] == [0, 1]
        asked = [mixture.find(epoch * len(mixture) + i)[1] for i in range(len(mixture))]
        assert [int(i) for _, positions in found for i in positions] == asked


class Narrow(Endless):
    """Its lines are wide enough from the `wide`-th try on."""

    wide = 0

    def size(self, position: int) -> tuple[int, int]:
        return (500, 16) if position // SPARE >= self.wide else (4, 16)


def test_lines_that_do_not_fit_are_replaced_by_later_ones() -> None:
    lines = Narrow(5)
    fitting = Fitting(lines, Charset.from_texts(["e0123456789"]), LineTransform(16))
    assert (fitting.name, len(fitting), fitting.endless) == ("endless", 5, True)
    assert fitting.find(12) == (lines, 12)
    for tries in (1, 99):
        lines.wide = tries
        assert fitting.find(12) == (lines, 12 + tries * 2**40)
    lines.wide = 100
    with pytest.raises(DataError, match=r"^endless: no rendered line fits its width; raise image\.height, image\.w"):
        fitting.find(12)


def test_lines_that_are_too_wide_are_replaced_too() -> None:
    lines = Narrow(5)
    lines.wide = 3
    charset, transform = Charset.from_texts(["e0123456789"]), LineTransform(32)
    wide = transform.scaled_width(500, 16)
    narrow = Fitting(Endless(5), charset, transform, max_width=wide).find(0)[1]
    assert narrow == 0
    assert Fitting(lines, charset, transform, max_width=wide).find(12)[1] == 12 + 3 * 2**40
    with pytest.raises(DataError, match=r"or data\.max_width, or lower data\.rendered\.max_length$"):
        Fitting(lines, charset, transform, max_width=wide - 1).find(12)
