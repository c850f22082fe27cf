"""Histograms."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crnn.inspect.figures import Bin, bins


@given(st.dictionaries(st.integers(0, 5000), st.integers(1, 50), max_size=40), st.sampled_from([1, 16]))
def test_every_value_is_in_one_bar(counts: dict[int, int], least_step: int) -> None:
    found = bins(counts, least_step)
    assert sum(one.lines for one in found) == sum(counts.values())
    assert len(found) <= 14
    for before, after in pairwise(found):
        assert before.high is not None
        assert before.high + 1 == after.low
    for one in found:
        inside = sum(n for value, n in counts.items() if one.low <= value and (one.high is None or value <= one.high))
        assert one.lines == inside


def test_names_of_bars() -> None:
    values = Counter(dict.fromkeys(range(5), 100))
    assert [one.label for one in bins(values)] == ["0", "1", "2", "3", "4"]
    values[10_000] = 1  # far away: one bar for all that
    assert [one.label for one in bins(values)] == ["0", "1", "2", "3", "4", "5+"]
    assert [one.label for one in bins(values, 16)] == ["0-15", "16+"]
    assert bins({}) == [Bin(0, 0, 0)]
