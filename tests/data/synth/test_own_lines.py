"""Texts from own lines: whole ones, and new ones that look like them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from crnn.data.synth.own_lines import LineModel, check_order, divided
from crnn.data.synth.source import synthetic_pair
from crnn.data.synth.text import TextMaker
from crnn.errors import ConfigError, DataError

_PARTS = [("Saldo", "Summe", "Salat"), ("von", "vom"), ("Mai", "März", "Montag")]
LINES = [" ".join(words) for i, words in enumerate(product(*_PARTS)) if i % 3 != i // 6]  # 12 of 18


def grams(lines: list[str], size: int) -> set[str]:
    """Every part of this size, with the ends of lines."""
    padded = ["^" * (size - 1) + line + "$" for line in lines]
    return {line[i : i + size] for line in padded for i in range(len(line) - size + 1)}


@pytest.mark.parametrize("order", [1, 3, 6])
def test_new_lines_hold_seen_parts_only(order: int) -> None:
    model = LineModel(LINES, order)
    rng = np.random.default_rng(1)
    made = [model(rng, 200) for _ in range(300)]
    assert grams([line for line in made if len(line) < 190], order + 1) <= grams(LINES, order + 1)
    assert all(line == line.strip() and line for line in made)
    if order < 6:
        assert len(set(made) - set(LINES)) > 3
    assert max(len(model(rng, 7)) for _ in range(50)) <= 7


def test_frequent_continuations_come_more_often() -> None:
    model = LineModel(["ab"] * 9 + ["ac"], 1)
    rng = np.random.default_rng(1)
    made = [model(rng, 5) for _ in range(500)]
    assert 0.85 < made.count("ab") / 500 < 0.95
    assert set(made) == {"ab", "ac"}


def test_lines_to_avoid_are_never_written() -> None:
    model = LineModel(["ab cd", "xb cy"], 1, avoid=["ab cy", "xb cd"])
    rng = np.random.default_rng(1)
    assert {model(rng, 50) for _ in range(200)} == {"ab cd", "xb cy"}
    assert LineModel(["a"], 1, avoid=["a"])(rng, 50) == ""


def test_every_tenth_line_is_held_out() -> None:
    lines = [f"line {i}" for i in range(25)]
    trained, kept = divided([*lines, *lines], str, "own.txt", 1)
    assert kept == ("line 0", "line 10", "line 20")
    assert sorted([*trained, *kept]) == sorted(lines)
    with pytest.raises(DataError, match=r"own\.txt: has 1 different lines that can be used; .* of 3 or more"):
        divided(["abc", "abc", "x"], lambda line: line if len(line) > 2 else "", "own.txt", 3)


@pytest.mark.parametrize(
    ("order", "given", "message"),
    [
        (-1, True, r"text_order=-1: must be 0 \(whole lines only\) \.\. 12"),
        (13, True, "text_order=13"),
        (4, False, r"text_order=4: needs lines to learn from; give data\.rendered\.text_file=FILE"),
    ],
)
def test_bad_orders(order: int, given: bool, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_order(order, given)
    check_order(0, False)
    check_order(12, True)


def test_rendered_lines_are_half_whole_half_new(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("\n".join(LINES), encoding="utf-8")
    common = {"characters": "".join(sorted(set("".join(LINES)))), "fonts": "bundled"}
    train, val = synthetic_pair(300, 20, text_file=tmp_path / "own.txt", text_order=2, **common)
    made = [train.entry(i).text for i in range(300)]
    held_out = {val.entry(i).text for i in range(20)}
    assert held_out == {LINES[0], LINES[10]}
    assert not held_out & set(made)
    assert 100 < sum(text in LINES for text in made) < 280
    assert grams([text for text in made if len(text) < 28], 3) <= grams(LINES, 3)
    again, _ = synthetic_pair(300, 20, labels=LINES, text_order=2, **common)
    assert [again.entry(i).text for i in range(300)] == made
    with pytest.raises(DataError, match=r"data\.rendered\.text_file=labels: has 1 different lines"):
        synthetic_pair(5, 5, labels=["Saldo"], **common)
    with pytest.raises(ConfigError, match="text_order=2: needs lines"):
        synthetic_pair(5, 5, text_order=2, fonts="bundled")


def test_half_of_the_texts_are_new_lines() -> None:
    model = LineModel(["new line"], 8)
    maker = TextMaker(lines=("whole line",), new_lines=model)
    made = [maker(np.random.default_rng(i)) for i in range(400)]
    assert set(made) == {"whole line", "new line"}
    assert 150 < made.count("new line") < 250


def test_odd_spaces_of_own_lines_stay_spaces(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("a\tb\nc\N{NO-BREAK SPACE}d\nx y\n", encoding="utf-8")
    train, val = synthetic_pair(30, 5, text_file=tmp_path / "own.txt", fonts="bundled")
    assert {s.entry(i).text for s in (train, val) for i in range(5)} <= {"a b", "c d", "x y"}


def test_so_many_tries_to_write_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LineModel(["ab"], 1, avoid=["ab"])
    tries: list[int] = []
    monkeypatch.setattr(
        model, "_line", lambda rng, longest: tries.append(longest) or ("ab" if len(tries) < 20 else "c")
    )
    assert model(np.random.default_rng(0), 7) == "c"
    assert tries == [7] * 20
    assert LineModel(["ab"], 1, avoid=["ab"])(np.random.default_rng(0), 7) == ""
    monkeypatch.setattr(model, "_line", lambda rng, longest: tries.append(longest) or "ab")
    tries.clear()
    assert model(np.random.default_rng(0), 7) == ""
    assert len(tries) == 20


def test_each_sign_by_how_often_it_followed() -> None:
    class Listed:
        def __init__(self, numbers: list[int]) -> None:
            self.numbers, self.asked = numbers, []  # type: ignore[var-annotated]

        def integers(self, below: int) -> int:
            self.asked.append(below)
            return self.numbers.pop(0)

    model = LineModel(["ab", "ab", "ac", "b"], 1)
    for numbers, line, asked in (
        ([0, 0, 0], "ab", [4, 3, 3]),
        ([2, 1, 2], "ab", [4, 3, 3]),
        ([2, 2, 0], "ac", [4, 3, 1]),
        ([3, 0], "b", [4, 3]),
    ):
        rng = Listed(numbers)
        assert model._line(rng, 9) == line  # type: ignore[arg-type]
        assert rng.asked == asked
    assert model._line(Listed([0]), 1) == "a"  # type: ignore[arg-type]  # cut, and nothing more is drawn
    assert LineModel(["a b"], 2)._line(np.random.default_rng(0), 2) == "a"


def test_the_same_new_lines_in_every_version() -> None:
    for order, wanted in ((1, "Sag/Sai/Saldomm vome"), (4, "Saldo von Ma/Salat von Mo/Saldo von Ma")):
        model = LineModel(LINES, order, avoid=LINES[:3])
        found = [model(np.random.default_rng(seed), 12) for seed in range(3)]
        assert "/".join(found) == wanted


def test_lines_are_counted_without_what_cannot_be_rendered() -> None:
    for count, held_out in ((2, 1), (10, 1), (11, 2)):
        trained, kept = divided([f"{i}" for i in range(count)] + ["", ""], str, "own.txt", 1)
        assert (len(trained), len(kept)) == (count - held_out, held_out)
    with pytest.raises(DataError, match=r"has 1 different lines"):
        divided(["a", ""], str, "own.txt", 1)
