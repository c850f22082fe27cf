"""Every kind of Latin text with its chances drawn at their bounds again and again: the same texts in every version."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from few_draws import digest
from text_draws import written

from crnn.data.synth import notation, prose, shop
from crnn.data.synth.pen import Pen

IN_NOTATIONS = (160, (0.0, 0.15, 0.25, 0.3, 0.4, 0.5, 0.9))
IN_SHOPS = (200, (0.0, 0.1, 0.15, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 0.9))
KINDS: dict[Callable[[Pen], str], tuple[tuple[int, tuple[float, ...]], str]] = {
    notation.price: (IN_NOTATIONS, "5f475ea6eb61"),
    notation.number: (IN_NOTATIONS, "17ba865224fd"),
    notation.date: (IN_NOTATIONS, "9326d1782c14"),
    notation.code: (IN_NOTATIONS, "abc74f071cdd"),
    notation.plate: (IN_NOTATIONS, "1bfc9353ec9a"),
    notation.measure: (IN_NOTATIONS, "0991c2d6672b"),
    notation.contact: (IN_NOTATIONS, "7437daa06658"),
    shop.head: (IN_SHOPS, "ddb74039873f"),
    shop.identity: (IN_SHOPS, "fe16848f0707"),
    shop.address: (IN_SHOPS, "87448fdfc49b"),
    shop.item: (IN_SHOPS, "a1538be17ea1"),
    shop.total: (IN_SHOPS, "14ed13f61b41"),
    shop.cell: (IN_SHOPS, "ccd4311677f0"),
    shop.form: (IN_SHOPS, "c409baffc5c0"),
    shop.person: (IN_SHOPS, "261168df61b5"),
    prose.word: ((240, (0.04, 0.06, 0.09, 0.12, 0.14, 0.2, 0.36, 0.66, 0.9)), "8a4fb4979795"),
    prose.phrase: ((240, (0.045, 0.3, 0.5, 0.55, 0.6, 0.9)), "135ef328b04d"),
    prose.prose: (
        (240, (0.045, 0.085, 0.1, 0.12, 0.125, 0.17, 0.19, 0.21, 0.3, 0.4, 0.6, 0.9)),
        "98adfb4f4584",
    ),
    prose.old_print: ((240, (0.19, 0.3, 0.6, 0.9)), "697310530a7b"),
}
"""Kind -> (how many texts, the chances that they draw), and what is written then."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}-{kind.__name__}")
def test_a_bound_between_two_choices_belongs_to_the_second(kind: Callable[[Pen], str]) -> None:
    draws, wanted = KINDS[kind]
    found = digest(written(kind, *draws))
    assert found == wanted
