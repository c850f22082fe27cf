"""Numbers, dates, codes and addresses of the web: how each is written."""

from __future__ import annotations

import re

from text_draws import pens, written

from crnn.data.synth import notation


def test_dates_are_days_of_a_month() -> None:
    months = 0
    for text in written(notation.date, 600, [0.9]):
        for year, month, day in re.findall(r"\b(\d{4})-(\d\d)-(\d\d)\b", text):
            assert 1900 <= int(year) <= 2099
            assert 1 <= int(month) <= 12
            assert 1 <= int(day) <= 31
            months += 1
        for hour, minute in re.findall(r"\b(\d\d):(\d\d)\b", text):
            assert int(hour) < 24
            assert int(minute) < 60
    assert months > 10


def test_months_have_the_names_of_the_language() -> None:
    assert all(len(names) == 12 == len(set(names)) for names in notation._MONTHS.values())
    made = {pen.language: [] for pen in pens(24, [0.9])}  # type: ignore[var-annotated]
    for pen in pens(700, [0.9]):
        made[pen.language].append(notation.date(pen))
    for language, name in (("de", "Dezember"), ("fr", "août"), ("es", "enero"), ("it", "luglio"), ("en", "December")):
        assert any(name in text for text in made[language]), language
    assert any("October" in text for text in made["basic"])  # where a language has no list, English


def test_clocks_of_twelve_hours() -> None:
    found = re.findall(r"\b(\d+):\d\d ([AP])M\b", "\n".join(written(notation.date, 500, [0.9])))
    assert {side for _, side in found} == {"A", "P"}
    assert {int(hour) for hour, _ in found} <= set(range(1, 13))
