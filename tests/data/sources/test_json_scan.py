"""Which JSON files list lines, told by how they begin."""

from __future__ import annotations

import json

import pytest
from tests_support import peak_memory

from crnn.data.sources.json_scan import Repeated, entries, is_json_lines, names_pictures, parse
from crnn.errors import DataError

LINE = '{"file_name": "a.png", "text": "x"}'


@pytest.mark.parametrize(
    ("head", "suffix", "wanted"),
    [
        ("", ".jsonl", True),
        ("", ".ndjson", True),
        ("", ".json", False),
        (f"[{LINE}]", ".json", False),
        (LINE, ".json", True),  # one line alone
        ('{"a.png": "x"}', ".json", False),
        ('{"file_name": "a.png"}', ".json", False),
        (f"  {LINE}\n{LINE}", ".json", True),
        ('{"a": 1}\n{"b"', ".json", True),
        ('{\n"a": 1}\n{"b": 2}', ".json", False),  # no object on a line of its own
        ('{"a": 1} x', ".json", False),
        ('{"a": ', ".json", False),
        ('{"a": ' + "[" * 100_000, ".json", False),
    ],
)
def test_an_object_on_each_line(head: str, suffix: str, wanted: bool) -> None:
    assert is_json_lines(head, suffix) is wanted


@pytest.mark.parametrize(
    ("head", "suffix", "wanted"),
    [
        ('{"a.png": "x", "b.p', ".json", True),
        ('{"a": "x"}', ".json", False),
        ('{"a.png": 3}', ".json", False),
        (f" [{LINE}, ", ".json", True),
        ('[{"file_name": "a.png"}]', ".json", False),
        ('[{"text": "x"}]', ".json", False),
        ('[{"file_name": "a.png", "instances": []}]', ".json", True),
        ('{"metainfo": {}, "data_list": [{"img_path": "a.png", "instances": []}]}', ".json", True),
        ("[]", ".json", False),
        ("{}", ".json", False),
        ("[3]", ".json", False),
        ("3", ".json", False),
        (f"{LINE}\n{{broken", ".jsonl", True),
        (f"{LINE[:-3]}\n{LINE}", ".jsonl", False),
        ("3", ".jsonl", False),
        ("", ".jsonl", False),
    ],
)
def test_pictures_and_texts(head: str, suffix: str, wanted: bool) -> None:
    assert names_pictures(head, suffix) is wanted


def listed(text: str) -> list[tuple[int, str | None, object]]:
    return [tuple(entry) for entry in entries(text, "x.json")]


def test_entries_and_their_lines() -> None:
    assert listed("[]") == listed(" {\n} ") == listed("\n[ \t\r\n]\n") == []
    assert listed('[1,\n "a",\n\n {"b": [2,\n3]}, null\n]') == [
        (1, None, 1),
        (2, None, "a"),
        (4, None, {"b": [2, 3]}),
        (5, None, None),
    ]
    assert listed('\n{"a": 1, "b"\n:\n[2]\n,"c":"x"}') == [(2, "a", 1), (2, "b", [2]), (5, "c", "x")]
    assert listed('{"metainfo": {"x": 1},\n"data_list": [7,\n8], "data_list": []}') == [(2, None, 7), (3, None, 8)]
    assert listed('{"metainfo": 3, "data_list": "x"}') == [(1, "metainfo", 3), (1, "data_list", "x")]
    assert listed('["a\tb"]') == [(1, None, "a\tb")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"x\.json:1: is not JSON \(expected \[ or \{, column 1\); correct it"),
        ("3", r"x\.json:1: is not JSON \(expected \[ or \{, column 1\)"),
        ("[1\n 2]", r"x\.json:2: is not JSON \(expected , or \], column 2\)"),
        ("[1", r"x\.json:1: is not JSON \(expected , or \], column 3\)"),
        ("[1,]", r"x\.json:1: is not JSON \(.*, column 4\)"),
        ("{1: 2}", r"x\.json:1: is not JSON \(expected a key in quotes, column 2\)"),
        ('{"a" 2}', r"x\.json:1: is not JSON \(expected :, column 6\)"),
        ('{"a": 2]', r"x\.json:1: is not JSON \(expected , or \}, column 8\)"),
        ("[1]\n\n x", r"x\.json:3: is not JSON \(text after the end, column 2\)"),
        ("{} {}", r"x\.json:1: is not JSON \(text after the end, column 4\)"),
        ("[1,\n" + "[" * 100_000, r"x\.json:2: is nested too deeply; write a flat list or map"),
        ("[1,\n2,\n" + "9" * 5000 + "]", r"x\.json:3: is not JSON \(.*digits.*\); correct it"),
    ],
)
def test_where_it_is_no_json(text: str, words: str) -> None:
    with pytest.raises(DataError, match=f"^{words}"):
        listed(text)


def test_keys_that_stand_twice_are_told() -> None:
    assert isinstance(parse('{"a": 1, "a": 2}'), Repeated)
    assert isinstance(parse('{"b": {"a": 1, "a": 1}}')["b"], Repeated)
    assert not isinstance(parse('{"a": 1, "b": 1}'), Repeated)
    assert parse('{"a": 1, "a": 2}') == {"a": 2}
    for text in ("", "[", "[1] 2", "[" * 100_000):
        with pytest.raises(ValueError, match=r"."):
            parse(text)


@pytest.mark.parametrize("shape", ["list", "map", "data_list"])
def test_entries_are_never_all_in_memory(shape: str) -> None:
    """As objects they would take many times the text."""
    objects = [{"image": f"images/{i:07d}.png", "instances": [{"text": f"text {i}"}]} for i in range(1000)]
    named = {one["image"]: one for one in objects}
    text = json.dumps({"list": objects, "map": named, "data_list": {"data_list": objects}}[shape])
    counts = []
    assert peak_memory(lambda: counts.append(sum(1 for _ in entries(text, "x.json")))) < len(text) / 4
    assert counts == [1000] * 3
