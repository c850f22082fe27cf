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
    assert len({tuple(split_lines(NAMES, 0.2, seed, "folder")[1]) for seed in range(20)}) > 5


@given(st.permutations(range(20)), st.floats(0.01, 0.99), st.sampled_from(["line", "folder"]))
def test_names_decide_not_their_order(order: list[int], share: float, by: str) -> None:
    names = NAMES[:20]
    shuffled = [names[i] for i in order]
    held_out = {names[i] for i in split_lines(names, share, 3, by)[1]}  # type: ignore[arg-type]
    assert {shuffled[i] for i in split_lines(shuffled, share, 3, by)[1]} == held_out  # type: ignore[arg-type]


@given(st.floats(0.01, 0.99), st.integers(0, 99))
def test_no_more_is_held_out_than_asked(share: float, seed: int) -> None:
    """Beyond the one group that always is."""
    for by, least in (("line", 1), ("folder", 7)):
        train, val = split_lines(NAMES, share, seed, by)  # type: ignore[arg-type]
        assert len(val) <= max(share * len(NAMES), least)
        assert len(val) > share * len(NAMES) - least or len(train) == least
        assert train == sorted(train)
        assert val == sorted(val)


def test_groups() -> None:
    """The folder, however its name is written; a picture that occurs twice is on one side only."""
    assert group_of("a/b/1.png", "folder") == group_of("a/b/2.png", "folder") == group_of("a\\b\\3.png", "folder")
    assert group_of("a/1.png", "folder") != group_of("b/1.png", "folder")
    assert group_of("a/1.png", "line") != group_of("a/2.png", "line")
    for seed in range(20):
        train, _ = split_lines(["a.png", "b.png", "a.png", "c.png"], 0.3, seed)
        assert (0 in train) == (2 in train)


def test_refusals() -> None:
    with pytest.raises(DataError, match=r"1 lines in 1 line: cannot be split; set data\.val"):
        split_lines(["a.png"], 0.1, 0)
    with pytest.raises(DataError, match="in 1 folder: cannot be split"):
        split_lines(["a/1.png", "a/2.png"], 0.1, 0, "folder")
    for share in (0.0, 1.0, -1):
        with pytest.raises(DataError, match=r"data\.val_share"):
            split_lines(NAMES, share, 0)
