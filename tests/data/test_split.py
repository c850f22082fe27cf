"""Splits: seeded, complete, disjoint, by whole groups, and recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import ListSource

from crnn.data.sources.base import LineEntry
from crnn.data.sources.views import Selection
from crnn.data.split import KINDS, Split, SplitRule, _filling, leaks, load_side, split_lines
from crnn.errors import ConfigError, DataError

NAMES = [f"page_{i // 7}/line_{i}.png" for i in range(70)]


def named(names: list[str]) -> ListSource:
    return ListSource([LineEntry("x", f"label of {name}", name) for name in names])


def halves(names: list[str], share: float, seed: int, by: str = "line") -> tuple[list[int], list[int]]:
    split = split_lines(named(names), SplitRule(by, None, share), seed)
    assert len(split.test) == 0
    return split.train.tolist(), split.val.tolist()


@given(st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 99), st.sampled_from(["line", "folder"]))
def test_complete_and_disjoint(lines: int, share: float, seed: int, by: str) -> None:
    names = NAMES[: max(lines, 8)]
    train, val = halves(names, share, seed, by)
    assert sorted(train + val) == list(range(len(names)))
    assert train
    assert val
    assert (train, val) == halves(names, share, seed, by)
    if by == "folder":
        assert not {names[i].split("/")[0] for i in train} & {names[i].split("/")[0] for i in val}


def test_share_and_seed() -> None:
    train, val = halves(NAMES, 0.2, 1)
    assert (len(train), len(val)) == (56, 14)
    assert val != halves(NAMES, 0.2, 2)[1]
    assert len(halves(NAMES, 0.2, 1, "folder")[1]) == 14  # two whole pages
    assert len({tuple(halves(NAMES, 0.2, seed, "folder")[1]) for seed in range(20)}) > 5


@given(st.permutations(range(20)), st.floats(0.01, 0.99), st.sampled_from(["line", "folder"]))
def test_names_decide_not_their_order(order: list[int], share: float, by: str) -> None:
    names = NAMES[:20]
    shuffled = [names[i] for i in order]
    held_out = {names[i] for i in halves(names, share, 3, by)[1]}
    assert {shuffled[i] for i in halves(shuffled, share, 3, by)[1]} == held_out


@given(st.floats(0.01, 0.99), st.integers(0, 99))
def test_no_more_is_held_out_than_asked(share: float, seed: int) -> None:
    """Beyond the one group that always is."""
    for by, least in (("line", 1), ("folder", 7)):
        train, val = halves(NAMES, share, seed, by)
        assert len(val) <= max(share * len(NAMES), least)
        assert len(val) > share * len(NAMES) - least or len(train) == least
        assert train == sorted(train)
        assert val == sorted(val)


@given(st.floats(0.05, 0.6), st.floats(0.05, 0.35), st.integers(0, 99))
def test_three_sides(share: float, test_share: float, seed: int) -> None:
    split = split_lines(named(NAMES), SplitRule("folder", None, share, test_share), seed)
    sides = [side.tolist() for side in (split.train, split.val, split.test)]
    assert sorted(position for side in sides for position in side) == list(range(70))
    pages = [{NAMES[i].split("/")[0] for i in side} for side in sides]
    assert all(pages)
    assert sum(map(len, pages)) == 10
    assert len(sides[2]) <= max(7, test_share * 70)


def test_sides_are_as_large_as_asked() -> None:
    def sizes(lines: int, share: float, test_share: float = 0.0) -> list[int]:
        split = split_lines(named(NAMES[:lines]), SplitRule("line", None, share, test_share), 1)
        return [len(split.train), len(split.val), len(split.test)]

    assert sizes(70, 0.2, 0.3) == [35, 14, 21]
    assert sizes(10, 0.3) == [7, 3, 0]
    assert sizes(10, 0.39) == [7, 3, 0]
    assert sizes(3, 0.01, 0.01) == sizes(3, 0.98, 0.01) == sizes(3, 0.01, 0.98) == [1, 1, 1]
    assert sizes(9, 0.98, 0.01) == [1, 7, 1]
    assert sizes(2, 0.01) == sizes(2, 0.99) == [1, 1, 0]


def test_the_same_split_in_every_version() -> None:
    """Runs are repeated by seed and rule alone."""
    split = split_lines(named(NAMES[:40]), SplitRule("folder", None, 0.2, 0.4), 3)
    assert [sorted({int(i) // 7 for i in side}) for side in vars(split).values()] == [[2, 3, 5], [0], [1, 4]]
    split = split_lines(named(NAMES[:12]), SplitRule("line", None, 0.25, 0.25), 4)
    assert [side.tolist() for side in vars(split).values()] == [[0, 1, 2, 3, 4, 11], [6, 7, 9], [5, 8, 10]]


def test_what_stays_together() -> None:
    entries = [
        LineEntry("", "1", "a/p1.jpg#l1", group="p1"),
        LineEntry("", "2", "a/p1.jpg#l2", group="p1"),
        LineEntry("", "3", "a\\p2.jpg#l1", group="p2"),
        LineEntry("", "4", "b/p1.jpg#l1", group="p1"),
        LineEntry("", "5", "b/hand-7_3.png"),
    ]

    def groups(by: str, pattern: str | None = None, count: int = 5) -> list[str]:
        return [SplitRule(by, pattern).group(entry, i) for i, entry in enumerate(entries[:count])]

    assert len(set(groups("line"))) == 5
    assert groups("file") == ["a/p1.jpg", "a/p1.jpg", "a/p2.jpg", "b/p1.jpg", "b/hand-7_3.png"]
    assert groups("folder") == ["a", "a", "a", "b", "b"]
    assert groups("page", count=4) == ["p1", "p1", "p2", "p1"]
    assert groups("auto") == ["p1", "p1", "p2", "p1", "b/hand-7_3.png"]
    assert groups("regex", r"/([a-z]+)") == ["p", "p", "p", "p", "hand"]
    assert groups("regex", "^.") == ["a", "a", "a", "b", "b"]
    with pytest.raises(DataError, match=r"5: its format does not say which page it is from; use split\.by=folder"):
        groups("page")
    with pytest.raises(DataError, match=r"3: split\.pattern=p1 does not match its picture's name 'a/p2\.jpg#l1'"):
        groups("regex", "p1")
    for seed in range(20):  # a picture that comes twice is on one side only
        train, _ = halves(["a.png", "b.png", "a.png", "c.png"], 0.3, seed)
        assert (0 in train) == (2 in train)


def test_recorded_and_read_again(tmp_path: Path) -> None:
    source = named([*NAMES, "odd\tname\n.png"])
    split = split_lines(source, SplitRule("folder", None, 0.3, 0.2), 5)
    split.save(tmp_path / "splits", source)
    again = Split.load(tmp_path / "splits", source)
    assert [side.tolist() for side in vars(again).values()] == [side.tolist() for side in vars(split).values()]
    first = (tmp_path / "splits" / "val.tsv").read_text().splitlines()[1].split("\t")
    assert first == [str(split.val[0]), NAMES[split.val[0]], f"label of {NAMES[split.val[0]]}"]
    with pytest.raises(DataError, match=r"val\.tsv: line \d+ of .* is no longer page_\d/line_\d+\.png; the lines have"):
        load_side(tmp_path / "splits" / "val.tsv", named(NAMES[::-1]))
    with pytest.raises(DataError, match="the lines have changed"):
        Split.load(tmp_path / "splits", named(NAMES[:3]))
    (tmp_path / "splits" / "val.tsv").write_text("position\tpicture\twhere\n1\n")
    with pytest.raises(DataError, match=r"val\.tsv: is no recorded split"):
        Split.load(tmp_path / "splits", source)


def test_a_recorded_side_is_of_these_lines(tmp_path: Path) -> None:
    path, header = tmp_path / "val.tsv", "position\tpicture\twhere\n"
    source = named(["a.png", "b.png", "c.png"])
    path.write_text(f"{header}0\ta.png\tx\n2\tc.png\ty\n")
    assert load_side(path, source).tolist() == [0, 2]
    assert load_side(path, source).dtype == "int64"
    path.write_text(header)
    assert load_side(path, source).tolist() == []
    for row in ("3\tc.png\tx", "-1\tc.png\tx", "1\ta.png\tx"):
        path.write_text(f"{header}{row}\n")
        with pytest.raises(DataError, match=r"is no longer .*; the lines have changed since the split was made"):
            load_side(path, source)
    for text in ("0\ta.png\tx\n", f"{header[1:]}0\ta.png\tx\n", f"{header}0\ta.png\n", f"{header}x\ta.png\tx\n"):
        path.write_text(text)
        with pytest.raises(DataError, match=r"val\.tsv: is no recorded split"):
            load_side(path, source)
    with pytest.raises(DataError, match=r"test\.tsv: is no recorded split \(.*No such file"):
        load_side(tmp_path / "test.tsv", source)


def test_lines_that_have_a_number_behind_their_id_since(tmp_path: Path) -> None:
    """Where several lines of a page had the same one."""
    path = tmp_path / "val.tsv"
    path.write_text("position\tpicture\twhere\n1\tp.png#l1\tx\n2\tp.png#l1 (3)\tx\n")
    assert load_side(path, named(["p.png#l1", "p.png#l1 (2)", "p.png#l1 (3)"])).tolist() == [1, 2]
    with pytest.raises(DataError, match="is no longer"):
        load_side(path, named(["p.png#l1", "p.png#l1 (2)", "p.png#l1"]))


def test_refusals() -> None:
    with pytest.raises(DataError, match=r"2 lines in 2 groups \(split\.by=line\) cannot be split into 3; give"):
        split_lines(named(["a", "b"]), SplitRule(test_share=0.1, by="line"), 0)
    assert SplitRule(share=0.9, test_share=0.09).share == 0.9
    for share, test_share in ((float("nan"), 0.0), (0.9, 0.1), (0.1, float("nan")), (0.1, 1.0)):
        with pytest.raises(ConfigError, match=r"split\.share=.*: must be shares of all lines, the first above 0"):
            SplitRule(share=share, test_share=test_share)
    with pytest.raises(
        DataError, match=r"1 lines in 1 groups \(split\.by=line\) cannot be split into 2; give validation lines"
    ):
        halves(["a.png"], 0.1, 0)
    with pytest.raises(DataError, match=r"in 1 groups \(split\.by=folder\) cannot be split"):
        halves(["a/1.png", "a/2.png"], 0.1, 0, "folder")
    for share, test_share in ((0.0, 0.0), (1.0, 0.0), (-1, 0.0), (0.5, 0.5), (0.1, -0.1)):
        with pytest.raises(ConfigError, match=r"split\.share"):
            SplitRule(share=share, test_share=test_share)
    with pytest.raises(ConfigError, match=r"split\.by=writer: is unknown; allowed are auto, line") as caught:
        SplitRule("writer")
    assert all(kind in str(caught.value) for kind in KINDS)
    for by, pattern in (("regex", None), ("line", "x")):
        with pytest.raises(ConfigError, match="go together"):
            SplitRule(by, pattern)
    with pytest.raises(ConfigError, match="is no regular expression"):
        SplitRule("regex", "(")


def test_pages_on_both_sides_are_said() -> None:
    def lines(names: list[str], group: str = "") -> list[ListSource]:
        return [ListSource([LineEntry("", "", name, group=group) for name in names])]

    iam = [f"lines/a0{page}-00{page}u-{line:02}.png" for page in range(5) for line in range(6)]
    warning = leaks(lines(iam[::2]), lines(iam[1::2]))
    assert "5 of 5 validation groups of names also have lines in training (such as 'lines/a00-000u')" in warning
    assert leaks(lines(iam[:18]), lines(iam[18:])) == ""
    paged = leaks(lines(["1.png"], "p1"), lines(["2"], "p1") + lines(["3"], "p2"))
    assert "1 of 2 validation pages" in paged
    assert "split.by=page keeps them together" in paged
    assert "split.by=auto" in leaks(lines(["1.png"], "p1"), lines(["2"], "p1") + lines(["3"]))
    one_group = (lines(["word_1.png", "word_3.png"]), lines(["word_2.png", "word_4.png"]))
    assert leaks(*one_group) == ""
    assert leaks(lines(["ab.png"]), lines(["ab.png"])) == ""


def test_folders_on_both_sides_of_one_set_are_said() -> None:
    whole = named([f"images/{page:04}/r1l{line}{'x' * (line % 2)}.png" for page in range(5) for line in range(6)])
    said = leaks([Selection(whole, range(0, 30, 2))], [Selection(whole, range(1, 30, 2))])
    assert said.startswith("5 of 5 validation folders of pictures also have lines in training (such as 'images/0000')")
    assert said.endswith("split.by=folder keeps them together")
    assert leaks([Selection(whole, range(18))], [Selection(whole, range(18, 30))]) == ""
    assert leaks([whole], [ListSource(whole.entries, "elsewhere")]) == ""  # whose folders are called alike
    split = split_lines(whole, SplitRule("folder", share=0.3), 1)
    assert leaks([Selection(whole, split.train)], [Selection(whole, split.val)]) == ""


NUMBERED = [f"lines/a0{group}-000u-{line:02}.png" for group in range(6) for line in range(6)]
HASHED = [f"img/book{group}goog_{'f5' * (line % 2)}bc{line}.jpg" for group in range(6) for line in range(6)]
IN_FOLDERS = [f"book{group}/{'p_' * (line % 2)}{line}.jpg" for group in range(6) for line in range(6)]
MIXED = [f"a/{'x' * (line % 4)}{'_' * (line % 4 > 0)}{line}.png" for line in range(36)]


@pytest.mark.parametrize(
    ("names", "by", "pattern"),
    [
        (NUMBERED, "regex", "(.+)[-_][0-9]+"),
        (HASHED, "regex", "(.+)[-_ ][^-_ /]+$"),
        (IN_FOLDERS, "folder", None),
        (MIXED, "regex", None),
    ],
)
def test_advice_keeps_the_groups_together(names: list[str], by: str, pattern: str | None) -> None:
    """A split by what is advised has no group on two sides; where nothing suits the names, nothing is advised."""
    whole = named(names)
    said = leaks([Selection(whole, range(18))], [Selection(whole, range(15, 36))])
    assert "flatters the figures" in said
    if names == MIXED:
        assert said.endswith(
            "keep them together, by split.by=regex and a split.pattern for the names of these pictures"
        )
        return
    assert f"split.by={by}" + (f" and split.pattern='{pattern}' keeps" if pattern else " keeps") in said
    split = split_lines(whole, SplitRule(by, pattern, 0.3), 1)
    assert leaks([Selection(whole, split.train)], [Selection(whole, split.val)]) == ""


def test_groups_that_say_nothing_are_not_compared() -> None:
    """Of names, from three groups on, with two lines of each or more on average."""

    def said(here: list[str], there: list[str]) -> bool:
        return bool(leaks([named(here)], [named(there)]))

    three = ["a-1.png", "b-1.png", "c-1.png"]
    assert said(three, ["a-2.png", "b-2.png", "c-2.png"])
    assert not said([*three, "d-1.png"], ["a-2.png", "b-2.png", "c-2.png"])  # four groups of seven lines
    assert not said(["a-1.png", "b-1.png"], ["a-2.png", "b-2.png"])  # two groups
    assert not said(["a-1.png", "b-1.png", "a-3.png"], ["c-1.png", "c-2.png", "c-3.png"])  # no group on both sides


@pytest.mark.parametrize(
    ("picture", "group"),
    [
        ("a01-000u-03.png", "a01-000u"),
        ("x.y/p1_line12.gt.png", "x.y/p1"),
        ("p1 - 7", "p1"),
        ("C:\\a.b\\p_1.png", "C:\\a.b\\p"),
        ("p1_column12.png", ""),  # six letters before the number
        ("p1_lines12.png", "p1"),
        ("a/b\\c_1.png", "a/b\\c"),
        ("a\\b/c_1.png", "a\\b/c"),
        ("12.png", ""),
        ("a_b.png", ""),
        ("a12.png", ""),
        ("d/_12.png", ""),
    ],
)
def test_groups_of_names(picture: str, group: str) -> None:
    pictures = [picture, *(f"other{i}-{j}.png" for i in range(3) for j in range(3))]
    said = leaks(
        [ListSource([LineEntry("", "", name) for name in pictures])], [ListSource([LineEntry("", "", picture)])]
    )
    assert (f"(such as {group!r})" in said) if group else said == ""


def test_long_names_are_recorded_and_known_again(tmp_path: Path) -> None:
    names = ["x" * 10_000, "x" * 10_001, "y"]
    source = ListSource([LineEntry("", "w" * 10_001, name) for name in names])
    Split(np.array([0, 1]), np.array([2]), np.array([], dtype=np.int64)).save(tmp_path, source)
    assert load_side(tmp_path / "train.tsv", source).tolist() == [0, 1]
    rows = [row.split("\t") for row in (tmp_path / "train.tsv").read_text(encoding="utf-8").splitlines()]
    assert rows[0] == ["position", "picture", "where"]
    assert [[len(cell) for cell in row] for row in rows[1:]] == [[1, 10_000, 10_000]] * 2
    assert (tmp_path / "test.tsv").read_text() == "position\tpicture\twhere\n"


def test_names_without_a_match_of_the_group() -> None:
    """A pattern may have a group that takes no part; then the whole match counts."""
    rule = SplitRule("regex", r"(?:p([0-9]+)|q)_")
    assert [rule.group(LineEntry("", "w", name), 0) for name in ("p12_a.png", "q_a.png", "p_p7_")] == ["12", "q_", "7"]
    assert rule.group(LineEntry("", "w", "x\\p3_1.png"), 0) == "3"
    assert SplitRule("line").group(LineEntry("", "w", ""), 7) == "7"
    assert SplitRule("line").group(LineEntry("", "w", "a\\b.png"), 7) == "a/b.png"
    assert SplitRule("folder").group(LineEntry("", "w", "a.png"), 7) == "."


def test_a_side_takes_the_groups_that_fit() -> None:
    """A large group that comes first would be all of the validation lines."""
    sizes = np.array([900, 50, 60, 50, 1])
    assert _filling(sizes, 100, 4).tolist() == [False, True, False, True, False]
    assert _filling(sizes, 102, 4).tolist() == [False, True, False, True, True]
    assert _filling(sizes, 1000, 1).tolist() == [True, False, False, False, False]
    assert _filling(sizes, 0.5, 4).tolist() == [False] * 4 + [True]  # at least one, the smallest
    assert _filling(np.ones(10, np.int64), 3.9, 9).tolist() == [True] * 3 + [False] * 7
