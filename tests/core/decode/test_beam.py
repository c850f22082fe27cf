"""Prefix beam search against every path there is, on lines short enough to list them all."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crnn.core.decode import BeamDecoder, GreedyDecoder
from crnn.core.decode.automaton import Automaton, trie
from crnn.core.decode.beam import shared_out
from crnn.core.decode.best_match import best_match
from crnn.core.decode.ngram import NgramModel
from crnn.core.decode.probability import text_log_probability

EXACT = {"width": 10_000, "candidates": 100, "floor": 0.0, "far_behind": 0.0}
LOGITS = arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(2, 3)),
    elements=st.floats(-4, 4, width=32),
)


def normalised(logits: np.ndarray) -> np.ndarray:
    return logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)


def every_text(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Probability of each text of one line (T, C): the sum over its paths."""
    found: defaultdict[tuple[int, ...], float] = defaultdict(float)
    steps = np.exp(log_probs.astype(np.float64)).tolist()
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        text = tuple(label for label, _ in itertools.groupby(path) if label)
        found[text] += math.prod(map(list.__getitem__, steps, path))
    return dict(found)


def full(log_probs: np.ndarray) -> np.ndarray:
    return np.full(log_probs.shape[1], len(log_probs))


@settings(max_examples=40, deadline=None)
@given(LOGITS, st.integers(1, 6))
def test_a_wide_beam_finds_the_likeliest_texts(logits: np.ndarray, count: int) -> None:
    log_probs = normalised(logits)
    for line, texts in enumerate(BeamDecoder(**EXACT).texts(log_probs, full(log_probs), count)):
        chances = every_text(log_probs[:, line])
        best = sorted(chances.values(), reverse=True)[:count]
        assert [text.confidence for text in texts] == pytest.approx(best, rel=1e-4)
        assert [chances[tuple(text.labels)] for text in texts] == pytest.approx(best, rel=1e-4)
        assert len({tuple(text.labels) for text in texts}) == len(texts) == min(count, len(chances))


@settings(max_examples=40, deadline=None)
@given(LOGITS, st.lists(st.lists(st.integers(1, 2), max_size=4), max_size=4), st.integers(1, 3))
def test_a_constraint_leaves_the_likeliest_allowed_texts(
    logits: np.ndarray, allowed: list[list[int]], count: int
) -> None:
    log_probs = normalised(logits)
    classes = log_probs.shape[2]
    allowed = [text for text in allowed if max(text, default=0) < classes]
    constraint = trie(allowed, classes)
    decoder = BeamDecoder(**EXACT, constraint=constraint)
    for line, texts in enumerate(decoder.texts(log_probs, full(log_probs), count)):
        chances = every_text(log_probs[:, line])
        best = sorted((chances.get(tuple(text), 0.0) for text in {tuple(t) for t in allowed}), reverse=True)
        best = [chance for chance in best if chance > 0][:count]
        assert [text.confidence for text in texts] == pytest.approx(best or [0.0], rel=1e-4)
        assert all(constraint.accepts(text.labels) for text in texts) or not best


@settings(max_examples=40, deadline=None)
@given(LOGITS, st.floats(0, 2), st.floats(-1, 1))
def test_a_language_model_ranks_and_shares_out_the_confidence(logits: np.ndarray, weight: float, bonus: float) -> None:
    log_probs = normalised(logits)
    lm = NgramModel.of([[1], [1, 1], [1, 1, 1]], log_probs.shape[2] - 1, order=3)
    decoder = BeamDecoder(**EXACT, lm=lm, lm_weight=weight, length_bonus=bonus)
    for line, [text] in enumerate(decoder.texts(log_probs, full(log_probs), 1)):
        chances = every_text(log_probs[:, line])

        def score(labels: tuple[int, ...], chances: dict[tuple[int, ...], float] = chances) -> float:
            language = lm.text_log_prob(labels) if labels else 0.0  # it knows nothing of pictures without a line
            return math.log(chances[labels]) + weight * language + bonus * len(labels)

        assert score(tuple(text.labels)) == pytest.approx(max(map(score, chances)), abs=1e-4)
        # all texts were found: together certain, each as likely as the model makes it
        whole = sum(math.exp(score(labels)) for labels in chances)
        assert text.confidence == pytest.approx(math.exp(score(tuple(text.labels))) / whole, rel=1e-3)


def test_a_language_model_puts_no_letter_where_nothing_is() -> None:
    """The best path is blank throughout, and one letter half as likely; the model has seen no empty text."""
    log_probs = np.log(np.tile(np.array([0.8, 0.1, 0.1], np.float32), (3, 1, 1)))
    lm = NgramModel.of([[1]] * 100, 2, order=2)
    assert lm.text_log_prob([]) < -4 < -1 < lm.text_log_prob([1])
    for weight, bonus in ((1.0, 0.0), (0.2, 0.4)):
        decoder = BeamDecoder(lm=lm, lm_weight=weight, length_bonus=bonus)
        assert decoder(log_probs, full(log_probs))[0].labels == []
        assert [text.labels for text in decoder.texts(log_probs, full(log_probs), 2)[0]] == [[], [1]]
        assert decoder.factors([[], [1]]).tolist() == [0.0, weight * lm.text_log_prob([1]) + bonus]


def test_what_was_not_found_keeps_its_share() -> None:
    """Two texts of 0.3 and 0.2, and the model likes the second one four times as well: 0.5 in shares of 3 to 8."""
    chances = np.log([0.3, 0.2])
    assert np.exp(shared_out(chances, np.log([1.0, 4.0]))) == pytest.approx([0.5 * 3 / 11, 0.5 * 8 / 11])
    assert np.exp(shared_out(chances, np.zeros(2))) == pytest.approx([0.3, 0.2])
    assert shared_out(np.full(2, -np.inf), np.zeros(2)).tolist() == [-np.inf, -np.inf]
    columns = np.stack([chances, chances[::-1]], axis=1)  # two temperatures
    assert np.exp(shared_out(columns, np.log([[1.0], [4.0]])))[:, 1] == pytest.approx([0.5 * 2 / 14, 0.5 * 12 / 14])


@settings(max_examples=40, deadline=None)
@given(LOGITS)
def test_the_same_text_has_the_same_place(logits: np.ndarray) -> None:
    """Where the beam reads what the best path reads, spans and character confidences are those of the best path."""
    log_probs = normalised(logits + np.random.default_rng(0).normal(size=logits.shape).astype(np.float32) * 0.01)
    lengths = full(log_probs)
    for mine, greedy in zip(BeamDecoder()(log_probs, lengths), GreedyDecoder()(log_probs, lengths), strict=True):
        if mine.labels == greedy.labels:
            assert mine.spans == greedy.spans
            assert mine.confidences == pytest.approx(greedy.confidences, abs=1e-5)
            assert mine.confidence == pytest.approx(greedy.confidence, abs=1e-5)
        ends = [0, *(edge for span in mine.spans for edge in span), len(log_probs)]
        assert ends == sorted(ends)
        assert all(start < end for start, end in mine.spans)
        assert len(mine.labels) == len(mine.spans) == len(mine.confidences)


@settings(max_examples=25, deadline=None)
@given(LOGITS, st.data())
def test_neighbours_do_not_matter(logits: np.ndarray, data: st.DataObject) -> None:
    log_probs = normalised(logits)
    steps, lines, classes = log_probs.shape
    lengths = np.array([data.draw(st.integers(0, steps)) for _ in range(lines)])
    for line, length in enumerate(lengths):
        log_probs[length:, line] = np.nan  # beyond a line's end
    constraint = data.draw(st.sampled_from([None, trie([[1], [1, 1]], classes)]))
    decoder = BeamDecoder(3, constraint=constraint)
    together = decoder(log_probs, lengths)
    for line, length in enumerate(lengths):
        [alone] = decoder(log_probs[:length, line : line + 1], lengths[line : line + 1])
        assert alone.labels == together[line].labels
        assert alone.spans == together[line].spans
        assert alone.confidence == pytest.approx(together[line].confidence, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(LOGITS, st.lists(st.lists(st.integers(1, 2), max_size=5), min_size=1, max_size=5), st.integers(1, 2))
def test_an_allowed_text_that_fits_is_always_found(logits: np.ndarray, allowed: list[list[int]], width: int) -> None:
    """Also with a beam of one, and however unlikely the text is."""
    log_probs = normalised(logits * 30)
    classes = log_probs.shape[2]
    constraint = trie([text for text in allowed if max(text, default=0) < classes], classes)
    for line, decoded in enumerate(BeamDecoder(width, constraint=constraint)(log_probs, full(log_probs))):
        fits = [t for t in every_text(log_probs[:, line]) if constraint.accepts(t)]
        assert constraint.accepts(decoded.labels) if fits else (decoded.labels, decoded.confidence) == ([], 0.0)


@settings(max_examples=60, deadline=None)
@given(LOGITS, st.data())
def test_the_best_match_is_that_of_the_best_path(logits: np.ndarray, data: st.DataObject) -> None:
    """Of any automaton: one of up to four states, with moves shared by groups of classes."""
    log_probs = normalised(logits)[:, 0]
    steps, classes = log_probs.shape
    states = data.draw(st.integers(1, 4))
    groups = [-1, *(data.draw(st.integers(0, 1)) for _ in range(classes - 1))]
    move = st.dictionaries(st.integers(0, 1), st.integers(0, states - 1))
    automaton = Automaton(
        groups, [data.draw(move) for _ in range(states)], [data.draw(st.booleans()) for _ in range(states)]
    )
    scores: dict[tuple[int, ...], float] = {}  # of the likeliest path of each allowed text
    for path in itertools.product(range(classes), repeat=steps):
        text = tuple(label for label, _ in itertools.groupby(path) if label)
        score = sum(float(log_probs[t, label]) for t, label in enumerate(path))
        if automaton.accepts(text):
            scores[text] = max(score, scores.get(text, -math.inf))
    for most in (1, 500):  # of states that are kept
        found = best_match(log_probs, automaton, most)
        assert (found is None) == (not scores)
        assert found is None or automaton.accepts(found)
    assert found is None or scores[tuple(found)] == pytest.approx(max(scores.values()), abs=1e-4)


def test_the_best_match_among_few_states() -> None:
    """The likelier states are kept; if none of them comes to an end, all are."""
    log_probs = np.log(np.array([[0.1, 0.6, 0.3], [0.1, 0.6, 0.3], [0.1, 0.45, 0.45]], dtype=np.float32))
    automaton = trie([[1, 2], [2, 1]], 3)
    assert best_match(log_probs, automaton, 2) == best_match(log_probs, automaton) == [1, 2]
    assert best_match(log_probs, trie([[2, 1, 2]], 3), 1) == [2, 1, 2]
    assert best_match(log_probs, trie([[1, 1]], 3)) == [1, 1]  # with a blank between
    assert best_match(log_probs, trie([[1, 1, 1]], 3)) is None
    assert best_match(log_probs[:0], trie([[]], 3)) == []


def test_many_steps_do_not_vanish() -> None:
    """1e-5 a hundred times is less than the least number of double precision."""
    log_probs = np.log(np.full((200, 1, 3), [1e-5, 1e-5, 0.99998], dtype=np.float32))
    log_probs[::2, 0] = np.log([0.99998, 1e-5, 1e-5])
    [line] = BeamDecoder(4)(log_probs, np.array([200]))
    assert line.labels == [2] * 100
    [line] = BeamDecoder(4, constraint=trie([[1] * 100], 3))(log_probs, np.array([200]))
    assert line.labels == [1] * 100


def test_rounding_lifts_no_confidence_above_1() -> None:
    log_probs = np.full((3, 1, 3), -20.0, dtype=np.float32)
    log_probs[:, 0, 1] = 1e-6
    [line] = BeamDecoder()(log_probs, np.array([3]))
    assert (line.labels, line.confidence) == ([1], 1.0)


def test_nothing_to_read() -> None:
    assert BeamDecoder()(np.zeros((5, 0, 3), dtype=np.float32), np.array([], dtype=np.int64)) == []
    empty = np.zeros((0, 1, 3), dtype=np.float32)
    assert BeamDecoder()(empty, np.array([0])) == [([], [], [], 1.0)]
    assert BeamDecoder(constraint=trie([[1]], 3))(empty, np.array([0])) == [([], [], [], 0.0)]
    log_probs = np.log(np.full((4, 1, 3), 1 / 3, dtype=np.float32))
    for impossible in (trie([[1] * 5], 3), trie([[1, 1, 1]], 3), trie([], 3)):
        assert BeamDecoder(constraint=impossible)(log_probs, np.array([4])) == [([], [], [], 0.0)]


def test_large_charsets() -> None:
    """Probabilities stay in an array there."""
    scores = np.random.default_rng(0).normal(size=(12, 2, 3000)).astype(np.float32) * 4
    log_probs = normalised(scores)
    lengths = np.array([12, 9])
    for mine, greedy in zip(BeamDecoder(20)(log_probs, lengths), GreedyDecoder()(log_probs, lengths), strict=True):
        assert mine.confidence >= greedy.confidence


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_a_temperature_does_not_change_what_is_read(temperature: float) -> None:
    """A text of many paths would gain by a high one, which makes all paths alike."""
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(8, 40, 4)) * 2
    raw = normalised(scores).astype(np.float32)
    tempered = normalised(raw / np.float32(temperature))
    lengths = np.full(40, 8)
    plain, at = BeamDecoder(**EXACT), BeamDecoder(**EXACT).at(temperature)
    assert [one.labels for one in at(tempered, lengths)] == [one.labels for one in plain(raw, lengths)]
    best = [texts[0] for texts in at.texts(tempered, lengths, 1)]
    sure = text_log_probability(tempered, lengths, [text.labels for text in best])
    np.testing.assert_allclose([text.confidence for text in best], np.exp(sure), rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_others_come_by_the_confidence_that_is_shown(temperature: float) -> None:
    """Near ones change places with the temperature; which texts are given, and the best one, do not."""
    rng = np.random.default_rng(3)
    raw = normalised(rng.normal(size=(8, 40, 4)) * 2).astype(np.float32)
    tempered, lengths = normalised(raw / np.float32(temperature)), np.full(40, 8)
    plain, warm = BeamDecoder(**EXACT).texts(raw, lengths, 6), BeamDecoder(**EXACT).at(temperature)
    turned = 0
    for mine, theirs in zip(warm.texts(tempered, lengths, 6), plain, strict=True):
        sure = [text.confidence for text in mine[1:]]
        assert sure == sorted(sure, reverse=True)
        assert mine[0].labels == theirs[0].labels
        assert sorted(text.labels for text in mine) == sorted(text.labels for text in theirs)
        turned += [text.labels for text in mine] != [text.labels for text in theirs]
    assert turned
