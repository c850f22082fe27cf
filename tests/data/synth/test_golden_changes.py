"""Rendered lines look as they always did, and the effects and augmentations do to fixed pictures what they always did.

Other versions of Pillow and NumPy may round otherwise, so a few grey levels more or less are no difference. A change
that is meant: see golden_changes.py, which stores the results anew.
"""

from __future__ import annotations

import numpy as np
import pytest
from golden_changes import AUGMENTATIONS, EFFECTS, LINES_MADE, STORED, Make, kept


def test_everything_is_stored() -> None:
    with np.load(STORED) as stored:
        names = {name.removesuffix(".figures") for name in stored.files}
        assert names == {*LINES_MADE, *EFFECTS, *AUGMENTATIONS}
        assert len(stored.files) == 2 * len(names)
    assert STORED.stat().st_size < 65_000


def check(name: str, side: int, make: Make) -> None:
    with np.load(STORED) as stored:
        squares, figures = stored[name].astype(float), stored[f"{name}.figures"]
    now, figures_now = kept(side, make)
    assert now.shape == squares.shape
    apart = np.abs(now - squares)
    assert apart.mean() < 0.6  # of which 0.25 come from whole numbers in the file
    assert (apart > 3).mean() < 0.01
    assert figures_now == pytest.approx(figures, rel=0.01, abs=0.1)
    assert figures_now.mean(axis=0) == pytest.approx(figures.mean(axis=0), rel=0.003, abs=0.03)


@pytest.mark.parametrize("name", LINES_MADE)
def test_lines_look_as_they_did(name: str) -> None:
    check(name, *LINES_MADE[name])


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_does_what_it_did(name: str) -> None:
    check(name, *EFFECTS[name])


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_augmentation_does_what_it_did(name: str) -> None:
    check(name, *AUGMENTATIONS[name])
