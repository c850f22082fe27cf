"""Units in the order of what they follow, on values made by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from explain_support import noise, tiny

from crnn.explain.line import trace
from crnn.explain.order import ORDERS, correlation, events, orders, telling_unit

LINE = dataclasses.replace(trace(tiny(), noise(32)), path=[0, 2, 1, 0, 2, 0, 0, 0])
EVENT = torch.tensor([0.0, 1, 0, 0, 1, 0, 0, 0])


def test_events_are_where_the_path_names_something() -> None:
    found = events(LINE)
    assert found["character"].tolist() == [False, True, False, False, True, False, False, False]
    assert found["space"].tolist() == [False, False, True, False, False, False, False, False]
    assert events(dataclasses.replace(LINE, path=[0] * 8)) == {}
    assert set(events(dataclasses.replace(LINE, space=None))) == {"character"}


def test_correlation_is_pearsons() -> None:
    values = np.random.default_rng(0).normal(size=(8, 3))
    values[:, 1] = 0.3  # never changes
    where = EVENT.numpy() > 0
    found = correlation(values, where)
    assert found[1] == 0
    for unit in (0, 2):
        assert found[unit] == pytest.approx(np.corrcoef(values[:, unit], where)[0, 1])


def test_each_order_puts_first_what_follows_most() -> None:
    walk = LINE.lstm.walks[0]
    h = torch.zeros(8, 4)
    h[:, 0] = -EVENT
    h[2, 1] = 0.9  # at the space
    h[:, 2] = EVENT * 0.5
    h[0, 3] = -1
    found = orders(dataclasses.replace(walk, h=h), events(LINE))
    assert list(found) == list(ORDERS)
    assert (found["character"][0], found["character"][-1]) == (2, 0)
    assert found["space"][0] == 1
    assert found["peak"] == [3, 0, 2, 1]
    assert found["stored"] == [0, 1, 2, 3]
    assert set(orders(walk, {})) == {"peak", "stored"}


def test_the_telling_unit_forgets_at_characters() -> None:
    f = torch.ones(8, 4)
    f[:, 2] -= EVENT
    f[:, 1] = EVENT
    assert telling_unit(dataclasses.replace(LINE.lstm.walks[0], f=f), events(LINE)) == 2
    assert telling_unit(LINE.lstm.walks[0], {}) == 0
