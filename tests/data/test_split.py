"""Splits: seeded, complete, disjoint, and by whole groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.data.split import group_of, split_lines
from crnn.errors import DataError

NAMES = [f"page_{i // 7}/line_{i}.png" for i in range(70)]


@given(st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 99), st.sampled_from(["line", "folder"]))
def test_complete_and_disjoint(lines: int, share: float, seed: int, by: str) -> None:
    names = NAMES[: max(lines, 8)]
    train, val = split_lines(names, share, seed, by)  # type: ignore[arg-type]
    assert sorted(train + val) == list(range(len(names)))
    assert train
    assert val
    assert (train, val) == split_lines(names, share, seed, by)  # type: ignore[arg-type]
    groups = [{group_of(names[i], by) for i in side} for side in (train, val)]  # type: ignore[arg-type]
    assert not groups[0] & groups[1]


def test_share_and_seed() -> None:
    train, val = split_lines(NAMES, 0.2, 1)
    assert (len(train), len(val)) == (56, 14)
    assert val != split_lines(NAMES, 0.2, 2)[1]
    assert len(split_lines(NAMES, 0.2, 1, "folder")[1]) == 14  # two whole pages


def test_refusals() -> None:
    with pytest.raises(DataError, match=r"1 lines in 1 line: cannot be split; set data\.val"):
        split_lines(["a.png"], 0.1, 0)
    with pytest.raises(DataError, match="in 1 folder: cannot be split"):
        split_lines(["a/1.png", "a/2.png"], 0.1, 0, "folder")
    for share in (0.0, 1.0, -1):
        with pytest.raises(DataError, match=r"data\.val_share"):
            split_lines(NAMES, share, 0)
