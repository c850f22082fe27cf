"""Splits into training and validation lines: seeded, and by whole groups so that no page is on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from crnn.errors import DataError

SplitBy = Literal["line", "folder"]


def group_of(picture: str, by: SplitBy) -> str:
    """The group of a picture: itself, or the folder it lies in."""
    return picture if by == "line" else str(PurePosixPath(picture.replace("\\", "/")).parent)


def split_lines(pictures: Sequence[str], share: float, seed: int, by: SplitBy = "line") -> tuple[list[int], list[int]]:
    """Positions for training and for validation, each in order.

    Args:
        pictures: names of the pictures.
        share: of the lines to hold out, above 0 and below 1; at least one group is.
        seed: the same seed and names give the same split.
        by: ``line``, or ``folder``: lines of one folder (a page, a book) stay together.

    Raises:
        DataError: if there are fewer than two groups.
    """
    groups: dict[str, list[int]] = {}
    for position, picture in enumerate(pictures):
        groups.setdefault(group_of(picture, by), []).append(position)
    if len(groups) < 2:
        raise DataError(f"{len(pictures)} lines in {len(groups)} {by}: cannot be split; set data.val")
    if not 0 < share < 1:
        raise DataError(f"data.val_share={share}: must be above 0 and below 1")
    names = sorted(groups)
    held_out: list[int] = []
    for index in np.random.default_rng(seed).permutation(len(names))[:-1]:
        if held_out and len(held_out) + len(groups[names[index]]) > share * len(pictures):
            break
        held_out += groups[names[index]]
    outside = set(held_out)
    return [p for p in range(len(pictures)) if p not in outside], sorted(held_out)
