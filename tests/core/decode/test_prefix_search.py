"""What prefix search leaves out, and what it must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crnn.core.decode import BeamDecoder
from crnn.core.decode.automaton import trie
from crnn.core.decode.ngram import NgramModel

PAUSE = [0.9985, 0.0005, 0.0005, 0.0005]


def texts_left(rows: list[list[float]], count: int = 1, **settings: Any) -> list[list[int]]:
    """The prefixes after the last step, best first; rows are probabilities of blank, 1, 2, 3."""
    log_probs = np.log(np.array(rows, dtype=np.float32))
    return [node.labels() for _, node in BeamDecoder(**settings)._prefixes.endings(log_probs, count)]


def line(first: float, *more: list[float]) -> list[list[float]]:
    """A doubt between 1 and 2, with `first` for the 2; then a pause."""
    return [[1e-6, 1 - first - 2e-6, first, 1e-6], PAUSE, *more]


def test_what_is_far_behind_is_given_up() -> None:
    doubt = [[1e-6, 0.998, 0.002, 1e-6]]
    assert texts_left(doubt) == [[1], [2]]
    assert texts_left(doubt, far_behind=0.003) == [[1]]
    assert texts_left([[1e-6, 0.9994, 0.0006, 1e-6]], floor=1e-4) == [[1]]
    assert texts_left([[1e-6, 0.9994, 0.0006, 1e-6]], count=2)[:2] == [[1], [2]]
    assert texts_left([[0.0006, 0.9994, 1e-7, 1e-7]]) == [[1]]
    assert texts_left([[0.002, 0.998, 1e-7, 1e-7]]) == [[1], []]


def test_what_is_unlikely_in_a_step_is_not_looked_at() -> None:
    row = [0.3, 0.5, 0.15, 0.05]
    assert texts_left([row]) == [[1], [], [2], [3]]
    assert texts_left([row], floor=0.149) == [[1], [], [2]]
    assert texts_left([row], candidates=1) == [[1], []]
    assert texts_left([row], width=2) == [[1], []]
    assert texts_left([row], width=2, count=3) == [[1], [], [2]]


def test_at_a_pause_the_best_goes_on_alone() -> None:
    assert texts_left(line(0.018)) == [[1]]
    assert texts_left(line(0.022)) == [[1], [2]]
    assert texts_left(line(0.018), count=2)[:2] == [[1], [2]]  # more texts than one are asked for
    assert texts_left(line(0.018), far_behind=0.0)[:2] == [[1], [2]]  # nothing is to be left out
    assert texts_left([line(0.018)[0], [0.97, 0.029, 0.0005, 0.0005]])[:2] == [[1], [2]]  # not sure enough
    assert texts_left([*line(0.3), *line(0.018)])[0] == [1, 1]
    assert [2, 2] not in texts_left([*line(0.3), *line(0.018)])


def test_at_a_pause_a_language_model_tells_by_its_context() -> None:
    lm = NgramModel.of([[1, 3, 1], [2, 3, 1]], 3, order=2)
    settings = {"lm": lm, "lm_weight": 0.1}
    assert texts_left(line(0.01), **settings) == [[1], [2]]
    assert texts_left(line(0.01, [1e-6, 1e-6, 1e-6, 1 - 3e-6], PAUSE), **settings) == [[1, 3]]


def test_in_quiet_steps_a_symbol_ends() -> None:
    """1 before and after the quiet steps is two symbols; before and after a doubtful one, it may be one."""
    one = [0.001, 0.998, 0.0005, 0.0005]
    quiet = [0.9985, 0.0005, 0.0005, 0.0005]
    assert texts_left([one, quiet, quiet, one])[0] == [1, 1]
    assert texts_left([one, [0.6, 0.399, 0.0005, 0.0005], one])[:2] == [[1, 1], [1]]
    # nothing is worth looking at, but the blank is not likely either
    assert [] in texts_left([[0.4, 0.2, 0.2, 0.2]], floor=0.3)


@pytest.mark.parametrize("count", [1, 3])
def test_a_line_that_is_sure_is_one_prefix_at_a_time(count: int) -> None:
    sure = 1 - 3e-8
    rows = [[1e-8, sure, 1e-8, 1e-8], [sure, 1e-8, 1e-8, 1e-8], [1e-8, 1e-8, sure, 1e-8]] * 20
    assert texts_left(rows, count) == [[1, 2] + [1, 2] * 19]


@pytest.mark.parametrize("weight", [0.0, 0.4])
def test_what_is_left_out_costs_next_to_nothing(weight: float) -> None:
    """Doubtful lines of 24 steps with pauses: texts as good as a search that leaves out nothing finds."""
    rng = np.random.default_rng(1)
    lm = NgramModel.of([[1, 2, 1, 3], [3, 1, 2], [2, 2, 1]], 3, order=3) if weight else None
    settings: dict[str, Any] = {"lm": lm, "lm_weight": weight, "length_bonus": 0.4}
    few = BeamDecoder(**settings)
    many = BeamDecoder(100, **settings, candidates=3, floor=0.0, far_behind=0.0)
    scores = rng.normal(size=(24, 5, 4)).astype(np.float32) * 4
    scores[rng.random((24, 5)) < 0.5, 0] += 12  # pauses
    log_probs = scores - np.logaddexp.reduce(scores, axis=2, keepdims=True)
    lengths = np.full(5, 24)
    for mine, best in zip(few(log_probs, lengths), many(log_probs, lengths), strict=True):
        found, most = (np.log(one.confidence) + few._bonus(one.labels) for one in (mine, best))
        assert found > most - 0.1
        assert len(best.labels) > 2


def test_a_constraint_is_asked_for_what_is_far_behind() -> None:
    """However unlikely, and at a pause; of many symbols that may follow, the likeliest ones."""
    rows = [[1e-30, 1.0, 1e-30, 1e-9], [1.0, 1e-30, 1e-30, 1e-30]]
    assert texts_left(rows, constraint=trie([[2], [3]], 4)) == [[3], [2]]
    doubt = [[0.2, 0.4, 0.1, 0.3]]
    assert texts_left(doubt, constraint=trie([[1], [2], [3]], 4), candidates=2) == [[1], [3]]
    assert texts_left(doubt, constraint=trie([[1, 2], [2]], 4)) == [[2]]  # two symbols do not fit
