"""The search within CTC prefix beam search: one line, the prefixes that its paths may have come to, step by step.

Graves and Jaitly, "Towards End-to-End Speech Recognition with Recurrent Neural Networks", ICML 2014, section 4;
Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs", 2014.
"""

from __future__ import annotations

import math
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from crnn.core.charset import BLANK
from crnn.core.decode.automaton import Automaton
from crnn.core.decode.ngram import NgramModel

FOR_MORE = (1e-2, 1e-4)
"""The bounds of what is looked at, `floor` and `far_behind`, are multiplied by these for more texts than one."""
QUIET = 0.5
"""Where the blank is likelier than this and no symbol is worth looking at, nothing new can begin."""
PAUSE = 0.99
"""Where the blank is so likely, what comes does not depend on the last symbol."""
REJOINED = 0.02
"""At a pause, prefixes that go on alike are given up if they are so many times less likely than the best of them."""
SPARE = 2
"""Symbols after a prefix that have so many times more better ones than the beam is wide are not looked at."""
REMEMBERED = 2**21
"""Numbers of the language model that are kept for the next line (16 MiB), however many classes there are."""


class Prefix:
    """The beginning of a text; a node of the tree of all that were looked at."""

    __slots__ = ("after", "context", "factors", "label", "parent", "state")

    def __init__(self, parent: Prefix | None, label: int, state: int) -> None:
        self.parent = parent
        self.label = label
        self.state = state  # of the constraint
        self.context = ""  # of the language model, once `factors` are there
        self.factors: NDArray[np.float64] | None = None
        self.after: dict[int, Prefix] = {}

    def labels(self) -> list[int]:
        """Classes, from the first to the last."""
        found = []
        node: Prefix = self
        while node.parent is not None:
            found.append(node.label)
            node = node.parent
        return found[::-1]


Beam = list[tuple[Prefix, float, float]]
"""Prefixes with the scores of their paths that end in a blank, and of those that end in a symbol; the best one first
but for what a quiet step changes."""


class PrefixSearch:
    """See `BeamDecoder` for the arguments; `length_bonus` is 0 without a language model."""

    def __init__(
        self,
        width: int,
        lm: NgramModel | None,
        lm_weight: float,
        length_bonus: float,
        constraint: Automaton | None,
        candidates: int,
        floor: float,
        far_behind: float,
    ) -> None:
        self.width = width
        self.lm = lm
        self.lm_weight = lm_weight
        self.length_bonus = length_bonus
        self.constraint = constraint
        self.candidates = candidates
        self.floor = floor
        self.far_behind = far_behind if constraint is None else 0.0
        self._factors: dict[str, NDArray[np.float64]] = {}

    def endings(self, log_probs: NDArray[np.float32], count: int) -> list[tuple[float, Prefix]]:
        """Texts of a line (T, C) and their scores, the best first; as many of `count` and more as were found."""
        # what a constraint asks for may be unlikelier than single precision can say
        probs = np.exp(log_probs if self.constraint is None else log_probs.astype(np.float64))
        beam = self._beam(probs, count)
        ended: list[tuple[float, Prefix]] = []
        for node, ends_blank, ends_symbol in beam:
            if self.constraint is None or self.constraint.accepting[node.state]:
                score = ends_blank + ends_symbol
                if self.lm and node.parent:  # of the empty text it says nothing
                    score *= self._factors_of(self.lm, node).item(BLANK)
                ended.append((score, node))
        ended.sort(key=itemgetter(0), reverse=True)
        return ended

    def _beam(self, probs: NDArray[np.floating], count: int) -> Beam:
        """The prefixes after the last step.

        What falls behind the best one so far is not even added up, so that a step in which one symbol or the blank is
        nearly certain costs next to nothing.
        """
        steps = len(probs)
        chance = probs.item  # plain floats: sums of numpy's are slow
        constraint, lm = self.constraint, self.lm
        free = constraint is None
        width = max(self.width, count)
        floor, far_behind = (
            (self.floor, self.far_behind) if count == 1 else (self.floor * FOR_MORE[0], self.far_behind * FOR_MORE[1])
        )
        likely = self._likely(probs, floor) if free else []
        plain = free and lm is None
        rejoin = free and count == 1 and far_behind > 0
        quiet = rejoined = False  # since the last step that was not quiet
        beam: Beam = [(Prefix(None, BLANK, 0), 1.0, 0.0)]
        for step, blank in enumerate(probs[:, BLANK].tolist()):
            if free and not likely[step] and blank > QUIET:  # no rank changes
                if not quiet:  # in the next quiet steps, next to nothing ends in a symbol
                    beam = [(node, one + two, two * chance(step, node.label) / blank) for node, one, two in beam]
                    quiet = True
                if rejoin and not rejoined and blank > PAUSE:
                    beam = self._rejoined(beam) if len(beam) > 1 else beam
                    rejoined = True
                continue
            quiet = rejoined = False
            scores: dict[Prefix, list[float]] = {}
            by_state: dict[int, list[tuple[int, float]]] = {}
            least = 0.0  # what is worth adding up
            for rank, (node, ends_blank, ends_symbol) in enumerate(beam):
                whole = ends_blank + ends_symbol
                last = node.label
                to_blank = whole * blank
                to_symbol = ends_symbol * chance(step, last)  # of the root: 0, it ends in no symbol
                score = to_blank + to_symbol
                if score >= least:
                    entry = scores.get(node)
                    if entry is None:
                        scores[node] = [to_blank, to_symbol]
                    else:
                        entry[0] += to_blank
                        entry[1] += to_symbol
                    if score * far_behind > least:
                        least = score * far_behind
                if constraint is None:
                    pairs = likely[step]
                    if plain:  # to the i-th symbol after the k-th prefix there are i * k better ones
                        pairs = pairs[: SPARE * width // (rank + 1)]
                elif node.state in by_state:
                    pairs = by_state[node.state]
                else:
                    pairs = by_state[node.state] = self._allowed(constraint, node.state, probs[step])
                if not pairs:
                    continue
                factor = None
                if lm is not None:
                    factor = (self._factors_of(lm, node) if node.factors is None else node.factors).item
                after = node.after
                for label, probability in pairs:
                    score = (ends_blank if label == last else whole) * probability
                    if factor is not None:
                        score *= factor(label)
                    if score < least or score == 0.0:
                        continue
                    if score * far_behind > least:
                        least = score * far_behind
                    child = after.get(label)
                    if child is None:
                        state = 0 if constraint is None else constraint.step(node.state, label)
                        child = after[label] = Prefix(node, label, state)
                    entry = scores.get(child)
                    if entry is None:
                        scores[child] = [0.0, score]
                    else:
                        entry[1] += score
            beam = self._pruned(scores, width, far_behind, steps - step - 1)
        return beam

    def _pruned(self, scores: dict[Prefix, list[float]], width: int, far_behind: float, left: int) -> Beam:
        """The best `width` prefixes, scaled so that the first has 1; of a constraint, those that can still end."""
        ranked = [(one + two, node, one, two) for node, (one, two) in scores.items()]
        if self.constraint is not None:
            missing = self.constraint.missing
            ranked = [item for item in ranked if missing[item[1].state] <= left]
        if len(ranked) > 1:
            ranked.sort(key=itemgetter(0), reverse=True)
            del ranked[width:]
        if not ranked or ranked[0][0] <= 0.0:
            return []
        scale = 1.0 / ranked[0][0]
        floor = ranked[0][0] * far_behind
        return [(node, one * scale, two * scale) for score, node, one, two in ranked if score > floor]

    def _rejoined(self, beam: Beam) -> Beam:
        """At a pause, the best of all prefixes that the language model and what is to come cannot tell apart.

        Their texts differ by what they have now: for each way to part a text at the pause, the one left out has at
        most `REJOINED` of the best text's probability.
        """
        if self.lm is None:
            least = REJOINED * (beam[0][1] + beam[0][2])
            return [item for item in beam if item[1] + item[2] >= least]
        best: dict[str, float] = {}
        kept = []
        for item in beam:
            node, one, two = item
            if node.factors is None:
                self._factors_of(self.lm, node)  # finds its context
            if one + two >= REJOINED * best.setdefault(node.context, one + two):
                kept.append(item)
        return kept

    def _likely(self, probs: NDArray[np.floating], floor: float) -> list[list[tuple[int, float]]]:
        """Of each step the classes worth looking at and their probabilities, the likeliest first; no blanks."""
        kept = probs >= floor
        kept[:, BLANK] = False
        where, labels = np.nonzero(kept)
        chances = probs[where, labels]
        order = np.lexsort((-chances, where))  # by step, then by probability
        pairs = list(zip(labels[order].tolist(), chances[order].tolist(), strict=True))
        ends = np.cumsum(kept.sum(axis=1)).tolist()
        return [pairs[start : min(end, start + self.candidates)] for start, end in zip([0, *ends], ends, strict=False)]

    def _allowed(self, constraint: Automaton, state: int, row: NDArray[np.floating]) -> list[tuple[int, float]]:
        """The likeliest classes that may follow in a state of the constraint, and their probabilities."""
        labels = list(constraint.followers(state))
        chances = row[labels]
        if len(labels) > self.candidates:
            top = np.argpartition(chances, -self.candidates)[-self.candidates :]
            labels, chances = [labels[i] for i in top.tolist()], chances[top]
        return list(zip(labels, chances.tolist(), strict=True))

    def _factors_of(self, lm: NgramModel, node: Prefix) -> NDArray[np.float64]:
        """(C,): what the language model makes of each next class, and of the line's end at index 0."""
        if node.factors is None:
            # a prefix comes of one whose factors were looked at
            node.context = lm.after(node.parent.context, node.label) if node.parent else lm.start()
            found = self._factors.get(node.context)
            if found is None:
                found = lm.probabilities(node.context) ** self.lm_weight * math.exp(self.length_bonus)
                found[BLANK] *= math.exp(-self.length_bonus)  # no bonus for the end
                if (len(self._factors) + 1) * len(found) > REMEMBERED:
                    self._factors.clear()
                self._factors[node.context] = found
            node.factors = found
        return node.factors
