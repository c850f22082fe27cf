"""`scripts/plant_label_errors.py`: it plants what it says, and counts what is found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fake_reader import Lines, reader

from crnn.errors import DataError

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from plant_label_errors import KINDS, found, plant

TEXTS = [f"{'abcdefgh'[i % 8] * (1 + i % 7)}{i:03d}" for i in range(100)]


@pytest.mark.parametrize("kind", KINDS)
def test_planted_errors_are_wrong_labels_and_are_found(kind: str) -> None:
    lines = plant(Lines(TEXTS), 100, 0.05, kind, seed=3)  # type: ignore[arg-type]
    assert len(lines.labels) == 5
    for position, label in lines.labels.items():
        assert lines.entry(position).text == label != TEXTS[position]
        if kind == "character":
            assert sum(a != b for a, b in zip(label, TEXTS[position], strict=True)) == 1
        else:
            assert label in TEXTS
        assert kind == "random" or abs(len(label) - len(TEXTS[position])) <= 1
    assert lines.labels == plant(Lines(TEXTS), 100, 0.05, kind, seed=3).labels  # type: ignore[arg-type]
    assert found(reader(TEXTS, 0.99), lines, listed=0.05) == (5, 5)
    assert found(reader(TEXTS, 0.99), lines, listed=0.02) == (2, 2)


def test_too_few_lines() -> None:
    with pytest.raises(DataError, match="3 lines with 3 labels; too few"):
        plant(Lines(TEXTS[:3]), 3, 0.03, "similar", 1)  # type: ignore[arg-type]
