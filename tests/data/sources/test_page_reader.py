"""Lines of which only the baseline is known."""

from __future__ import annotations

import numpy as np
import pytest

from crnn.data.sources.outlines import Points, box
from crnn.data.sources.page_marks import MarkedLine
from crnn.data.sources.page_reader import _is_bare

LEVEL = np.array([(10.0, 50.0), (90.0, 52.0)])


@pytest.mark.parametrize(
    ("outline", "baseline", "bare"),
    [
        (None, LEVEL, True),
        (None, LEVEL[:1], False),
        (None, None, False),
        (box(10, 50, 80, 2), LEVEL, True),  # a box that says no more than the baseline
        (box(10, 50, 81, 3), LEVEL, True),
        (box(10, 50, 81, 3.1), LEVEL, False),
        (box(10, 50, 81.1, 3), LEVEL, False),
        (box(10, 50, 80, 2)[:3], LEVEL, False),  # drawn by hand
        (np.concatenate([box(10, 50, 80, 2), LEVEL]), LEVEL, False),
        (box(10, 50, 80, 2), None, False),
    ],
)
def test_a_line_without_a_height(outline: Points | None, baseline: Points | None, bare: bool) -> None:
    assert _is_bare(MarkedLine("l1", 7, "x", outline, baseline)) is bare
