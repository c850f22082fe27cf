"""The effects of rendered lines and the augmentations do to fixed pictures what they always did.

Other versions of Pillow and NumPy may round otherwise, so a few grey levels more or less are no difference. A change
that is meant: see golden_changes.py, which stores the results anew.
"""

from __future__ import annotations

import numpy as np
import pytest
from golden_changes import STORED, everything

NOW = everything()


def test_every_change_is_stored() -> None:
    with np.load(STORED) as stored:
        assert sorted(stored.files) == sorted(NOW)
    assert STORED.stat().st_size < 60_000


@pytest.mark.parametrize("name", NOW)
def test_a_change_is_what_it_was(name: str) -> None:
    with np.load(STORED) as stored:
        wanted = stored[name].astype(float)
    now = NOW[name]()
    assert now.shape == wanted.shape
    apart = np.abs(now - wanted)
    assert apart.mean() < 0.6  # of which 0.25 come from whole numbers in the file
    assert (apart > 3).mean() < 0.01
