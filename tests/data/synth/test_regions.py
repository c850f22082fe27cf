"""Variants of one font family for the regions that write Chinese characters."""

from __future__ import annotations

import pytest

from crnn.data.synth.regions import chosen_faces, common_family, region_for, region_of

FACES = ["Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans Mono CJK SC"]


def test_families() -> None:
    assert [region_of(name) for name in (*FACES[:2], "WenQuanYi Zen Hei", "DISC")] == ["JP", "KR", "", ""]
    assert {common_family(name) for name in FACES[:4]} == {"Noto Sans CJK"}
    assert common_family("WenQuanYi Zen Hei") == "WenQuanYi Zen Hei"


@pytest.mark.parametrize(
    ("characters", "region"),
    [("abc", "SC"), ("这是", "SC"), ("這是", "TC"), ("這这", "SC"), ("これ", "JP"), ("가", "KR")],
)
def test_region_of_a_charset(characters: str, region: str) -> None:
    assert region_for(frozenset(characters)) == region


def test_faces_of_one_file() -> None:
    assert chosen_faces(FACES, frozenset("这")) == [2, 4]
    assert chosen_faces(FACES, frozenset("こ")) == [0]
    assert chosen_faces(["A", "B"], frozenset("这")) == [0, 1]
    assert chosen_faces(FACES[:2], frozenset("这")) == [0]  # the wanted region is not there: the first one
