"""CTC prefix beam search: the likeliest texts, all their paths counted; on request with language model and constraint.

Graves and Jaitly, "Towards End-to-End Speech Recognition with Recurrent Neural Networks", ICML 2014, section 4;
Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs", 2014.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import BLANK
from crnn.core.decode.align import align
from crnn.core.decode.automaton import Automaton
from crnn.core.decode.base import Decoded
from crnn.core.decode.best_match import best_match
from crnn.core.decode.greedy import best_paths
from crnn.core.decode.ngram import NgramModel
from crnn.core.decode.probability import text_log_probability

WIDTH = 10
LM_WEIGHT = 0.3
LENGTH_BONUS = 0.6
CANDIDATES = 10
"""Classes that are looked at in a time step (with a constraint: for each of its states)."""
FLOOR = 1e-3
"""Classes less likely than this in a time step are not looked at, unless a constraint asks for them."""
FAR_BEHIND = 1e-5
"""Prefixes that are so many times less likely than the best are given up, unless a constraint asks for them."""
LESS_FAR = 0.01
"""Both are multiplied by this where more texts than one are asked for."""
REMEMBERED = 2**21
"""Numbers of the language model that are kept for the next line (16 MiB), however many classes there are."""
AS_LISTS = 1000
"""Up to so many classes, probabilities are plain lists, which are faster to read one by one."""


class Text(NamedTuple):
    """One of the texts that a line may be."""

    labels: list[int]
    confidence: float
    """0..1, the probability of the text: all paths that collapse to it, language model left aside."""


class _Prefix:
    """The beginning of a text; a node of the tree of all that were looked at."""

    __slots__ = ("after", "context", "factors", "label", "parent", "state")

    def __init__(self, parent: _Prefix | None, label: int, state: int, context: str) -> None:
        self.parent = parent
        self.label = label
        self.state = state  # of the constraint
        self.context = context  # of the language model
        self.factors: NDArray[np.float64] | None = None
        self.after: dict[int, _Prefix] = {}

    def labels(self) -> list[int]:
        found = []
        node: _Prefix = self
        while node.parent is not None:
            found.append(node.label)
            node = node.parent
        return found[::-1]


class BeamDecoder:
    """The likeliest texts of each line.

    Spans are those of the likeliest path of the text, a symbol's confidence is the highest probability within its
    span; both are as `GreedyDecoder` gives them where the texts are the same.

    Args:
        width: prefixes that are kept after each time step.
        lm: a language model; texts are then ranked by ``log P(text) + lm_weight * log P_lm(text) + length_bonus *
            symbols``, the confidence stays ``P(text)``.
        lm_weight: 0 leaves the model aside.
        length_bonus: makes up for the language model's liking for short texts.
        constraint: the texts that are allowed. A line too short for any of them reads as nothing, with confidence 0.
        candidates, floor, far_behind: what is not worth looking at, see the constants; tests set them.
    """

    def __init__(
        self,
        width: int = WIDTH,
        lm: NgramModel | None = None,
        lm_weight: float = LM_WEIGHT,
        length_bonus: float = LENGTH_BONUS,
        constraint: Automaton | None = None,
        candidates: int = CANDIDATES,
        floor: float = FLOOR,
        far_behind: float = FAR_BEHIND,
    ) -> None:
        self.width = width
        self.lm = lm
        self.lm_weight = lm_weight
        self.length_bonus = length_bonus if lm else 0.0
        self.constraint = constraint
        self.candidates = candidates
        self.floor = floor
        self.far_behind = far_behind if constraint is None else 0.0
        self._factors: dict[str, NDArray[np.float64]] = {}

    def __call__(self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64]) -> list[Decoded]:
        best = [texts[0] for texts in self.texts(log_probs, lengths, 1)]
        return self.placed(log_probs, lengths, best)

    def placed(
        self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64], texts: Sequence[Text]
    ) -> list[Decoded]:
        """One text per line, with the place of each symbol."""
        paths = best_paths(log_probs, lengths)
        others = [line for line, text in enumerate(texts) if text.labels != paths[line][0]]
        aligned = align(log_probs[:, others], lengths[others], [texts[line].labels for line in others])
        for line, places in zip(others, aligned, strict=True):
            spans = [(start, end) for start, end, _ in places]
            paths[line] = (texts[line].labels, spans, [sure for _, _, sure in places])
        return [Decoded(*path, text.confidence) for path, text in zip(paths, texts, strict=True)]

    def texts(self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64], count: int) -> list[list[Text]]:
        """The best texts of each line, best first: at least one, at most `count`, all different."""
        found = [self._search(log_probs[:length, line], count) for line, length in enumerate(lengths.tolist())]
        lines = [line for line, texts in enumerate(found) for _ in texts]
        flat = [labels for texts in found for labels in texts]
        exact = text_log_probability(log_probs[:, lines], lengths[lines], flat).tolist()
        results: list[list[Text]] = [[] for _ in found]
        scores: list[list[float]] = [[] for _ in found]
        for line, labels, chance in zip(lines, flat, exact, strict=True):
            results[line].append(Text(labels, min(1.0, math.exp(chance))))
            scores[line].append(chance + self._bonus(labels))
        ranked = []
        for texts, points in zip(results, scores, strict=True):
            order = sorted(range(len(texts)), key=lambda i: -points[i])
            ranked.append([texts[i] for i in order[:count]] or [Text([], 0.0)])
        return ranked

    def _bonus(self, labels: Sequence[int]) -> float:
        if self.lm is None:
            return 0.0
        return self.lm_weight * self.lm.text_log_prob(labels) + self.length_bonus * len(labels)

    def _search(self, log_probs: NDArray[np.float32], count: int) -> list[list[int]]:
        """The most promising texts of one line (T, C); none if no allowed one fits."""
        if self.constraint is not None and not self.constraint.possible:
            return []
        probs = np.exp(log_probs.astype(np.float64))
        beam = self._beam(probs, max(self.width, count), 1.0 if count == 1 else LESS_FAR)
        ended: list[tuple[float, _Prefix]] = []
        for node, ends_blank, ends_symbol in beam:
            if self.constraint is None or self.constraint.accepting[node.state]:
                score = ends_blank + ends_symbol
                ended.append((score * self._factors_of(node)[BLANK] if self.lm else score, node))
        ended.sort(key=lambda item: -item[0])
        if ended or self.constraint is None:
            # a few more than asked for: their exact probabilities may rank them anew
            return [node.labels() for _, node in ended[: 2 * count + 2]]
        return [labels for labels in (best_match(log_probs, self.constraint),) if labels is not None]

    def _beam(self, probs: NDArray[np.float64], width: int, less: float) -> list[tuple[_Prefix, float, float]]:
        """Prefixes after the last step with their scores, by whether their paths end in a blank or in a symbol."""
        steps, classes = probs.shape
        rows = probs.tolist() if classes <= AS_LISTS else probs
        likely = self._likely(probs, self.floor * less) if self.constraint is None else []
        root = _Prefix(None, BLANK, 0, self.lm.start() if self.lm else "")
        beam = [(root, 1.0, 0.0)]
        far_behind = self.far_behind * less
        for step in range(steps):
            row = rows[step]
            blank = row[BLANK]
            if self.constraint is None and not likely[step] and blank > 0.5:  # nothing new, no rank changes
                beam = [(node, one + two, two * row[node.label] / blank) for node, one, two in beam]
                continue
            scores: dict[_Prefix, list[float]] = {}
            given = likely[step] if self.constraint is None else None
            by_state: dict[int, list[int]] = {}
            for node, ends_blank, ends_symbol in beam:
                whole = ends_blank + ends_symbol
                last = node.label
                entry = scores.get(node)
                if entry is None:
                    entry = scores[node] = [0.0, 0.0]
                entry[0] += whole * blank
                if last != BLANK:
                    entry[1] += ends_symbol * row[last]
                labels = given
                if labels is None:
                    labels = by_state.get(node.state)
                    if labels is None:
                        labels = by_state[node.state] = self._allowed(node.state, probs[step])
                if not labels:
                    continue
                factors = self._factors_of(node) if self.lm else None
                after = node.after
                for label in labels:
                    score = (ends_blank if label == last else whole) * row[label]
                    if score == 0.0:
                        continue
                    if factors is not None:
                        score *= factors[label]
                    child = after.get(label)
                    if child is None:
                        child = after[label] = self._child(node, label)
                    entry = scores.get(child)
                    if entry is None:
                        scores[child] = [0.0, score]
                    else:
                        entry[1] += score
            beam = self._pruned(scores, width, far_behind, steps - step - 1)
            if not beam:
                return []
        return beam

    def _pruned(
        self, scores: dict[_Prefix, list[float]], width: int, far_behind: float, left: int
    ) -> list[tuple[_Prefix, float, float]]:
        """The best `width` prefixes, scaled so that the best one has 1; of a constraint, those that can still end."""
        if self.constraint is not None:
            missing = self.constraint.missing
            ranked = [(sum(entry), node) for node, entry in scores.items() if missing[node.state] <= left]
        else:
            ranked = [(entry[0] + entry[1], node) for node, entry in scores.items()]
        if not ranked:
            return []
        best = max(ranked, key=lambda item: item[0])[0]
        if best <= 0.0:
            return []
        floor = best * far_behind
        ranked = [item for item in ranked if item[0] > floor]
        if len(ranked) > width:
            ranked.sort(key=lambda item: -item[0])
            del ranked[width:]
        scale = 1.0 / best
        return [(node, scores[node][0] * scale, scores[node][1] * scale) for _, node in ranked]

    def _child(self, node: _Prefix, label: int) -> _Prefix:
        state = 0 if self.constraint is None else self.constraint.step(node.state, label)
        return _Prefix(node, label, state, self.lm.after(node.context, label) if self.lm else "")

    def _likely(self, probs: NDArray[np.float64], floor: float) -> list[list[int]]:
        """Of each step the classes worth looking at, blank not among them."""
        steps, classes = probs.shape
        symbols = probs[:, 1:]
        found: list[list[int]] = [[] for _ in range(steps)]
        if self.candidates < classes - 1:
            top = np.argpartition(symbols, -self.candidates, axis=1)[:, -self.candidates :]
        else:
            top = np.tile(np.arange(classes - 1), (steps, 1))
        where, which = np.nonzero(np.take_along_axis(symbols, top, axis=1) >= floor)
        for step, label in zip(where.tolist(), top[where, which].tolist(), strict=True):
            found[step].append(label + 1)
        return found

    def _allowed(self, state: int, row: NDArray[np.float64]) -> list[int]:
        """The likeliest classes that may follow in a state of the constraint."""
        assert self.constraint is not None
        labels = list(self.constraint.followers(state))
        if len(labels) <= self.candidates:
            return labels
        top = np.argpartition(row[labels], -self.candidates)[-self.candidates :]
        return [labels[i] for i in top.tolist()]

    def _factors_of(self, node: _Prefix) -> NDArray[np.float64]:
        """(C,): what the language model makes of each next class, and of the line's end at index 0."""
        if node.factors is None:
            assert self.lm is not None
            found = self._factors.get(node.context)
            if found is None:
                found = self.lm.probabilities(node.context) ** self.lm_weight * math.exp(self.length_bonus)
                found[BLANK] *= math.exp(-self.length_bonus)  # no bonus for the end
                if (len(self._factors) + 1) * len(found) > REMEMBERED:
                    self._factors.clear()
                self._factors[node.context] = found
            node.factors = found
        return node.factors
