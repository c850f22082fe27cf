"""How much a language model may say: its weight and length bonus, chosen on labelled lines.

As in n-best rescoring: the texts that a few searches find are ranked anew with each pair of weights, and the pair with
the fewest character errors is taken. Ostendorf et al., "Integration of Diverse Recognition Methodologies Through
Reevaluation of N-Best Sentence Hypotheses", HLT 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.core.decode.beam import LENGTH_BONUS, LM_WEIGHT, BeamDecoder
from crnn.core.decode.greedy import best_paths
from crnn.core.decode.probability import text_log_probability
from crnn.core.metrics import EditCounts
from crnn.core.recognizer import Recognizer
from crnn.data.sources.base import LineSource
from crnn.report.known_lines import known_lines

WEIGHTS = np.array([0.1, 0.2, LM_WEIGHT, 0.4, 0.5, 0.6, 0.7, 0.8])
BONUSES = np.array([0.0, 0.2, 0.4, LENGTH_BONUS, 0.8, 1.0, 1.2])
"""The pairs that are tried."""
LINES = 400
"""That they are chosen on, at most: each is searched three times."""
SEARCHES = ((0.1, 0.2), (LM_WEIGHT, LENGTH_BONUS), (0.6, 0.8))
"""Weight and bonus of the searches whose texts are ranked anew."""


class LmWeights(NamedTuple):
    """What was chosen."""

    lm_weight: float
    length_bonus: float
    cer: float
    """0..1, of the lines that they were chosen on."""
    without: float
    """Likewise, of the likeliest paths, without a language model."""
    lines: int
    """0: there was nothing to choose on, and these are the defaults."""


def choose_weights(recognizer: Recognizer, source: LineSource) -> LmWeights:
    """The weights with which the recogniser's language model leaves the fewest character errors.

    Args:
        recognizer: its decoder is a beam search with a language model, its card's temperature 1.
        source: labelled lines, validation ones; `LINES` of them are read, spread over all.

    Returns:
        One of `WEIGHTS` and one of `BONUSES`; of pairs that are as good, the nearest to the defaults.
    """
    charset, decoder = recognizer.card.charset, recognizer.decoder
    assert isinstance(decoder, BeamDecoder) and decoder.lm is not None  # noqa: S101, PT018  # for mypy
    pictures, references = known_lines(source, charset, LINES)
    searches = [decoder.weighed(*pair) for pair in SEARCHES]
    errors = np.zeros((len(WEIGHTS), len(BONUSES)), dtype=np.int64)
    errors_without = 0
    for positions, log_probs, lengths in recognizer.log_probs(pictures):
        found = [search.candidates(log_probs, lengths, 1) for search in searches]
        for position, (labels, _, _) in zip(positions, best_paths(log_probs, lengths), strict=True):
            errors_without += EditCounts.of(charset.decode(labels), references[position]).character_errors
        for line, position in enumerate(positions):
            texts = [list(text) for text in dict.fromkeys(tuple(t) for texts in found for t in texts[line])] or [[]]
            wrong = [EditCounts.of(charset.decode(text), references[position]).character_errors for text in texts]
            chances = text_log_probability(log_probs, lengths, texts, np.full(len(texts), line))
            errors += np.array(wrong)[_best(decoder, texts, chances)]
    if not references:
        return LmWeights(LM_WEIGHT, LENGTH_BONUS, 0.0, 0.0, 0)
    far = np.abs(WEIGHTS - LM_WEIGHT)[:, None] + np.abs(BONUSES - LENGTH_BONUS)
    row, column = np.unravel_index(np.lexsort((far.ravel(), errors.ravel()))[0], errors.shape)
    characters = EditCounts.total((text, text) for text in references).characters
    return LmWeights(
        float(WEIGHTS[row]),
        float(BONUSES[column]),
        float(errors[row, column] / characters),
        errors_without / characters,
        len(references),
    )


def _best(decoder: BeamDecoder, texts: Sequence[Sequence[int]], chances: NDArray[np.float64]) -> NDArray[np.int64]:
    """(weights, bonuses): which of a line's N texts each pair would choose; `chances` (N,) are the network's."""
    language = decoder.language(texts)  # (N,)
    symbols = np.array([len(text) for text in texts])
    scores = chances + WEIGHTS[:, None, None] * language + BONUSES[:, None] * symbols  # (weights, bonuses, N)
    return np.argmax(scores, axis=2)
