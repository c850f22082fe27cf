"""What a training saw, as its model's note tells it."""

from __future__ import annotations

import json

from crnn.core.charset import Charset, count_symbols
from crnn.core.seen import NOTE, RARE, SeenCharacters, Seldom, in_order, seldom

CHARSET = Charset(("a", "b", "c", "d", "e", "\u0301"))


def test_a_note_comes_back_and_old_ones_are_none() -> None:
    seen = SeenCharacters.of(CHARSET, count_symbols(["abba", "a?"]), "cab")
    assert seen.labels == {"a": 3, "b": 2}  # no question mark: the model lacks it
    note = json.loads(json.dumps({NOTE: seen.note()}))
    assert SeenCharacters.of_note(note) == seen
    for old in ({}, {NOTE: None}, {NOTE: {"labels": 3}}):
        assert SeenCharacters.of_note(old) is None
    assert SeenCharacters.of_note({NOTE: {"labels": {"a": "x", "b": 2}}}) == SeenCharacters({"b": 2})


def test_clusters_that_are_no_symbols_count_as_their_code_points() -> None:
    seen = SeenCharacters.of(CHARSET, {"e\u0301": 4, "e": 1})
    assert seen.labels == {"e": 5, "\u0301": 4}
    assert seen.times("e\u0301", CHARSET) == 4
    assert seen.times("a", CHARSET) == 0
    assert seen.times("?", CHARSET) is None
    assert seen.times("e?", CHARSET) is None


def test_what_came_before_counts_too() -> None:
    first = SeenCharacters({"a": 2}, ("c",))
    second = SeenCharacters({"a": 1, "b": 1}).after({NOTE: first.note()}, "first.ckpt")
    assert second == SeenCharacters({"a": 3, "b": 1}, ("c",))
    third = SeenCharacters({"a": 1}).after({}, "bundled")
    assert third.earlier == "bundled"
    assert SeenCharacters({"a": 1}).after({NOTE: third.note()}, "third") == SeenCharacters({"a": 2}, (), "bundled")


def test_the_rarest_first_and_not_those_that_are_known_or_cannot_be() -> None:
    seen = SeenCharacters({"a": RARE, "b": RARE - 1}, ("c", "a"))
    found = seldom(seen, CHARSET, ["abc", "d?b"])
    assert list(found.items()) == [("d", Seldom(0, False)), ("c", Seldom(0, True)), ("b", Seldom(RARE - 1, False))]


def test_of_rendered_lines_alone_only_what_they_lack() -> None:
    assert seldom(SeenCharacters({}, ("a", "b")), CHARSET, ["abd"]) == {"d": Seldom(0, False)}


def test_what_was_rendered() -> None:
    seen = SeenCharacters({}, ("a", "b", "e", "\u0301"))
    assert [seen.was_rendered(c) for c in ("a", "c", "ab", "ac", "e\u0301")] == [True, False, True, False, True]
    assert SeenCharacters({}, ("e\u0301",)).was_rendered("e\u0301")


def test_notes_of_other_shapes() -> None:
    labels = {"a": 1, "b": True, "c": 2.0, "d": None}
    assert SeenCharacters.of_note({NOTE: {"labels": labels, "rendered": "abc", "earlier": None}}) == SeenCharacters(
        {"a": 1}
    )
    found = SeenCharacters.of_note({NOTE: {"labels": {}, "rendered": ["b", 3], "earlier": "x"}})
    assert found == SeenCharacters({}, ("b", "3"), "x")
    assert SeenCharacters({"a": 1}).note() == {"labels": {"a": 1}, "rendered": []}
    assert SeenCharacters({"a": 1}, ("b",), "x").note() == {"labels": {"a": 1}, "rendered": ["b"], "earlier": "x"}


def test_characters_of_several_points_are_as_known_as_the_rarest() -> None:
    seen = SeenCharacters({"e": 7, "\u0301": 2})
    assert (seen.times("e\u0301", CHARSET), seen.times("ab", CHARSET)) == (2, 0)
    assert seldom(seen, CHARSET, ["e\u0301e"]) == {"e\u0301": Seldom(2, False)}
    counted = SeenCharacters.of(CHARSET, {"b": 1, "a": 2, "?": 3, "a?": 4}, "ba")
    assert (list(counted.labels.items()), counted.rendered) == ([("a", 2), ("b", 1)], ("a", "b"))
    assert SeenCharacters({"b": 1}, ("b",)).after({NOTE: {"labels": {"a": 1}, "rendered": ["a", "b"]}}, "m") == (
        SeenCharacters({"a": 1, "b": 1}, ("a", "b"))
    )


def test_order_of_the_rare_ones() -> None:
    found = {"c": Seldom(1, True), "b": Seldom(1, False), "a": Seldom(1, True), "d": Seldom(0, True)}
    assert list(in_order(found)) == ["d", "b", "a", "c"]
