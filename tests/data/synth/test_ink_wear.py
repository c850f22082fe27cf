"""What printers, presses and age do to ink: the same to the hundredth of a grey value, and what that is."""

from __future__ import annotations

import golden_effects
import numpy as np
import pytest
from few_draws import FewDraws

from crnn.data.synth import ink_wear


@pytest.mark.parametrize("name", golden_effects.INK)
def test_an_effect_of_ink_is_what_it_was(name: str) -> None:
    golden_effects.check(name)


def test_a_worn_head_leaves_out_rows_of_letters_large_enough() -> None:
    full = np.full((60, 5), 200, dtype=np.float32)

    def rows(size: int, chance: float, seed: int = 3) -> int:
        """How many are lighter than the most."""
        made = ink_wear.thermal(full, FewDraws(seed, [chance]), size)
        return int((made[:, 0] < made[:, 0].max() - 1).sum())

    assert {rows(20, 0.39, seed) for seed in range(9)} == {1, 2}
    assert {rows(60, 0.39, seed) for seed in range(30)} >= {2, 4}
    assert rows(20, 0.4) == rows(19, 0.1) == 0


def test_small_letters_are_uneven_instead_of_dots() -> None:
    ink = np.random.default_rng(0).uniform(0, 255, (20, 30)).astype(np.float32)
    for size, alike in ((21, True), (22, False)):
        made = (effect(ink, np.random.default_rng(4), size) for effect in (ink_wear.dot_matrix, ink_wear.uneven))
        assert np.array_equal(*made) == alike


def test_strokes_grow_and_shrink_by_a_part_of_a_pixel() -> None:
    ink = np.zeros((9, 9), dtype=np.float32)
    ink[3:6, 3:6] = 200
    thick = ink_wear.thicker(ink, np.random.default_rng(0), 28)
    assert np.array_equal(thick > 0, np.pad(np.ones((5, 5)), 2) > 0)
    assert (thick[3:6, 3:6] == 200).all()
    assert 0.15 * 200 <= thick[2, 2] <= 0.7 * 200
    thin = ink_wear.thinner(ink, np.random.default_rng(0), 28)
    assert np.array_equal(thin == 200, np.pad(np.ones((1, 1)), 4) > 0)
    assert 0.5 * 200 <= thin[3, 3] <= 0.85 * 200
    for effect in (ink_wear.thicker, ink_wear.thinner):  # less of it in small letters, no more in large ones
        changes = [np.abs(effect(ink, np.random.default_rng(0), size) - ink).max() for size in (14, 28, 56)]
        assert changes[0] == pytest.approx(changes[1] / 2)
        assert changes[1] == changes[2]


def test_the_other_side_is_mirrored_and_fainter() -> None:
    ink = np.zeros((40, 60), dtype=np.float32)
    ink[15:25, 5:15] = 255
    made = ink_wear.shine_through(ink, np.random.default_rng(2), 20)
    assert (made >= ink).all()
    other = made - ink
    assert set(np.flatnonzero(other.max(0) > 10)) <= set(range(43, 57))
    assert 0.05 * 255 < other.max() <= 0.22 * 255 + 1
    assert abs(np.flatnonzero(other.max(1) > 10).mean() - 19.5) <= 10


def test_corners_come_from_outside_of_the_picture() -> None:
    """So that nothing of it is cut off: by a tenth of its shorter side at most."""
    asked: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ink_wear, "to_picture", lambda pixels: golden_effects.Asked(pixels, asked))
        for seed in range(20):
            asked.clear()
            ink_wear.perspective(np.zeros((30, 80), dtype=np.float32), np.random.default_rng(seed), 28)
            away = np.array(asked[2:10]).reshape(4, 2) - [(0, 0), (0, 30), (80, 30), (80, 0)]
            outwards = away * [(-1, -1), (-1, 1), (1, 1), (1, -1)]
            assert asked[:2] == [80, 30]
            assert (outwards >= 0).all()
            assert outwards.max() <= 3
