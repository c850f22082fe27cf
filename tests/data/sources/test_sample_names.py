"""Names of samples: their parts, and whether one was there before."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crnn.data.sources.gt_text import stem_of
from crnn.data.sources.sample_names import Seen, split_name


@given(st.lists(st.sampled_from(["", "a", "b", "ba", "c", "d", "e"]), max_size=12))
@example(["a", "b", "a", "c", "c"])
@example(["b", "a", "b", "a"])
@example(["a", "a"])
def test_new_names(names: list[str]) -> None:
    seen, before = Seen(), set()
    for name in names:
        assert seen.add(name) is (name not in before)
        before.add(name)


def test_rising_names_are_kept_small() -> None:
    seen = Seen()
    assert all(seen.add(f"{i:04d}") for i in range(100))
    assert seen._all is None
    assert not seen.add("0050")
    assert seen.add("0050x")
    assert not seen.add("0099")


@pytest.mark.parametrize(
    ("name", "key", "ending"),
    [
        ("a.png", "a", "png"),
        ("a.GT.Txt", "a", "gt.txt"),
        ("x.y/a.png", "x.y/a", "png"),
        ("x.y/a", "x.y/a", ""),
        ("a", "a", ""),
        (".hidden", ".hidden", ""),
        ("x/.hidden.png", "x/.hidden.png", ""),
        ("x/a.", "x/a", ""),
        ("", "", ""),
    ],
)
def test_parts_of_a_name(name: str, key: str, ending: str) -> None:
    assert split_name(name) == (key, ending)


def test_stems_of_pictures() -> None:
    stems = {"a.png": "a", "a.bin.png": "a", "a.NRM.PNG": "a", "x.y/a.b.jpg": "x.y/a.b", "a.bin.jpg": "a.bin", "a": "a"}
    assert {name: stem_of(name) for name in stems} == stems
