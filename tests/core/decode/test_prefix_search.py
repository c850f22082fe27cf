"""What prefix search leaves out, and what it must not."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from crnn.core.decode import BeamDecoder
from crnn.core.decode.automaton import trie
from crnn.core.decode.ngram import NgramModel
from crnn.core.decode.prefix_search import Prefix, PrefixSearch
from crnn.core.decode.probability import text_log_probability

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
    mine, best = ([one.labels for one in decoder(log_probs, lengths)] for decoder in (few, many))
    found, most = (text_log_probability(log_probs, lengths, texts) + few.factors(texts) for texts in (mine, best))
    assert (found > most - 0.1).all()
    assert min(map(len, best)) > 2


def test_a_constraint_is_asked_for_what_is_far_behind() -> None:
    """However unlikely, and at a pause; of many symbols that may follow, the likeliest ones."""
    rows = [[1e-30, 1.0, 1e-30, 1e-9], [1.0, 1e-30, 1e-30, 1e-30]]
    assert texts_left(rows, constraint=trie([[2], [3]], 4)) == [[3], [2]]
    doubt = [[0.2, 0.4, 0.1, 0.3]]
    assert texts_left(doubt, constraint=trie([[1], [2], [3]], 4), candidates=2) == [[1], [3]]
    assert texts_left(doubt, constraint=trie([[1, 2], [2]], 4)) == [[2]]  # two symbols do not fit


def search(**changes: Any) -> PrefixSearch:
    settings: dict[str, Any] = {"width": 10, "lm": None, "lm_weight": 0.3, "length_bonus": 0.0, "constraint": None}
    settings |= {"candidates": 10, "floor": 1e-3, "far_behind": 1e-3}
    return PrefixSearch(**(settings | changes))


ROOT = Prefix(None, 0, 0)


def test_scores_of_what_is_found() -> None:
    """Two steps of doubt: sums over paths, by hand."""
    log_probs = np.log(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]))
    found = {tuple(node.labels()): score for score, node in search().endings(log_probs, 1)}
    sums = {(): 0.25, (1,): 0.39, (2,): 0.24, (1, 2): 0.06, (2, 1): 0.06}
    assert found == pytest.approx({text: chance / 0.39 for text, chance in sums.items()}, rel=1e-5)
    again = np.log(np.array([[0.2, 0.8], [0.8, 0.2], [0.2, 0.8]]))
    found = {tuple(node.labels()): score for score, node in search().endings(again, 1)}
    one = 0.8 * 0.8 * 0.2 + 0.2 * 0.8 * 0.8 + 0.8 * 0.2 * 0.2 + 0.2 * 0.2 * 0.2 + 0.2 * 0.2 * 0.8 + 0.8 * 0.2 * 0.8
    assert found[1, 1] / found[1,] == pytest.approx(0.8**3 / one, rel=1e-5)
    assert found[()] / found[1,] == pytest.approx(0.2 * 0.8 * 0.2 / one, rel=1e-5)


def test_the_end_of_a_line_is_ranked_by_the_language_model() -> None:
    """After 1 something always follows, after 2 the line ends: 2 is the better text, although 1 is likelier."""
    lm = NgramModel.of([[1, 3, 2]] * 9 + [[3, 2]] * 9 + [[2]] * 9, 3, order=2)
    rows = [[1e-6, 0.6, 0.4 - 3e-6, 1e-6]]
    assert texts_left(rows) == [[1], [2]]
    search = BeamDecoder(lm=lm, lm_weight=1.0)._prefixes
    found = search.endings(np.log(np.array(rows, dtype=np.float32)), 1)
    assert [node.labels() for _, node in found] == [[2], [1]]
    assert found[0][0] > 2 * found[1][0]
    start, ends = (lm.probabilities(lm.start()), {label: lm.probabilities(chr(0x23 + label))[0] for label in (1, 2)})
    ratio = (rows[0][2] * start[2] * ends[2]) / (rows[0][1] * start[1] * ends[1])
    assert found[0][0] / found[1][0] == pytest.approx(ratio, rel=1e-5)


def test_for_more_texts_less_is_given_up() -> None:
    doubt, pause = [1e-7, 0.998, 0.002 - 2e-7, 1e-7], [0.9985, 0.0005, 0.0005, 0.0005]
    few = texts_left([doubt, pause, doubt])
    assert [2, 2] not in few
    assert [2, 2] in texts_left([doubt, pause, doubt], count=3)
    unlikely = [0.0005, 0.9994, 5e-5, 5e-5]
    assert [2] in texts_left([unlikely], count=2)
    assert [2] not in texts_left([[0.0005, 0.9994, 5e-6, 5e-5]], count=2)  # less likely than 1e-5


def test_the_classes_worth_looking_at() -> None:
    probs = np.array([[0.5, 0.1, 0.25, 0.15], [0.1, 0.1, 0.3, 0.5], [0.97, 0.01, 0.01, 0.01]])
    one, two = [(2, 0.25), (3, 0.15), (1, 0.1)], [(3, 0.5), (2, 0.3), (1, 0.1)]
    assert search()._likely(probs, 0.1) == [one, two, []]  # the bound itself is one of them
    assert search()._likely(probs, 0.11) == [one[:2], two[:2], []]
    assert search(candidates=1)._likely(probs, 0.1) == [one[:1], two[:1], []]
    assert search(candidates=2)._likely(probs, 0.1) == [one[:2], two[:2], []]
    assert search()._likely(probs[2:], 0.0)[0] == [(1, 0.01), (2, 0.01), (3, 0.01)]
    assert search()._likely(probs[:0], 0.0) == []


def test_the_classes_that_a_constraint_asks_for() -> None:
    row = np.array([0.1, 0.2, 0.4, 0.05, 0.25])
    constraint = trie([[1], [2], [4, 3]], 5)
    for candidates, wanted in ((1, {2: 0.4}), (2, {2: 0.4, 4: 0.25}), (3, {1: 0.2, 2: 0.4, 4: 0.25})):
        found = search(candidates=candidates, constraint=constraint)._allowed(constraint, 0, row)
        assert sorted(found) == sorted(wanted.items())
    assert search()._allowed(constraint, constraint.step(0, 4), row) == [(3, 0.05)]
    assert search(constraint=constraint).far_behind == 0.0
    assert search().far_behind == 1e-3


def test_the_best_prefixes_stay() -> None:
    a, b, c, d = (Prefix(ROOT, label, state) for state, label in enumerate((1, 2, 3, 1)))
    scores = {a: [0.1, 0.1], b: [0.2, 0.2], c: [0.1, 0.0], d: [0.0, 0.04]}
    kept = search()._pruned(scores, 10, 0.0, 5)
    assert [node for node, _, _ in kept] == [b, a, c, d]
    assert [numbers for _, *numbers in kept] == [
        pytest.approx(x) for x in ([0.5, 0.5], [0.25, 0.25], [0.25, 0], [0, 0.1])
    ]
    for width in (1, 2, 3):
        assert [node for node, _, _ in search()._pruned(scores, width, 0.0, 5)] == [b, a, c, d][:width]
    assert [node for node, _, _ in search()._pruned(scores, 10, 0.25, 5)] == [b, a]  # the bound itself is behind
    assert [node for node, _, _ in search()._pruned(scores, 10, 0.09, 5)] == [b, a, c, d]
    assert search()._pruned({}, 10, 0.0, 5) == []
    assert search()._pruned({a: [0.0, 0.0]}, 10, 0.0, 5) == []
    assert search()._pruned({a: [0.0, 0.5]}, 10, 0.1, 5) == [(a, 0.0, 1.0)]
    constraint = trie([[1, 2, 3]], 4)  # states 0..3 lack 3, 2, 1 and 0 symbols
    for left, wanted in ((3, [b, a, c, d]), (2, [b, c, d]), (1, [c, d]), (0, [d])):
        assert [node for node, _, _ in search(constraint=constraint)._pruned(scores, 10, 0.0, left)] == wanted


def test_what_a_pause_gives_up() -> None:
    a, b, c = (Prefix(ROOT, label, 0) for label in (1, 2, 3))
    beam = [(a, 0.5, 0.5), (b, 0.015, 0.005), (c, 0.0, 0.019)]
    assert [node for node, _, _ in search()._rejoined(beam)] == [a, b]
    lm = NgramModel.of([[1, 2, 3]], 3, order=2)
    found = search(lm=lm)
    found._factors_of(lm, ROOT)
    assert [node for node, _, _ in found._rejoined(beam)] == [a, b, c]  # what follows differs
    blind = NgramModel.of([[1, 2, 3]], 3, order=1)
    root = Prefix(None, 0, 0)
    beam = [(Prefix(root, label, 0), one, two) for label, (_, one, two) in zip((1, 2, 3), beam, strict=True)]
    assert [node.label for node, _, _ in search(lm=blind)._rejoined(beam)] == [1, 2]


def test_factors_of_a_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = NgramModel.of([[1, 2], [1, 3]], 3, order=2)
    found = search(lm=lm, lm_weight=0.5, length_bonus=0.7)
    root = Prefix(None, 0, 0)
    factors = found._factors_of(lm, root)
    wanted = lm.probabilities(" ") ** 0.5 * np.exp([0.0, 0.7, 0.7, 0.7])  # no bonus for the end
    assert factors == pytest.approx(wanted)
    assert found._factors_of(lm, root) is root.factors is factors
    one, other = Prefix(root, 1, 0), Prefix(root, 1, 0)
    assert found._factors_of(lm, one) == pytest.approx(lm.probabilities("$") ** 0.5 * np.exp([0.0, 0.7, 0.7, 0.7]))
    assert found._factors_of(lm, other) is one.factors
    assert (root.context, one.context) == (" ", "$")
    monkeypatch.setattr("crnn.core.decode.prefix_search.REMEMBERED", 3 * 4)
    assert found._factors_of(lm, Prefix(root, 2, 0)) is found._factors["%"]
    assert list(found._factors) == [" ", "$", "%"]  # three of four numbers
    found._factors_of(lm, Prefix(root, 3, 0))
    assert list(found._factors) == ["&"]


def test_labels_of_a_prefix() -> None:
    assert ROOT.labels() == []
    assert Prefix(Prefix(Prefix(None, 0, 0), 2, 0), 1, 5).labels() == [2, 1]


@pytest.mark.parametrize("seed", range(8))
def test_all_texts_have_the_sums_of_their_paths(seed: int) -> None:
    probs = np.random.default_rng(seed).dirichlet([1, 0.7, 0.7], 4)
    sums: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for path in itertools.product(range(3), repeat=4):
        text = tuple(label for label, _ in itertools.groupby(path) if label)
        sums[text] += math.prod(float(probs[step, label]) for step, label in enumerate(path))
    found = search(width=99, floor=0.0, far_behind=0.0).endings(np.log(probs), 1)
    best = max(sums.values())
    assert {tuple(node.labels()): score for score, node in found} == pytest.approx(
        {text: chance / best for text, chance in sums.items()}, rel=1e-6
    )
    scores = [score for score, _ in found]
    assert scores == sorted(scores, reverse=True)


def test_so_many_symbols_are_looked_at_as_the_beam_may_keep() -> None:
    """Twice as many as it is wide after the best prefix, half of that after the next; with a language model, all."""
    row = [0.02, 0.3, 0.22, 0.18, 0.15, 0.13]
    loose = {"floor": 0.0, "far_behind": 0.0}
    [(node, _, _)] = search(width=1, **loose)._beam(np.array([row]), 1)
    assert node.parent is not None
    assert sorted(node.parent.after) == [1, 2]
    beam = search(width=2, **loose)._beam(np.array([row, row]), 1)
    root = beam[0][0]
    while root.parent is not None:
        root = root.parent
    assert sorted(root.after) == [1, 2, 3, 4]
    # a symbol cannot follow itself at once
    assert [sorted(root.after[label].after) for label in (1, 2)] == [[2, 3, 4], [1]]
    lm = NgramModel.of([[5]] * 20, 5, order=2)
    assert texts_left([row], width=1) == [[1]]
    assert texts_left([row], width=1, lm=lm, lm_weight=1.0) == [[5]]


def test_what_cannot_end_in_time_takes_no_place() -> None:
    doubt = [0.2, 0.4, 0.1, 0.3]
    assert texts_left([doubt], width=1, constraint=trie([[1, 2], [2]], 4)) == [[2]]
    assert texts_left([doubt, doubt], width=1, constraint=trie([[1, 2, 3], [3, 2]], 4)) == [[3, 2]]
    assert texts_left([doubt, doubt], width=1, constraint=trie([[1, 2], [2]], 4)) == [[1, 2]]
    assert texts_left([doubt], constraint=trie([[1, 2]], 4)) == []
