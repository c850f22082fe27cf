"""What paper, light, lens and file do: the same to the hundredth of a grey value, and what that is."""

from __future__ import annotations

import golden_effects
import numpy as np
import pytest
from few_draws import FewDraws

from crnn.data.synth import scan_wear
from crnn.data.synth.surroundings import LEAST_CONTRAST


@pytest.mark.parametrize("name", golden_effects.SCAN)
def test_an_effect_of_a_scan_is_what_it_was(name: str) -> None:
    golden_effects.check(name)


def test_a_faint_line_can_be_read() -> None:
    grey = np.full((20, 40), 220, dtype=np.float32)
    grey[5:15, 10:30] = 20
    for low, high in ((220, 20), (220, 150), (220, 190)):
        grey[5:15, 10:30] = high
        contrasts = []
        for seed in range(30):
            made = scan_wear.faint(grey, np.random.default_rng(seed), 28)
            assert high - 0.01 <= made.min() < made.max() <= low + 0.01
            contrasts.append(float(made.max() - made.min()))
        assert min(contrasts) >= min(LEAST_CONTRAST, low - high) - 0.01
        assert max(contrasts) <= 0.8 * (low - high) + 0.01 or max(contrasts) <= LEAST_CONTRAST + 0.01
    flat = np.full((4, 4), 77, dtype=np.float32)
    assert scan_wear.faint(flat, np.random.default_rng(1), 28).tolist() == flat.tolist()


def test_a_moved_hand_takes_the_mean_over_so_many_pixels() -> None:
    grey = np.zeros((21, 21), dtype=np.float32)
    grey[10, 10] = 100
    for chance, sideways in ((0.69, True), (0.7, False)):
        made = scan_wear.motion(grey, FewDraws(5, [chance]), 32)
        line = made[10] if sideways else made[:, 10]
        assert made.sum() == pytest.approx(100, rel=1e-4)
        assert line.sum() == pytest.approx(100, rel=1e-4)
        assert 2 <= (line > 0).sum() <= 5
        assert line[8:13].sum() == pytest.approx(100, rel=1e-4)  # not moved away
    level = np.full((6, 7), 50, dtype=np.float32)
    assert scan_wear.motion(level, np.random.default_rng(0), 40) == pytest.approx(level, rel=1e-5)


def test_dust_is_a_dot_or_two() -> None:
    grey = np.full((30, 50), 128, dtype=np.float32)
    counts = set()
    for seed in range(60):
        made = scan_wear.specks(grey, np.random.default_rng(seed), 28)
        counts.add(int((made != 128).sum()))
        assert len(np.unique(made)) == 2
    assert 1 <= min(counts) <= 2
    assert 6 <= max(counts) <= 12
    assert (grey == 128).all()


def test_two_greys_are_those_of_ink_and_paper() -> None:
    for ink, paper in ((20, 220), (230, 40)):
        grey = np.full((30, 60), paper, dtype=np.float32)
        grey[10:20, 10:40] = ink
        assert set(np.unique(scan_wear.bitonal(grey, FewDraws(1, [0.4]), 16))) == {ink, paper}
    flat = np.full((4, 9), 77, dtype=np.float32)
    assert scan_wear.bitonal(flat, np.random.default_rng(1), 28).tolist() == flat.tolist()


def test_a_shadow_is_on_either_side() -> None:
    grey = np.full((30, 90), 200, dtype=np.float32)
    for chance, darker in ((0.49, "left"), (0.5, "right")):
        made = scan_wear.shadow(grey, FewDraws(1, [chance]), 28)
        left, right = made[:, :10].mean(), made[:, -10:].mean()
        assert (left < right) == (darker == "left")
        assert 0.6 * 200 - 0.01 <= made.min() < made.max() <= 200
