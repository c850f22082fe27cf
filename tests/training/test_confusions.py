"""Tables of what is mistaken for what."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from crnn.core.decode import Decoded
from crnn.training.confusions import markdown, named, read_confusions, write_confusions
from crnn.training.tally import Tally

SOME = {("l", "I"): 3, (" ", ""): 5, ("", "|"): 3, ("\t", '"'): 1}


def test_confusions_in_words() -> None:
    assert [named(edit) for edit in SOME] == ["l read as I", "␣ missed", "| too many", 'U+0009 read as "']


def test_a_table_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "confusions_001.tsv"
    write_confusions(path, SOME)
    assert read_confusions(path) == SOME
    rows = path.read_text(encoding="utf-8").splitlines()
    assert rows[:4] == [
        "count\tconfusion\tlabel\treading",
        '5\t␣ missed\t" "\t' if '" "' in rows[1] else "5\t␣ missed\t \t",
        "3\t| too many\t\t|",
        "3\tl read as I\tl\tI",
    ]
    path.write_text("count\n3\n")
    with pytest.raises(ValueError, match="is no table of confusions"):
        read_confusions(path)


def test_markdown_survives_its_own_signs() -> None:
    assert markdown(SOME).splitlines()[:4] == [
        "| count | confusion |",
        "|---|---|",
        "| 5 | ␣ missed |",
        "| 3 | &#124; too many |",
    ]


def decoded(*spans: tuple[int, int]) -> Decoded:
    return Decoded([1] * len(spans), list(spans), [1.0] * len(spans), 1.0)


def test_a_tally_counts_time_steps_losses_and_confusions() -> None:
    tally = Tally()
    lines = [decoded((0, 2), (3, 4)), decoded(), decoded((1, 2))]
    tally.add(lines, torch.tensor([10, 6, 4]), ["Iine", "", "bc"], ["line", "many", "abc"])
    assert tally.confusions == Counter({("l", "I"): 1, ("a", ""): 1})  # nothing of the line that was not read
    tally.add_losses(torch.tensor([2.0, 4.0, torch.inf]), torch.tensor([True, True, False]))
    figures = Tally.figures(tally.numbers() + tally.numbers())  # as two processes that saw the same
    assert figures["val/blank"] == pytest.approx(1 - 4 / 20)
    assert figures["val/cer"] == pytest.approx(6 / 11)
    assert figures["val/loss"] == 3.0
    assert figures["val/exact"] == 0.0
    assert Tally.figures(Tally().numbers())["val/blank"] == 0.0
