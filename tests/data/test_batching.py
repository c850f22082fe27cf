"""Batches by width: everything once, under the budget, and the same number of them always and everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crnn.data.batching import JITTER, WidthBatches
from crnn.errors import DataError

WIDTHS = st.lists(st.integers(2, 200).map(lambda w: 4 * w), min_size=4, max_size=120)


def make(widths: list[int], **changes: object) -> WidthBatches:
    arguments = {"height": 32, "batch_size": 8, "batch_pixels": 32 * 2000, "shuffle": True, "seed": 1} | changes
    return WidthBatches(lambda epoch: np.array(widths), **arguments)  # type: ignore[arg-type]


@given(WIDTHS, st.integers(1, 4), st.booleans())
def test_every_line_once_and_as_many_batches_on_every_rank(widths: list[int], world: int, shuffle: bool) -> None:
    ranks = [make(widths, rank=rank, world_size=world, shuffle=shuffle) for rank in range(world)]
    for epoch in (0, 1, 5):
        batches = []
        for rank in ranks:
            rank.set_epoch(epoch)
            mine = list(rank)
            assert len(mine) == len(rank) == len(ranks[0])
            batches += mine
        assert sorted(key.line for batch in batches for key in batch) == list(range(len(widths)))
        assert all(key.epoch == epoch for batch in batches for key in batch)


@given(WIDTHS)
def test_batches_keep_to_the_budget(widths: list[int]) -> None:
    budget = 32 * 2000
    batches = list(make(widths, batch_pixels=budget))
    for batch in batches:
        assert len(batch) <= 8
        pixels = len(batch) * 32 * max(widths[key.line] for key in batch)
        assert len(batch) == 1 or pixels <= budget * np.exp(2 * JITTER)
    alone = [w for w in widths if 32 * w * 2 > budget * np.exp(2 * JITTER)]
    assert sum(len(batch) == 1 for batch in batches) >= len(alone) - 1


def test_lines_of_a_batch_have_similar_widths() -> None:
    widths = [4 * w for w in range(5, 405)]
    spread = [
        max(widths[k.line] for k in batch) / min(widths[k.line] for k in batch)
        for batch in make(widths, batch_pixels=10**7)
    ]
    assert np.median(spread) < 1.15
    random = np.random.default_rng(0).permutation(widths)[: 8 * 50].reshape(50, 8)
    assert np.median(random.max(1) / random.min(1)) > 2  # what it would be without sorting


def test_epochs_differ_and_repeat() -> None:
    sampler = make([100 + 4 * (i % 7) for i in range(64)])
    first, second = list(sampler.plan(0)), list(sampler.plan(1))
    assert [[k.line for k in b] for b in first] != [[k.line for k in b] for b in second]
    assert first == list(make([100 + 4 * (i % 7) for i in range(64)]).plan(0))
    assert first != list(make([100 + 4 * (i % 7) for i in range(64)], seed=2).plan(0))


def test_training_keys_carry_the_width_of_the_batch_and_validation_none() -> None:
    widths = [40, 80, 120, 160] * 8
    for batch in make(widths):
        assert {key.width for key in batch} == {max(widths[key.line] for key in batch)}
    assert {key.width for batch in make(widths, shuffle=False) for key in batch} == {0}


def test_skip_leaves_out_the_first_batches_once() -> None:
    sampler = make([40] * 64)
    whole = list(sampler)
    sampler.skip(3)
    assert list(sampler) == whole[3:]
    assert list(sampler) == whole


def test_too_few_lines_for_the_processes() -> None:
    with pytest.raises(DataError, match="3 lines are too few for 4 processes"):
        make([40, 40, 40], world_size=4)
    assert [len(make([40] * 4, world_size=4, rank=rank)) for rank in range(4)] == [1] * 4


def test_padding_is_what_lines_do_not_fill() -> None:
    assert make([200, 104, 100, 100], batch_size=2).padding() == pytest.approx(96 / (2 * 100 + 2 * 200))
    assert make([100, 110], batch_size=2).padding() == 0  # stretched
    assert make([100, 110], batch_size=2, shuffle=False).padding() == pytest.approx(10 / 220)
    assert make([100, 110], batch_size=1, shuffle=False).padding() == 0


def sizes_of(widths: list[int], **changes: object) -> list[int]:
    return [len(batch) for batch in make(widths, shuffle=False, **changes).plan(0)]


def test_sizes_at_the_limits() -> None:
    assert sizes_of([40] * 7, batch_size=3) == [3, 3, 1]
    assert sizes_of([40] * 6, batch_size=3) == [3, 3]
    assert sizes_of([40] * 4, batch_pixels=2 * 40 * 32) == [2, 2]
    assert sizes_of([40] * 4, batch_pixels=2 * 40 * 32 - 1) == [1] * 4
    assert sizes_of([10, 10, 10, 50], batch_pixels=32 * 100) == [3, 1]  # four of the widest would be too many
    assert sizes_of([500, 10, 400], batch_pixels=32 * 100) == [1, 1, 1]  # wider than the budget, alone
    for seed in range(4):
        assert len(make([500, 10, 400], batch_pixels=32 * 100, seed=seed)) == 3


def test_sizes_are_split_until_their_number_divides() -> None:
    assert sizes_of([40] * 5, world_size=2) == [3, 2]
    assert sizes_of([40] * 7, batch_size=5, world_size=3) == [3, 2, 2]
    assert sizes_of([40] * 9, batch_size=4, world_size=2) == [2, 2, 4, 1]
    assert len(make([40] * 9, batch_size=4, world_size=2)) == 2


@pytest.mark.parametrize(("lines", "world", "sizes"), [(3, 2, [2, 1]), (7, 4, [2, 2, 2, 1]), (5, 4, [2, 1, 1, 1])])
def test_batches_of_one_line_are_joined_where_their_number_does_not_divide(
    lines: int, world: int, sizes: list[int]
) -> None:
    assert sizes_of([40] * lines, batch_size=1, world_size=world) == sizes
    wide = [400 + 4 * i for i in range(lines)]
    assert sizes_of(wide, batch_pixels=32 * 100, world_size=world) == sizes
    ranks = [list(make(wide, batch_pixels=32 * 100, world_size=world, rank=rank)) for rank in range(world)]
    assert {len(batches) for batches in ranks} == {len(sizes) // world}
    assert sorted(key.line for batches in ranks for batch in batches for key in batch) == list(range(lines))


def test_validation_goes_by_width_and_order() -> None:
    batches = list(make([80, 40, 120, 40, 80], shuffle=False, batch_size=2).plan(3))
    assert batches == [[(3, 1, 0), (3, 3, 0)], [(3, 0, 0), (3, 4, 0)], [(3, 2, 0)]]


def test_neighbours_in_width_run_at_the_same_time() -> None:
    widths = [round(40 * 1.15**i) for i in range(40)]  # too far apart to change places
    ranks = [make(widths, batch_size=2, batch_pixels=10**7, rank=rank, world_size=4, seed=3) for rank in range(4)]
    steps = list(zip(*ranks, strict=True))
    together = [[key.line for batch in step for key in batch] for step in steps]
    assert sorted(together) == [list(range(first, first + 8)) for first in range(0, 40, 8)]
    assert together != sorted(together)  # steps come in any order
    whole = list(make(widths, batch_size=2, batch_pixels=10**7, world_size=4, seed=3).plan(0))
    assert whole == [batch for step in steps for batch in step]
    ranks[1].skip(2)
    assert list(ranks[1]) == [step[1] for step in steps[2:]]


def test_widths_vary_a_little_before_they_are_sorted() -> None:
    """By 5 %: lines 4 % apart may change places, lines 11 % apart never do."""

    def pairs(other: int) -> set[tuple[int, ...]]:
        sampler = make([100, 100, other, other], batch_size=2)
        return {tuple(sorted(key.line for key in batch)) for epoch in range(40) for batch in sampler.plan(epoch)}

    assert pairs(111) == {(0, 1), (2, 3)}
    assert len(pairs(104)) > 2


def test_the_same_plan_in_every_version() -> None:
    """Runs go on, and are repeated, by seed and epoch alone."""
    widths = [40 + 12 * (i % 5) for i in range(12)]
    plan = make(widths, batch_size=4, seed=5).plan(2)
    assert [[key.line for key in batch] for batch in plan] == [[8, 3, 4, 9], [1, 11, 7, 2], [0, 5, 10, 6]]


def test_widths_are_of_the_epoch() -> None:
    asked: list[int] = []

    def widths(epoch: int) -> np.ndarray:
        asked.append(epoch)
        return np.array([40, 80]) + 20 * epoch

    sampler = WidthBatches(widths, 32, 1, 10**6, True)
    assert asked == [0]
    assert {key.width for batch in sampler.plan(3) for key in batch} == {100, 140}
    assert asked == [0, 3]
    assert sampler.sampler is sampler
    sampler.set_epoch(1)
    assert {key.width for batch in sampler for key in batch} == {60, 100}


def test_a_line_is_widened_by_no_more_than_is_allowed() -> None:
    assert make([100, 114], batch_size=2).padding() == 0
    assert make([100, 116], batch_size=2).padding() == pytest.approx(16 / 232)


def test_the_width_of_a_batch_is_that_of_its_widest_line() -> None:
    for batch in make([40, 44, 48, 52, 100, 104, 108, 112], batch_size=4, seed=0):
        assert {key.width for key in batch} == ({52} if batch[0].line < 4 else {112})


def test_epochs_and_seeds_begin_with_none() -> None:
    """Without a seed it is 0; padding is of the first epoch's widths."""

    def widths(epoch: int) -> np.ndarray:
        return np.array([100, 100 + 100 * epoch, 40, 44])

    plain = WidthBatches(widths, 32, 2, 10**6, True)
    seeded = WidthBatches(widths, 32, 2, 10**6, True, seed=0)
    assert [list(plain.plan(epoch)) for epoch in range(4)] == [list(seeded.plan(epoch)) for epoch in range(4)]
    assert list(plain) == list(plain.plan(0))
    assert len(plain) == 2
    assert plain.padding() == 0


def test_a_line_just_wide_enough_is_widened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.data.batching.MAX_STRETCH", 1.25)
    assert make([100, 125], batch_size=2).padding() == 0
    assert make([99, 125], batch_size=2).padding() == pytest.approx(26 / 250)


def test_neighbours_change_places_by_the_draws_of_seed_and_epoch() -> None:
    widths = [100 + i for i in range(12)]
    keys = widths * np.exp(np.random.default_rng([1, 3]).uniform(-JITTER, JITTER, 12))
    order = np.argsort(keys, kind="stable").tolist()
    batches = [[key.line for key in batch] for batch in make(widths, batch_size=4).plan(3)]
    assert sorted(batches, key=lambda batch: order.index(batch[0])) == [order[:4], order[4:8], order[8:]]
