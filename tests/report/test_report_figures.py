"""Error rates with intervals, variants and groups."""

from __future__ import annotations

import pytest

from crnn.core.metrics import EditCounts
from crnn.report.figures import VARIANTS, CountTable, by_length, figures


def counted(*pairs: tuple[str, str]) -> CountTable:
    table = CountTable()
    for reading, reference in pairs:
        table.add(reading, reference)
    return table


def test_variants_forgive_what_they_say() -> None:
    table = counted(("Total: 12,50", "TOTAL 12.5 0"))
    errors = {name: table.total(name).character_errors for name in VARIANTS}
    assert errors == {
        "raw": 7,  # four letters, the colon, the comma, the space
        "ignoring case": 3,
        "ignoring spaces": 6,
        "ignoring punctuation": 5,
        "letters and digits, ignoring case": 0,
    }


def test_figures_are_the_sums_and_lie_within_their_intervals() -> None:
    pairs = [("abc" if i % 4 else "abx", "abc") for i in range(100)] + [("a b", "a b")]
    table = counted(*pairs)
    assert len(table) == 101
    raw = figures(table.rows())["raw"]
    assert raw.counts == table.total() == EditCounts.total(pairs)
    assert raw.cer
    assert raw.wer
    assert raw.cer.low < raw.counts.cer < raw.cer.high
    assert raw.wer.low < raw.counts.wer < raw.wer.high
    assert raw.exact.low < raw.counts.exact_rate < raw.exact.high
    assert raw.exact.high - raw.exact.low == pytest.approx(4 * (0.25 * 0.75 / 101) ** 0.5, rel=0.15)
    assert raw.cer.high - raw.cer.low == pytest.approx((raw.exact.high - raw.exact.low) / 3, rel=0.1)
    assert figures(CountTable().rows())["raw"].counts == EditCounts()


def test_no_error_and_one_line_say_how_little_is_known() -> None:
    right = figures(counted(*[("abc", "abc")] * 60).rows())["raw"]
    assert right.cer == right.wer == (0, pytest.approx(0.0602, abs=1e-4))
    assert right.exact == (pytest.approx(0.9398, abs=1e-4), 1)
    wrong = figures(counted(*[("abx", "abc")] * 40).rows())["raw"]
    assert wrong.cer is None  # all alike
    assert wrong.exact == (0, pytest.approx(0.0876, abs=1e-4))
    one = figures(counted(("abx", "abc")).rows())["raw"]
    assert (one.cer, one.wer) == (None, None)
    assert one.to_dict()["cer_95"] is None


def test_lines_are_grouped_by_the_length_of_their_labels() -> None:
    table = counted(("a", "a"), ("abcd", "abcde"), ("abcdef", "abcdef"), ("x" * 90, "x" * 90), ("x" * 80, "y" * 80))
    groups = by_length(table.rows())
    assert {name: group.counts.lines for name, group in groups.items()} == {
        "1-5": 2,
        "6-10": 1,
        "41-80": 1,
        "81 or more": 1,
    }
    assert groups["1-5"].counts.character_errors == 1
    assert groups["41-80"].counts.cer == 1.0


@pytest.mark.parametrize(
    ("reading", "label", "raw", "folded"),
    [
        ("Strabe", "Straße", 1, 1),  # not two, as with "ss"
        ("STRAẞE", "straße", 6, 0),
        ("o ce", "oﬃce", 1, 1),
        ("ΟΔΟΣ", "οδος", 4, 0),
        ("İ", "i", 1, 1),
        ("ᾳ", "α", 1, 1),
    ],
)
def test_ignoring_case_makes_no_characters(reading: str, label: str, raw: int, folded: int) -> None:
    table = counted((reading, label))
    for name, errors in (("raw", raw), ("ignoring case", folded)):
        assert table.total(name).character_errors == errors
        assert table.total(name).characters == len(label)
    assert table.total("letters and digits, ignoring case").characters <= len(label)
