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

from crnn.core.decode.align import align
from crnn.core.decode.automaton import Automaton
from crnn.core.decode.base import Decoded
from crnn.core.decode.best_match import best_match
from crnn.core.decode.greedy import best_paths
from crnn.core.decode.ngram import NgramModel
from crnn.core.decode.prefix_search import PrefixSearch
from crnn.core.decode.probability import tempered, text_log_probability

WIDTH = 10
LM_WEIGHT = 0.3
LENGTH_BONUS = 0.6
CANDIDATES = 10
"""Classes that are looked at in a time step (with a constraint: for each of its states)."""
FLOOR = 1e-3
"""Classes less likely than this in a time step are not looked at, unless a constraint asks for them."""
FAR_BEHIND = 1e-3
"""Prefixes that are so many times less likely than the best are given up, unless a constraint asks for them."""
NEAR = 0.1
"""Texts whose scores come so near to the last one asked for are ranked anew by their exact probabilities."""


class Text(NamedTuple):
    """One of the texts that a line may be."""

    labels: list[int]
    confidence: float
    """0..1, the probability of the text: all paths that collapse to it. With a language model see `shared_out`."""


def shared_out(chances: NDArray[np.float64], factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the network gives to some texts together, shared out among them as the language model would have it.

    Without a language model each keeps what it has. Texts that were not found keep what they have, too, so these never
    come to more than 1.

    Args:
        chances: (N, ...) log-probabilities of N texts of a line, by the network.
        factors: (N, ...) log of what the language model multiplies them with.

    Returns:
        (N, ...) log-probabilities.
    """
    together = np.logaddexp.reduce(chances, axis=0)
    weighed = chances + factors
    with np.errstate(invalid="ignore"):  # impossible, all of them
        shares = weighed - np.logaddexp.reduce(weighed, axis=0) + together
    return np.where(np.isneginf(together), chances, shares)


class BeamDecoder:
    """The likeliest texts of each line.

    Spans are those of the likeliest path of the text, a symbol's confidence is the highest probability within its
    span; both are as `GreedyDecoder` gives them where the texts are the same.

    Args:
        width: prefixes that are kept after each time step.
        lm: a language model; texts are then ranked by ``log P(text) + lm_weight * log P_lm(text) + length_bonus *
            symbols``, and the confidences of the texts that were found are `shared_out` by the same factors.
        lm_weight: 0 leaves the model aside.
        length_bonus: makes up for the language model's liking for short texts.
        constraint: the texts that are allowed. A line too short for any of them reads as nothing, with confidence 0.
        temperature: what log-probabilities were divided by before they come here. It says how sure a text is, the
            language model's factors divided by it, too, and not which one is read: that is looked for without it.
        candidates, floor, far_behind: what is not worth looking at, see the constants; tests set them.
    """

    def __init__(
        self,
        width: int = WIDTH,
        lm: NgramModel | None = None,
        lm_weight: float = LM_WEIGHT,
        length_bonus: float = LENGTH_BONUS,
        constraint: Automaton | None = None,
        temperature: float = 1.0,
        candidates: int = CANDIDATES,
        floor: float = FLOOR,
        far_behind: float = FAR_BEHIND,
    ) -> None:
        self.width = width
        self.lm = lm
        self.lm_weight = lm_weight
        self.length_bonus = length_bonus if lm else 0.0
        self.constraint = constraint
        self.temperature = temperature
        self._bounds = (candidates, floor, far_behind)
        wider = max(1.0, temperature)  # what it makes count as an alternative has to be looked at
        bounds = candidates, floor**wider, far_behind**wider
        self._prefixes = PrefixSearch(width, lm, lm_weight, self.length_bonus, constraint, *bounds)

    def at(self, temperature: float) -> BeamDecoder:
        """The same decoder for log-probabilities that were divided by a temperature."""
        settings = (self.width, self.lm, self.lm_weight, self.length_bonus, self.constraint)
        return BeamDecoder(*settings, temperature, *self._bounds)

    def weighed(self, lm_weight: float, length_bonus: float) -> BeamDecoder:
        """The same decoder with another say of the language model."""
        settings = (self.width, self.lm, lm_weight, length_bonus, self.constraint, self.temperature)
        return BeamDecoder(*settings, *self._bounds)

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
        plain = tempered(log_probs, 1 / self.temperature)  # what the network said
        found = self.candidates(plain, lengths, count)
        lines = np.repeat(np.arange(len(found)), [len(texts) for texts in found])
        flat = [labels for texts in found for labels in texts]
        chances = text_log_probability(log_probs, lengths, flat, lines)
        exact = chances if plain is log_probs else text_log_probability(plain, lengths, flat, lines)
        results, begin = [], 0
        for texts in found:
            own = slice(begin, begin + len(texts))
            begin += len(texts)
            results.append(self._ranked(texts, exact[own], chances[own], count) or [Text([], 0.0)])
        return results

    def _ranked(
        self, texts: Sequence[list[int]], exact: NDArray[np.float64], chances: NDArray[np.float64], count: int
    ) -> list[Text]:
        """The best `count` texts of a line; (N,) log-probabilities by the network, without and with the temperature.

        The temperature changes the order of near ones: behind the best they come by the confidence that is shown.
        """
        scores = exact
        if self.lm is not None and len(texts) > 1:
            factors = self.factors(texts)
            scores, chances = exact + factors, shared_out(chances, factors / self.temperature)
        order = np.argsort(-scores, kind="stable")[:count].tolist()
        order[1:] = sorted(order[1:], key=lambda i: -chances[i])
        return [Text(texts[i], min(1.0, math.exp(chances[i]))) for i in order]

    def factors(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """(N,) log of what the language model multiplies each text's probability with; 0 without one."""
        return self.lm_weight * self.language(texts) + self.length_bonus * np.array([len(text) for text in texts])

    def language(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """(N,) log-probabilities of texts by the language model; 0 without one, and for the empty text.

        A model of labels, of which none is empty, knows nothing of pictures without a line, and would rather have one
        letter there.
        """
        if self.lm is None:
            return np.zeros(len(texts))
        return np.array([self.lm.text_log_prob(text) if text else 0.0 for text in texts])

    def candidates(
        self, log_probs: NDArray[np.float32], lengths: NDArray[np.int64], count: int
    ) -> list[list[list[int]]]:
        """Texts of each line among which the best `count` are looked for; none if no allowed one fits.

        `log_probs` are those of the network, without any temperature.
        """
        return [self._search(log_probs[:length, line], count) for line, length in enumerate(lengths.tolist())]

    def _search(self, log_probs: NDArray[np.float32], count: int) -> list[list[int]]:
        """The most promising texts of one line (T, C); none if no allowed one fits."""
        if self.constraint is not None and not self.constraint.possible:
            return []
        ended = self._prefixes.endings(log_probs, count)
        if ended and self.lm is not None:
            return [node.labels() for _, node in ended]  # their confidences depend on each other
        if ended or self.constraint is None:
            least = NEAR * ended[:count][-1][0] if ended else 0.0  # a few more than asked for, to be ranked anew
            return [node.labels() for score, node in ended[: 2 * count + 2] if score >= least]
        return [labels for labels in (best_match(log_probs, self.constraint),) if labels is not None]
