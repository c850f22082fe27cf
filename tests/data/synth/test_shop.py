"""Lines of receipts, forms and addresses: how each is written."""

from __future__ import annotations

import pytest
from text_draws import pens, written

from crnn.data.synth import shop


def test_a_row_of_signs_fits_the_line() -> None:
    rows = [
        (len(text), pen.room)
        for pen in pens(600, [0.9])
        if len(text := shop.cell(pen)) > 1 and set(text) <= set("*-=.#") and len(set(text)) == 1
    ]
    assert len(rows) > 20
    assert all(2 <= length <= max(2, room) for length, room in rows)
    assert {length for length, room in rows if room == 1} == {2}
    assert any(length > 60 for length, _ in rows)


def test_a_sum_of_many_is_their_price_times_their_number() -> None:
    checked = 0
    for text in written(shop.item, 400, [0.9]):
        parts = text.split()
        if len(parts) == 4 and parts[1] in ("x", "@"):
            count, each, whole = int(parts[0]), float(parts[2]), float(parts[3].replace(",", ""))
            assert whole == pytest.approx(count * each, abs=0.006)
            assert 1 <= count <= 20
            checked += 1
    assert checked > 15
