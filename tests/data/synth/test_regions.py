"""Variants of one font family for the regions that write Chinese characters."""

from __future__ import annotations

import pytest

from crnn.data.synth.regions import chosen_faces, common_family, is_han, region_for, region_of

FACES = ["Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans Mono CJK SC"]


def test_families() -> None:
    assert [region_of(name) for name in (*FACES[:2], "WenQuanYi Zen Hei", "DISC")] == ["JP", "KR", "", ""]
    assert {common_family(name) for name in FACES[:4]} == {"Noto Sans CJK"}
    assert common_family("WenQuanYi Zen Hei") == "WenQuanYi Zen Hei"


@pytest.mark.parametrize(
    ("characters", "region"),
    [
        ("abc", "SC"),
        ("这是", "SC"),
        ("這是", "TC"),
        ("這这", "SC"),
        ("これ", "JP"),
        ("가", "KR"),
        ("a漢あ", "JP"),
        ("a가각", "KR"),
        ("가あ", "JP"),
        ("說们", "SC"),
    ],
)
def test_region_of_a_charset(characters: str, region: str) -> None:
    assert region_for(frozenset(characters)) == region


def test_faces_of_one_file() -> None:
    assert chosen_faces(FACES, frozenset("这")) == [2, 4]
    assert chosen_faces(FACES, frozenset("こ")) == [0]
    assert chosen_faces(["A", "B"], frozenset("这")) == [0, 1]
    assert chosen_faces(FACES[:2], frozenset("这")) == [0]  # the wanted region is not there: the first one


@pytest.mark.parametrize(
    ("first", "last", "region"), [("\u3040", "\u30ff", "JP"), ("\uac00", "\ud7a3", "KR")], ids=["kana", "hangul"]
)
def test_where_kana_and_hangul_begin_and_end(first: str, last: str, region: str) -> None:
    assert [region_for(frozenset(sign)) for sign in (first, last)] == [region] * 2
    assert [region_for(frozenset(sign)) for sign in (chr(ord(first) - 1), chr(ord(last) + 1))] == ["SC"] * 2


def test_which_characters_are_chinese() -> None:
    signs = ("\u4dff", "\u4e00", "人", "\u9fff", "\ua000", "a", "あ")
    assert [is_han(sign) for sign in signs] == [False, True, True, True, False, False, False]


def test_faces_without_a_region_are_used_beside_those_of_one() -> None:
    assert chosen_faces(["Plain", "A TC", "A JP", "A SC"], frozenset("这")) == [0, 3]
    assert chosen_faces(["Plain", "A TC", "A JP", "Other TC"], frozenset("这")) == [0, 1, 3]
    assert chosen_faces([], frozenset("这")) == []
