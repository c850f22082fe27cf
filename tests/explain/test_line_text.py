"""Everything on the pages of a line and of saliency is said in both languages, with the same numbers."""

from __future__ import annotations

import re

from explain_support import tiny

from crnn.explain.line_page import QUANTITIES
from crnn.explain.line_text import LINE, ORDERS_ZH, QUANTITIES_ZH, REACH_ZH, facts, saliency_words, walk_words
from crnn.explain.order import ORDERS

CHINESE = re.compile("[\u4e00-\u9fff]")


def test_all_words_have_both() -> None:
    network = tiny().network
    said = [LINE, saliency_words(77, True), saliency_words(77, False), facts(network, 30, 4, 16, 120)]
    assert sum(map(len, said)) > 60
    for words in said:
        for name, (english, chinese) in words.items():
            assert english, name
            assert not CHINESE.search(english), name
            assert CHINESE.search(chinese), name
            numbers = [sorted(re.findall(r"\d[\d.]*\d|\d", text)) for text in (english, chinese)]
            assert numbers[0] == numbers[1], name
            tags = [sorted(re.findall(r"</?\w+>", text)) for text in (english, chinese)]
            assert tags[0] == tags[1], name


def test_names_of_quantities_orders_and_walks() -> None:
    assert list(QUANTITIES_ZH) == [quantity[0] for quantity in QUANTITIES]
    assert list(ORDERS_ZH) == list(ORDERS)
    assert all(map(CHINESE.search, [*ORDERS_ZH.values(), *(title for title, _ in QUANTITIES_ZH.values())]))
    assert walk_words(1, True) == ("layer 2, right to left", "第 2 层，从右往左")
    assert walk_words(0, False, single=True) == ("left to right", "从左往右")
    assert "the LSTM alone" in REACH_ZH
